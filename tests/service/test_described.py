"""docs/openapi.yaml against the service, both ways: what is described is there and nothing else is; hundreds of requests that
are made of the description, right ones and wrong ones, bring no status, type or member that it does not name."""
import json
import random
import re
import unittest

import jsonschema
import yaml

import obhutd

SEED = int(__import__("os").environ.get("OBHUT_SEED", "20261129"))
EACH = 8  # requests of an operation
PICTURE = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
METHODS = ("get", "post", "put", "delete")


def described():
    return yaml.safe_load((obhutd.ROOT / "docs/openapi.yaml").read_text())


class Described(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.api = described()
        self.service = self.start()
        self.person = self.run_obhut("person", "add", "ada", "--role", "lead")[0].strip()
        self.weak = self.run_obhut("token", "add", "weak", "--surface", "public", "--scope", "lists")[0].strip()
        self.strong = self.run_obhut("token", "add", "strong", "--surface", "public", *(
            word for scope in ("scan", "match", "lists", "reports", "consents") for word in ("--scope", scope)))[0].strip()

    def follow(self, of):
        while "$ref" in of:
            to = self.api
            for step in of["$ref"].removeprefix("#/").split("/"):
                to = to[step]
            of = to
        return of

    def operations(self):
        """(path, method, operation, listener, parameters)"""
        ports = {"8480": "services", "8481": "staff", "8482": "public"}
        for path, ways in self.api["paths"].items():
            for method in METHODS:
                if method in ways:
                    of = ways[method]
                    servers = of.get("servers", ways.get("servers", self.api["servers"]))
                    parameters = [self.follow(p) for p in ways.get("parameters", []) + of.get("parameters", [])]
                    yield path, method, of, ports[servers[0]["url"][-4:]], parameters

    # ---- Making values of schemas ----

    def value(self, schema, wrong=False):
        schema = self.follow(schema)
        if wrong:
            return self.random.choice([None, -1, 10**25, 1.5, True, "", "x" * 5000, [], {}, [[]], "\u0000", "ä\u202e", {"a": 1}])
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for of in ("oneOf", "anyOf"):
            if of in schema:
                return self.value(self.random.choice(schema[of]))
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "integer":
            return self.random.randint(schema.get("minimum", 0), min(schema.get("maximum", 5), 5) if schema.get("minimum", 0) <= 5
                                       else schema["maximum"])
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "number":
            return 1
        if kind == "array":
            return [self.value(schema.get("items", {})) for _ in range(max(1, schema.get("minItems", 1)))]
        if kind == "object":
            return {name: self.value(of) for name, of in schema.get("properties", {}).items()
                    if name in schema.get("required", ()) or self.random.random() < 0.5}
        if "pattern" in schema or schema.get("format"):
            return self.random.choice(["2027-01-31", "f" * 64, "a"])
        return self.random.choice(["a", "ada", "some words", "eu-dsa", "pdq"])

    def text(self, value):
        return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)

    def request_of(self, path, of, parameters, wrong):
        """(path, query and all; body; headers)"""
        from urllib.parse import quote, urlencode
        query = {}
        spoilt = self.random.choice([p["name"] for p in parameters] + ["body"]) if wrong else None
        for p in parameters:
            value = self.value(p.get("schema", {}), wrong and spoilt == p["name"])
            if p["in"] == "path":
                path = path.replace("{" + p["name"] + "}", quote(self.text(value)[:300] or "-", safe="") or "-")
            elif p["in"] == "query" and (p.get("required") or self.random.random() < 0.3):
                query[p["name"]] = self.text(value)[:2000]
        if wrong and self.random.random() < 0.3:
            query["no_such_field"] = "1"
        body, headers = None, {"Accept": "application/json"}
        for kind, content in of.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                made = self.value(content.get("schema", {}))
                if wrong and isinstance(made, dict) and spoilt == "body":
                    made[self.random.choice(list(made) or ["more"])] = self.value({}, True)
                body = json.dumps(made).encode()
                if wrong and self.random.random() < 0.2:
                    body = body[:len(body) // 2]
            else:
                body = PICTURE if not wrong else PICTURE[:self.random.randrange(1, 3000)]
            headers["Content-Type"] = kind
            break
        return path + ("?" + urlencode(query) if query else ""), body, headers

    # ---- Looking at answers ----

    def undescribed(self, schema, value, where="answer"):
        """Members that no schema names; those that stand for anything are left alone."""
        schema = self.follow(schema)
        parts = [self.follow(s) for of in ("allOf", "oneOf", "anyOf") for s in schema.get(of, ())] + [schema]
        if isinstance(value, list):
            inner = [p["items"] for p in parts if "items" in p]
            return [u for one in value for u in (self.undescribed(inner[0], one, where + "[]") if inner else [])]
        properties = {}
        for part in parts:
            properties |= part.get("properties", {})
            for s in part.get("allOf", ()):
                properties |= self.follow(s).get("properties", {})
        if not isinstance(value, dict) or not properties:
            return []
        return [f"{where}.{name}" for name in value if name not in properties] + [
            u for name, one in value.items() if name in properties
            for u in self.undescribed(properties[name], one, f"{where}.{name}")]

    def looked_at(self, of, status, headers, body, said):
        answers = {str(k): self.follow(v) for k, v in of["responses"].items()}
        self.assertIn(str(status), answers, said)
        self.assertNotEqual(status, 500, said)
        content = answers[str(status)].get("content", {})
        kind = headers["Content-Type"].split(";")[0] if headers["Content-Type"] else None
        if not content:
            return
        self.assertIn(kind, content, said)
        schema = content[kind].get("schema")
        if schema and "json" in kind:
            value = json.loads(body)
            jsonschema.Draft202012Validator({**schema, "components": self.api["components"]}).validate(value)
            self.assertEqual(self.undescribed(schema, value), [], said)

    def test_generated_requests_are_answered_as_described(self):
        asked = 0
        for path, method, of, listener, parameters in self.operations():
            own = {"staff": self.person}.get(listener, self.strong)
            for number in range(EACH):
                token = (False, "unknown", self.weak, own)[number] if number < 3 else own
                to, body, headers = self.request_of(path, of, parameters, number >= EACH // 2)
                status, got, answer = self.service.request(method.upper(), to, body, headers, token=token, listener=listener)
                with self.subTest(method=method, path=path):
                    self.looked_at(of, status, got, answer, (method, to, body and body[:300], status, answer[:500]))
                asked += 1
        self.assertGreater(asked, 400)

    def test_of_what_services_say_nothing_is_in_the_log_but_codes(self):
        rows = json.loads(self.run_obhut("help", "--json")[0])["commands"]
        marks = []

        def made(field):
            marks.append(f"mark{len(marks)}x")
            each = {f["name"]: made(f) for f in field.get("fields", ())}
            return {"text": marks[-1], "words": [marks[-1]], "list": [each], "truth": True, "word": (field.get("words") or "").split("|")[0],
                    "number": 1}[field["kind"]]

        for row in rows:
            if "services" not in row["places"] or row["effect"] != "changes":
                continue
            path, headers, body = row["path"], {"Content-Type": "application/json"}, {}
            for field in row["takes"]:
                if field["where"] == "path":
                    path = path.replace("{" + field["name"] + "}", made(field))
                elif field["where"] == "header":
                    headers[field["name"]] = made(field)
                else:
                    body[field["name"]] = made(field)
            status, _, _ = self.service.request(row["method"], path, json.dumps(body).encode() if body else None, headers,
                                                token=self.strong)
            self.assertIn(status, (200, 201, 404), row["name"])
        log = (self.data / "audit/log").read_text()
        self.assertIn('"what":"report.add"', log)
        self.assertEqual([mark for mark in marks if mark in log], [])

    def test_what_is_described_is_there_and_nothing_else_is(self):
        there = {}
        for path, method, _, listener, _ in self.operations():
            there.setdefault((listener, re.sub(r"\{\w+\}", "1", path)), set()).add(method)
        for (listener, path), methods in there.items():
            if path.startswith("/gw/"):
                continue # its secret is its path: 404 is all that a stranger hears
            for method in METHODS + ("patch",):
                status, _, body = self.service.request(method.upper(), path, headers={"Accept": "application/json"}, listener=listener)
                self.assertEqual(status == 405, method not in methods, (listener, method, path, status, body))
        rows = json.loads(self.run_obhut("help", "--json")[0])["commands"]
        for row in rows:
            for listener in {"services", "staff", "public"} & set(row["places"]):
                self.assertIn(row["method"].lower(), there[listener, re.sub(r"\{\w+\}", "1", row["path"])], row["path"])


if __name__ == "__main__":
    unittest.main()
