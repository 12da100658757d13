"""One word for one thing: identifiers and prose against words.toml, and docs/GLOSSARY.md against the code."""
import pathlib
import re
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORDS = tomllib.loads((pathlib.Path(__file__).parent / "words.toml").read_text())

COMMENT = re.compile(r'(/\*.*?\*/)|("(?:\\.|[^"\\\n])*")|(\'(?:\\.|[^\'\\\n])\')', re.S)


def sources(root=ROOT):
    return [path for folder in ("src", "wasm") for path in sorted((root / folder).rglob("*.[ch]"))
            if not is_within(path.relative_to(root).as_posix(), WORDS.get("later", []))]


def documents(root=ROOT):
    """What people read, in English."""
    return [path for pattern in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "docs/openapi.yaml", "man/*", "dev")
            for path in sorted(root.glob(pattern))]


def code_of(text):
    """Without comments and texts, line for line."""
    return COMMENT.sub(lambda found: " " + "\n" * found[0].count("\n"), text)


def prose_of(text):
    """Comments and texts alone, line for line."""
    out, last = [], 0
    for found in COMMENT.finditer(text):
        out.append("\n" * text.count("\n", last, found.start()))
        out.append(re.sub(r"\n\s*\*?", "\n ", found[0]) if found[1] else found[0])
        last = found.end()
    return "".join(out)


def is_within(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def wrong_identifiers(path, text, rules):
    """(line, identifier, rule) of each identifier with a word that has another meaning or none."""
    for rule in rules:
        if is_within(path, rule.get("only", [])):
            continue
        word = f"({rule['word']})" if rule.get("whole") else f"(.*_)?({rule['word']})(_.*)?"
        allowed = re.compile("|".join(rule.get("allow", [])) or "(?!)")
        for found in re.finditer(r"\b[A-Za-z_]\w*\b", code_of(text)):
            if re.fullmatch(word, found[0], re.I) and not allowed.fullmatch(found[0]):
                yield code_of(text).count("\n", 0, found.start()) + 1, found[0], rule


def wrong_phrases(text, rules):
    """(line, phrase, rule) of each phrase that must not stand in prose; it may go over the end of a line."""
    for rule in rules:
        for found in re.finditer(r"\b" + rule["word"].replace(" ", r"\s+"), text, re.I):
            yield text.count("\n", 0, found.start()) + 1, " ".join(found[0].split()), rule


def glossary(text=None):
    """The terms of the first column, each alone."""
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", text or (ROOT / "docs/GLOSSARY.md").read_text(), re.M)
    return [term.strip() for terms, _, _ in rows[1:] for term in terms.split(",")]


def sentence(path, line, what, rule):
    return f"{path}:{line}: {what}: write {rule['instead']}"


class Vocabulary(unittest.TestCase):
    maxDiff = None

    def test_identifiers_use_each_word_for_one_thing(self):
        self.assertEqual([], [sentence(path, line, name, rule) for file in sources()
                              for path in [file.relative_to(ROOT).as_posix()]
                              for line, name, rule in wrong_identifiers(path, file.read_text(), WORDS["identifier"])])

    def test_comments_and_texts_are_in_plain_english(self):
        self.assertEqual([], [sentence(file.relative_to(ROOT), line, phrase, rule) for file in sources()
                              for line, phrase, rule in wrong_phrases(prose_of(file.read_text()), WORDS["phrase"])])

    def test_documents_are_in_plain_english(self):
        self.assertEqual([], [sentence(file.relative_to(ROOT), line, phrase, rule) for file in documents()
                              for line, phrase, rule in wrong_phrases(file.read_text(), WORDS["phrase"])])

    def test_every_source_begins_with_what_it_is(self):
        self.assertEqual([], [str(file.relative_to(ROOT)) for file in sources()
                              if not re.match(r"/\* [\w`]", file.read_text())])

    def test_banners_stand_on_one_line(self):
        self.assertEqual([], [f"{file.relative_to(ROOT)}: {line}" for file in sources()
                              for line in file.read_text().splitlines()
                              if line.startswith("/* ----") and not line.endswith("*/")])

    def test_macros_do_not_leave_the_function_they_stand_in(self):
        self.assertEqual([], [f"{file.relative_to(ROOT)}: {macro.splitlines()[0]}" for file in sources()
                              for macro in re.findall(r"^#define (?:.*\\\n)*.*$", file.read_text(), re.M)
                              if re.search(r"\b(return|goto)\b", code_of(macro))])

    def test_every_term_of_the_glossary_is_a_word_of_the_code(self):
        code = " ".join(file.read_text() for file in sorted((ROOT / "src").rglob("*.[ch]"))).lower().replace("_", " ").replace("\n * ", " ")
        self.assertGreater(len(glossary()), 40)
        self.assertEqual([], [term for term in glossary() if not re.search(rf"\b{re.escape(term.lower())}s?\b", code)])

    def test_the_glossary_has_no_word_that_was_replaced_everywhere(self):
        gone = [rule for rule in WORDS["identifier"] if not rule.get("means") and not rule.get("whole")]
        self.assertEqual([], [term for term in glossary() for rule in gone if re.fullmatch(rule["word"], term, re.I)])

    def test_what_is_planted_is_found(self):
        for code, found in (("int ob_journal_settle(int x);", "ob_journal_settle"), ("bool is_kept;", "is_kept"),
                            ("enum { OB_DEED_MAX };", "OB_DEED_MAX"), ("void holder(void);", "holder"),
                            ("int x = ob_code(1);", "ob_code")):
            names = [name for _, name, _ in wrong_identifiers("src/pure/gate/planted.c", code, WORDS["identifier"])]
            self.assertEqual(names, [found])
        for code in ("/* keep it */", 'puts("deed");', "int reception;", "int household;", "int keepalive;"):
            self.assertEqual([], list(wrong_identifiers("src/pure/gate/planted.c", code, WORDS["identifier"])), code)
        for text, found in (("/* Called by whoever\n * comes. */", "whoever"), ('"nobody is told of it"', "told of"),
                            ("/* It is told\n * of matches. */", "told of"), ("/* not any\n * more */", "any more")):
            self.assertEqual([phrase for _, phrase, _ in wrong_phrases(prose_of(text), WORDS["phrase"])], [found])


if __name__ == "__main__":
    unittest.main()
