"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one verdict each out. The steps: envelopes of many bands, lines over the
noise floor, combs within the tolerance of slippage, comparison with surrogates, rules for the code.
Sources are named in `vtox.motor.diagnosis.dsp.envelope_spectrum`, `comb`, `comb_plan` and
`surrogates`; the method was evaluated as in Smith & Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing import rising_combs
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews, analyse_envelopes
from vtox.motor.diagnosis.diagnosers.bearing.evidence import BearingEvidence, evidence
from vtox.motor.diagnosis.diagnosers.bearing.moving_speed import resample_moving_shaft
from vtox.motor.diagnosis.diagnosers.bearing.rules import RULES
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup, set_up_search
from vtox.motor.diagnosis.diagnosers.bearing.shaft_vibration import shaft_vibrations
from vtox.motor.diagnosis.diagnosers.bearing.signs import Signs, gather_signs
from vtox.motor.diagnosis.diagnosers.columns import Stated, rounded, take
from vtox.motor.diagnosis.diagnosers.decision import Indicator, Verdicts, verdicts
from vtox.motor.diagnosis.diagnosers.features import VIBRATION
from vtox.motor.diagnosis.dsp import damage
from vtox.motor.values.arrays import Bool, Float64, Int, stacked
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import VIBRATIONS, Motor, Reason, Recording, reason


@dataclass(frozen=True, slots=True)
class Examination:
    """Result of the search of one recording: views and signs, or problems.

    `index`: the place of the recording in the batch.
    """

    index: int
    problems: tuple[Reason, ...] = ()
    views: EnvelopeViews | None = None
    signs: Signs | None = None


def diagnose(
    recordings: Sequence[Recording],
    motors: Sequence[Motor | None],
    baselines: Sequence[Baseline | None] | None = None,
    *,
    not_running: Stated | None = None,
    speed_rpm: Sequence[float | None] | None = None,
    speed_tolerance: Sequence[float | None] | None = None,
    supply_hz: Sequence[float | None] | None = None,
    load_a: Sequence[float | None] | None = None,
) -> Verdicts:
    """Return the verdicts on the bearings; all recordings have the same channels, length and rate.

    Parameters
    ----------
    recordings : sequence of Recording, length batch
        With at least one of `VIBRATIONS`, m/s^2, shape (samples,); `speed_rpm` if measured.
    motors : sequence of Motor or None, length batch
        The bearing, and the data that bound the speed if it is not measured.
    baselines : sequence of Baseline or None, length batch, optional
        For `change_db`, and for weak combs that have risen.
    not_running : sequence of reasons, length batch, optional
        Why a record is not searched: the machine does not run, or samples are copied or lost.
    speed_rpm, speed_tolerance : sequence of float or None, length batch, optional
        Shaft speed estimated from the currents, rpm, and its relative half width; used if the
        recording has none.
    supply_hz : sequence of float or None, length batch, optional
        Measured supply frequency, Hz, used before the nameplate's.
    load_a : sequence of float or None, length batch, optional
        Load at which the baseline is read, A rms.

    Returns
    -------
    Verdicts
        `statistic` is the level of the leading comb, 1 by chance; `threshold` the level that
        surrogates of the same record reach, with a margin. Indicators: `speed_rpm`, `leading`,
        `leading_ratio`; for a comb found `defect`, `order`, `deviation`, `modulation_db`,
        `band_low_hz`, `band_high_hz`; for other impacts `impulsive_order`, `impulsive_ratio`,
        `impulsive_modulation_db` or `irregular_modulation_db`; with a baseline `change_db`.

    References
    ----------
    Randall & Antoni 2011 (MSSP 25(2):485-520); Smith & Randall 2015 (MSSP 64-65:100-131).
    """
    count = len(recordings)
    nothing: list[None] = [None] * count
    found = _examinations(
        recordings,
        motors,
        not_running or [()] * count,
        speed_rpm=speed_rpm or nothing,
        speed_tolerance=speed_tolerance or nothing,
        supply_hz=supply_hz or nothing,
    )
    x = evidence([e.signs for e in found], [e.problems for e in found])
    decided = RULES.decide(x, len(found))
    if len(found) > count:
        rows = _clearer(x, decided, found, count)
        x, decided = take(x, rows), decided[rows]
    x = rising_combs.marked(x, RULES.codes[decided], baselines or nothing, load_a or nothing)
    changes = _changes_db(recordings, baselines or nothing, load_a or nothing, not_running)
    return bearing_verdicts(x, decided, changes)


def examine(
    recording: Recording,
    motor: Motor | None,
    *,
    speed_rpm: float | None = None,
    speed_tolerance: float | None = None,
    supply_hz: float | None = None,
) -> Examination:
    """Return the evidence of one recording; parameters are those of `diagnose`."""
    found = _examinations(
        [recording],
        [motor],
        [()],
        speed_rpm=[speed_rpm],
        speed_tolerance=[speed_tolerance],
        supply_hz=[supply_hz],
    )
    x = evidence([e.signs for e in found], [e.problems for e in found])
    rows = _clearer(x, RULES.decide(x, len(found)), found, 1)
    return found[int(rows[0])]


def _examinations(
    recordings: Sequence[Recording],
    motors: Sequence[Motor | None],
    not_running: Stated,
    *,
    speed_rpm: Sequence[float | None],
    speed_tolerance: Sequence[float | None],
    supply_hz: Sequence[float | None],
) -> list[Examination]:
    """Return the examination of each recording, in order.

    Then once more those of recordings whose speed moves, by the angle of the shaft.
    """
    batch = len(recordings)
    found: dict[int, Examination] = {}
    setups = []
    for i, problems in enumerate(_problems(recordings, not_running)):
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
            found[i] = Examination(i, setup)
    # Those by angle in the same transforms: alone a record costs twice as much as among eight.
    by_angle = resample_moving_shaft(setups)
    of_row = {batch + k: setup.index for k, setup in enumerate(by_angle)}
    moving = set(of_row.values())
    setups = [replace(s, moving=True) if s.index in moving else s for s in setups]
    setups += [replace(m, index=row) for m, row in zip(by_angle, of_row, strict=True)]
    shafts = shaft_vibrations(setups, [s.speed for s in setups])
    shaft_at = {s.index: shaft for s, shaft in zip(setups, shafts, strict=True)}
    # Those of one layout together, though their envelopes were computed in pieces.
    alike: dict[tuple[object, ...], list[EnvelopeViews]] = {}
    for v in chain.from_iterable(analyse_envelopes(setups)):
        alike.setdefault((v.lines.shape, v.n_averages), []).append(v)
    for views in alike.values():
        steady = [v for v in views if not v.speed_change]
        signs = iter(gather_signs(steady, shaft_at))
        for v in views:
            why, row = v.speed_change, v.setup.index
            own = of_row.get(row, row)
            found[row] = (
                Examination(own, (why,), v) if why else Examination(own, (), v, next(signs))
            )
    return [found[row] for row in sorted(found)]


def _clearer(x: BearingEvidence, decided: Int, found: Sequence[Examination], count: int) -> Int:
    """Return the row of each recording: by angle or, if the comb is clearer there, by time.

    Angle tracking may follow the line of another machine.
    """
    clearness = np.where(_alarm(decided), x.ratio, 0.0)
    rows = np.arange(count)
    for row in range(count, len(found)):
        i = found[row].index
        if not clearness[i] > clearness[row]:
            rows[i] = row
    return rows


def features(
    recordings: Sequence[Recording],
    motors: Sequence[Motor | None] | None = None,
    *,
    not_running: Stated | None = None,
    speed_rpm: Sequence[float | None] | None = None,
    speed_tolerance: Sequence[float | None] | None = None,
    supply_hz: Sequence[float | None] | None = None,
) -> dict[str, Float64]:
    """Return the features of a baseline: levels of the vibration and of the combs of the bearing.

    Parameters are those of `diagnose`.

    Returns
    -------
    dict of ndarray, shape (batch,)
        `bearing.vibration_db`: RMS of the first vibration channel, dB re 1 m/s^2; NaN without one.
        `bearing.bpfo_db` and so on: level of the best comb of each part, dB over chance; NaN if
        it was not searched.
    """
    count = len(recordings)
    nothing: list[None] = [None] * count
    found = _examinations(
        recordings,
        motors or nothing,
        not_running or [()] * count,
        speed_rpm=speed_rpm or nothing,
        speed_tolerance=speed_tolerance or nothing,
        supply_hz=supply_hz or nothing,
    )
    levels = {VIBRATION: np.array([_level_db(r) for r in recordings])}
    return levels | rising_combs.levels_db([(e.index, e.signs) for e in found], count)


def _problems(recordings: Sequence[Recording], not_running: Stated) -> list[tuple[Reason, ...]]:
    """Return why the vibration of each recording cannot be used, empty if it can."""
    first = recordings[0]
    names = [n for n in VIBRATIONS if n in first.channels]
    if not names:
        # Trained on artificial, tested on real damage: 46 % accuracy in three classes (Lessmeier et
        # al. 2016, PHME 3(1)); roughness leaves no line at all (Stack et al. 2004); own
        # measurement: docs/adr/0007.
        return [(reason("no_vibration_channel"),)] * len(recordings)
    problems = list(not_running)
    for name in names:
        x = stacked([[r.channels[name]] for r in recordings], first.samples)
        for i, found in enumerate(damage.sample_problems(x, (name,), first.fs_hz)):
            problems[i] = problems[i] or found
    return problems


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


def _changes_db(
    recordings: Sequence[Recording],
    baselines: Sequence[Baseline | None],
    load_a: Sequence[float | None],
    not_running: Stated | None,
) -> Float64:
    """Return the change of each level against the baseline, dB; NaN if there is none."""
    changes_db = np.full(len(recordings), np.nan)
    for i, (baseline, recording) in enumerate(zip(baselines, recordings, strict=True)):
        healthy = baseline.level(VIBRATION, load_a[i]) if baseline else None
        if healthy and not (not_running and not_running[i]):
            changes_db[i] = _level_db(recording) - healthy.mean
    return changes_db


def bearing_verdicts(x: BearingEvidence, decided: Int, changes_db: Float64) -> Verdicts:
    """Return the verdicts that were decided, with the change of each level, dB, NaN for none."""
    return verdicts(
        "bearing",
        RULES,
        x,
        decided,
        severity=x.severity,
        confidence=x.confidence,
        statistic=rounded(x.level, 3),
        threshold=rounded(x.threshold, 3),
        indicators=_indicators(x, decided, changes_db),
        evidence=x.shown,
    )


def _indicators(x: BearingEvidence, decided: Int, changes_db: Float64) -> dict[str, Indicator]:
    searched, found = x.known_bearing, x.detected
    alarm = _alarm(decided)
    of_element = RULES.codes[decided] == "element_or_bearing_cage"
    impulsive, irregular = np.isfinite(x.impulsive_order), np.isfinite(x.irregular_modulation_db)
    return {
        "speed_rpm": Indicator(rounded(x.speed_rpm, 1), searched),
        "leading": Indicator(x.defect, searched),
        "leading_ratio": Indicator(rounded(x.ratio, 3), searched),
        "order": Indicator(rounded(x.order, 4), found),
        "deviation": Indicator(rounded(x.deviation, 5), found),
        "modulation_db": Indicator(rounded(x.modulation_db, 1), found),
        "band_low_hz": Indicator(x.band_low_hz, found),
        "band_high_hz": Indicator(x.band_high_hz, found),
        "impulsive_order": Indicator(x.impulsive_order, impulsive),
        "impulsive_ratio": Indicator(x.impulsive_ratio, impulsive),
        "impulsive_modulation_db": Indicator(x.impulsive_modulation_db, impulsive),
        "irregular_modulation_db": Indicator(x.irregular_modulation_db, irregular),
        "defect": Indicator(np.where(of_element, "BSF", x.defect), alarm & searched),
        "change_db": Indicator(rounded(changes_db, 2), np.isfinite(changes_db)),
    }


def _alarm(decided: Int) -> Bool:
    return np.isin(RULES.states[decided], ("warning", "fault"))
