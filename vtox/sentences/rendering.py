"""Renders reason codes and their values into sentences: the one place where that is done.

Another language is another folder of tables beside `english`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from vtox.sentences.english import (
    alerts,
    baseline,
    bearing,
    broken_bar,
    eccentricity,
    general,
    insulation,
    records,
    slip,
    system,
    turn_short,
)
from vtox.sentences.sentence import Sentence

TABLES: Mapping[str, Mapping[str, Sentence]] = {
    "general": general.SENTENCES,
    "turn_short": turn_short.SENTENCES,
    "insulation": insulation.SENTENCES,
    "bearing": bearing.SENTENCES,
    "eccentricity": eccentricity.SENTENCES,
    "broken_bar": broken_bar.SENTENCES,
    "slip": slip.SENTENCES,
    "records": records.SENTENCES,
    "alerts": alerts.SENTENCES,
    "system": system.SENTENCES,
    "baseline": baseline.SENTENCES,
}
SENTENCES: Mapping[str, Sentence] = {c: s for table in TABLES.values() for c, s in table.items()}


WORD_FIELD = re.compile(r"\{(\w+)!w\}")


@cache
def _template(text: str) -> tuple[str, frozenset[str]]:
    """Return a template without `!w`, and the values that are put into words."""
    return WORD_FIELD.sub(r"{\1}", text), frozenset(WORD_FIELD.findall(text))


def _words(value: str | Iterable[str]) -> str:
    several = [value] if isinstance(value, str) else value
    return ", ".join(general.WORDS.get(v, v) for v in several)


def render(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a reason; a code that this version does not know is its own sentence.

    Raises
    ------
    KeyError, ValueError
        The values are not those that the sentence needs.
    """
    sentence = SENTENCES.get(code)
    if sentence is None:
        return code
    text, in_words = _template(sentence.text)
    if in_words:
        values = {**values, **{name: _words(values[name]) for name in in_words}}
    return text.format_map(values)


def render_all(reasons: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the sentences of several reasons as one line."""
    return "; ".join(render(code, values) for code, values in reasons)


def advice(code: str) -> str:
    """Return what to do about a code, empty where there is nothing to do or it is not known."""
    sentence = SENTENCES.get(code)
    return sentence.advice if sentence else ""
