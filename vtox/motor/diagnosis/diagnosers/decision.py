"""Decisions on a batch: an ordered table of rules over columns; the first that holds decides.

Columns are the fields of a dataclass, one value a record: arrays of shape (batch,), or sequences of
reasons that an earlier step stated. A value of a code is the column of its name. Objects are made
once, after the decisions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, objects, rounded
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import (
    Answer,
    Diagnosis,
    Reason,
    ReasonValue,
    State,
    Value,
    abstain,
    sentence_of,
)
from vtox.motor.values.energy import MeterRow

C = TypeVar("C", contravariant=True)
Mask = Callable[[C], "Bool | np.bool_ | bool"]
# Entries of typed dictionaries: one type a kind, defined where its entries are made.
Evidence = tuple[Mapping[str, Any], ...]


class Alternative(TypedDict):
    """Another cause that would look the same, with its phase if it is in one."""

    kind: Literal["alternative"]
    cause: str
    phase: NotRequired[str]


def alternative(cause: str, phase: str = "") -> Alternative:
    """Return another cause as evidence."""
    if not phase:
        return {"kind": "alternative", "cause": cause}
    return {"kind": "alternative", "cause": cause, "phase": phase}


@dataclass(frozen=True, slots=True)
class Rule(Generic[C]):
    """One row of a table.

    `holds` gives the mask of the records, shape (batch,) or one value for all. The reason is `code`
    with `values`, pairs of a name and its column, and `constants`. If `stated` names a column, the
    reason is the first one there, and the others of the record are doubts.

    The state is `fault` if the mask of that name holds as well. All `doubts` that hold weaken the
    answer. A rule of `unless` that holds takes the place. `causes` are codes of others that would
    look the same.
    """

    code: str
    holds: Mask[C]
    values: tuple[tuple[str, str], ...] = ()
    constants: Mapping[str, ReasonValue] = field(default_factory=dict)
    state: State = "unknown"
    fault: "Mask[C] | None" = None
    stated: str = ""
    doubts: "tuple[Rule[C], ...]" = ()
    unless: "tuple[Rule[C], ...]" = ()
    causes: tuple[str, ...] = ()


def rule(
    code: str,
    holds: Mask[C],
    *values: str | tuple[str, str],
    state: State = "unknown",
    fault: Mask[C] | None = None,
    doubts: tuple[Rule[C], ...] = (),
    unless: tuple[Rule[C], ...] = (),
    causes: tuple[str, ...] = (),
    **constants: ReasonValue,
) -> Rule[C]:
    """Return the rule of a code; a value is a column of its name, or a pair of name and column.

    If a mask selects each `fault`, the rest is a `warning`.
    """
    pairs = tuple((v, v) if isinstance(v, str) else v for v in values)
    own = "warning" if fault else state
    return Rule(code, holds, pairs, constants, own, fault, "", doubts, unless, causes)


def stated(
    column: str, where: Mask[C] | None = None, *, doubts: tuple[Rule[C], ...] = ()
) -> Rule[C]:
    """Return the rule that lets reasons of a column decide if there are any."""

    def holds(x: C) -> Bool | np.bool_ | bool:
        reasons: Stated = getattr(x, column)
        if not any(reasons):
            return False
        some = np.fromiter(map(bool, reasons), bool, len(reasons))
        return some & where(x) if where else some

    return Rule("", holds, stated=column, doubts=doubts)


def doubted(doubts: tuple[Rule[C], ...], *rules: Rule[C]) -> tuple[Rule[C], ...]:
    """Return rules whose answers doubts weaken, after their own ones."""
    return tuple(replace(r, doubts=(*r.doubts, *doubts)) for r in rules)


def always(_: object) -> bool:
    """Hold for every record: the mask of a last rule."""
    return True


class DecisionTable(Generic[C]):
    """Rules in reading order: the first that holds decides a record.

    `codes`, `states`, and `places` (the code that it replaces) run over the rules.
    """

    def __init__(self, *rules: Rule[C]) -> None:
        in_order = [(x, r.code) for r in rules for x in (*_guards(r), *_by_state(r))]
        self.rules = tuple(r for r, _ in in_order)
        self.codes = objects([r.code for r in self.rules])
        self.states = objects([r.state for r in self.rules])
        self.places = objects([code for _, code in in_order])

    def decide(
        self,
        x: C,
        count: int,
        *,
        after: "DecisionTable[Any] | None" = None,
        decided: Int | None = None,
    ) -> Int:
        """Return the number of the rule that decides each of `count` records, -1 for none.

        `decided`: as `after`, with whose rules this table begins, has decided already.
        """
        start = len(after.rules) if after else 0
        decided = np.full(count, -1) if decided is None else decided.copy()
        open_ = decided < 0
        left = np.count_nonzero(open_)
        for k, r in enumerate(self.rules[start:], start):
            if not left:
                break
            held = r.holds(x)
            if isinstance(held, np.ndarray):
                if not np.count_nonzero(held):
                    continue
                mask = open_ & held
            elif held:
                mask = open_
            else:
                continue
            some = np.count_nonzero(mask)
            if some == count:
                return np.full(count, k)
            decided[mask] = k
            open_ = open_ ^ mask
            left -= some
        return decided

    def reasons(self, x: C, decided: Int) -> list[tuple[Reason, ...]]:
        """Return the reasons of the rules that decided: the code, then doubts; none if -1."""
        found: list[tuple[Reason, ...]] = [()] * len(decided)
        for k in sorted(set(decided.tolist()) - {-1}):
            of_rule = decided == k
            _state(self.rules[k], x, of_rule, found)
            for doubt in self.rules[k].doubts:
                _state(doubt, x, of_rule & doubt.holds(x), found)
        return found


def _guards(r: Rule[C]) -> Iterator[Rule[C]]:
    """Yield the rules that take the place of one, each if that one holds too."""
    for other in r.unless:
        yield replace(other, holds=_both(r.holds, other.holds), causes=r.causes)


def _by_state(r: Rule[C]) -> Iterator[Rule[C]]:
    """Yield a rule with the state `fault` if that holds, then with its own."""
    if r.fault:
        yield replace(r, holds=_both(r.holds, r.fault), state="fault", fault=None)
    yield replace(r, fault=None)


def _both(one: Mask[C], other: Mask[C]) -> Mask[C]:
    return lambda x: one(x) & other(x)


def _state(r: Rule[C], x: C, where: Bool, found: list[tuple[Reason, ...]]) -> None:
    """Add the reasons of a rule to those of some records."""
    (rows,) = where.nonzero()
    if r.stated:
        reasons: Stated = getattr(x, r.stated)
        for row in rows.tolist():
            found[row] += tuple(reasons[row])
        return
    names = [name for name, _ in r.values]
    columns = [getattr(x, column)[rows].tolist() for _, column in r.values]
    for row, *values in zip(rows.tolist(), *columns, strict=True):
        named = dict(zip(names, values, strict=True))
        found[row] += (Reason(r.code, {**named, **r.constants}),)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A column of indicators; `where` masks the records that have it, None if all do."""

    values: npt.NDArray[Any]
    where: Bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The answers for one fault of a batch, by columns of length batch.

    `reasons` holds for each record the reason, then its doubts. A `severity` is NaN if the state is
    `unknown` and 0 if it is `normal`; a `confidence` is 0 if it is `unknown`. A `statistic` or
    `threshold` that is missing is NaN.
    """

    fault: str
    states: Sequence[State]
    reasons: Stated
    severity: Float64
    confidence: Float64
    statistic: Float64
    threshold: Float64
    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    evidence: Objects | None = None

    def __iter__(self) -> Iterator[Diagnosis]:
        return iter(self.diagnoses())

    def diagnoses(self) -> list[Diagnosis]:
        """Return the answers as separate values, without their sentences."""
        if not self.indicators and self.evidence is None and len(set(map(id, self.reasons))) == 1:
            why, *doubts = self.reasons[0]
            if set(self.states) == {"unknown"}:
                return [abstain(self.fault, why, *doubts)] * len(self.states)
        return [
            Diagnosis(
                fault=self.fault,
                state=state,
                code=r[0].code,
                values=r[0].values,
                doubts=r[1:],
                severity=severity,
                confidence=confidence,
                statistic=statistic,
                threshold=threshold,
                indicators=indicators,
                evidence=evidence,
            )
            for state, r, severity, confidence, statistic, threshold, indicators, evidence in (
                zip(self.states, self.reasons, *self._columns(), strict=True)
            )
        ]

    def answers(self, energy: Sequence[MeterRow] = ()) -> list[Answer]:
        """Return the answers by record; those of equal reasons share their sentence.

        Each has the `energy` of its record, if given.
        """
        distinct = {id(r): r for r in self.reasons}
        sentences = {k: sentence_of(r) for k, r in distinct.items()}
        count = len(self.states)
        readings = (*energy,) or (None,) * count
        columns = (
            [self.fault] * count,
            self.states,
            [r[0].code for r in self.reasons],
            [r[0].values for r in self.reasons],
            [r[1:] for r in self.reasons],
            [sentences[id(r)] for r in self.reasons],
            *self._columns(),
            readings,
        )
        return [*map(Answer._make, zip(*columns, strict=True))]

    def _columns(self) -> tuple[Sequence[Any], ...]:
        """Return severity, confidence, statistic, threshold, indicators and evidence."""
        count = len(self.states)
        indicators: list[dict[str, Value]] = [{} for _ in range(count)]
        for name, column in self.indicators.items():
            values = column.values.tolist()
            rows = range(count) if column.where is None else column.where.nonzero()[0].tolist()
            for i in rows:
                indicators[i][name] = values[i]
        nothing: list[Evidence] = [()] * count
        evidence = nothing if self.evidence is None else self.evidence.tolist()
        numbers = _or_none(self.severity), self.confidence.tolist()
        compared = _or_none(self.statistic), _or_none(self.threshold)
        return (*numbers, *compared, indicators, evidence)


def verdicts(
    fault: str,
    table: DecisionTable[C],
    x: C,
    decided: Int,
    *,
    severity: float | Float64 = np.nan,
    confidence: float | Float64 = 0.0,
    statistic: float | Float64 = np.nan,
    threshold: float | Float64 = np.nan,
    indicators: Mapping[str, Indicator] = MappingProxyType({}),
    evidence: Objects | None = None,
) -> Verdicts:
    """Return the verdicts of a table. Numbers, shape (batch,), count if the state has any.

    Severity and confidence are rounded to three digits.
    """
    states = table.states[decided]
    unknown = states == "unknown"
    level = np.where(unknown, np.nan, severity)
    level[states == "normal"] = 0.0
    blank = np.zeros(len(decided))
    return Verdicts(
        fault=fault,
        states=states.tolist(),
        reasons=table.reasons(x, decided),
        severity=rounded(level, 3),
        confidence=rounded(np.where(unknown, 0.0, confidence), 3),
        statistic=blank + statistic,
        threshold=blank + threshold,
        indicators=indicators,
        evidence=None if evidence is None else objects([e or () for e in evidence.tolist()]),
    )


def abstentions(fault: str, reasons: Stated) -> Verdicts:
    """Return the verdicts of a whole batch that abstains, for stated reasons."""
    count = len(reasons)
    nothing = np.full(count, np.nan)
    return Verdicts(
        fault=fault,
        states=["unknown"] * count,
        reasons=reasons,
        severity=nothing,
        confidence=np.zeros(count),
        statistic=nothing,
        threshold=nothing,
    )


def _or_none(x: Float64) -> list[float | None]:
    return [None if v != v else v for v in x.tolist()]
