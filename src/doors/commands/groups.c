/* What stands above the commands of one word: in `obhut --help`, and at the end of a group's own
 * help. */
#include <obhut/commands.h>

#include <string.h>

static const ob_command_group groups[] = {
    {"hash",
     "hashes and digests of pictures",
     "Prints the PDQ hash, its quality (0..100; below 50 it matches nothing reliably) and the name "
     "of every picture. Directories are walked through. With --json one object a line: file, "
     "format, width, height, pdq, quality, md5, sha1, sha256, with --dihedral the other hashes, "
     "and in more_frames the hashes of what differs from the stored picture (other frames, what is "
     "seen over white or black, as a profile says, without a crop). Without --exact it is several "
     "times faster and at most 8 of 256 bits away. --variant full: every pixel counts, as in the "
     "Python and Java tools; reference: the nearest 512 x 512 pixels count, as in the C++ tool. A "
     "file that cannot be decoded to its end has no hash: it gets a line of its own on standard "
     "error (with --json also an object with \"error\"), and the exit code is 3.",
     {"obhut hash photo.jpg", "obhut hash --json --dihedral ~/Pictures > hashes.jsonl"}},
    {"scan",
     "what the service would say of files",
     "Treats files as the service does: the gate is asked about each, and only where it allows "
     "that, the file is hashed and looked up in the enabled lists, in all eight ways to turn and "
     "mirror it. Where a list has digests (MD5, SHA-1, SHA-256), every file is looked up by them "
     "too. Prints what was found, where nothing was, and where nobody looked and why; with --json "
     "one object a file, as POST /v1/scan answers. A picture of quality below 50 has too little in "
     "it to be matched by hash, and the output says so. Exit code 1 when something was found, else "
     "3 when a file failed, else 0. A match is a question that a person must answer, not a finding "
     "about anybody.",
     {"obhut scan --surface public upload.jpg",
      "obhut scan --surface public --json ~/uploads > matches.jsonl"}},
    {"match",
     "which hashes are on a list",
     "Looks up PDQ hashes (64 hexadecimal digits each) and digests of whole files (md5:…, sha1:…, "
     "sha256:…), or hashes of other methods (photodna:…, tmk:…, vpdq:…), in the enabled lists; - "
     "reads one a line from standard input, also what `obhut hash` and md5sum print: what stands "
     "behind a hash is left alone. Prints a line for each match: query, list, entry, the entry's "
     "hash or the digest's name, distance, nearest first; a query without a match gets a line with "
     "\"-\". Exit code 1 when something was found, 3 when a line was no hash and nothing was "
     "found.",
     {"obhut match md5:b05e90f43b1dd5c5b0e8ba4ab5bd1b3c", "obhut match --json - < hashes.txt",
      "obhut hash photo.jpg | obhut match -"}},
    {"list",
     "import, show, switch and remove lists of known hashes",
     "A list is a hash a line, CSV with a header and any separator, JSON, or XML of NCMEC; also "
     "gzip and UTF-16. Without --keep-going the whole file counts or nothing does, and the old "
     "list stays. An entry near a picture with nothing in it (flat, graded, blank, patterned) is "
     "refused: it would match anything. So are digests of the empty file, digests that stand where "
     "PDQ hashes should (--type says what 64 digits are), hashes of low quality, and a list that "
     "would shrink to less than half of its entries (--accept takes these two all the same).",
     {"obhut list import known.csv --name hotline --source \"Hotline, 2026-11\"",
      "obhut list import - --name own < hashes.txt", "obhut list update hotline today.jsonl",
      "obhut list withdraw hotline --id 7311", "obhut list ls"}},
    {"gate",
     "what may be looked at, and why",
     "explain answers for a situation (a JSON object; docs/GATE.md has all its fields), or for one "
     "on each line, whether it may be looked at: which of the four ceilings stops it (law, floor, "
     "policy, consent), the first reason, the article, and what the law alone would say. It is "
     "hypothetical: it looks at nothing and permits nothing. regimes lists the laws that this "
     "release knows: dates, state, days left, digest. Exit code 0 when every situation was "
     "answered; one that is no JSON, or lacks a fact, is answered INPUT_INCOMPLETE.",
     {"obhut gate explain examples/all-direct-messages.json",
      "obhut gate explain --json --what-if - < situations.jsonl", "obhut gate regimes"}},
    {"token",
     "who may ask the service, and for what",
     "The service's own token, to scan and match on every surface, is in DIR/keys/api-token.",
     {"obhut token add forum --surface public --scope scan", "obhut token remove forum"}},
    {"person",
     "people who decide",
     "The personal token is what a person shows as OBHUT_PERSON_TOKEN. docs/GATE.md says what each "
     "role may do.",
     {"obhut person add ada --role lead"}},
    {"policy",
     "what the service is and has switched on",
     "Keys and values: service NAME; kinds hosting,interpersonal; country DE; regime ID, the house "
     "rule where no built-in law knows the country; surfaces public,…; bases public,report,…; "
     "detectors known,…; register yes|no, whether the service tells which conversations are "
     "protected. docs/GATE.md explains them.",
     {"obhut policy set country DE"}},
    {"proposal",
     "what waits for a second person",
     "The person who proposed something cannot agree to it. What the operator proposes needs two "
     "persons: "
     "the first who agrees becomes its proposer.",
     {"OBHUT_PERSON_TOKEN=… obhut proposal approve 3 --reason \"looked at all four items\""}},
    {"report",
     "what participants report, and others notify",
     NULL,
     {"OBHUT_PERSON_TOKEN=… obhut report confirm 7"}},
    {"verdict",
     "what people decided about an account",
     NULL,
     {"obhut verdict add --account ada --reason \"three listed pictures, looked at\""}},
    {"cause",
     "what lets private items of one account be looked at, for a time",
     NULL,
     {"obhut cause add --account ada --verdict 3 --reason \"the same pictures again\"",
      "obhut cause end 2"}},
    {"order",
     "orders of courts",
     "docs/GATE.md has the fields of FILE.json.",
     {"obhut order check order.json", "obhut order add order.json --document order.pdf"}},
    {"consent", "what accounts consented to", NULL, {"obhut consent withdraw --account ada"}},
    {"safeguard",
     "what a law asks for beside its permission",
     NULL,
     {"obhut safeguard record impact_assessment --regime eu-2021-1232 --document dpia.pdf"}},
    {"detector",
     "ways of finding something, and what they are trusted with",
     NULL,
     {"obhut detector suspend pdq --reason \"wrong four times today\""}},
    {"clock", "whether the time is believed", NULL, {"obhut clock show"}},
    {"record",
     "how long records stay",
     "docs/DATA.md has the same as a page.",
     {"obhut record kinds"}},
    {"hold",
     "records that stay longer",
     "What is kept is one record (--report, --notice, --verdict, --cause or --order), until a time "
     "(--until) or as long as a law says (--law).",
     {"obhut hold add --report 7 --law us-2258a --reason \"reported on 3 November\""}},
    {"gateway",
     "software that asks in its own protocol",
     "Such servers upload a file before there is a post, also for private messages: who declares "
     "them public says that everything uploaded there is public. See docs/INTEGRATIONS.md.",
     {"obhut gateway add pict-rs --surface public",
      "PICTRS__MEDIA__EXTERNAL_VALIDATION=http://127.0.0.1:8480/gw/pictrs/…"}},
    {"audit",
     "verify, show, search and prove what was done",
     "DIR is a directory with log, checkpoints and key, also a copy; without it, the log of the "
     "data directory. CHECKPOINT is a file that `obhut audit checkpoint` has made before. Without "
     "--key, verify trusts the key beside the log, and says so. It names the first bad byte and "
     "entry; with an older checkpoint it also finds a log that was cut back or written anew. Exit "
     "codes: 0 the log (or the proof) is right, 1 it is not, 2 wrong usage, 3 something failed.",
     {"obhut audit verify", "obhut audit verify --since kept/checkpoint --key kept/key /mnt/copy",
      "obhut audit search --what cause --after 2026-11-01",
      "obhut audit prove 7311 > 7311.tlog-proof",
      "obhut audit verify --proof 7311.tlog-proof --key kept/key"}},
    {"status",
     "lists and their age, what a hit does, what is open, the last backup",
     "Says which lists there are, from whom and how old; what a hit does at each door; what may be "
     "looked at (policy show says what would open the rest); who is told, who may ask; and when "
     "the last backup was made and the last checkpoint given away. Asks the service that runs, or "
     "reads the directory itself; changes nothing.",
     {"obhut status"}},
    {"check",
     "read all that lies in the data directory, and say what is right",
     "Reads everything in the data directory (keys, records, log, lists) and says of each file "
     "whether it is right: of a log also whether it still has what the records know to have been "
     "signed. Works while the service runs, and where it does not start; changes nothing. With "
     "--json one object: "
     "{\"files\":[{\"file\",\"right\",\"problem\"}],\"right\",\"wrong\",\"unread\"}; right is null "
     "where nothing could be told yet. Exit codes: 0 all is right, 1 something is not, 2 wrong "
     "usage, 3 something failed.",
     {"obhut check --config /etc/obhut/obhutd.conf"}},
    {"backup",
     "everything in one file, encrypted to a key of yours, while the service runs",
     "A backup has records, keys, log and lists; the configuration (obhutd.conf) is not in it. "
     "Keep the secret key where neither service nor backups are: who loses it has no backups. FILE "
     "is whole or not there, and only a backup is written over; - is standard output.",
     {"obhut backup key --out operator.secret",
      "obhut backup make --to /backup/obhut.obb --key obhut-public-…",
      "obhut backup make --to - --key operator.public | ssh other 'cat > obhut.obb'"}},
    {"restore",
     "a data directory from such a file",
     "Into the data directory or --into DIR, which must be empty or not there and is whole "
     "afterwards or untouched. No service may run in it. - is standard input. docs/OPERATION.md "
     "says what to do afterwards.",
     {"obhut restore /backup/obhut.obb --secret operator.secret --into /var/lib/obhut"}},
};

const ob_command_group *ob_command_group_at(size_t index)
{
    return index < sizeof groups / sizeof *groups ? &groups[index] : NULL;
}

bool ob_command_is_of(const ob_command *command, const char *group)
{
    const size_t size = strlen(group);
    return !strncmp(command->name, group, size) &&
           (!command->name[size] || command->name[size] == '.');
}
