"""The outcomes that every study collects, one per record, and the values of its page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluation.metrics import Rate
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Diagnosis

ALARMS = ("warning", "fault")
Tags = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The diagnosis of one fault over one record, with the truth."""

    faulty: bool
    state: str
    code: str
    reason: str
    machine: str
    score: float  # statistic over threshold, NaN if there is none
    confidence: float = 0.0
    tags: Mapping[str, Any] = field(default_factory=dict)  # the settings: level, slip, wander ...
    indicators: Mapping[str, Any] = field(default_factory=dict)  # and those of its first line
    peers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def alarm(self) -> bool | None:
        """Whether something was reported; None is an abstention."""
        return None if self.state == "unknown" else self.state in ALARMS


Answers = dict[str, list[Outcome]]  # by the knowledge of the machine


def outcome(
    diagnosis: Diagnosis,
    *,
    faulty: bool,
    machine: str,
    tags: Mapping[str, Any] | None = None,
    peers: Mapping[str, str | None] | None = None,
) -> Outcome:
    """Return the outcome of one diagnosis."""
    score = float("nan")
    if diagnosis.statistic is not None and diagnosis.threshold:
        score = diagnosis.statistic / diagnosis.threshold
    lines = [e for e in diagnosis.evidence if e.get("kind") == "line"]
    return Outcome(
        faulty=faulty,
        state=diagnosis.state,
        code=diagnosis.code,
        reason=diagnosis.reason,
        machine=machine,
        score=score,
        confidence=diagnosis.confidence,
        tags=tags or {},
        indicators=dict(diagnosis.indicators) | (dict(lines[0]) if lines else {}),
        peers=peers or {},
    )


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a title, column heads, rows of text, and a note that explains it.

    Details are printed, not written to the page.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of the project, its measured value, and whether it is met (None: not run)."""

    name: str
    wanted: str
    got: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Study:
    """The result of one study."""

    title: str
    text: str
    tables: tuple[Table, ...] = ()
    goals: tuple[Goal, ...] = ()


def select(outcomes: Iterable[Outcome], **tags: Any) -> list[Outcome]:
    """Return the outcomes whose tags have these values (a tuple: one of them)."""
    return [
        o
        for o in outcomes
        if all(
            o.tags.get(k) in v if isinstance(v, tuple) else o.tags.get(k) == v
            for k, v in tags.items()
        )
    ]


def alarms(outcomes: Sequence[Outcome], *, of_decided: bool = False) -> Rate:
    """Return the share of alarms, of all or of the decided."""
    counted = [o for o in outcomes if o.alarm is not None] if of_decided else outcomes
    return Rate(sum(o.alarm is True for o in counted), len(counted))


def abstentions(outcomes: Sequence[Outcome]) -> Rate:
    """Return the share that is `unknown`."""
    return Rate(sum(o.alarm is None for o in outcomes), len(outcomes))


def scores(outcomes: Sequence[Outcome], faulty: bool) -> Float64:
    """Return the scores of the decided faulty or healthy ones."""
    picked = [o.score for o in outcomes if o.faulty == faulty and o.alarm is not None]
    values = np.array(picked, np.float64)
    return values[np.isfinite(values)]


def commonest_codes(outcomes: Iterable[Outcome], most: int = 5) -> list[tuple[str, str, int]]:
    """Return the commonest codes of abstentions, each with its first sentence and its count."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for o in outcomes:
        if o.alarm is None:
            code = o.code or shorten(o.reason, 60)
            counts[code] += 1
            examples.setdefault(code, shorten(o.reason, 120))
    return [(code, examples[code], n) for code, n in counts.most_common(most)]


def both_hold(one: bool | None, other: bool | None) -> bool | None:
    """Return whether both hold; None if one was not run."""
    return None if one is None or other is None else one and other


def shorten(text: str, most: int) -> str:
    """Return the text, cut at a word with an ellipsis where it is longer than `most`."""
    if len(text) <= most:
        return text
    return text[: most - 1].rpartition(" ")[0].rstrip(" ,;:(") + " …"


def worst_machine(outcomes: Sequence[Outcome], *, faulty: bool) -> str:
    """Return the machine with the most misses or false alarms as text, empty without any."""
    by_machine: dict[str, list[Outcome]] = {}
    for o in outcomes:
        if o.faulty == faulty and o.alarm is not None:
            by_machine.setdefault(o.machine, []).append(o)
    wrong = {m: Rate(sum(o.alarm != faulty for o in x), len(x)) for m, x in by_machine.items()}
    if not any(rate.hits for rate in wrong.values()):
        return ""
    name = max(wrong, key=lambda m: (wrong[m].value, wrong[m].n))
    what = "missed" if faulty else "false"
    return f"{name}: {wrong[name].hits} of {wrong[name].n} {what}"


def concatenate(parts: Iterable[Answers], names: Iterable[str]) -> Answers:
    """Return the answers of several jobs as one."""
    answers = list(parts)
    return {name: [o for part in answers for o in part.get(name, [])] for name in names}
