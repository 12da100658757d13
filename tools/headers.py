"""Reads C headers: every function that a header declares, with the comment that stands directly above it or behind it.

Used by tests/source/test_headers.py and by tools/measure.py. It reads the project's own style, as clang-format leaves it:
one declaration at a time, none made by a macro."""
import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Function:
    header: pathlib.Path
    line: int
    name: str
    declaration: str
    comment: str  # without its stars; "" where it has none

    @property
    def parameters(self):
        """Their texts. A parameter that is a pointer to a function is one."""
        inner = self.declaration[self.declaration.index(self.name) + len(self.name):]
        return split_parameters(inner)


def split_parameters(text):
    """The parts of a list in brackets, split at its own commas."""
    depth, parts, last = 0, [], ""
    for sign in text[text.index("("):]:
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0:
            break
        if sign == "," and depth == 1:
            parts.append(last)
            last = ""
        elif not (sign == "(" and depth == 1 and not last and not parts):
            last += sign
    parts = [part.strip() for part in parts + [last]]
    return [] if parts in ([""], ["void"]) else parts


def public_headers(root=ROOT):
    """Those that a module offers to others."""
    return sorted((root / "src").glob("**/include/obhut/**/*.h"))


def plain(comment):
    """A comment's words on one line."""
    text = re.sub(r"\n\s*\*", "\n", comment.removeprefix("/*").removesuffix("*/"))
    return " ".join(text.split())


def is_banner(comment):
    return comment.startswith("/* ----")


def pieces(text):
    """(place, text) of each comment, each preprocessor line and each declaration at the outermost level."""
    token = re.compile(r'/\*.*?\*/|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|"(?:\\.|[^"\\])*"|[{};]|\n[ \t]*\n|[^\s]', re.S | re.M)
    depth, start = 0, None
    for found in token.finditer(text):
        word = found[0]
        if start is None and (word.startswith(("/*", "#")) or not word.strip()):
            yield found.start(), word if word.strip() else ""
            continue
        if start is None:
            start = found.start()
        depth += (word == "{") - (word == "}")
        if depth == 0 and (word == ";" or (word == "}" and is_body(text[start:found.end()]))):
            yield start, text[start:found.end()]
            start = None


def is_body(text):
    """Whether this ends a function and not a struct or a list of values, after which a semicolon follows."""
    return re.match(r"[^{=]*\)\s*\{", text) is not None


def functions(header):
    """Every function that this header declares. Static inline functions are defined, not declared: they count too."""
    text = header.read_text()
    found, comment = [], ""
    for place, piece in pieces(text):
        line = text.count("\n", 0, place) + 1
        if piece.startswith("/*"):
            behind = text[text.rfind("\n", 0, place) + 1:place].strip()
            if behind and found and found[-1].line <= line == end_line(text, found[-1]):
                if not found[-1].comment:
                    found[-1] = dataclasses.replace(found[-1], comment=plain(piece))
                comment = ""
            else:
                comment = "" if is_banner(piece) else plain(piece)
            continue
        name = declared(piece)
        if name:
            found.append(Function(header, line, name, piece, comment))
        comment = ""
    return found


def end_line(text, function):
    place = text.index(function.declaration)
    return text.count("\n", 0, place + len(function.declaration)) + 1


def declared(piece):
    """The name of the function that this declares, or None."""
    code = re.sub(r"/\*.*?\*/", "", piece, flags=re.S)
    if not piece or piece.startswith("#") or re.match(r"\s*(typedef|_Static_assert)\b", code):
        return None
    head = code.split("{")[0]
    if "=" in head:
        return None
    found = re.match(r"[\w\s*]*?\b(\w+)\s*\(", head)
    return found[1] if found else None
