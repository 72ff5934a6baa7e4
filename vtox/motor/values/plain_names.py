"""Names of machines, vehicles and runs: the rule for a name, and the error if one breaks it."""

import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
ALLOWED = "1 to 64 of A to Z, a to z, 0 to 9 and . _ : -, the first a letter or digit"
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._:-]")


def names_of(stored: Iterable[bytes]) -> list[str]:
    """Return the names among members of a set or fields of a hash, where others may write too.

    >>> names_of([b"M1", bytes([255]), b"a/b"])
    ['M1']
    """
    texts = (member.decode("ascii", "replace") for member in stored)
    return [text for text in texts if NAME.fullmatch(text)]


def name_error(text: str) -> str:
    """Return the error of a name, its place, and the expected form; empty if there is none."""
    if NAME.fullmatch(text):
        return ""
    if not text:
        wrong = "empty"
    elif other := _NOT_ALLOWED.search(text):
        wrong = f"character {other.start() + 1} is {other[0]!r}"
    elif text[0] in "._:-":
        wrong = f"it begins with {text[0]!r}"
    else:
        wrong = f"it has {len(text)} characters"
    return f"{wrong}, expected {ALLOWED}"
