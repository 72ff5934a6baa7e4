"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one diagnosis each out: envelopes of many bands, lines over the noise
floor, combs within the tolerance of slippage, comparison with surrogates; then rules give the code.
Sources are named in `vtox.dsp.envelope_spectrum`, `comb`, `comb_plan` and `surrogates`; the method
was evaluated as in Smith & Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import Baseline
from vtox.diagnosers.bearing.envelope_views import EnvelopeViews, analyse_envelopes
from vtox.diagnosers.bearing.evidence import Evidence, gather_evidence
from vtox.diagnosers.bearing.moving_speed import by_angle_of_moving_shaft, clearer
from vtox.diagnosers.bearing.reasons import FAULT, conclude
from vtox.diagnosers.bearing.search_setup import SearchSetup, set_up_search
from vtox.diagnosers.bearing.shaft_vibration import shaft_vibrations
from vtox.diagnosers.features import VIBRATION
from vtox.domain import (
    VIBRATIONS,
    Diagnosis,
    Motor,
    Reason,
    Recording,
    Value,
    abstain,
    reason,
)
from vtox.dsp import quality


@dataclass(frozen=True, slots=True)
class Examination:
    """The diagnosis of one recording, and what it rests on as far as it was searched."""

    diagnosis: Diagnosis
    views: EnvelopeViews | None = None
    evidence: Evidence | None = None


def diagnose(
    recordings: Sequence[Recording],
    motors: Sequence[Motor | None],
    baselines: Sequence[Baseline | None] | None = None,
    *,
    speed_rpm: Sequence[float | None] | None = None,
    speed_tolerance: Sequence[float | None] | None = None,
    supply_hz: Sequence[float | None] | None = None,
    load_a: Sequence[float | None] | None = None,
) -> list[Diagnosis]:
    """Return one diagnosis per recording; all recordings have the same channels, length and rate.

    Parameters
    ----------
    recordings : sequence of Recording, length batch
        With at least one of `VIBRATIONS`, m/s^2, shape (samples,); `speed_rpm` where measured.
    motors : sequence of Motor or None, length batch
        The bearing, and what bounds the speed where it is not measured.
    baselines : sequence of Baseline or None, length batch, optional
        For `change_db` only.
    speed_rpm, speed_tolerance : sequence of float or None, length batch, optional
        Shaft speed estimated from the currents, rpm, and its relative half width; used where the
        recording has none.
    supply_hz : sequence of float or None, length batch, optional
        Measured supply frequency, Hz, used before the nameplate's.
    load_a : sequence of float or None, length batch, optional
        Load at which the baseline is read, A rms.

    Returns
    -------
    list of Diagnosis, length batch
        `statistic` is the level of the leading comb, 1 by chance; `threshold` what surrogates of
        the same record reach, with a margin. Indicators: `speed_rpm`, `leading`, `leading_ratio`;
        of a comb found `defect`, `order`, `deviation`, `modulation_db`, `band_low_hz`,
        `band_high_hz`; of other impacts `impulsive_order`, `impulsive_ratio`,
        `impulsive_modulation_db` or `irregular_modulation_db`; with a baseline `change_db`.

    References
    ----------
    Randall & Antoni 2011 (MSSP 25(2):485-520); Smith & Randall 2015 (MSSP 64-65:100-131).
    """
    nothing: list[None] = [None] * len(recordings)
    answers: dict[int, Diagnosis] = {}
    for i, found in _examinations(
        recordings,
        motors,
        speed_rpm=speed_rpm or nothing,
        speed_tolerance=speed_tolerance or nothing,
        supply_hz=supply_hz or nothing,
    ):
        answers[i] = clearer(answers[i], found.diagnosis) if i in answers else found.diagnosis
    return [
        _with_change(answers[i], recording, (baselines or nothing)[i], (load_a or nothing)[i])
        for i, recording in enumerate(recordings)
    ]


def examine(
    recording: Recording,
    motor: Motor | None,
    *,
    speed_rpm: float | None = None,
    speed_tolerance: float | None = None,
    supply_hz: float | None = None,
) -> Examination:
    """Return what the diagnosis of one recording rests on; parameters are those of `diagnose`."""
    examinations = _examinations(
        [recording],
        [motor],
        speed_rpm=[speed_rpm],
        speed_tolerance=[speed_tolerance],
        supply_hz=[supply_hz],
    )
    best = next(examinations)[1]
    for _, other in examinations:
        if clearer(best.diagnosis, other.diagnosis) is other.diagnosis:
            best = other
    return best


def _examinations(
    recordings: Sequence[Recording],
    motors: Sequence[Motor | None],
    *,
    speed_rpm: Sequence[float | None],
    speed_tolerance: Sequence[float | None],
    supply_hz: Sequence[float | None],
) -> Iterator[tuple[int, Examination]]:
    """Yield the place and the examination of each recording.

    Then once more those of recordings whose speed moves, by the angle of the shaft.
    """
    setups = []
    for i, problems in enumerate(_problems(recordings)):
        setup = problems or set_up_search(
            i,
            recordings[i],
            motors[i],
            estimated_rpm=speed_rpm[i],
            estimate_tolerance=speed_tolerance[i],
            supply_hz=supply_hz[i],
        )
        if isinstance(setup, SearchSetup):
            setups.append(setup)
        else:
            yield i, Examination(abstain(FAULT, *setup))
    # Those by angle in the same transforms: alone a record costs twice as much as among eight.
    batch = len(recordings)
    by_angle = [replace(m, index=batch + m.index) for m in by_angle_of_moving_shaft(setups)]
    setups += by_angle
    shafts = shaft_vibrations(setups, [s.speed for s in setups])
    shaft_at = {s.index: shaft for s, shaft in zip(setups, shafts, strict=True)}
    waiting = []
    for views in analyse_envelopes(setups):
        for i, examination in _examine_views(views, shaft_at):
            if i < batch:
                yield i, examination
            else:
                waiting.append((i - batch, examination))
    yield from waiting


def features(recordings: Sequence[Recording]) -> dict[str, Float64]:
    """Return what a baseline learns: the level of the vibration.

    Parameters
    ----------
    recordings : sequence of Recording, length batch

    Returns
    -------
    dict of ndarray, shape (batch,)
        `bearing.vibration_db`: RMS of the first vibration channel, dB re 1 m/s^2; NaN without one.
    """
    return {VIBRATION: np.array([_level_db(r) for r in recordings])}


def _problems(recordings: Sequence[Recording]) -> list[tuple[Reason, ...]]:
    """Return why the vibration of each recording cannot be used, empty where it can."""
    first = recordings[0]
    names = [n for n in VIBRATIONS if n in first.channels]
    if not names:
        # Trained on artificial, tested on real damage: 46 % accuracy in three classes (Lessmeier et
        # al. 2016, PHME 3(1)); roughness leaves no line at all (Stack et al. 2004); own
        # measurement: docs/adr/0007.
        return [(reason("no_vibration_channel"),)] * len(recordings)
    problems: list[tuple[Reason, ...]] = [()] * len(recordings)
    for name in names:
        # What overflows is reported as infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            x = np.asarray([r.channels[name] for r in recordings], np.float32)
        for i, found in enumerate(quality.check(x, name, first.fs_hz)):
            problems[i] = problems[i] or found
    return problems


def _examine_views(
    views: Sequence[EnvelopeViews], shafts: Mapping[int, Reason | None]
) -> Iterator[tuple[int, Examination]]:
    """Yield the examinations of records of one layout by their place in the batch.

    `shafts`: what the shaft of each does, by that place, at the speed of its setup.
    """
    for v in views:
        if v.speed_change:
            yield v.setup.index, Examination(abstain(FAULT, v.speed_change), v)
    steady = [v for v in views if not v.speed_change]
    for own, evidence in zip(steady, gather_evidence(steady, shafts), strict=True):
        yield own.setup.index, Examination(conclude(evidence), own, evidence)


def _level_db(recording: Recording) -> float:
    x = recording.channels.get(VIBRATIONS[0])
    if x is None or not len(x):
        return float("nan")
    # As `numpy.var` in double precision, in half the time; the last bit, 1e-15 of the level, may
    # differ from it and with the number of BLAS threads.
    with np.errstate(over="ignore", invalid="ignore"):
        swing = x.astype(np.float64)
        swing -= np.add.reduce(swing) / len(x)
        power = float(swing @ swing) / len(x)
    return 10 * float(np.log10(power)) if 0 < power < np.inf else float("nan")


def _with_change(
    diagnosis: Diagnosis, recording: Recording, baseline: Baseline | None, load_a: float | None
) -> Diagnosis:
    """Return the diagnosis with the change of the vibration level against the baseline."""
    healthy = baseline.level(VIBRATION, load_a) if baseline else None
    level_db = _level_db(recording) if healthy else float("nan")
    if healthy is None or not np.isfinite(level_db):
        return diagnosis
    change: dict[str, Value] = {"change_db": round(level_db - healthy.mean, 2)}
    return replace(diagnosis, indicators={**diagnosis.indicators, **change})
