"""What a reason code says in words, and what to do: of entries that any version has written.

In the language of the answer (`language.py`). What was written with an entry is English.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from api.language import answer_language
from api.schemas.diagnoses import Reason
from vtox import domain
from vtox.monitoring.readiness import Check
from vtox.sentences import rendering
from vtox.sentences.languages import DEFAULT


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a code; of values that this version does not expect, the code."""
    try:
        return rendering.render(code, values, answer_language())
    except (LookupError, TypeError, ValueError):
        return code


def advice(code: str) -> str:
    """Return what to do about a code, empty where there is nothing to do or it is not known."""
    return rendering.advice(code, answer_language())


def reason(written: str, *reasons: domain.Reason) -> str:
    """Return a reason that was written as a sentence in the language of the answer.

    It is that of `reasons`, the code and the doubts of the same entry. Where they are not known it
    stays as it was written.
    """
    language = answer_language()
    if language == DEFAULT or not reasons:
        return written
    try:
        said = [rendering.render(r.code, r.values, language) for r in reasons]
    except (LookupError, TypeError, ValueError):
        return written
    known = all(text != r.code for text, r in zip(said, reasons, strict=True))
    return rendering.join(said, language) if known else written


def check_in_words(check: Check) -> Check:
    """Return a check in the language of the answer; one without a code stays as it is."""
    language = answer_language()
    if language == DEFAULT or not check.code:
        return check
    observed = rendering.render(check.code, check.values, language)
    return replace(
        check, observed=observed, remedy=rendering.remedy(check.code, check.values, language)
    )


def doubts_with_sentences(doubts: Iterable[domain.Reason]) -> list[Reason]:
    """Return the doubts of a diagnosis with words."""
    return [
        Reason(
            code=d.code,
            values=dict(d.values),
            sentence=sentence(d.code, d.values),
            what_to_do=advice(d.code),
        )
        for d in doubts
    ]
