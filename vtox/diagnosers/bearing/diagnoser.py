"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one diagnosis each out. Envelopes of many bands, noise floors,
harmonic combs with slip tolerance, surrogate orders; then words. Sources are named in
`vtox.dsp.envelope_spectrum`, `comb`, `comb_plan` and `surrogates`; evaluation follows Smith &
Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vtox.arrays import Float32
from vtox.baseline import Baseline
from vtox.diagnosers.bearing import aperiodic_impacts as irregular
from vtox.diagnosers.bearing import cage_frequency as cage
from vtox.diagnosers.bearing import unassigned_comb as elsewhere
from vtox.diagnosers.bearing.ambiguities import WIDE, doubts, hidden, not_told, of_shaft
from vtox.diagnosers.bearing.envelope_views import Look, looks_at, marks_of
from vtox.diagnosers.bearing.reasons import FAULT, Case, named, verdict
from vtox.diagnosers.bearing.search_setup import SLIP_TOLERANCE, Job, job_of
from vtox.diagnosers.bearing.shaft_speed import (
    MISREAD,
    MULTIPLES,
    SENSOR_TOLERANCE,
    Speed,
    corrected,
    sharpened,
)
from vtox.domain import VIBRATIONS, Diagnosis, Motor, Recording, Value, unknown
from vtox.dsp import comb, comb_plan, quality, surrogates
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding

# A search that is `WIDE`, in lines of a shaft whose speed is guessed, finds more by chance, and so
# does a record of so few turns. Measured on 1,500 simulated healthy machines without speed: 1.16
# times the threshold at most.
FEW_TURNS, MARGIN = 20, 1.25
# Frequencies are rounded to this share of a bin, so that plans are shared: the 16th multiple is off
# by less than half a bin.
BIN_STEPS = 40
VIBRATION_LEVEL = "bearing.vibration_db"


@dataclass(frozen=True, slots=True)
class Search:
    """What was found in one record at a speed: the best comb of each defect, by name.

    `rows` (bins + 1, views + 1): its lines, from `comb.tables`.
    """

    speed: Speed
    plan: Plan
    rows: Float32
    findings: dict[str, Finding]


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
    for looks in looks_at(jobs):
        answers |= {x.job.index: unknown(FAULT, x.drift) for x in looks if x.drift}
        steady = [x for x in looks if not x.drift]
        for look, search in zip(steady, _searches(steady, map(_speed, steady)), strict=True):
            answers[look.job.index] = _judged(look, search)
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
        # Artificial damage taught, real damage asked: 46 % right of three classes (Lessmeier et al.
        # 2016, PHME 3(1)); roughness leaves no line at all (Stack et al. 2004);
        # own measurement: docs/adr/0007.
        why = (
            "no vibration channel: in the currents a damaged bearing leaves lines weaker than "
            "those of the load, or none at all, so they neither show nor exclude damage"
        )
        return [why] * len(recordings)
    reasons = [""] * len(recordings)
    for name in names:
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused as infinite
            x = np.asarray([r.channels[name] for r in recordings], np.float32)
        for i, found in enumerate(quality.check(x, name, first.fs_hz)):
            reasons[i] = reasons[i] or "; ".join(r.sentence for r in found)
    return reasons


def _speed(look: Look) -> Speed:
    """Return the speed to search at: as measured, or sharpened.

    Sharpened at once, a measured speed would follow the lines of a race to the shaft order that is
    nearest: 6203, BPFI 4.95.
    """
    return look.job.speed if look.job.speed.tolerance <= SENSOR_TOLERANCE else _sharpened(look)


def _sharpened(look: Look) -> Speed:
    return sharpened(look.job.speed, look.lines, look.df_hz, look.job.pull_hz)


def _better(look: Look, search: Search) -> Speed:
    """Return the speed that shaft lines tell, where what was found or may hide depends on it."""
    findings, plan, speed = search.findings, search.plan, search.speed
    above = [f for f in findings.values() if f.ratio >= 1]
    misread = replace(speed, tolerance=max(speed.tolerance, MISREAD))
    if not (
        of_shaft(findings, plan, misread) if above else hidden(look.job, plan, look.lines, speed)
    ):
        return speed
    if speed.tolerance <= SENSOR_TOLERANCE:
        better = corrected(speed, _without(above, look, plan), look.df_hz, look.job.pull_hz)
        if better != speed:
            return better
    # Where a comb is the shaft's if the sensor errs, the shaft's lines are asked.
    return _sharpened(look) if of_shaft(findings, plan, speed) else speed


def _without(found: Sequence[Finding], look: Look, plan: Plan) -> Float32:
    """Return the first shaft lines but for those of combs found, and what jitter makes of them.

    The mean of all views, shape (1, bins).
    """
    reach = round((1 + MISREAD) * MULTIPLES / plan.df_order) + comb_plan.LOBE_BINS
    mean: Float32 = look.lines[:, :reach].mean(axis=0, keepdims=True)
    for f in found:
        for at in comb_plan.lines_of(np.array([f.number]), plan.shifts[f.sidebands])[:, 0].tolist():
            half = round(MISREAD * abs(at)) + comb_plan.LOBE_BINS
            mean[:, max(0, at - half) : max(0, at + half + 1)] = 1
    return mean


def _judged(look: Look, search: Search) -> Diagnosis:
    job = look.job
    told = ""
    if (better := _better(look, search)) != search.speed:
        told = not_told(search.findings, search.speed, better)
        search = _searches([look], [better])[0]
    speed, plan, rows, findings = search.speed, search.plan, search.rows, search.findings
    nothing = all(f.ratio < 1 for f in findings.values())
    if nothing and (why := told or hidden(job, plan, look.lines, speed)):
        return unknown(FAULT, why)
    other = elsewhere.found(rows, plan, look, speed) if nothing else None
    strong = other and other.strong
    uneven = irregular.found(look) if nothing and not strong else None
    if not findings:
        seen = uneven or other
        words = seen.words if seen else "nothing periodic apart from the shaft stands out"
        return unknown(FAULT, f"no bearing geometry: {words}", **(seen.indicators if seen else {}))
    name = named(findings)
    marks, modulation = marks_of(plan, findings[name], look)
    channel, low_hz, high_hz = look.place(findings[name].view)
    doubt = doubts(job, plan, name, findings[name], speed)
    answer = verdict(
        Case(
            name=name,
            findings=findings,
            orders=job.orders,
            speed=speed,
            band_hz=(low_hz, high_hz),
            lines=marks,
            modulation=modulation,
            channel=channel,
            notes=(*([other.words] if other else []), *doubt.notes),
            doubt=doubt.factor,
            other=dict(uneven.indicators if uneven else other.indicators if other else {}),
        )
    )
    if other and strong:
        why = f"{other.words}: {elsewhere.WHOSE}"
        return replace(answer, state="unknown", severity=None, confidence=0.0, reason=why)
    if uneven:
        return replace(answer, state="unknown", severity=None, confidence=0.0, reason=uneven.words)
    if not cage.alone(findings):
        return answer
    order, blows = findings[name].order, irregular.found(look)
    sides = "BSF" in job.orders and cage.sided(rows, plan, job.orders["BSF"], order)
    return cage.weighed(answer, order, modulation, sides, blows.words if blows else "")


def _searches(looks: Sequence[Look], speeds: Iterable[Speed]) -> list[Search]:
    """Return what is found in records of one layout, each at its speed."""
    if not looks:
        return []
    at = list(speeds)
    plans = [_plan(look, speed) for look, speed in zip(looks, at, strict=True)]
    rows = comb.tables([look.lines for look in looks], plans)
    return [
        Search(speed, plan, own, _findings(own, plan, look.job, speed, near))
        for look, speed, plan, own, near in zip(
            looks, at, plans, rows, comb.near(rows, plans), strict=True
        )
    ]


def _plan(look: Look, speed: Speed) -> Plan:
    job = look.job
    step_hz = look.df_hz / BIN_STEPS
    return comb_plan.plan(
        job.targets,
        bins=look.lines.shape[1],
        df_hz=look.df_hz,
        looks=look.looks,
        shaft_hz=step_hz * round(speed.hz / step_hz),
        cage_order=job.cage_order,
        tolerance=round(SLIP_TOLERANCE + speed.tolerance, 4),
        shaft_tolerance=round(speed.tolerance, 4),
        mains_hz=tuple(step_hz * round(f / step_hz) for f in job.mains_hz),
        channels=len(look.channels),
    )


def _findings(
    rows: Float32, plan: Plan, job: Job, speed: Speed, near: Mapping[str, Float32]
) -> dict[str, Finding]:
    """Return the best comb of each defect, those above chance judged by surrogates."""
    findings = {
        t.name: surrogates.judged(rows, plan, t, near[t.name])
        for t in job.targets
        if t.name in job.orders
    }
    if speed.tolerance > WIDE or job.turns < FEW_TURNS:
        return {n: replace(f, threshold=MARGIN * f.threshold) for n, f in findings.items()}
    return findings


def _level_db(recording: Recording) -> float:
    x = recording.channels.get(VIBRATIONS[0])
    if x is None or not len(x):
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        power = float(np.var(x, dtype=np.float64))
    return 10 * float(np.log10(power)) if 0 < power < np.inf else float("nan")


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
