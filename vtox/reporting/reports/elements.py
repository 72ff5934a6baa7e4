"""Texts that every part of a report is made of: names, numbers and times."""

from collections.abc import Mapping
from datetime import UTC, datetime


def sentence_case(text: str) -> str:
    """Return a sentence with a capital; the name of a field keeps its small letter."""
    first = text.partition(" ")[0]
    return text if "_" in first or ":" in first else text[:1].upper() + text[1:]


def indicator_name(name: str, text: Mapping[str, str]) -> tuple[str, str]:
    """Return the words and the unit of an indicator.

    Examples
    --------
    >>> indicator_name("lower_sideband_dbc", {"unit_dbc": "dBc"})
    ('lower sideband', 'dBc')
    """
    stem, _, suffix = name.replace("_", " ").rpartition(" ")
    unit = text.get(f"unit_{suffix}", "") if stem else ""
    if not unit:
        return name.replace("_", " "), ""
    # In those of conductance `_s` is siemens.
    return stem, "S" if stem.startswith("conductance") else unit


def minus(text: str) -> str:
    """Return a number with a minus sign instead of a hyphen."""
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}", text.startswith("-"))


def utc(t: float) -> str:
    """Return a time (s since 1970) in UTC; a value that is no such time as a number."""
    try:
        return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{t:g} s"
