"""Ablation of the diagnosers: switch off one rule at a time and count the changed diagnoses.

    python -m evaluation.ablation [--each 25] [--only turns ...] [--keep turns.records] > table.md
    python -m evaluation.ablation --records turns.records earth.records > table.md

The records are those of the quick form of `make evaluate` on the design sets, and every kind of
broken input once. Switching off a rule changes only records that the rule decided, so only these
are diagnosed again: at most `--each` of each rule, sound and faulty. A code that an earlier step
states is switched off in the columns of the table. The work that such a step skips stays undone;
`blank` counts the records where nothing was left to decide on.
"""

import argparse
import pickle
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import Any
from unittest.mock import patch

from evaluation import outcome as outcomes
from evaluation.sizes import QUICK, SMALLEST, Size
from vtox.motor.diagnosis import diagnosis as diagnosis_module
from vtox.motor.diagnosis.diagnosers.columns import Stated
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Diagnosis

ALARMS = outcomes.ALARMS
# The runs that collect records; cost and the other packages are of no use here.
CORE = ("shafts", "rotor", "turn_model", "gap", "slip", "earth")
Case = tuple[DiagnosisInput, Diagnosis, bool]
Found = dict[tuple[str, str], "Decided"]


@dataclass(slots=True)
class Decided:
    """The records that a rule has decided: how many in all, and some of them with the truth."""

    sound: int = 0
    faulty: int = 0
    cases: list[Case] = field(default_factory=list)


@dataclass(slots=True)
class Switched:
    """Counts of changes in the records kept of one rule, when the rule was off."""

    alarms_on_sound: int = 0
    finds_lost: int = 0
    finds_gained: int = 0
    decided: int = 0
    undecided: int = 0
    blank: int = 0
    codes: int = 0
    of: int = 0

    @property
    def moves(self) -> bool:
        """Whether the state of any record changes."""
        return any((self.alarms_on_sound, self.finds_lost, self.finds_gained, self.decided)) or (
            self.undecided > 0
        )


class Here(Executor):
    """Runs each job at once, in this process, so that its diagnoses can be noted."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the result, as a future that is done."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Notes:
    """Notes each diagnosis with its input, and the truth about it once an outcome is made."""

    def __init__(self, each: int) -> None:
        self.each = each
        self.found: Found = defaultdict(Decided)
        self._open: dict[int, tuple[DiagnosisInput, Diagnosis]] = {}

    def batch(self, inputs: Sequence[DiagnosisInput], faults: Any = None) -> list[list[Diagnosis]]:
        """Diagnose as `diagnose_batch` does; a diagnosis without outcome is of a sound machine."""
        answers = _diagnose(inputs, faults)
        for old, d in list(self._open.values()):
            self._note(old, d, faulty=False)
        self._open = {id(d): (x, d) for x, ds in zip(inputs, answers, strict=True) for d in ds}
        return answers

    def outcome(self, d: Diagnosis, *, faulty: bool, **rest: Any) -> outcomes.Outcome:
        """Make an outcome, and note the truth."""
        if known := self._open.pop(id(d), None):
            self._note(*known, faulty=faulty)
        return _outcome(d, faulty=faulty, **rest)

    def _note(self, x: DiagnosisInput, d: Diagnosis, *, faulty: bool) -> None:
        of = self.found[d.fault, d.code]
        of.sound += not faulty
        of.faulty += faulty
        if sum(truth == faulty for *_, truth in of.cases) < self.each:
            of.cases.append((x, d, faulty))


_diagnose = diagnosis_module.diagnose_batch
_outcome = outcomes.outcome


def collected(size: Size, each: int, only: Sequence[str]) -> Notes:
    """Return the notes of all runs of a size."""
    notes = Notes(each)
    # The runs import both by name: patched before they are imported.
    with (
        patch.object(diagnosis_module, "diagnose_batch", notes.batch),
        patch.object(outcomes, "outcome", notes.outcome),
    ):
        widened = import_module("evaluation.widened")
        seeds = import_module("evaluation.seeds")
        pool = Here()
        for name, run in {**_core(pool, size), **widened.SETS}.items():
            if only and name not in only:
                continue
            run() if name in CORE else run(pool, seeds.Stage(), size)
    notes.batch([], [])
    return notes


def _core(pool: Executor, size: Size) -> Mapping[str, Any]:
    shafts = import_module("evaluation.runs.bad_shafts")
    bars = import_module("evaluation.runs.broken_bar")
    model = import_module("evaluation.runs.turns_gap_insulation")
    return {
        "shafts": lambda: shafts.bad_shaft_answers(sound=size.shafts, damaged=size.damaged_races),
        "rotor": lambda: bars.rotor_answers(pool, size),
        "turn_model": lambda: model.turn_answers(pool, size),
        "gap": lambda: model.gap_answers(pool, size),
        "slip": lambda: bars.slip_answers(pool, size),
        "earth": lambda: model.earth_answers(pool, size),
    }


@contextmanager
def switched_off(code: str) -> Iterator[None]:
    """Stop all tables from deciding by a code, and earlier steps from passing it to a table."""
    decide, reasons = DecisionTable.decide, DecisionTable.reasons

    def without(x: Any) -> Any:
        if not is_dataclass(x):
            return x
        changed = {
            f.name: [tuple(r for r in row if r.code != code) for row in getattr(x, f.name)]
            for f in fields(x)
            if f.type == Stated
        }
        return replace(x, **changed) if changed else x  # type: ignore[type-var]

    def decided(self: DecisionTable[Any], x: Any, count: int, **rest: Any) -> Any:
        kept = self.rules
        self.rules = tuple(replace(r, holds=lambda _: False) if r.code == code else r for r in kept)
        try:
            return decide(self, without(x), count, **rest)
        finally:
            self.rules = kept

    def filtered_reasons(self: DecisionTable[Any], x: Any, of: Any) -> Any:
        return reasons(self, without(x), of)

    with (
        patch.object(DecisionTable, "decide", decided),
        patch.object(DecisionTable, "reasons", filtered_reasons),
    ):
        yield


def switched(fault: str, code: str, of: Decided) -> Switched:
    """Return the changes in the records kept of a rule when the rule is off."""
    result = Switched(of=len(of.cases))
    for x, before, faulty in of.cases:
        try:
            with switched_off(code):
                ((now,),) = _diagnose([x], [fault])
        except Exception:  # nothing is there that the next step needs
            result.blank += 1
            continue
        if now.code != code and now.state == "normal" and _is_blank(now, before):
            result.blank += 1
            continue
        was, is_ = before.state in ALARMS, now.state in ALARMS
        result.codes += now.code != before.code
        result.alarms_on_sound += is_ and not was and not faulty
        result.finds_gained += is_ and not was and faulty
        result.finds_lost += was and not is_ and faulty
        result.decided += before.state == "unknown" and now.state == "normal"
        result.undecided += before.state != "unknown" and now.state == "unknown"
    return result


def _is_blank(now: Diagnosis, before: Diagnosis) -> bool:
    """Return whether a record is called normal as nothing was measured."""
    if before.state != "unknown":
        return False
    numbers = [v for v in now.values.values() if isinstance(v, float)]
    return now.statistic is None or any(isnan(v) for v in numbers)


def codes_of(fault: str) -> list[str]:
    """Return the codes of the rules of a fault, in reading order."""
    rules = import_module(f"vtox.motor.diagnosis.diagnosers.{fault}.rules").RULES.rules
    return list(dict.fromkeys(r.code for r in rules if r.code))


def kept_records(files: Sequence[Path]) -> Found:
    """Return the decided records of the runs that were kept in files."""
    found: Found = defaultdict(Decided)
    for file in files:
        for key, (sound, faulty, cases) in pickle.loads(file.read_bytes()).items():
            found[key].sound += sound
            found[key].faulty += faulty
            found[key].cases += cases
    return found


def table(found: Found, faults: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the table of each fault as Markdown."""
    for fault in faults:
        own = codes_of(fault)
        stated = sorted({c for f, c in found if f == fault} - set(own))
        yield f"\n### {fault}\n"
        yield (
            "| code | of | decides sound, faulty | off: sound alarmed | found more | found less | "
            "unknown to normal | decided to unknown | another code only | blank |"
        )
        yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        for code in (*own, *stated):
            of = found.get((fault, code), Decided())
            x = switched(fault, code, of)
            where = "rule" if code in own else "earlier step"
            state_changes = (
                x.alarms_on_sound + x.finds_gained + x.finds_lost + x.decided + x.undecided
            )
            yield (
                f"| `{code}` | {where} | {of.sound}, {of.faulty} | {x.alarms_on_sound} | "
                f"{x.finds_gained} | {x.finds_lost} | {x.decided} | {x.undecided} | "
                f"{max(0, x.codes - state_changes)} | {x.blank} |"
            )


def main() -> None:
    """Collect, switch off, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smallest", action="store_true", help="almost no records")
    parser.add_argument("--each", type=int, default=25, help="records of a rule, at most")
    parser.add_argument("--only", nargs="*", default=[], help="these runs alone")
    parser.add_argument("--faults", nargs="*", default=list(FAULTS))
    parser.add_argument("--keep", type=Path, help="write the records that were kept")
    parser.add_argument("--records", nargs="*", type=Path, help="read them instead of collecting")
    o = parser.parse_args()
    size = SMALLEST if o.smallest else replace(QUICK, input_every=1, peers_healthy=0, repeats=0)
    found = kept_records(o.records) if o.records else collected(size, o.each, o.only).found
    if o.keep:
        o.keep.write_bytes(
            pickle.dumps({k: (x.sound, x.faulty, x.cases) for k, x in found.items()})
        )
    for line in table(found, o.faults):
        print(line, flush=True)


if __name__ == "__main__":
    main()
