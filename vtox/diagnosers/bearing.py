"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one diagnosis each out. Envelopes of many bands, noise floors, harmonic
combs with slip tolerance, surrogate orders; then words. Sources are named in `vtox.dsp.envelope`,
`comb` and `surrogates`; evaluation follows Smith & Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.bearing_speed import Speed, sharpened, unsteady
from vtox.diagnosers.bearing_targets import ANYWHERE, CAGE_TURNS, Job, job_of
from vtox.diagnosers.bearing_words import FAULT, Case, named, verdict
from vtox.domain import VIBRATIONS, Diagnosis, Motor, Recording, Value, unknown
from vtox.dsp import comb, envelope, quality, surrogates
from vtox.dsp.comb import PLAIN, Plan
from vtox.dsp.envelope import EnvelopeSpectra

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
# Samples worked on at a time: stays in the cache. Four signals, or a multiple, share a transform's
# vector registers: 0.14 ms a signal of 10,000 samples, against 0.20 ms in sixes.
CHUNK_SAMPLES = 80_000
# Shaft lines looked at to see whether the speed is steady reach to this order.
DRIFT_ORDERS = 8
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
    for job, power, spectra, first in _observed(jobs):
        drift = _drift(job, spectra, first)
        answers[job.index] = unknown(FAULT, drift) if drift else _judged(job, power, spectra)
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


def _observed(jobs: Sequence[Job]) -> Iterator[tuple[Job, Floats, EnvelopeSpectra, int]]:
    """Yield each job with the power of its views, those of all its channels together.

    Beside it the spectra of the batch it was computed in, and where its channels begin there.
    """
    layouts: dict[tuple[int, int], list[Job]] = {}
    for job in jobs:
        layouts.setdefault(job.layout, []).append(job)
    for (bands, segments), members in layouts.items():
        first = members[0].recording
        names = [n for n in VIBRATIONS if n in first.channels]
        step = max(1, 4 * round(CHUNK_SAMPLES / 4 / first.samples / len(names)))
        for start in range(0, len(members), step):
            chunk = members[start : start + step]
            x = np.asarray([j.recording.channels[n] for j in chunk for n in names], np.float32)
            spectra = envelope.envelope_spectra(x, first.fs_hz, bands=bands, segments=segments)
            for i, job in enumerate(chunk):
                at = i * len(names)
                yield job, _power(spectra, at, len(names), job), spectra, at


def _power(spectra: EnvelopeSpectra, first: int, channels: int, job: Job) -> Floats:
    """Return the views of all channels of a recording, as far up as its combs reach."""
    available = spectra.spectra.shape[-1]
    wanted = int(1.05 * comb.HARMONICS * comb.HIGHEST * job.top_hz / spectra.df_hz) + 1
    bins = min(-(-wanted // envelope.BLOCK), max(1, available // envelope.BLOCK)) * envelope.BLOCK
    return np.concatenate(
        [
            envelope.view_power(spectra.spectra[c, ..., :bins], spectra.mean[c])
            for c in range(first, first + channels)
        ]
    )


def _drift(job: Job, spectra: EnvelopeSpectra, first: int) -> str:
    """Return in words that the speed changes within a record long enough to show it."""
    segments = spectra.spectra.shape[2]
    third = segments // 3
    if not third:
        return ""
    looks = third * spectra.looks / segments
    bins = min(spectra.spectra.shape[-1], int(DRIFT_ORDERS * job.speed.hz / spectra.df_hz))
    parts = spectra.spectra[first, ..., :bins]
    early, late = (
        envelope.over_floor(envelope.view_power(part, spectra.mean[first]), looks)
        for part in (parts[:, :third], parts[:, -third:])
    )
    return unsteady(job.speed, early, late, spectra.df_hz, job.avoided_hz)


def _judged(job: Job, power: Floats, spectra: EnvelopeSpectra) -> Diagnosis:
    lines = envelope.over_floor(power, spectra.looks)
    views = envelope.view_bands(spectra.mean.shape[1])
    step_hz = spectra.df_hz / BIN_STEPS
    avoided_hz = tuple(step_hz * round(f / step_hz) for f in job.avoided_hz)
    speed = sharpened(job.speed, lines, spectra.df_hz, avoided_hz)
    plan = comb.plan(
        job.targets,
        bins=lines.shape[1],
        df_hz=spectra.df_hz,
        looks=spectra.looks,
        shaft_hz=step_hz * round(speed.hz / step_hz),
        cage_order=job.cage_order,
        tolerance=round(SLIP_TOLERANCE + speed.tolerance, 4),
        shaft_tolerance=round(speed.tolerance, 4),
        avoided_hz=avoided_hz,
        channels=len(lines) // len(views),
    )
    rows = comb.table(lines, plan.usable)
    if not job.orders:
        return _unclassified(rows, plan, speed)
    findings = _findings(rows, plan, job, speed)
    name = named(findings)
    finding = findings[name]
    marks, modulation = _lines_of(plan, finding, power, lines, spectra.df_hz)
    low, high = views[finding.view % len(views)]
    width_hz = job.recording.fs_hz / 2 / spectra.mean.shape[1]
    channels = [n for n in VIBRATIONS if n in job.recording.channels]
    notes, doubt = _doubts(job, name, speed)
    return verdict(
        Case(
            findings=findings,
            orders=job.orders,
            speed=speed,
            band_hz=(low * width_hz, high * width_hz),
            lines=marks,
            modulation=modulation,
            channel=channels[finding.view // len(views)],
            notes=notes,
            doubt=doubt,
        )
    )


def _findings(rows: Floats, plan: Plan, job: Job, speed: Speed) -> dict[str, surrogates.Finding]:
    """Return the best comb of each target; surrogates are asked only where chance is exceeded."""
    candidates = comb.candidates(rows, plan)
    findings = {}
    for target in job.targets:
        c = candidates[target.name]
        if c.level >= 1:
            found = surrogates.judged(rows, plan, target, c)
        else:
            found = surrogates.Finding(c.level, 1.0, float(plan.orders[c.comb]), c.view, c.family)
        if speed.tolerance > WIDE or job.turns < FEW_TURNS:
            found = replace(found, threshold=MARGIN * found.threshold)
        findings[target.name] = found
    return findings


def _lines_of(
    plan: Plan, finding: surrogates.Finding, power: Floats, lines: Floats, df_hz: float
) -> tuple[tuple[dict[str, float], ...], float]:
    """Return the harmonics found and the modulation of the envelope by the whole comb.

    The modulation is the root of the summed squared line amplitudes over the mean envelope, noise
    subtracted.
    """
    if finding.ratio < 1:
        return (), 0.0
    comb_number = int(np.argmin(np.abs(plan.orders - finding.order)))
    bins = plan.bins[finding.family][:, comb_number]
    own = bins[plan.usable[bins] > 0]
    stand, squared = lines[finding.view], power[finding.view]
    above = np.maximum(1 - 1 / np.maximum(stand[own], 1), 0)
    marks = tuple(
        {
            "hz": round(float(b * df_hz), 2),
            "over_floor_db": round(10 * float(np.log10(max(stand[b], 1e-3))), 1),
            "modulation": round(float(np.sqrt(squared[b])), 4),
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
    bins = plan.bins[PLAIN]
    scale = comb.scale_of(bins, plan.usable, plan.trust, plan.allowed)
    found = comb.levels(rows, bins, scale, plan.single).max(axis=1)
    # Half orders are looseness, not a bearing.
    found[np.abs(2 * plan.orders - np.rint(2 * plan.orders)) < 0.05] = 0
    at = int(found.argmax())
    half = int(SLIP_TOLERANCE * at) + 1
    around = replace(plan, intervals={ANYWHERE.name: slice(max(0, at - half), at + half + 1)})
    reason = "no bearing geometry"
    if found[at] >= 1:
        candidate = comb.Candidate(float(found[at]), at, 0, PLAIN)
        finding = surrogates.judged(rows, around, ANYWHERE, candidate)
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
