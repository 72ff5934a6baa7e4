"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one diagnosis each out. Envelopes of many bands, noise floors, harmonic
combs with slip tolerance, surrogate orders; then words. Sources are named in `vtox.dsp.envelope`,
`comb` and `surrogates`; evaluation follows Smith & Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log10

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.bearing_look import Look, looks_at
from vtox.diagnosers.bearing_speed import Speed, sharpened
from vtox.diagnosers.bearing_targets import ANYWHERE, CAGE_TURNS, Job, job_of
from vtox.diagnosers.bearing_words import FAULT, Case, named, verdict
from vtox.domain import VIBRATIONS, Diagnosis, Motor, Recording, Value, unknown
from vtox.dsp import comb, quality, surrogates
from vtox.dsp.comb import Plan
from vtox.dsp.surrogates import Finding

Floats = npt.NDArray[np.float32]

# Rolling elements slip by 1 to 2 % (Randall & Antoni 2011, section 2).
SLIP_TOLERANCE = 0.015
# A search this much wider than slip alone, in lines of a shaft whose speed is guessed, finds more
# by chance, and so does a record of so few turns. Measured on 1,500 simulated healthy machines
# without speed: 1.16 times the threshold at most.
WIDE, FEW_TURNS, MARGIN = 0.01, 20, 1.25
# Frequencies are rounded to this share of a bin, so that plans are shared: the 16th multiple is off
# by less than half a bin.
BIN_STEPS = 40
# Where geometry is unknown a comb must stand out this much to be mentioned.
UNCLASSIFIED_RATIO = 2.0
# An order this close (relative) to a multiple of shaft speed hides behind shaft lines.
CLOSE_TO_INTEGER = 0.01
LARGEST_SLIP = 0.1
VIBRATION_LEVEL = "bearing.vibration_db"


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
    recordings, motors, baselines : sequences of one length
    speed_rpm, speed_tolerance : sequence of float or None, optional
        Shaft speed estimated elsewhere (slip of the currents) and its relative half width, used
        where the recording has none.
    supply_hz : sequence of float or None, optional
        Measured supply frequency, used before the nameplate's.
    load_a : sequence of float or None, optional
        Load by which the baseline is entered, A rms.

    Returns
    -------
    list of Diagnosis
    """
    nothing: list[None] = [None] * len(recordings)
    answers = {i: unknown(FAULT, why) for i, why in enumerate(_refusals(recordings)) if why}
    jobs = []
    for i, recording in enumerate(recordings):
        if i in answers:
            continue
        job = job_of(
            i,
            recording,
            motors[i],
            rpm=(speed_rpm or nothing)[i],
            tolerance=(speed_tolerance or nothing)[i],
            supply_hz=(supply_hz or nothing)[i],
        )
        if isinstance(job, Job):
            jobs.append(job)
        else:
            answers[i] = unknown(FAULT, job)
    for look in looks_at(jobs):
        answers[look.job.index] = unknown(FAULT, look.drift) if look.drift else _judged(look)
    return [
        _with_change(answers[i], recording, (baselines or nothing)[i], (load_a or nothing)[i])
        for i, recording in enumerate(recordings)
    ]


def features(recordings: Sequence[Recording]) -> dict[str, npt.NDArray[np.float64]]:
    """Return what a baseline remembers: the level of the vibration, dB re 1 m/s^2 RMS."""
    return {VIBRATION_LEVEL: np.array([_level_db(r) for r in recordings])}


def _refusals(recordings: Sequence[Recording]) -> list[str]:
    """Return why the vibration of each recording cannot be used, empty where it can."""
    first = recordings[0]
    names = [n for n in VIBRATIONS if n in first.channels]
    if not names:
        why = (
            "no vibration channel: from currents alone bearing damage is not told from healthy "
            "machines with any certainty"
        )
        return [why] * len(recordings)
    reasons = [""] * len(recordings)
    for name in names:
        x = np.asarray([r.channels[name] for r in recordings], np.float32)
        for i, found in enumerate(quality.check(x, name, first.fs_hz)):
            reasons[i] = reasons[i] or "; ".join(found)
    return reasons


def _judged(look: Look) -> Diagnosis:
    job = look.job
    step_hz = look.df_hz / BIN_STEPS
    avoided_hz = tuple(step_hz * round(f / step_hz) for f in job.avoided_hz)
    speed = sharpened(job.speed, look.lines, look.df_hz, avoided_hz)
    plan = comb.plan(
        job.targets,
        bins=look.lines.shape[1],
        df_hz=look.df_hz,
        looks=look.looks,
        shaft_hz=step_hz * round(speed.hz / step_hz),
        cage_order=job.cage_order,
        tolerance=round(SLIP_TOLERANCE + speed.tolerance, 4),
        shaft_tolerance=round(speed.tolerance, 4),
        avoided_hz=avoided_hz,
        channels=len(look.channels),
    )
    rows = comb.table(look.lines, plan.usable)
    if not job.orders:
        return _unclassified(rows, plan, speed)
    findings = _findings(rows, plan, job, speed)
    name = named(findings)
    marks, modulation = _lines_of(plan, findings[name], look)
    channel, low_hz, high_hz = look.place(findings[name].view)
    notes, doubt = _doubts(job, name, speed)
    return verdict(
        Case(
            findings=findings,
            orders=job.orders,
            speed=speed,
            band_hz=(low_hz, high_hz),
            lines=marks,
            modulation=modulation,
            channel=channel,
            notes=notes,
            doubt=doubt,
        )
    )


def _findings(rows: Floats, plan: Plan, job: Job, speed: Speed) -> dict[str, Finding]:
    """Return the best comb of each target, those above chance judged by surrogates."""
    near = comb.near(rows, plan, job.targets)
    findings = {t.name: surrogates.judged(rows, plan, t, near[t.name]) for t in job.targets}
    if speed.tolerance > WIDE or job.turns < FEW_TURNS:
        return {n: replace(f, threshold=MARGIN * f.threshold) for n, f in findings.items()}
    return findings


def _lines_of(
    plan: Plan, finding: Finding, look: Look
) -> tuple[tuple[dict[str, float], ...], float]:
    """Return the harmonics found and the modulation of the envelope by the whole comb.

    The modulation is the root of the summed squared line amplitudes over the mean envelope, noise
    subtracted.
    """
    if finding.ratio < 1:
        return (), 0.0
    bins = comb.lines_of(np.array([finding.number]), plan.shifts[finding.sidebands])[:, 0]
    own = bins[plan.usable.take(bins, mode="clip") > 0]
    stand, squared = look.lines[finding.view], look.power[finding.view]
    above = np.maximum(1 - 1 / np.maximum(stand[own], 1), 0)
    marks = tuple(
        {
            "hz": round(float(b * look.df_hz), 2),
            "over_floor_db": round(10 * log10(max(float(stand[b]), 1e-3)), 1),
            "modulation": round(float(squared[b]) ** 0.5, 4),
        }
        for b in bins[: comb.HARMONICS]
        if b < len(stand)
    )
    return marks, float(np.sqrt((squared[own] * above).sum()))


def _doubts(job: Job, name: str, speed: Speed) -> tuple[tuple[str, ...], float]:
    """Return what to say beside the verdict, and the factor on its confidence."""
    notes, doubt = [], 1.0
    close = [n for n, o in job.orders.items() if abs(o / max(1, round(o)) - 1) < CLOSE_TO_INTEGER]
    if close:
        listed = ", ".join(f"{n} ({job.orders[n]:.3f})" for n in close)
        notes.append(f"{listed} within 1 % of a multiple of shaft speed, told apart by slip only")
    if name in close:
        doubt *= 0.7
    if speed.tolerance > WIDE:
        notes.append(f"speed known to {speed.tolerance:.1%} only, so the search is wide")
        doubt *= 0.8
    pairs = job.motor.pole_pairs
    if pairs and not job.avoided_hz and 1 <= job.orders[name] / (2 * pairs) < 1 + LARGEST_SLIP:
        notes.append("twice the supply frequency, not known here, may lie there too")
        doubt *= 0.6
    if job.turns < CAGE_TURNS:
        notes.append(f"cage not judged below {CAGE_TURNS} turns")
    return tuple(notes), doubt


def _unclassified(rows: Floats, plan: Plan, speed: Speed) -> Diagnosis:
    """Return the answer where the bearing is unknown: periodic impacts are told, not named."""
    numbers = np.asarray(plan.numbers)
    found = comb.levels(rows, comb.lines_of(numbers, 0), plan)
    # Half orders are looseness, not a bearing.
    orders = plan.order(1) * numbers
    found[:, np.abs(2 * orders - np.rint(2 * orders)) < 0.05] = 0
    at = int(found.max(axis=(0, 2)).argmax())
    half = int(SLIP_TOLERANCE * at) + 1
    near = slice(max(0, at - half), at + half + 1)
    around = replace(plan, intervals={ANYWHERE.name: plan.numbers[near]})
    finding = surrogates.judged(rows, around, ANYWHERE, found[:, near])
    reason = "no bearing geometry"
    if finding.ratio >= UNCLASSIFIED_RATIO:
        return unknown(
            FAULT,
            f"{reason}: impulsive, unclassified, {finding.order:.3f} times a turn "
            f"({finding.order * speed.hz:.1f} Hz at {speed.rpm:.0f} rpm)",
            impulsive_order=round(finding.order, 4),
            impulsive_ratio=round(finding.ratio, 2),
        )
    return unknown(FAULT, f"{reason}, and nothing periodic apart from the shaft stands out")


def _level_db(recording: Recording) -> float:
    x = recording.channels.get(VIBRATIONS[0])
    if x is None or not len(x):
        return float("nan")
    power = float(np.var(x, dtype=np.float64))
    return 10 * float(np.log10(power)) if power > 0 else float("nan")


def _with_change(
    diagnosis: Diagnosis, recording: Recording, baseline: Baseline | None, load_a: float | None
) -> Diagnosis:
    """Return the diagnosis with the change of the vibration level against the baseline."""
    healthy = baseline.level(VIBRATION_LEVEL, load_a) if baseline else None
    level_db = _level_db(recording) if healthy else float("nan")
    if healthy is None or not np.isfinite(level_db):
        return diagnosis
    change: dict[str, Value] = {"change_db": round(level_db - healthy.mean, 2)}
    return replace(diagnosis, indicators={**diagnosis.indicators, **change})
