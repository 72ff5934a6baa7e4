"""The texts of a report, from the catalogue of words."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.motor.words.languages import language as tag_language
from vtox.motor.words.rendering import fill, headings

_OF_PLATE = ("plate_", *(f"{f.name}_" for f in FIELDS if f.kind == "choice"))


@cache
def texts(language: str) -> dict[str, str]:
    """Return the texts of a language by their keys; those of English if there is no such language.

    Names and units have the keys `fault_broken_bar`, `state_normal`, `unit_hz`. Fields and
    choices of a nameplate are those of the page of a machine: `plate_supply`, `plate_supply_grid`.
    """
    known = tag_language(language) or DEFAULT
    names = {f"{kind}_{i}": name for kind, i, name in headings(known)}
    units = {f"unit_{suffix}": unit for suffix, unit in catalogue(known).units.items()}
    of_plate = {
        f"plate_{key.removeprefix('plate_')}": text
        for key, text in catalogue(known).pages["machine"].items()
        if key.startswith(_OF_PLATE)
    }
    return {"language": known, **names, **units, **of_plate, **catalogue(known).report}


def language_of(text: Mapping[str, str]) -> Language:
    """Return the language of texts."""
    return tag_language(text["language"]) or DEFAULT


def say(text: Mapping[str, str], key: str, /, **values: Any) -> str:
    """Return the text of a key with its values."""
    return fill(text[key], values, language_of(text))
