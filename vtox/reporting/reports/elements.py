"""Pieces of HTML that every part of a report is made of. Text is escaped here, and nowhere else."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

SHAPES = {
    "normal": '<circle cx="6" cy="6" r="4.5"/>',
    "warning": '<path d="M6 1L11.5 11H.5Z"/>',
    "fault": '<path d="M1.5 1.5h9v9h-9z"/>',
    "unknown": '<circle class="hollow" cx="6" cy="6" r="4"/>',
}


def pill(state: str, word: str) -> str:
    """Return a state: a shape, a word and a colour."""
    cls = state if state in SHAPES else "unknown"
    shape = f'<svg viewBox="0 0 12 12" aria-hidden="true">{SHAPES[cls]}</svg>'
    return f'<span class="pill {cls}">{shape}{escape(word)}</span>'


def facts(pairs: Iterable[tuple[str, str]], cls: str = "facts") -> str:
    """Return names with values."""
    rows = (f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in pairs)
    return f'<dl class="{cls}">{"".join(rows)}</dl>'


def marked(text: str) -> str:
    """Return a text in which code is between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))


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
    """Return a time (s since 1970) in UTC; what is no such time as a number."""
    try:
        return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{t:g} s"
