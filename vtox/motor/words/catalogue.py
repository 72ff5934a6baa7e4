"""The catalogue of a language: the TOML files of its folder as one, read when first asked for.

Each file holds some of the tables; which of them are together matters to translators alone. The
faults of packages have their words in their own folders.
"""

import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from vtox.motor.faults import PACKAGES, PackageProblem
from vtox.motor.words.languages import DEFAULT, FOLDER, LANGUAGES, Language

# Kinds of names that people use. A fault may also be a flag, or a condition of the system. Others
# are its state, the outcome of an alarm and the time to act on one. `statistic` is the number that
# a diagnosis compared, named by its fault.
Kind = Literal["fault", "state", "outcome", "action", "statistic"]
# The tables that the words of a package may have.
OF_PACKAGES = {"names", "words", "sentences", "pages"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a code, and the advice to a user about it; all are templates of `rendering`.

    `at_fault` is the advice at the level `fault`, if that is another than at a warning.
    Sentences begin with a small letter and have no full stop, so that several can be joined.
    """

    text: str
    advice: str = ""
    at_fault: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All words of a language; a field has the name of its table in the files.

    Sentences are there by topic and by code, names by identifier, in small letters if the
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
    """Return the words of a language, with those of the faults of packages."""
    return _with_packages(language)[0]


def refused_words() -> list[PackageProblem]:
    """Return the packages whose words cannot be taken, once for each fault."""
    every = (r for language in LANGUAGES for r in _with_packages(language)[1])
    return list({r.name: r for r in every}.values())


@cache
def _with_packages(language: Language) -> tuple[Catalogue, tuple[PackageProblem, ...]]:
    """Return the words of a language, and the packages of which none are taken.

    A fault without words in this language has those of the default one.
    """
    tables = _tables((FOLDER / language).rglob("*.toml"))
    refused = []
    for fault in PACKAGES.values():
        file = next((f for x in (language, DEFAULT) if (f := fault.words(x)).is_file()), None)
        try:
            own = _tables([file] if file else [])
            _require_own(fault.name, own, tables)
            more = deepcopy(tables)
            _merge(more, own)
            _catalogue(more)
            tables = more
        except (OSError, ValueError, TypeError, AttributeError) as error:
            refused.append(
                PackageProblem(fault.name, fault.package, "wrong_words", f"{file}: {error}")
            )
    return _catalogue(tables), tuple(refused)


def _require_own(fault: str, own: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise `ValueError` if words of a package take the place of others."""
    topics = own.get("sentences", {})
    if foreign := (own.keys() - OF_PACKAGES) | (topics.keys() - {fault}):
        raise ValueError(f"{min(foreign)} is no table of words of this fault")
    taken = {code for table in known["sentences"].values() for code in table}
    if twice := taken & topics.get(fault, {}).keys():
        raise ValueError(f"{min(twice)} is a code of another fault")


def _tables(files: Iterable[Path]) -> dict[str, Any]:
    """Return the words in files.

    Raises `ValueError`: a file is no TOML, or two of them have a text for the same key.
    """
    tables: dict[str, Any] = {}
    for file in sorted(files):
        _merge(tables, tomllib.loads(file.read_text("utf-8")))
    return tables


def _catalogue(tables: Mapping[str, Any]) -> Catalogue:
    """Return the words of tables.

    Raises `KeyError`, `TypeError`: a table is missing, or is none of a catalogue.
    """
    topics = {
        topic: {code: Sentence(**said) for code, said in table.items()}
        for topic, table in tables["sentences"].items()
    }
    sentences = {code: said for table in topics.values() for code, said in table.items()}
    others = {n: x for n, x in tables.items() if n not in ("language", "sentences")}
    return Catalogue(**tables["language"], topics=topics, sentences=sentences, **others)


def _merge(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        elif key in into:
            raise ValueError(f"{key} has two texts")
        else:
            into[key] = value
