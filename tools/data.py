"""Prints docs/DATA.md: what is stored. What the records hold comes from the program itself.

    python3 tools/data.py build/release/obhut > docs/DATA.md
"""
import json
import subprocess
import sys
import tempfile

HEAD = """# What is stored

Everything lies under the data directory. What the records hold, what for and how long, is said by one constant for each
kind of them (`src/system/store/kinds/`); `obhut record kinds` prints them, and the lower half of this page is made of them. Pseudonyms
are keyed codes (BLAKE2b) of what a service calls an account, a conversation or an item: the words themselves are not
kept. Of what is looked at, or not, only counts remain.

## Files

| what | where | purpose | how long | about persons |
|---|---|---|---|---|
| the records, see below | `obhut.db`, or PostgreSQL | | | |
| the log: acts, counts of a second and of a day | `audit/log` | proving what was done, years later, to others | while the directory exists | by codes; with the key of a code destroyed it is about nobody |
| its checkpoints and public key | `audit/checkpoints`, `audit/key` | showing that the log was not changed | while the directory exists | no |
| entries of lists: hash, digests, the publisher's id, source, classification, line | `lists/NAME.obx` | finding copies of known material | until the list is replaced or removed | no: a hash identifies a file, not anybody; but it is derived from illegal content and confidential |
| a list's purpose, source, time of import | the same | saying where a match came from | the same | no |
| which lists there must be, the checksums of their files, how far their journals go | `lists.state` | noticing that a list lost something | as long as there are lists | no |
| entries added and withdrawn since a list was written | `lists/NAME.NUMBER.log` | the same, at once | until the list is merged, replaced or removed | no |
| the key of pseudonyms | `keys/pseudonym` | knowing an account again without keeping its name | while the directory exists | without it pseudonyms mean nothing |
| the key that signs checkpoints | `keys/audit` | nobody else can | while the directory exists | no |
| the service's own token | `keys/api-token` | the operator's access | until removed | no |
| the address of PostgreSQL, where there is one | `records` | finding the records | while the directory exists | no; it may have a password |
| lock | `lock` | one writer at a time | empty file | no |

Nothing else is stored. Bodies are in memory only while they are on their way; those that nobody may look at are
overwritten piece by piece. A client's address goes with its request from the front to the core, in memory, until the answer is there; it is
written down nowhere. What the service prints names no item, account, token or path. `hash`, `match` and `scan`
keep nothing of what they looked at: results go to standard output.

## The records

"""

TAIL = """
## How records go

The service deletes once an hour what has been kept long enough, in batches, each of them whole or not at all. The log says
before what is due (`reaping`), and afterwards what went (`reaped`: due, deleted, held, left); nothing is deleted while
nothing can be logged. A killed process goes on at its next start. `obhut record reap` does the same at once. Where the
last run is more than eight days ago by the clock, the service deletes nothing by itself: the clock may have jumped, and
the command says that it has not.

- **A law's maximum wins.** Where a regime of the service's country says how long at most what was found may be kept
  (Regulation (EU) 2021/1232 and 2026/1881, Art. 3(1)(h), (i): twelve months), no period is longer, and no person's hold
  makes it so, whenever it was made.
- **A hold** keeps a report, notice, verdict, cause or order longer. It needs a reason, a person and an end:
  `obhut hold add --report 7 --reason "appeal is running" --until 2027-03-01`. What is held cannot be removed by command.
- **Two laws.** Where one demands keeping (18 USC 2258A(h)(1): a year from a report to the CyberTipline) and another
  deletion before that, nobody decides silently: the record stays, `obhut hold ls` says `must_be_decided`, and a lead or
  officer decides: `obhut hold keep N --reason …`, or `obhut hold end N`.
- **Nothing is left in the files.** Once a night, with `obhut record reap` and `obhut audit forget` at once, what was deleted is
  overwritten, also what was removed by request. SQLite's file is written anew, once for all tables, and its journal emptied:
  writers wait for that, readers do not. On PostgreSQL the tables of which something went are
  written anew one by one (`VACUUM FULL`), on a connection of its own that gives way to others; its own journal (`pg_wal`) holds what was deleted until the server recycles it, at
  once where the role may do so (`pg_checkpoint`; `pg_switch_wal`), and columns with personal data are kept out of its
  statistics. Somebody who reads for long meanwhile delays it: the service says so, and tries again in an hour; until it has succeeded, the
  records remember which tables are owed. What has been given back to the file system, such as the write-ahead log and the copy of
  the records when the file was written anew, can lie in free blocks of the disk until they are used again: encrypt the disk. Replicas, prepared transactions
  and replication slots of a server are its administrator's.
- **The log forgets persons.** It knows accounts and the staff by codes that only a key of their own makes again.
  `obhut audit forget --account NAME` destroys that key: from then on nobody can say whom these entries are about, and the
  log still verifies.

Backups hold what was there when they were made: keep them no longer than the shortest period above.
"""


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run([program, "--data", place, "record", "kinds", "--json"], check=True,
                              stdout=subprocess.PIPE)
    kinds = json.loads(done.stdout)["kinds"]
    out = HEAD
    out += "| what | table | purpose | how long | about persons |\n|---|---|---|---|---|\n"
    for kind in kinds:
        out += (f"| {kind['title']} | `{kind['table']}` | {kind['purpose']} | {kind['period']} | "
                f"{kind['persons']} |\n")
    out += "\nEvery field, and why it is there:\n\n| table | fields |\n|---|---|\n"
    for kind in kinds:
        fields = "; ".join(f"`{name}`: {why}" for name, why in kind["fields"].items())
        out += f"| `{kind['table']}` | {fields} |\n"
    sys.stdout.write(out + TAIL)


if __name__ == "__main__":
    main()
