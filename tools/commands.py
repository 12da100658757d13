"""Writes all that is made of the table of commands: the part COMMANDS of man/obhut.1, completion for bash and zsh,
and of docs/openapi.yaml every path that is a command's. The table comes from the program itself.

    python3 tools/commands.py build/release/obhut
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = "made by tools/commands.py of the table of commands"
INT64_MAX = (1 << 63) - 1
FILES = ("audit checkpoint", "audit prove", "backup key", "list export") # print a file, not an answer
SERVERS = {"services": None, # the page's own
           "staff": [{"url": "http://127.0.0.1:8481"}],
           "public": [{"url": "http://127.0.0.1:8482", "description": "where everybody asks (`--listen-public`)"}]}


# ---- The table ---------------------------------------------------------------------------------------------------

def table(program):
    """{"groups": […], "commands": […]}, as the program prints it."""
    done = subprocess.run([program, "help", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def typed(command):
    """The fields that somebody types."""
    return [f for f in command["takes"] if not f["inner"]]


def actions(rows, group):
    """[(action, row)] of the group's commands that somebody types; the action of `obhut hash` is empty."""
    found = [c for c in rows["commands"] if c["name"].split(".")[0] == group and not c["inner"]]
    return [(c["name"].partition(".")[2], c) for c in found]


def option(field):
    return "--" + field["name"].replace("_", "-")


def value(field):
    """What the value is called."""
    if field["kind"] == "truth":
        return ""
    if field["place"]:
        return field.get("words") or field["name"].upper()
    more = "[,…]" if field["kind"] == "words" and is_closed(field) else ""
    return field.get("words", "VALUE") + more


def is_closed(field):
    return "|" in (field.get("words") or "")


# ---- The manual page -----------------------------------------------------------------------------------------------

def roff(text):
    text = text.replace("\\", "\\e").replace("…", "...").replace("--", "\\-\\-")
    return re.sub(r"(^|\s)-(?=\W|$)", r"\1\\-", text)


def line(text):
    """A line of text, never taken for a request."""
    return ("\\&" if text[:1] in (".", "'") else "") + text + "\n"


def sentence(text):
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def wrapped(text, width=118):
    """Lines of a paragraph."""
    out, now = "", ""
    for word in text.split():
        if now and len(now) + 1 + len(word) > width:
            out, now = out + line(now), word
        else:
            now = f"{now} {word}" if now else word
    return out + (line(now) if now else "")


def synopsis(field):
    name = f"\\fI{roff(value(field))}\\fR" if value(field) else ""
    if field["place"]:
        name += "..." if field["kind"] == "places" else ""
    else:
        bold = "\\fB" + option(field).replace("-", "\\-") + "\\fR"
        name = f"{bold} {name}".rstrip()
    return name if field["needed"] else f"[{name}]"


def man_field(field):
    called = f"\\fI{roff(value(field))}\\fR" if field["place"] else "\\fB" + option(field).replace("-", "\\-") + "\\fR"
    return ".TP\n" + line(called) + wrapped(roff(field["about"]))


def man_command(group, action, command):
    words = f"{group} {action}".strip()
    out = ".TP\n" + line(" ".join([f"\\fB{words}\\fR", *map(synopsis, typed(command))]))
    out += wrapped(roff(sentence(command["about"])))
    fields = "".join(map(man_field, typed(command)))
    return out + (f".RS\n{fields}.RE\n" if fields else "")


def man_group(rows, group):
    out = f".SS {group['name']}\n" + wrapped(roff(sentence(group["about"])))
    out += "".join(man_command(group["name"], action, c) for action, c in actions(rows, group["name"]))
    if group.get("notes"):
        out += ".PP\n" + wrapped(roff(group["notes"]))
    if group["examples"]:
        out += ".PP\n.nf\n" + "".join(line(roff(e)) for e in group["examples"]) + ".fi\n"
    return out


def man(rows, page):
    first, last = f'.\\" From here {TOOL}.\n', '.\\" To here.\n'
    before, rest = page.split(first)
    return before + first + "".join(man_group(rows, g) for g in rows["groups"]) + last + rest.split(last)[1]


# ---- Completion ----------------------------------------------------------------------------------------------------

def wanted(field):
    """What completion offers for a value: words, FILE for files, TEXT for nothing."""
    if is_closed(field):
        return field["words"].replace("|", " ")
    is_file = field["kind"] in ("file", "document", "object")
    return "FILE" if is_file or field.get("words") in ("FILE", "DIR", "CHECKPOINT", "KEY") else "TEXT"


def completion(rows):
    """Three tables: actions of each command; options of each action; what each option's value is."""
    groups = sorted(g["name"] for g in rows["groups"])
    does = {g: " ".join(action for action, _ in actions(rows, g)) for g in groups}
    does |= {"help": " ".join(groups), "version": ""}
    options, values = {}, {}
    for group in groups:
        for action, command in actions(rows, group):
            words = f"{group} {action}".strip()
            fields = [f for f in typed(command) if not f["place"]]
            json_too = [] if words in FILES else ["--json"]
            options[words] = " ".join([*map(option, fields), *json_too, "--help"])
            values |= {f"{words} {option(f)}": wanted(f) for f in fields if f["kind"] != "truth"}
    return dict(sorted(does.items())), options, values


def bash(rows):
    def said(name, entries):
        lines = "".join(f"        ['{key}']='{words}'\n" for key, words in entries.items())
        return f"    local -A {name}=(\n{lines}    )\n"
    does, options, values = completion(rows)
    return (f"# Completion of obhut(1) for bash, {TOOL}.\n_obhut() {{\n" + said("actions", does) +
            said("options", options) + said("values", values) + BASH)


BASH = """    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} at=1 command words=
    while [[ ${COMP_WORDS[at]} == --data ]]; do
        ((at += 2))
    done
    command=${COMP_WORDS[at]:--}
    if ((COMP_CWORD > at + 1)) && [[ -n ${actions[$command]} ]]; then
        command+=" ${COMP_WORDS[at + 1]}"
    fi
    if ((COMP_CWORD == at)); then
        words=${!actions[*]}
    elif [[ -n ${values[$command $before]} ]]; then
        words=${values[$command $before]}
    elif [[ $word == -* ]]; then
        words=${options[$command]}
    elif ((COMP_CWORD == at + 1)); then
        words=${actions[$command]}
    fi
    if [[ $words == TEXT ]]; then # the person's own words: nothing is offered, files neither
        compopt +o default 2>/dev/null
        words=
    elif [[ $words == FILE ]]; then
        words=
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _obhut obhut
"""


def zsh(rows):
    def said(name, entries):
        return f"{name}=(\n" + "".join(f"    {key if ' ' not in key else repr(key)} '{words}'\n"
                                       for key, words in entries.items()) + ")\n"
    does, options, values = completion(rows)
    return (f"#compdef obhut\n# Completion of obhut(1) for zsh, {TOOL}.\nlocal -A actions options values\n" +
            said("actions", does) + said("options", options) + said("values", values) + ZSH)


ZSH = """local at=2 command offered
while [[ $words[at] == --data ]]; do
    ((at += 2))
done
command=$words[at]
if ((CURRENT > at + 1)) && [[ -n $actions[$command] ]]; then
    command+=" $words[at+1]"
fi
offered=$values[$command $words[CURRENT-1]]
if ((CURRENT == at)); then
    compadd -- ${(k)actions}
elif [[ $offered == TEXT ]]; then
    _message 'a text'
elif [[ -n $offered && $offered != FILE ]]; then
    compadd -- ${=offered}
elif [[ -z $offered && $PREFIX == -* ]]; then
    compadd -- ${=options[$command]}
elif [[ -z $offered ]] && ((CURRENT == at + 1)) && [[ -n $actions[$command] ]]; then
    compadd -- ${=actions[$command]}
else
    _files
fi
"""


# ---- The API -------------------------------------------------------------------------------------------------------

def flow(thing):
    """YAML on one line."""
    if isinstance(thing, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in thing.items()) + "}"
    if isinstance(thing, list):
        return "[" + ", ".join(map(flow, thing)) + "]"
    if isinstance(thing, (bool, int)):
        return json.dumps(thing)
    if isinstance(thing, str) and re.fullmatch(r"[$A-Za-z/][\w ./;'()-]*", thing) and \
            thing.lower() not in ("true", "false", "yes", "no", "null", "on", "off", "y", "n"):
        return thing
    return json.dumps(thing, ensure_ascii=False)


def schema(field):
    """The JSON Schema of a field of requests."""
    kind, least, most, each = field["kind"], field["least"], field["most"], field["each"]
    bounds = {"minimum": least} | ({"maximum": most} if most < INT64_MAX else {"format": "int64"})
    is_word = kind == "word" or is_closed(field)
    word = {"enum": field["words"].split("|")} if is_word else {"minLength": 1, "maxLength": each}
    return {
        "text": {"type": "string", "minLength": least, "maxLength": most},
        "word": {"type": "string"} | word,
        "words": {"type": "array", "minItems": least, "maxItems": most, "items": {"type": "string"} | word},
        "number": {"type": "integer"} | bounds,
        "truth": {"type": "boolean"},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$"},
        "object": {"type": "object"},
        "document": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "places": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 4096}},
        "list": {"type": "array", "minItems": least, "maxItems": most, "items": members(field.get("fields", []), schema)},
        "any": {"oneOf": [{"type": "object"}, {"type": "array", "maxItems": most, "items": {"type": "object"}}]},
        "file": {"type": "string", "format": "binary"},
    }[kind]


def given(field):
    """The JSON Schema of a member of answers."""
    each = members(field["fields"], given) if field.get("fields") else {"type": "object"}
    return {"number": {"type": "integer"}, "truth": {"type": "boolean"}, "object": {"type": "object"},
            "words": {"type": "array", "items": {"type": "string"}},
            "list": {"type": "array", "items": each}}.get(field["kind"], {"type": "string"})


def said(field, made):
    return made | {"description": field["about"]}


def members(fields, of):
    """The schema of an object that has these and no others."""
    needed = [f["name"] for f in fields if f["needed"]]
    return {"type": "object", "additionalProperties": False} | ({"required": needed} if needed else {}) | \
        ({"properties": {f["name"]: said(f, of(f)) for f in fields}} if fields else {})


def fields_at(command, *places):
    return [f for f in command["takes"] if not f["local"] and f["where"] in places]


def parameters(command):
    return [{"name": f["name"], "in": f["where"], "required": f["where"] == "path" or f["needed"],
             "description": f["about"], "schema": schema(f)} for f in fields_at(command, "path", "query", "header")]


def body(command):
    """(whether it is needed, type, schema) of a request's body; None: it has none."""
    whole, fields = fields_at(command, "whole"), fields_at(command, "body")
    if whole:
        kind = "*/*" if whole[0]["kind"] == "file" else "application/json"
        return True, kind, said(whole[0], schema(whole[0]))
    if not fields and command["method"] != "POST":
        return None
    return "services" in command["places"] or any(f["needed"] for f in fields), "application/json", members(fields, schema)


def named(schemas):
    """Of components.schemas: one, or any of several."""
    each = [{"$ref": f"#/components/schemas/{name}"} for name in schemas.split("|")]
    return each[0] if len(each) == 1 else {"anyOf": each}


def answer(command):
    """The schema of what is answered."""
    answers = command.get("answers", {})
    if "schemas" in answers:
        return named(answers["schemas"])
    if not command["gives"] and command["effect"] in ("shows", "reads about persons"):
        return {"type": "object"}
    return members([f | {"needed": False} for f in command["gives"]], given)


def content(command):
    """What is answered where it was done, by type."""
    kind = command.get("answers", {}).get("type")
    return {kind: {}} if kind else {"application/json": {"schema": answer(command)}}


def statuses(command):
    """Those of problems, beside 503."""
    answers = command.get("answers", {})
    if "staff" in command["places"]:
        return [400, 401, 403, 404, 411, 413, 415, 501]
    found = list(answers.get("also", ())) + ([] if answers.get("any_query") else [400])
    found += {"none": [], "any": [401]}.get(command["token"], [401, 403])
    found += [404] if "{" in command["path"] else []
    return sorted(found + ([411, 413, 415, 501] if body(command) else []))


def who(command):
    roles = ", ".join(command["roles"])
    second = ", ".join(command["agree"])
    one = f"A person with one of the roles {roles}." if roles else "Every person."
    return one + (f" It is a proposal, to which a second one agrees: {second}." if second else "")


def operation(command):
    """Lines of YAML, indented as a method of a path."""
    place, = {"services", "staff", "public"} & set(command["places"])
    answers = command.get("answers", {})
    description = who(command) if place == "staff" else command.get("more")
    out = [f"    {command['method'].lower()}:", f"      tags: [{place}]", f"      operationId: {command['name']}",
           f"      summary: {flow(sentence(command['about'])[:-1])}"]
    if description:
        out += [f"      description: {flow(description)}"]
    if SERVERS[place]:
        out += [f"      servers: {flow(SERVERS[place])}"]
    if place == "staff":
        out += ["      security: [{person: []}]"]
    elif command["token"] == "none":
        out += ["      security: []"]
    if parameters(command):
        out += ["      parameters:", *(f"        - {flow(p)}" for p in parameters(command))]
    if body(command):
        needed, kind, made = body(command)
        out += ["      requestBody:", f"        required: {json.dumps(needed)}",
                "        content:", f"          {flow(kind)}: {{schema: {flow(made)}}}"]
    done = {"description": answers.get("about", "done"), "content": content(command)}
    if 304 in statuses(command):
        done["headers"] = {"ETag": {"required": True, "description": "its version", "schema": {"type": "string"}}}
    out += ["      responses:", f'        "{answers.get("status", 200)}": {flow(done)}']
    out += [f'        "{status}": ' + (flow({"description": "it is a version that the client has"}) if status == 304
                                       else '{$ref: "#/components/responses/Problem"}') for status in statuses(command)]
    could_not = answers.get("could_not", "CouldNot")
    return "\n".join([*out, f'        "503": {{$ref: "#/components/responses/{could_not}"}}', ""])


def openapi(rows, page):
    """The page's own paths, which are no command's, and then those that are."""
    first, last = f"    # From here {TOOL}.\n", "    # To here.\n"
    before, rest = page.split(first)
    paths = {}
    for command in rows["commands"]:
        if command.get("path"):
            paths.setdefault(command["path"], []).append(operation(command))
    made = "".join(f"  {path}:\n{''.join(operations)}" for path, operations in paths.items())
    return before + first + made + last + rest.split(last)[1]


# ---- All of it -----------------------------------------------------------------------------------------------------

def made(program):
    """{path: text} of every file, as the program says."""
    rows = table(program)

    def page(name):
        return (ROOT / name).read_text()

    return {"man/obhut.1": man(rows, page("man/obhut.1")),
            "data/completions/obhut.bash": bash(rows),
            "data/completions/_obhut": zsh(rows),
            "docs/openapi.yaml": openapi(rows, page("docs/openapi.yaml"))}


if __name__ == "__main__":
    for file, text in made(sys.argv[1]).items():
        (ROOT / file).write_text(text)
