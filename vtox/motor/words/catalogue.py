"""The catalogue of a language: the TOML files of its folder as one, read when first asked for.

Each file holds some of the tables; which of them are together matters to translators alone.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from vtox.motor.words.languages import FOLDER, Language

# What has a name that people use: a fault (also a flag, or a condition of the system), the state of
# one, what became of an alarm, when to act on one; and by its fault, the number that a diagnosis
# compared.
Kind = Literal["fault", "state", "outcome", "action", "statistic"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a code, and what a user does about it; all are templates of `rendering`.

    `at_fault` is the advice at the level `fault`, where that is another than at a warning.
    Sentences begin with a small letter and have no full stop, so that several can be joined.
    """

    text: str
    advice: str = ""
    at_fault: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All words of a language; a field has the name of its table in the files.

    Sentences are there by topic and by code, names by identifier, in small letters where the
    language has them.
    """

    name: str
    tag: str
    locale: str
    between_words: str
    between_sentences: str
    names: Mapping[Kind, Mapping[str, str]]
    words: dict[str, str]
    units: Mapping[str, str]
    topics: Mapping[str, Mapping[str, Sentence]]
    sentences: dict[str, Sentence]
    pages: Mapping[str, Mapping[str, str]]
    report: Mapping[str, str]
    events: Mapping[str, str]
    messages: Mapping[str, str]
    problems: Mapping[str, str]
    dead_letters: Mapping[str, str]


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the words of a language."""
    return _read(FOLDER / language)


def _read(folder: Path) -> Catalogue:
    """Return the words in the files of a folder.

    Raises `ValueError`: a file is no TOML, or two of them have a text for the same key. `KeyError`,
    `TypeError`: a table is missing, or is none of a catalogue.
    """
    tables: dict[str, Any] = {}
    for file in sorted(folder.rglob("*.toml")):
        _merge(tables, tomllib.loads(file.read_text("utf-8")))
    topics = {
        topic: {code: Sentence(**said) for code, said in table.items()}
        for topic, table in tables.pop("sentences").items()
    }
    sentences = {code: said for table in topics.values() for code, said in table.items()}
    return Catalogue(**tables.pop("language"), topics=topics, sentences=sentences, **tables)


def _merge(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        elif key in into:
            raise ValueError(f"{key} has two texts")
        else:
            into[key] = value
