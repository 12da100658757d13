"""How many bits the quick default path moves on real photographs. Usage: bits.py OBHUT [DIR…]

Every JPEG of Debian's packages mate-backgrounds and plasma-workspace-wallpapers (or of DIR…) is
hashed by default and with --exact; pictures of quality below 50 do not count.
"""
import json
import subprocess
import sys

DIRECTORIES = ["/usr/share/backgrounds/mate", "/usr/share/wallpapers"]


def hashes(binary, directories, *options):
    out = subprocess.run([binary, "hash", "--json", *options, *directories],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return {line["file"]: line for line in map(json.loads, out.splitlines()) if "pdq" in line}


def main(binary, *directories):
    directories = directories or DIRECTORIES
    quick, exact = hashes(binary, directories), hashes(binary, directories, "--exact")
    moved = {name: bin(int(quick[name]["pdq"], 16) ^ int(line["pdq"], 16)).count("1")
             for name, line in exact.items()
             if line["format"] == "jpeg" and line["quality"] >= 50}
    print("bits moved  photographs")
    for bits in range(max(moved.values()) + 1):
        print(f"{bits:10}  {sum(value == bits for value in moved.values()):11}")
    print(f"{len(moved)} photographs: mean {sum(moved.values()) / len(moved):.2f}, "
          f"most {max(moved.values())} ({max(moved, key=moved.get)})")


if __name__ == "__main__":
    main(*sys.argv[1:])
