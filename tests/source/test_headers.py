"""Public headers: each compiles alone under the strictest flags, and every function in them has its comment."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import headers  # noqa: E402

STRICT = ["-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-Werror", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
          "-Wsign-conversion", "-Wshadow", "-Wcast-qual", "-Wcast-align", "-Wundef", "-Wvla", "-Wwrite-strings", "-Wformat=2",
          "-Wpointer-arith", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wold-style-definition", "-Wredundant-decls",
          "-Wnested-externs", "-Wswitch-enum", "-Wdouble-promotion", "-Wnull-dereference"]
COMPILERS = {"gcc": ["-Wlogical-op", "-Wduplicated-cond", "-Wduplicated-branches", "-Wjump-misses-init"],
             "clang": ["-Wcomma", "-Wextra-semi", "-Wshadow-all", "-Wmissing-variable-declarations", "-Wheader-hygiene",
                       "-Wdocumentation"]}
# Who is to free what a function hands out: one of these words stands in its comment.
OWNER = re.compile(r"\b(caller|free|frees|freed|owns|owned|belongs?|lives?|closes?|closed|drop|drops|borrowed|outlives?)\b", re.I)


def modules():
    table = (ROOT / "src/meson.build").read_text()
    return {name: (floor, re.findall(r"'(\w+)'", uses)) for name, floor, uses in
            re.findall(r"\{'name': '(\w+)',\s*'floor': '(\w+)',\s*'uses': \[([^\]]*)\]", table)}


def include_folders(header):
    """What a source of this header's module may include: its own headers and those of the modules that it uses."""
    table = modules()
    own = header.relative_to(ROOT / "src").parts[1]
    return [f"-I{ROOT / 'src' / table[name][0] / name / 'include'}" for name in (own, *table[own][1])]


def compile_alone(compiler, header, *more):
    """What the compiler says of a file that contains this header and nothing else: once, and once more for its guard."""
    name = header.as_posix().split("/include/")[1]
    source = f"#include <{name}>\n#include <{name}>\nextern int ob_nothing_else;\n"
    return subprocess.run([compiler, *STRICT, *COMPILERS[compiler], *include_folders(header), *more, "-x", "c", "-"],
                          input=source, capture_output=True, text=True)


def declared(header):
    """The functions that the compiler sees in this very header: {name: line}."""
    with tempfile.TemporaryDirectory() as place:
        listed = pathlib.Path(place) / "declarations"
        done = compile_alone("gcc", header, "-Wno-error", "-aux-info", str(listed))
        if done.returncode:
            raise AssertionError(done.stderr)
        lines = listed.read_text().splitlines()
    found = {}
    for line in lines:
        parts = re.match(r"/\* (\S+?):(\d+):\w+ \*/ .*?\b(\w+) \(", line)
        if parts and pathlib.Path(parts[1]).resolve() == header.resolve():
            found[parts[3]] = int(parts[2])
    return found


def complaints(header):
    """What a reader of this header misses, a sentence for each function."""
    opening = headers.plain(header.read_text().split("*/")[0] + "*/")
    for function in headers.functions(header):
        place = f"{header.name}:{function.line}: {function.name}"
        if len(function.comment.split()) < 3:
            yield f"{place} has no comment of its own"
            continue
        hands_out = [p for p in function.parameters if re.match(r"(?!const)[\w\s]+\*\*\s*\w+$", p)]
        if hands_out and not OWNER.search(function.comment + opening):
            yield f"{place} does not say to whom {hands_out[0]} belongs"


class Headers(unittest.TestCase):
    def test_every_public_header_compiles_alone_under_the_strictest_flags(self):
        self.assertGreater(len(headers.public_headers()), 50)
        for header in headers.public_headers():
            for compiler in COMPILERS:
                with self.subTest(header=header.name, compiler=compiler):
                    done = compile_alone(compiler, header)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_reader_of_headers_finds_every_function_that_the_compiler_finds(self):
        for header in headers.public_headers():
            with self.subTest(header=header.name):
                self.assertEqual(sorted(f.name for f in headers.functions(header)), sorted(declared(header)))

    def test_every_public_function_has_a_comment_of_its_own(self):
        self.assertEqual([c for header in headers.public_headers() for c in complaints(header)], [])

    def test_every_public_header_begins_with_what_it_is(self):
        for header in headers.public_headers():
            with self.subTest(header=header.name):
                self.assertRegex(header.read_text(), r"\A/\* \w")

    def test_a_function_without_a_comment_is_found_wherever_it_stands(self):
        plants = ("ob_status ob_planted(int64_t *out, const char *name, ob_error *err);",
                  "void ob_planted(void (*hear)(void *context, bool personal), void *context);",
                  "const char *ob_planted(void);",
                  "static inline int ob_planted(int x)\n{\n    return x;\n}",
                  "/* ---- Copies ---- */\n\nint ob_planted(int a,\n               int b);",
                  "/* Two words */\nint ob_planted(void);",
                  "/* This comment belongs to nothing: an empty line follows. */\n\nint ob_planted(void);")
        for original in (ROOT / "src/system/store/include/obhut/store.h", ROOT / "src/pure/base/include/obhut/file.h"):
            text = original.read_text()
            places = [text.index(f.declaration) + len(f.declaration) for f in headers.functions(original)]
            for plant in plants:
                for place in (places[0], places[len(places) // 2], places[-1]):
                    end = text.index("\n", place) + 1
                    with tempfile.TemporaryDirectory() as folder:
                        copy = pathlib.Path(folder) / original.name
                        copy.write_text(f"{text[:end]}{plant}\n{text[end:]}")
                        self.assertIn("ob_planted has no comment of its own", " ".join(complaints(copy)), plant)

    def test_a_function_that_hands_something_out_says_whose_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "planted.h"
            copy.write_text("/* planted: a header. */\n\n/* Opens a thing for reading. */\n"
                            "ob_status ob_planted(ob_thing **out, ob_error *err);\n")
            self.assertEqual(list(complaints(copy)),
                             ["planted.h:4: ob_planted does not say to whom ob_thing **out belongs"])
            copy.write_text(copy.read_text().replace("reading.", "reading. The caller closes *out."))
            self.assertEqual(list(complaints(copy)), [])


if __name__ == "__main__":
    unittest.main()
