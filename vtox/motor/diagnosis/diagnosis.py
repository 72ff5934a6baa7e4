"""Diagnose recordings, one or a batch.

The workers call `answer_batch`; `diagnose` is a batch of one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosers.decision import Verdicts
from vtox.motor.diagnosis.diagnosers.shared_analysis import SharedAnalysis
from vtox.motor.diagnosis.energy.reading import readings
from vtox.motor.errors import InputError
from vtox.motor.faults import FAULTS, METERED
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Answer, Diagnosis, Motor, Recording
from vtox.motor.values.energy import MeterReading
from vtox.motor.values.frames import DiagnosisList


@dataclass(frozen=True, slots=True)
class DiagnosisInput:
    """One recording with the nameplate and the baseline of its machine."""

    recording: Recording
    motor: Motor | None = None
    baseline: Baseline | None = None


def diagnose(
    recording: Recording,
    motor: Motor | None = None,
    baseline: Baseline | None = None,
    *,
    faults: Iterable[str] | None = None,
) -> DiagnosisList:
    """Return exactly one diagnosis per fault, in the order of `vtox.motor.faults.FAULTS`.

    Parameters
    ----------
    recording : Recording
        Equally long channels in A, V and m/s^2, shape (samples,), at `fs_hz` (Hz). Each fault uses
        the channels that it needs; if they are missing or unusable it is `unknown`, with a code.
    motor : Motor, optional
        The nameplate. A value left out is a reason to abstain, never a default.
    baseline : Baseline, optional
        Features of this machine when healthy, from `learn_baseline`.
    faults : iterable of str, optional
        Diagnose only these.

    Returns
    -------
    DiagnosisList
        A list of `Diagnosis`; `to_frame()` makes a DataFrame of it.

    Raises
    ------
    InputError
        An argument has another type, or a fault is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(20_000) / 2000
    >>> phases = {"ia": 0, "ib": 1, "ic": 2}
    >>> amps = {p: 10 * np.sin(2 * np.pi * (50 * t - k / 3)) for p, k in phases.items()}
    >>> found = diagnose(Recording(amps, fs_hz=2000.0), Motor(pole_pairs=2, supply_hz=50.0))
    >>> [d.fault for d in found]
    ['turn_short', 'insulation', 'bearing', 'eccentricity', 'broken_bar']
    >>> found[1].state, found[1].code
    ('unknown', 'missing_channel')
    """
    for name, value, kind in (
        ("recording", recording, Recording),
        ("motor", motor, Motor),
        ("baseline", baseline, Baseline),
    ):
        if not isinstance(value, kind) and (value is not None or kind is Recording):
            raise InputError(f"{name}: expected a vtox.{kind.__name__}, got {type(value).__name__}")
    return DiagnosisList(diagnose_batch([DiagnosisInput(recording, motor, baseline)], faults)[0])


def diagnose_batch(
    inputs: Sequence[DiagnosisInput], faults: Iterable[str] | None = None
) -> list[list[Diagnosis]]:
    """Return the diagnoses of each input as `diagnose` would; equal shapes are computed together.

    Parameters
    ----------
    inputs : sequence of DiagnosisInput
        Recordings of any shapes.
    faults : iterable of str, optional
        Diagnose only these.

    Returns
    -------
    list of list of Diagnosis
        As long as `inputs`, each in the order of `vtox.motor.faults.FAULTS`.
    """
    diagnoses: list[list[Diagnosis]] = [[] for _ in inputs]
    for members, _, found in _verdicts(inputs, faults):
        for i, diagnosis in zip(members, found.diagnoses(), strict=True):
            diagnoses[i].append(diagnosis)
    return diagnoses


def answer_batch(inputs: Sequence[DiagnosisInput], faults: Iterable[str]) -> list[list[Answer]]:
    """Return the same for workers, to write into the streams.

    The answer for `METERED` carries the energy of the record, from the same analysis. Faults of
    packages that are not installed here are `unknown`.
    """
    names = list(faults)
    answers: list[list[Answer]] = [[] for _ in inputs]
    for members, shared, found in _verdicts(inputs, [f for f in names if f in FAULTS]):
        energy = readings(shared.analysis) if found.fault == METERED else ()
        for i, answer in zip(members, found.answers(energy), strict=True):
            answers[i].append(answer)
    for fault in names:
        if fault not in FAULTS:
            missing = registry.without_diagnoser(fault, len(inputs)).answers()
            for own, answer in zip(answers, missing, strict=True):
                own.append(answer)
    return answers


def read_energy(recording: Recording, motor: Motor | None = None) -> MeterReading:
    """Return the energy and operation of a machine in one recording."""
    shared = registry.analyse([recording], [motor], [METERED])
    return MeterReading.of_rows(readings(shared.analysis))[0]


def _verdicts(
    inputs: Sequence[DiagnosisInput], faults: Iterable[str] | None
) -> Iterator[tuple[list[int], SharedAnalysis, Verdicts]]:
    """Yield for each fault and shape which inputs have it, their analysis, and the verdicts."""
    requested = _fault_names(faults)
    for members in registry.group_by_shape([x.recording for x in inputs]):
        shared = registry.analyse(
            [inputs[i].recording for i in members], [inputs[i].motor for i in members], requested
        )
        baselines = [inputs[i].baseline for i in members]
        for fault in requested:
            yield members, shared, registry.diagnose(fault, shared, baselines)


def _fault_names(faults: Iterable[str] | None) -> list[str]:
    """Return the faults to diagnose, in the order of `FAULTS`."""
    if faults is None:
        return list(FAULTS)
    wanted = {faults} if isinstance(faults, str) else set(faults)
    if unknown := wanted - set(FAULTS):
        raise InputError(f"unknown fault {min(unknown)!r}, expected some of {', '.join(FAULTS)}")
    return [f for f in FAULTS if f in wanted]
