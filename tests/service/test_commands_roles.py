"""Every command × everybody who may ask: allowed or refused as the row of the table says, refusals in the log; and
requests that are not what the row says, refused by name. All of it is made of `obhut help --json`."""
import json
import os
import socket
import subprocess
import unittest
import urllib.parse

import obhutd

# Who asks: the roles of their personal token; None: without one; a text: a token that nobody has.
ASKERS = {"the operator": None, "a reviewer": ["reviewer"], "a lead": ["lead"], "an officer": ["officer"],
          "a lead of another organisation": ["lead"], "a stranger": "obhut-person-nobody-has-this"}
REFUSED = -8  # OB_EREFUSED
ROLE = "has no role for this"
PERSON = "only a person can do this"
NO_TOKEN = "a personal token is needed"
UNKNOWN = "this personal token is not known here"
INT64_MAX = (1 << 63) - 1
DIGITS = "ab" * 32
# Commands that would change what the others stand on, or end what is asked: by everybody they are asked last.
LAST = ("person.remove", "audit.forget", "list.accept")


def table():
    done = subprocess.run([obhutd.obhut.BINARY, "help", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["commands"]


def sent(command):
    return [f for f in command["takes"] if not f["local"]]


def value(field):
    """One that is of its kind and within its bounds, and names nothing that there is."""
    kind, first = field["kind"], (field.get("words") or "").split("|")[0]
    return {"text": "x" * max(1, field["least"]), "word": first, "words": [first if "|" in (field.get("words") or "") else "x"],
            "number": min(field["most"], max(field["least"], 999999)), "truth": True, "time": "2027-01-31",
            "object": {}, "document": DIGITS, "places": ["x"], "file": "x", "list": [], "any": {}}[kind]


def wrong(field):
    """Values out of its kind or bounds."""
    kind, least, most = field["kind"], field["least"], field["most"]
    more = min(most, 1 << 17) + 1
    number = [least - 1] + ([most + 1] if most < INT64_MAX else [])
    return {"text": ["", "x" * more, 1], "word": ["", "nix", field.get("words"), 1],
            "words": [[], ["x"] * more, ["x" * 65], "x"] + ([["nix"]] if "|" in (field.get("words") or "") else []), "number": [*number, "1", 1.5],
            "truth": ["true", 1], "time": ["tomorrow", "2027-13-01", 1], "object": [[], "x"],
            "document": [DIGITS[:-1], DIGITS.upper(), 1], "places": [[""], "x", [1]],
            "file": [1, "x" * 4097]}[kind]


def members(command):
    """A request with all that is needed."""
    return {f["name"]: value(f) for f in sent(command) if f["needed"]}


class Socket:
    """The operator's socket: a line of JSON, and lines back up to the answer."""
    place = "socket"

    def __init__(self, data):
        self.path = str(data / "run/admin.sock")

    def ask(self, command, request, token=None, file=None):
        """(status, text); (0, "") where it was done."""
        body = {"do": command["name"], **request}
        if token:
            body["person_token"] = token
        with socket.socket(socket.AF_UNIX) as to:
            to.settimeout(obhutd.waiting.LIMIT_S)
            to.connect(self.path)
            line = json.dumps(body).encode() + b"\n"
            if file is None:
                to.sendall(line)
            else:
                socket.send_fds(to, [line[:1]], [file])
                to.sendall(line[1:])
            with to.makefile() as lines:
                for answer in map(json.loads, lines):
                    if "ok" in answer:
                        return 0, ""
                    if "error" in answer:
                        return answer["error"]["status"], answer["error"]["text"]
        raise AssertionError(f"no answer to {command['name']}")

    @staticmethod
    def in_body(command, name):
        return True

    def is_refused(self, answer, sentence):
        return answer[0] == REFUSED and sentence in answer[1]


class Http:
    """The staff's listener: fields of the path in their places, others in the query or, of POST, in the body."""
    place = "staff"
    statuses = {200: 0, 400: -1, 401: REFUSED, 403: REFUSED}

    def __init__(self, service):
        self.service = service

    @staticmethod
    def in_body(command, name):
        return command["method"] == "POST" and "{" + name + "}" not in command["path"]

    def ask(self, command, request, token=None, file=None):
        path, query, body = command["path"], {}, {}
        if any(f["kind"] == "document" for f in sent(command)) and file is not None:
            request = {**request, "document": DIGITS}
        for name, one in request.items():
            if "{" + name + "}" in path:
                path = path.replace("{" + name + "}", urllib.parse.quote(str(one), safe=""))
            elif command["method"] == "POST":
                body[name] = one
            else:
                query[name] = json.dumps(one) if isinstance(one, bool) else str(one)
        status, headers, answer = self.service.request(
            command["method"], path + ("?" + urllib.parse.urlencode(query) if query else ""),
            json.dumps(body).encode() if command["method"] == "POST" else None,
            {"Content-Type": "application/json"}, token=token or False, listener="staff")
        said = json.loads(answer)
        return self.statuses.get(status, status), said.get("detail", "")

    def is_refused(self, answer, sentence):
        return answer[0] == REFUSED and sentence in answer[1]


class Roles(obhutd.Case):
    def open_door(self):
        return Socket(self.data)

    def setUp(self):
        super().setUp()
        self.service = self.start()
        self.door = self.open_door()
        self.rows = [c for c in table() if self.door.place in c["places"]]
        self.rows.sort(key=lambda c: c["name"] in LAST)
        self.token = self.run_obhut("person", "add", "asks", "--role", "lead,officer")[0].strip()
        self.document = os.open(self.write("document", "a document"), os.O_RDONLY)
        self.addCleanup(os.close, self.document)

    def tokens(self):
        """Each asker's personal token, made anew: some commands end one."""
        found = {}
        for number, (who, roles) in enumerate(ASKERS.items()):
            found[who] = roles
            if isinstance(roles, list):
                external = ["--external"] if "other" in who else []
                found[who] = self.run_obhut("person", "add", f"p{number}", "--role", ",".join(roles),
                                            *external)[0].strip()
        return found

    def log(self):
        return [json.loads(line[line.index("{"):]) for line in (self.data / "audit/log").read_text().splitlines()
                if '"what":"refused"' in line]

    @staticmethod
    def is_stranger(sentence):
        """They are counted and told in sum, at the socket once a minute."""
        return sentence in (NO_TOKEN, UNKNOWN)

    def expected(self, command, who):
        """The sentence that refuses them, or None."""
        roles = ASKERS[who]
        if isinstance(roles, str):
            return UNKNOWN
        if roles is None and self.door.place == "staff":
            return NO_TOKEN
        if roles is None:
            return PERSON if command["persons"] in ("one", "two") else None
        return ROLE if command["roles"] and not set(roles) & set(command["roles"]) else None

    def test_who_may_is_what_the_row_says_and_refusals_are_logged(self):
        tokens = self.tokens()
        asked = refusals = 0
        for command in self.rows:
            takes_file = any(f["kind"] in ("file", "document") for f in sent(command))
            request = {name: one for name, one in members(command).items()
                       if not takes_file or name not in ("file", "document")}
            for who, token in tokens.items():
                before = len(self.log())
                answer = self.door.ask(command, request, token, self.document if takes_file else None)
                sentence = self.expected(command, who)
                said = f"{command['name']} by {who}: {answer}"
                asked += 1
                if sentence:
                    self.assertTrue(self.door.is_refused(answer, sentence), said)
                    entries = [e for e in self.log()[before:] if e["by"] != "unknown"]
                    self.assertEqual([e["wanted"] for e in entries], [] if self.is_stranger(sentence) else [command["name"]], said)
                    refusals += 1
                else:
                    for one in (ROLE, PERSON, UNKNOWN):
                        self.assertFalse(self.door.is_refused(answer, one), said)
        self.assertGreater(asked, 200)
        self.assertGreater(refusals, 70)
        strangers = [e["count"] for e in self.log() if e["by"] == "unknown"]
        self.assertLessEqual(sum(strangers), len(self.rows))
        self.assertLess(len(strangers), len(self.rows) / 2) # one a minute

    def refused_by_name(self, command, request, name):
        status, text = self.door.ask(command, request, self.token)
        said = f"{command['name']} {str(request)[:200]}: {status} {text}"
        self.assertEqual(status, -1, said)  # OB_EINVAL
        self.assertIn(f'"{name}"', text, said)

    def test_a_request_that_is_not_what_the_row_says_is_refused_by_name(self):
        asked = 0
        for command in self.rows:
            whole = members(command)
            self.refused_by_name(command, {**whole, "unknown_field": 1}, "unknown_field")
            for field in sent(command):
                name = field["name"]
                if not self.door.in_body(command, name):
                    continue # in a path or a query everything is a text
                if field["needed"]:
                    self.refused_by_name(command, {k: v for k, v in whole.items() if k != name}, name)
                for bad in wrong(field):
                    self.refused_by_name(command, {**whole, name: bad}, name)
                    asked += 1
        self.assertGreater(asked, 50)

    def test_what_a_row_keeps_from_the_log_is_not_in_it(self):
        marks = {}
        for number, command in enumerate(self.rows):
            takes_file = any(f["kind"] in ("file", "document") for f in sent(command))
            request = {}
            for field in sent(command):
                name, hidden = field["name"], field["logged"] != "plain"
                if field["kind"] == "text" and hidden:
                    request[name] = marks[command["name"], name] = f"mark{number}{name.replace('_', '')}"
                elif field["kind"] == "object":
                    request[name] = {"reasons": marks.setdefault((command["name"], name), f"mark{number}{name}")}
                elif field["needed"] and name not in ("file", "document"):
                    request[name] = value(field)
            self.door.ask(command, request, self.token, self.document if takes_file else None)
        self.assertGreater(len(marks), 15)
        log = (self.data / "audit/log").read_text()
        self.assertEqual([where for where, mark in marks.items() if mark in log], [])

    def test_what_only_the_command_line_takes_is_no_field_of_a_request(self):
        for command in self.rows:
            for field in command["takes"]:
                if field["local"]:
                    self.refused_by_name(command, {**members(command), field["name"]: "x"}, field["name"])

    def test_what_is_asked_elsewhere_is_not_asked_here(self):
        for command in table():
            if self.door.place not in command["places"]:
                status, text = self.door.ask(command, members(command))
                self.assertEqual(status, -1, command["name"])
                self.assertIn("no command is called", text)


class RolesOverHttp(Roles):
    """The same at the staff's listener: same checks, same log, same answers."""
    def open_door(self):
        return Http(self.service)

    def test_a_stranger_is_told_so_before_anything_is_read(self):
        for token, body in (("nobody", b"no JSON"), (False, b"no JSON"), ("nobody", b"{" * 5000)):
            self.assertEqual(self.service.request("POST", "/v1/verdicts", body, token=token, listener="staff")[0], 401)

    def test_fields_stand_where_they_belong(self):
        for way, path, body in (("POST", "/v1/verdicts?account=zed&reason=because", b"{}"),
                                ("GET", "/v1/audit/code", b'{"account": "zed"}')):
            self.assertEqual(self.service.request(way, path, body, token=self.token, listener="staff")[0], 400)

    def test_who_has_left_is_not_one_of_two_persons(self):
        cora = self.run_obhut("person", "add", "cora", "--role", "lead")[0].strip()
        asked = self.service.json("POST", "/v1/verdicts", {"account": "bert", "reason": "three"}, token=cora, listener="staff")
        self.run_obhut("person", "remove", "cora")
        got = self.service.json("POST", f"/v1/proposals/{asked['proposal']}/approve", {"reason": "me, too"}, status=403,
                                token=self.token, listener="staff")
        self.assertIn("has left", got["detail"])

    def test_one_record_and_one_end(self):
        for path, body in (("/v1/causes", {"account": "a", "verdict": 1, "report": 1, "reason": "x"}),
                           ("/v1/causes", {"account": "a", "reason": "x"}),
                           ("/v1/holds", {"verdict": 1, "reason": "x", "law": "us-2258a", "until": "2099-01-31"})):
            self.service.json("POST", path, body, status=400, token=self.token, listener="staff")

    def test_what_is_asked_elsewhere_is_not_asked_here(self):
        paths = {(c["method"], c["path"]) for c in self.rows}
        for command in table():
            if self.door.place not in command["places"]:
                self.assertNotIn((command.get("method"), command.get("path")), paths)

    def test_the_answer_is_that_of_the_command(self):
        for name in ("policy.show", "detector.ls", "clock.show", "record.kinds", "hold.ls", "cause.ls"):
            command = next(c for c in self.rows if c["name"] == name)
            by_command = json.loads(self.run_obhut(*name.split("."), "--json")[0])
            by_http = self.service.json("GET", command["path"], token=self.token, listener="staff")
            if name == "clock.show":
                by_http["now"] = by_command["now"]
            self.assertEqual(by_http, by_command)

    def test_two_persons_agree_over_http(self):
        other = self.run_obhut("person", "add", "second", "--role", "reviewer")[0].strip()
        asked = self.service.json("POST", "/v1/verdicts", {"account": "bert", "reason": "three of them"}, token=self.token,
                                  listener="staff")
        way = f"/v1/proposals/{asked['proposal']}/approve"
        self.assertEqual(self.service.json("POST", way, {"reason": "me, too"}, status=403, token=self.token,
                                           listener="staff")["code"], "REFUSED")
        done = self.service.json("POST", way, {"reason": "I looked at them, too"}, token=other, listener="staff")
        self.assertEqual(done, {"verdict": 1})
        told = self.run_obhut("verdict", "ls", "--json")[0]
        self.assertIn("I looked at them, too", told)


if __name__ == "__main__":
    unittest.main()
