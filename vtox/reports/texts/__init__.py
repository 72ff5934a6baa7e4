"""The texts of a report: a file of JSON for each language, each text under its key."""

import json
from functools import cache
from pathlib import Path

from vtox.words.languages import DEFAULT
from vtox.words.languages import language as tag_language
from vtox.words.rendering import headings

FOLDER = Path(__file__).parent


@cache
def texts(language: str) -> dict[str, str]:
    """Return the texts of a language by their keys; those of English where there is no such.

    Names come from the catalogue of words: `fault.broken_bar`, `state.normal`.
    """
    known = tag_language(language) or DEFAULT
    names = {f"{kind}.{i}": name for kind, i, name in headings(known)}
    own: dict[str, str] = json.loads((FOLDER / f"{known}.json").read_text("utf-8"))
    return names | own
