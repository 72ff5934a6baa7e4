"""Verdicts of records that the records before decide: the parts that all of them share. Pure."""

from collections.abc import Collection
from dataclasses import replace

from vtox.motor.values.domain import Answer, Diagnosis, Reason, sentence_of


def is_open(
    d: Diagnosis | Answer, codes: Collection[str], unless: Collection[str] = frozenset()
) -> bool:
    """Return whether a record is open by one of some codes, without any of some doubts."""
    return d.code in codes and not any(r.code in unless for r in d.doubts)


def with_doubt(d: Diagnosis | Answer, doubt: Reason) -> Diagnosis | Answer:
    """Return a diagnosis with one more doubt."""
    doubts = (*d.doubts, doubt)
    if isinstance(d, Answer):
        return d._replace(doubts=doubts, reason=sentence_of([Reason(d.code, d.values), *doubts]))
    return replace(d, doubts=doubts)


def sound(d: Diagnosis | Answer, why: Reason, confidence: float) -> Diagnosis | Answer:
    """Return a diagnosis as `normal`, for a reason that more than one record gives."""
    if isinstance(d, Answer):
        return d._replace(
            state="normal",
            code=why.code,
            values=why.values,
            reason=sentence_of([why, *d.doubts]),
            severity=0.0,
            confidence=round(confidence, 3),
        )
    return replace(
        d,
        state="normal",
        code=why.code,
        values=why.values,
        severity=0.0,
        confidence=round(confidence, 3),
    )
