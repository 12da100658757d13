"""Lists as publishers write them, from the command line: what is read, what is said of it, what is
refused until somebody says otherwise."""
import base64
import gzip
import json
import unittest

import obhut

A, B, C = obhut.hashes(3, seed=1)
MD5 = "a6bbc91ae73dd21c0533f735470a9cd0"


def digests(count, seed=5):
    """As many bits set as chance has it: SHA-256."""
    import hashlib
    return [hashlib.sha256(f"{seed} {i}".encode()).hexdigest() for i in range(count)]


class Shapes(obhut.Case):
    def import_json(self, *arguments, code=0):
        return self.json_lines("list", "import", *arguments, "--json", code=code)[0]

    def test_digests_that_pose_as_pdq_are_refused_until_their_kind_is_said(self):
        path = self.write("banned.txt", digests(200))
        for more in ([], ["--keep-going"]):
            _, err = self.run_obhut("list", "import", path, *more, code=3)
            self.assertIn("They look like SHA-256: --type sha256", err)
        line = self.import_json(path, "--type", "sha256")
        self.assertEqual((line["entries"], line["understood"]["kinds"]), (200, {"sha256": 200}))
        self.run_obhut("match", "sha256:" + digests(1)[0], code=1)
        line = self.import_json(path, "--type", "pdq", "--name", "other")
        self.assertEqual(line["understood"]["kinds"], {"pdq": 200})
        _, err = self.run_obhut("list", "import", path, "--type", "md4", code=3)
        self.assertIn("pdq and sha256 are known", err)
        one = self.write("one.txt", ["f" * 40 + "0" * 24])
        self.assertIn("160 of its 256 bits are set", self.run_obhut("list", "import", one, code=3)[1])

    def test_a_digest_that_poses_as_pdq_is_not_added(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        posing = "f" * 40 + "0" * 24
        _, err = self.run_obhut("list", "add", "x", posing, code=3)
        self.assertIn("more bits set than a PDQ hash can have", err)
        self.run_obhut("list", "add", "x", "sha256:" + posing)
        self.run_obhut("list", "add", "x", "pdq:" + posing)

    def test_published_exceptions_are_pdq_hashes(self):
        """Drawings and padded pictures have fewer than 128 bits set."""
        few = f"{int(A, 16) & int(B, 16):064x}"
        self.assertEqual(self.import_json(self.write("few.txt", [few]))["entries"], 1)

    def test_an_import_says_what_it_understood(self):
        path = self.write("icse.csv", [
            "MD5;SHA1;ZZ40;PhotoDNA;Lace;Image ID;Is distributed",
            f"{MD5};{'3' * 39}1;Z;{'83' * 144};eHh4;1;1;more", f"{MD5}0;;;;;2;1", f"{'ab' * 16};;;;;3;1"])
        out, err = self.run_obhut("list", "import", path, code=3)
        self.assertIn("line 3: 33 characters where md5 has 32", err)
        self.assertIn("read as CSV with semicolons", err)
        out, _ = self.run_obhut("list", "import", path, "--keep-going")
        self.assertIn("read as CSV with semicolons: md5 2, sha1 1, photodna 1\n", out)
        self.assertIn("columns used: MD5, SHA1, PhotoDNA, Image ID\n", out)
        self.assertIn("columns not used: ZZ40, Lace, Is distributed\n", out)
        path = self.write("s.jsonl", [json.dumps({"hash": h, "status": s}) for h, s in
                                      ((A, "Active"), (B, "inactive"), (C, "Active"))])
        understood = self.import_json(path)["understood"]
        self.assertEqual(understood["states"], {"Active": 2, "inactive": 1})
        self.assertEqual((understood["shape"], understood["columns"]), ("JSON Lines", ["hash", "status"]))

    def test_signals_of_other_methods_are_kept_and_found_where_an_equal_one_is_handed_in(self):
        """Whatever they are written in: base64, hexadecimal digits, numbers."""
        signal = bytes(range(7, 151))
        texts = [base64.b64encode(signal).decode(), signal.hex(), ",".join(map(str, signal))]
        path = self.write("p.json", [json.dumps([{"MediaID": 1, "PhotoDNA": texts[0], "MD5": MD5},
                                                 {"MediaID": 2, "tmk": "T" * 600},
                                                 {"MediaID": 3, "type": "vPDQ", "hash": f"{A},0,100,0.0"}])])
        line = self.import_json(path)
        self.assertEqual((line["entries"], line["understood"]["kinds"]),
                         (3, {"md5": 1, "photodna": 1, "tmk": 1, "vpdq": 1}))
        self.assertEqual(line["understood"]["kinds_unused"], {})
        self.assertIn("\nhashes    md5 1, photodna 1, tmk 1, vpdq 1\n", self.run_obhut("list", "info", "p")[0])
        for text in texts:
            found, = self.json_lines("match", "--json", "photodna:" + text, code=1)
            self.assertEqual([(m["entry"], m["digest"]) for m in found["matches"]], [("1", "photodna")])
        self.run_obhut("match", "tmk:" + "T" * 600, code=1)
        self.run_obhut("match", "tmk:" + "T" * 601)
        self.run_obhut("match", "vpdq:" + "T" * 600)
        export = self.write("again.csv", self.run_obhut("list", "export", "p")[0].splitlines())
        self.assertEqual(self.import_json(export)["understood"]["kinds"], line["understood"]["kinds"])
        self.run_obhut("match", "photodna:" + texts[1], code=1)
        self.run_obhut("list", "withdraw", "p", "photodna:" + texts[2])
        self.run_obhut("list", "remove", "again")
        self.run_obhut("match", "photodna:" + texts[0])
        self.run_obhut("list", "add", "p", "photodna:" + texts[0], "--id", "4")
        self.run_obhut("list", "merge", "p")
        self.run_obhut("match", "photodna:" + texts[0], code=1)

    def test_a_signal_of_nothing_is_refused(self):
        nothing = base64.b64encode(bytes(144)).decode()
        path = self.write("bad.csv", ["photodna,id", f"{nothing},1"])
        self.assertIn("all its bytes are 0", self.run_obhut("list", "import", path, code=3)[1])

    def test_a_signal_that_is_not_understood_is_told_and_takes_nothing_with_it(self):
        for bad in (base64.b64encode(bytes(range(143))).decode(), "1,2,3", ",".join(["256"] * 144)):
            path = self.write("odd.csv", ["photodna,md5,id", f'"{bad}",{MD5},1', f'"{bad}",,2'])
            line = self.import_json(path)
            self.assertEqual((line["entries"], line["understood"]["kinds"]), (1, {"md5": 1}))
            self.assertEqual(line["understood"]["kinds_unused"], {"photodna": 2})
            self.assertIn("no PhotoDNA hash", self.run_obhut("match", "photodna:" + bad, code=3)[1])

    def test_hashes_of_low_quality_are_refused_until_somebody_says_otherwise(self):
        path = self.write("q.csv", ["pdq,quality", f"{A},100", f"{B},49", f"{C},50"])
        _, err = self.run_obhut("list", "import", path, code=3)
        self.assertIn("line 3: refused: its quality is below 50", err)
        self.assertEqual(self.import_json(path, "--keep-going")["entries"], 2)
        self.assertEqual(self.import_json(path, "--accept", "low-quality")["entries"], 3)
        _, err = self.run_obhut("list", "import", path, "--accept", "anything", code=3)
        self.assertIn("low-quality|shrinking", err)

    def test_a_list_that_shrinks_to_under_half_is_refused_until_somebody_says_otherwise(self):
        many = obhut.hashes(100, seed=2)
        self.run_obhut("list", "import", self.write("x.txt", many))
        _, err = self.run_obhut("list", "import", self.write("x.txt", many[:49]), code=3)
        self.assertIn('list "x" has 100 entries now and would have 49, less than half', err)
        self.run_obhut("match", many[99], code=1)
        self.run_obhut("list", "import", self.write("x.txt", many[:49]), "--accept", "shrinking")
        self.run_obhut("match", many[99])
        self.run_obhut("list", "import", self.write("x.txt", many[:25]))

    def test_digests_of_nothing_are_refused_at_every_door(self):
        nothing = ["d41d8cd98f00b204e9800998ecf8427e", "0" * 32, "f" * 32,
                   "da39a3ee5e6b4b0d3255bfef95601890afd80709", "0" * 40]
        path = self.write("n.txt", [A, *nothing])
        _, err = self.run_obhut("list", "import", path, code=3)
        self.assertEqual(err.count("it would match what nobody means"), 5)
        line = self.import_json(path, "--keep-going")
        self.assertEqual((line["entries"], line["refused"]), (1, 5))
        _, err = self.run_obhut("list", "update", "n", path, code=3)
        self.assertIn("the digest of an empty file", err)
        for digest in ("md5:" + nothing[0], "sha1:" + nothing[3],
                       "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"):
            self.assertIn("the digest of an empty file", self.run_obhut("list", "add", "n", digest, code=3)[1])

    def test_an_update_withdraws_by_number_alone(self):
        self.run_obhut("list", "import", self.write("x.csv", [
            "pdq,id", f"{A},7311", f"{B},7311", f"{C},7312"]))
        self.run_obhut("list", "add", "x", "md5:" + MD5, "--id", "7313")
        gone = self.write("gone.csv", ["pdq,id,state", ",7311,withdrawn", ",7313,deleted", ",9,withdrawn"])
        line, = self.json_lines("list", "update", "x", gone, "--json")
        self.assertEqual((line["entries"], line["withdrawn"]), (0, 3))
        self.run_obhut("match", A, B, "md5:" + MD5)
        self.run_obhut("match", C, code=1)
        again = self.write("again.csv", ["pdq,id,state", f"{A},7,", ",7312,withdrawn", f"{B},7312,",
                                         ",7,withdrawn"])
        line, = self.json_lines("list", "update", "x", again, "--json")
        self.assertEqual((line["entries"], line["withdrawn"]), (2, 2))
        self.run_obhut("match", A, C)
        self.run_obhut("match", B, code=1)
        _, err = self.run_obhut("list", "update", "x", self.write("b.csv", ["pdq,id", ",7312"]), code=3)
        self.assertIn("no hash", err)

    def test_what_is_withdrawn_by_any_word_is_not_imported(self):
        for path in (self.write("two.csv", ["md5,status,state", f"{MD5},active,withdrawn", f"{'ab' * 16},active,"]),
                     self.write("plain.txt", [f"{MD5},withdrawn", "ab" * 16]),
                     self.write("within.json", [json.dumps([
                         {"id": "1", "hashes": [{"md5": MD5}], "state": "withdrawn"}, {"md5": "ab" * 16}])])):
            self.import_json(path)
            self.run_obhut("match", "md5:" + MD5)
            self.run_obhut("match", "md5:" + "ab" * 16, code=1)

    def test_a_state_that_comes_too_late_is_refused_whatever_is_kept(self):
        path = self.write("late.json", [json.dumps([
            {"id": "1", "hashes": [{"md5": f"{i:032x}"} for i in range(1, 30000)], "state": "withdrawn"}])])
        for more in ([], ["--keep-going"]):
            _, err = self.run_obhut("list", "import", path, *more, code=3)
            self.assertIn("has behind an array what belongs before it: withdrawn", err)
        self.run_obhut("list", "ls")

    def test_every_hash_of_a_record_is_found(self):
        path = self.write("several.json", [json.dumps({"value": [
            {"id": "1", "md5": MD5, "images": []},
            {"id": "2", "md5": "ab" * 16, "video_md5": "cd" * 16, "hashes": [{"pdq": A}]}]})])
        self.assertEqual(self.import_json(path)["entries"], 4)
        for query in ("md5:" + MD5, "md5:" + "ab" * 16, "md5:" + "cd" * 16, A):
            self.run_obhut("match", query, code=1)

    def test_the_log_says_which_list_was_imported_also_where_its_file_gave_the_name(self):
        self.run_obhut("list", "import", self.write("Known 2024.txt", [A]))
        last = (self.data / "audit/log").read_text().splitlines()[-1]
        entry = json.loads(last[last.index("{"):])
        self.assertEqual((entry["what"], entry["list"], entry["entries"]), ("done", "known-2024", 1))

    def test_packed_lists_are_read(self):
        path = self.write("k.csv.gz", gzip.compress(f"pdq;id\r\n{A};1\r\n".encode("utf-16")))
        line = self.import_json(path, "--name", "k")
        self.assertEqual((line["entries"], line["understood"]["shape"]),
                         (1, "CSV with semicolons, UTF-16, gzip"))

    def test_what_hash_prints_match_and_import_read(self):
        picture = obhut.IMAGES / "coffee-grey.jpg"
        text, _ = self.run_obhut("hash", picture)
        objects, _ = self.run_obhut("hash", "--json", picture)
        found = json.loads(objects)
        line = self.import_json(self.write("text.txt", "  " + text))
        self.assertEqual((line["entries"], line["understood"]["kinds"]), (1, {"pdq": 1}))
        line = self.import_json(self.write("objects.jsonl", objects))
        self.assertEqual(line["understood"]["kinds"], {"pdq": 1, "md5": 1, "sha1": 1, "sha256": 1})
        for name, queries in ((text, [found["pdq"]]), ("pdq " + found["pdq"], [found["pdq"]]),
                              (f"{found['md5']}  a file", ["md5:" + found["md5"]]),
                              ("MD5: " + found["md5"], ["md5:" + found["md5"]]),
                              (objects, [found["pdq"], "md5:" + found["md5"], "sha1:" + found["sha1"],
                                         "sha256:" + found["sha256"]])):
            lines = self.json_lines("match", "--json", "-", stdin=name.encode(), code=1)
            self.assertEqual([l["query"] for l in lines], queries)
            self.assertTrue(all(l["matches"] for l in lines), name)
        line, = self.json_lines("match", "--json", "-", stdin=b'{"file": "x", "error": "y"}', code=3)
        self.assertIn("error", line)

    def test_what_is_exported_is_read_back(self):
        self.run_obhut("list", "import", self.write("x.csv", [
            "pdq,md5,id,classification", f'{A},{MD5},"7;11 ""x""",A1', f",{'ab' * 16},7312,"]))
        out, _ = self.run_obhut("list", "export", "x")
        self.run_obhut("list", "import", self.write("y.csv", out))
        self.assertEqual(self.run_obhut("list", "export", "y")[0], out)


if __name__ == "__main__":
    unittest.main()
