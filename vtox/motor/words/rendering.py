"""Renders texts of the catalogue with values, and codes with theirs: the one place for it.

A text has `{load_a:.1f}` for a value, written as `str.format` does. `{channels!w}` is replaced by
the words for an identifier, or for each of a list, `{channels!part}` by those for the sensor of a
channel. `{power_w!k}` is the value in thousands; `{n|record|records}` the first word if `n` is one,
else the second. Scripts of the pages do the same (`api/static/texts.js`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

from vtox.motor.words.catalogue import Catalogue, Kind, catalogue
from vtox.motor.words.languages import DEFAULT, Language


def name_of(kind: Kind, identifier: str, language: Language = DEFAULT) -> str:
    """Return the name of a fault, a state or an outcome; one without a name is its own.

    >>> name_of("fault", "broken_bar"), name_of("fault", "workers:bearing")
    ('broken bar', 'no worker (bearing)')
    """
    names = catalogue(language).names[kind]
    head, _, of = identifier.partition(":")
    if head not in names:
        return identifier
    return f"{names[head]} ({of})" if of else names[head]


def headings(language: Language) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, identifier and name of all that has one, faults as they begin a line."""
    for kind, names in catalogue(language).names.items():
        for identifier, name in names.items():
            yield kind, identifier, name[:1].upper() + name[1:] if kind == "fault" else name


class _Coded(Protocol):
    """A code with the values that its sentence needs."""

    @property
    def code(self) -> str:
        """Stable, for programs."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Values that its sentence needs."""


class Explained(_Coded, Protocol):
    """A code with doubts about it, and a reason: the sentence that was written with it."""

    @property
    def doubts(self) -> Iterable[_Coded]:
        """Doubts said with the code."""

    @property
    def reason(self) -> str:
        """The sentence as it was written."""


# Places that `str.format` cannot fill.
SPECIAL = re.compile(r"\{(\w+)(?:!(w|part|k)|\|([^|}]*)\|([^}]*))\}")


def fill(text: str, values: Mapping[str, Any], language: Language = DEFAULT) -> str:
    """Return a text with its values.

    Raises `KeyError`, `ValueError`: the values do not fit the text.
    """
    template, special = _template(text)
    if special:
        known = catalogue(language)
        values = {**values, **{f"_{i}": _choice(m, values, known) for i, m in enumerate(special)}}
    return template.format_map(values)


@cache
def _template(text: str) -> tuple[str, tuple[re.Match[str], ...]]:
    """Return a template with `{_0}` for the first special place, and the special places."""
    special = tuple(SPECIAL.finditer(text))
    numbers = iter(range(len(special)))
    return SPECIAL.sub(lambda _: f"{{_{next(numbers)}}}", text), special


def _choice(place: re.Match[str], values: Mapping[str, Any], known: Catalogue) -> str:
    name, kind, one, several = place.groups()
    if kind == "k":
        return f"{values[name] / 1000:.4g}"
    if kind:
        return _words(values[name], known, "part." if kind == "part" else "")
    return one if values[name] == 1 else several


def _words(value: str | Iterable[str], said: Catalogue, topic: str) -> str:
    several = [value] if isinstance(value, str) else value
    return said.between_words.join(said.words.get(f"{topic}{v}", v) for v in several)


def render(code: str, values: Mapping[str, Any], language: Language = DEFAULT) -> str:
    """Return the sentence of a reason; a code that this version does not know is its own sentence.

    Raises `KeyError`, `ValueError`: the values do not fit the sentence.
    """
    sentence = catalogue(language).sentences.get(code)
    return fill(sentence.text, values, language) if sentence else code


def render_all(
    reasons: Iterable[tuple[str, Mapping[str, Any]]], language: Language = DEFAULT
) -> str:
    """Return the sentences of several reasons as one line."""
    return join((render(code, values, language) for code, values in reasons), language)


def full_reason(said: Explained, language: Language = DEFAULT) -> str:
    """Return the sentences of a code and of its doubts as one line.

    If one of them is of another version, or of another program, it is the reason as written.
    """
    if not said.code:
        return said.reason
    known = catalogue(language).sentences
    coded = [said, *said.doubts]
    try:
        if all(c.code in known for c in coded):
            return render_all(((c.code, c.values) for c in coded), language)
    except (LookupError, TypeError, ValueError):
        pass
    return said.reason or said.code


def join(sentences: Iterable[str], language: Language = DEFAULT) -> str:
    """Return several sentences as one line."""
    return catalogue(language).between_sentences.join(sentences)


def advice(
    code: str,
    values: Mapping[str, Any] = MappingProxyType({}),
    language: Language = DEFAULT,
    *,
    level: str = "",
) -> str:
    """Return the advice about a code, empty if there is nothing to do or it is not known.

    `level` is that of the alarm or the state of the diagnosis: a fault may ask for more. Without
    the values that it names, as on a page about the code, the advice says them in general.
    """
    sentence = catalogue(language).sentences.get(code)
    if sentence is None:
        return ""
    text = (level == "fault" and sentence.at_fault) or sentence.advice
    try:
        return fill(text, values, language)
    except (LookupError, TypeError, ValueError):
        part = _words("any", catalogue(language), "part.")
        return SPECIAL.sub(lambda m: part if m[2] == "part" else m[0], text)
