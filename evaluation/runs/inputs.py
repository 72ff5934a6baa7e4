"""The diagnosers on broken input: crashes, alarms, and codes that were written beforehand."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from evaluation.inputs.base import Base, base
from evaluation.inputs.cases import MISTAKES
from evaluation.inputs.mistake import REFUSED, Mistake
from evaluation.outcome import ALARMS
from evaluation.seeds import Stage
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.errors import InputError
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Diagnosis

NOTHING_BROKEN = "nothing broken"


@dataclass(frozen=True, slots=True)
class InputOutcome:
    """The result of one kind of broken input on one machine.

    `alarms` are faults with state and code. `wrong` are faults with an unexpected code, and that
    code. `crash` is the error that no user should see.
    """

    kind: str
    machine: str
    has_codes: bool
    alarms: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    crash: str = ""

    @property
    def right(self) -> bool:
        """Whether there is no alarm, wrong code or crash."""
        return not (self.alarms or self.wrong or self.crash)


def input_outcomes(
    pool: Executor, stage: Stage, *, machines: int, every: int
) -> list[InputOutcome]:
    """Return the outcomes of every `every`-th kind on this many machines."""
    names = list(MISTAKES)[::every]
    jobs = [pool.submit(_machine_job, stage, k, names) for k in range(machines)]
    return [o for j in jobs for o in j.result()]


def _machine_job(stage: Stage, number: int, names: Sequence[str]) -> list[InputOutcome]:
    sound = base(stage, number)
    nothing = Mistake(NOTHING_BROKEN, lambda raw, rng: raw)
    return [
        input_outcome(sound, m, stage.seed + k)
        for k, m in enumerate([nothing, *(MISTAKES[n] for n in names)])
    ]


def input_outcome(base: Base, m: Mistake, seed: int) -> InputOutcome:
    """Return the result of one kind of broken input."""
    result = InputOutcome(m.name, base.name, bool(m.expected))
    raw = m.change(base.raw, np.random.default_rng(seed))
    try:
        question = DiagnosisInput(raw.recording(), raw.nameplate(), base.baseline)
    except InputError as error:
        expected = m.expected.get(REFUSED, frozenset())
        name = type(error).__name__
        return replace(result, wrong=() if name in expected else (f"refused: {name}",))
    except Exception as error:  # a crash, as a user would see it
        return replace(result, crash=repr(error))
    if REFUSED in m.expected:
        return replace(result, wrong=("not refused",))
    try:
        diagnoses = diagnose_batch([question])[0]
    except Exception as error:  # a crash, as a user would see it
        return replace(result, crash=repr(error))
    return replace(result, alarms=_alarms(diagnoses), wrong=_wrong(diagnoses, m))


def _alarms(diagnoses: Sequence[Diagnosis]) -> tuple[str, ...]:
    return tuple(f"{d.fault}: {d.state} {d.code}" for d in diagnoses if d.state in ALARMS)


def _wrong(diagnoses: Sequence[Diagnosis], m: Mistake) -> tuple[str, ...]:
    by_fault = {d.fault: d for d in diagnoses}
    assert set(m.expected) <= set(FAULTS)
    return tuple(
        f"{fault}: {by_fault[fault].state} {by_fault[fault].code}"
        for fault, codes in m.expected.items()
        if not codes & {by_fault[fault].code, *(r.code for r in by_fault[fault].doubts)}
    )
