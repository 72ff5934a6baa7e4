"""Renders reason codes and their values into sentences: the one place where that is done.

Another language is another folder of tables beside `english`.
"""

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

from vtox.sentences.english import (
    bearing,
    broken_bar,
    eccentricity,
    general,
    insulation,
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
}
SENTENCES: Mapping[str, Sentence] = {c: s for table in TABLES.values() for c, s in table.items()}


class _Words(Formatter):
    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion != "w":
            return super().convert_field(value, conversion)
        several = [value] if isinstance(value, str) else value
        return ", ".join(general.WORDS.get(v, v) for v in several)


_WORDS = _Words()


def render(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a reason; a code that this version does not know is its own sentence.

    Raises
    ------
    KeyError, ValueError
        The values are not those that the sentence needs.
    """
    sentence = SENTENCES.get(code)
    return _WORDS.vformat(sentence.text, (), values) if sentence else code


def render_all(reasons: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the sentences of several reasons as one line."""
    return "; ".join(render(code, values) for code, values in reasons)


def advice(code: str) -> str:
    """Return what to do about a code, empty where there is nothing to do or it is not known."""
    sentence = SENTENCES.get(code)
    return sentence.advice if sentence else ""
