"""Reason codes in words, and the advice for them: for entries that any version has written.

The words are in the language of the answer (`language.py`). Text stored in an entry is English.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from api.http.language import answer_language
from vtox.motor.values.domain import Reason
from vtox.motor.words import rendering
from vtox.motor.words.languages import DEFAULT
from vtox.pipeline.monitoring.readiness import Check


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a code; the code if this version does not expect the values."""
    try:
        return rendering.render(code, values, answer_language())
    except (LookupError, TypeError, ValueError):
        return code


def fault_name(fault: str) -> str:
    """Return the name of a fault."""
    return rendering.name_of("fault", fault, answer_language())


def sentences(reasons: Iterable[Reason]) -> str:
    """Return the sentences of several reasons as one line."""
    return rendering.join((sentence(r.code, r.values) for r in reasons), answer_language())


def advice(code: str, values: Mapping[str, Any], level: str = "") -> str:
    """Return the advice for a code at a level; empty if it has none or is not known."""
    return rendering.advice(code, values, answer_language(), level=level)


def reason(said: rendering.Explained) -> str:
    """Return code and doubts of an entry in words; if of another version, as written."""
    return rendering.full_reason(said, answer_language())


def translate_check(check: Check) -> Check:
    """Return a check in the language of the answer; one without a code is unchanged."""
    language = answer_language()
    if language == DEFAULT or not check.code:
        return check
    observed = rendering.render(check.code, check.values, language)
    return replace(
        check, observed=observed, remedy=rendering.advice(check.code, check.values, language)
    )
