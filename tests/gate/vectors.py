"""The published situations and our own, for the suites that ask one of the gate's doors."""
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def situations():
    """[(vector, situation), …]"""
    found = []
    for name in ("invariants.json", "more.json"):
        file = json.loads((HERE / name).read_text())
        found += [(vector, merge(file["defaults"], vector["patch"])) for vector in file["vectors"]]
    assert len(found) > 240
    return found


def differences(vector, answer):
    """What in an answer is not as it should be."""
    wrong = []
    for key, expected in vector["expect"].items():
        got = answer.get(key, False if expected is False else None)
        if key == "law":
            got = {name: got.get(name) for name in expected}
        if got != expected:
            wrong.append(f"{vector['id']}: {key} is {got}, not {expected}")
    return wrong
