"""The texts of a report: a file of JSON for each language, each text under its key."""

import json
from functools import cache
from pathlib import Path

from vtox.sentences.languages import DEFAULT

FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def texts(language: str) -> dict[str, str]:
    """Return the texts of a language by their keys; those of English where there is no such."""
    known = language if language in LANGUAGES else DEFAULT
    found: dict[str, str] = json.loads((FOLDER / f"{known}.json").read_text("utf-8"))
    return found
