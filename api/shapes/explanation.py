"""What a reason code says in words, and what to do: of entries that any version has written.

In the language of the answer (`language.py`). What was written with an entry is English.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from api.http.language import answer_language
from api.schemas.common import rfc3339
from api.schemas.diagnoses import Reason
from api.schemas.machines import FaultReason, LatestReason
from vtox.motor.alarms.health.alert_values import Verdict
from vtox.motor.alarms.health.assessment import FaultAssessment
from vtox.motor.values.domain import Reason as ReasonOf
from vtox.motor.words import rendering
from vtox.motor.words.languages import DEFAULT
from vtox.pipeline.monitoring.readiness import Check


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a code; of values that this version does not expect, the code."""
    try:
        return rendering.render(code, values, answer_language())
    except (LookupError, TypeError, ValueError):
        return code


def fault_name(fault: str) -> str:
    """Return the name of a fault."""
    return rendering.name_of("fault", fault, answer_language())


def sentences(reasons: Iterable[ReasonOf]) -> str:
    """Return the sentences of several reasons as one line."""
    return rendering.join((sentence(r.code, r.values) for r in reasons), answer_language())


def advice(code: str, values: Mapping[str, Any], level: str = "") -> str:
    """Return what to do about a code at a level; empty: nothing, or the code is not known."""
    return rendering.advice(code, values, answer_language(), level=level)


def reason(said: rendering.Explained) -> str:
    """Return code and doubts of an entry in words; of another version, as they were written."""
    return rendering.full_reason(said, answer_language())


def check_in_words(check: Check) -> Check:
    """Return a check in the language of the answer; one without a code stays as it is."""
    language = answer_language()
    if language == DEFAULT or not check.code:
        return check
    observed = rendering.render(check.code, check.values, language)
    return replace(
        check, observed=observed, remedy=rendering.advice(check.code, check.values, language)
    )


def doubts_with_sentences(doubts: Iterable[ReasonOf]) -> list[Reason]:
    """Return doubts with words."""
    return [
        Reason(
            code=d.code,
            values=dict(d.values),
            sentence=sentence(d.code, d.values),
            what_to_do=advice(d.code, d.values),
        )
        for d in doubts
    ]


def fault_reason(fault: str, f: FaultAssessment) -> FaultReason:
    """Return why a fault has its state, as it is shown."""
    why = f.why
    return FaultReason(
        fault=fault,
        code=why.code,
        values=dict(why.values),
        doubts=doubts_with_sentences(why.doubts),
        reason=reason(why),
        time=rfc3339(why.t or None),
        latest=_latest(f.latest) if why.t != f.t else None,
        what_to_do=advice(why.code, why.values, why.state),
    )


def _latest(said: Verdict) -> LatestReason:
    return LatestReason(
        state=said.state or "unknown",
        code=said.code,
        reason=reason(said),
        time=rfc3339(said.t or None),
    )
