"""Asks Obhut whether an uploaded picture may be kept: `verdict(bytes)` is "keep", "ask" or "refuse"."""
import json, os, urllib.error, urllib.request

URL = os.environ.get("OBHUT_URL", "http://127.0.0.1:8480") + "/v1/scan?surface=public"
TOKEN = os.environ["OBHUT_TOKEN"]  # obhut token add forum --surface public --scope scan

def verdict(picture):
    request = urllib.request.Request(URL, picture, {"Authorization": "Bearer " + TOKEN})
    try:
        action = json.load(urllib.request.urlopen(request, timeout=30))["action"]
    except urllib.error.HTTPError as error:  # 503: Obhut cannot now; 413: too large to be looked at
        if error.code not in (503, 413):  # anything else: a mistake of ours
            raise RuntimeError(f"Obhut: {error.read().decode()}")
        action = "could_not"
    except OSError:  # it is down
        action = "could_not"
    if action in ("allow", "not_scanned"):  # not_scanned: nobody may look, so nobody did
        return "keep"
    # review, hold: a person should look. undecodable, could_not: nobody has looked at it. Your choice; here
    # such an upload waits, not shown, until somebody looks or it is asked again.
    return "refuse" if action == "block" else "ask"

if __name__ == "__main__":
    import sys
    print(verdict(open(sys.argv[1], "rb").read()))
