"""Bearing damage from vibration: combs of envelope lines at the defect orders of the bearing.

Recordings of one shape in, one diagnosis each out. Envelopes of many bands, noise floors, harmonic
combs with slip tolerance, surrogate orders; then words. Sources are named in `vtox.dsp.envelope`,
`comb` and `surrogates`; evaluation follows Smith & Randall 2015 (MSSP 64-65:100-131).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.bearing_speed import Speed, sharpened, speed_of
from vtox.diagnosers.bearing_words import CLOSE_TO_INTEGER, FAULT, Case, named, verdict
from vtox.domain import VIBRATIONS, Bearing, Diagnosis, Motor, Recording, unknown
from vtox.dsp import comb, envelope, quality, surrogates
from vtox.dsp.comb import CAGE, PLAIN, SHAFT, Plan, Target
from vtox.dsp.envelope import EnvelopeSpectra

Floats = npt.NDArray[np.float32]

# Rolling elements slip by 1 to 2 % (Randall & Antoni 2011, section 2).
SLIP_TOLERANCE = 0.015
# Fewer turns hold too few passes: an envelope line is then as wide as a tenth of shaft speed.
LEAST_TURNS = 20
# The cage turns 0.4 times a turn: 16 of its turns for a comb at its frequency.
CAGE_TURNS = 40
# Turns of one segment. Slip of 1 % from pass to pass broadens the third harmonic of the inner race
# to 2*pi*9*1e-4*5.4 = 0.03 of shaft speed, two bins of such a segment.
SEGMENT_TURNS = 60
# A band is this many times wider than the highest defect frequency, so that three harmonics and
# surrogates above them fit into the envelope spectrum.
BAND_WIDTH = 4.5
BANDS = (1, 2, 3, 4, 6, 8, 12, 16)
# Sampling must reach this multiple of the highest defect frequency.
LEAST_BANDWIDTH = 3.0
# Shaft speed is rounded to this share of a bin, so that plans are shared: the 16th multiple is off
# by less than half a bin.
SPEED_STEPS = 40
CHUNK_SAMPLES = 65_536
# Without a supply frequency the lines of both usual grids are left out.
GRIDS_HZ = (50.0, 60.0)
# Where geometry is unknown a comb must stand out this much to be mentioned.
UNCLASSIFIED_RATIO = 2.0
ANYWHERE = Target("any", 6.0)


@dataclass(frozen=True, slots=True)
class _Job:
    """One recording that can be judged."""

    index: int
    recording: Recording
    motor: Motor
    speed: Speed
    orders: dict[str, float]
    supply_hz: float | None

    @property
    def top_hz(self) -> float:
        """Highest defect frequency."""
        return max(self.orders.values(), default=ANYWHERE.order) * self.speed.hz


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
    answers: list[Diagnosis | None] = list(nothing)
    refused = _refusals(recordings)
    jobs = []
    for i, recording in enumerate(recordings):
        job = refused[i] or _job(
            i,
            recording,
            motors[i],
            (speed_rpm or nothing)[i],
            (speed_tolerance or nothing)[i],
            (supply_hz or nothing)[i],
        )
        if isinstance(job, _Job):
            jobs.append(job)
        else:
            answers[i] = unknown(FAULT, job)
    for job, lines, power, spectra in _observed(jobs):
        answers[job.index] = _judged(job, lines, power, spectra)
    changes = _changes(recordings, baselines or nothing, load_a or nothing)
    return [
        _with_change(a, change) for a, change in zip(answers, changes, strict=True) if a is not None
    ]


def features(recordings: Sequence[Recording]) -> dict[str, npt.NDArray[np.float64]]:
    """Return what a baseline remembers: the level of the vibration, dB re 1 m/s^2 RMS."""
    return {"bearing.vibration_db": np.array([_level_db(r) for r in recordings])}


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
        x = np.stack([r.channels[name] for r in recordings])
        for i, found in enumerate(quality.check(x, name, first.fs_hz)):
            reasons[i] = reasons[i] or "; ".join(found)
    return reasons


def _job(
    index: int,
    recording: Recording,
    motor: Motor | None,
    rpm: float | None,
    tolerance: float | None,
    supply_hz: float | None,
) -> _Job | str:
    """Return the job of judging a recording, or why it cannot be judged."""
    speed = speed_of(recording, motor, rpm, tolerance)
    orders = _orders(motor.bearing) if motor and motor.bearing else {}
    if isinstance(speed, str):
        return speed if orders else f"no bearing geometry, and {speed}"
    turns = recording.duration_s * speed.hz
    if turns < LEAST_TURNS:
        return (
            f"too short: {recording.duration_s:.3g} s hold {turns:.0f} shaft turns at "
            f"{speed.rpm:.0f} rpm, need {LEAST_TURNS}"
        )
    if supply_hz is None and motor is not None and motor.supply == "grid":
        supply_hz = motor.supply_hz
    if turns < CAGE_TURNS:
        orders.pop("FTF", None)
    job = _Job(index, recording, motor or Motor(), speed, orders, supply_hz)
    if recording.fs_hz / 2 < LEAST_BANDWIDTH * job.top_hz:
        return (
            f"sampling rate too low: {recording.fs_hz:g} Hz, need "
            f"{2 * LEAST_BANDWIDTH * job.top_hz:.0f} Hz for lines up to {job.top_hz:.0f} Hz"
        )
    return job


def _orders(bearing: Bearing) -> dict[str, float]:
    """Return the orders combs are looked for at; a ball strikes a race twice a turn of its own."""
    return {n: 2 * o if n == "BSF" else o for n, o in bearing.defect_orders.items()}


def _cage_order(orders: dict[str, float], bearing: Bearing | None) -> float | None:
    """Return the cage frequency in shaft orders.

    BPFO is the number of elements times it, and BPFO + BPFI that number (Randall & Antoni 2011,
    eq. 1-4).
    """
    known = bearing.defect_orders if bearing else {}
    if "FTF" in known:
        return known["FTF"]
    if {"BPFO", "BPFI"} <= known.keys():
        return known["BPFO"] / (known["BPFO"] + known["BPFI"])
    return None


def _targets(orders: dict[str, float], cage_order: float | None) -> tuple[Target, ...]:
    """Return what to look for: an inner race with or without sidebands of the turning load.

    A damaged element is modulated by the cage; without those sidebands its comb counts half.
    """
    targets = {
        "BPFO": lambda o: Target("BPFO", o),
        "BPFI": lambda o: Target("BPFI", o, ((PLAIN, 1.0), (SHAFT, 1.0))),
        "BSF": lambda o: (
            Target("BSF", o, ((CAGE, 1.0),), accompanied=True, divisors=(3,))
            if cage_order
            else Target("BSF", o, ((PLAIN, 0.5),), divisors=(3,))
        ),
        "FTF": lambda o: Target("FTF", o, divisors=()),
    }
    return tuple(targets[name](order) for name, order in orders.items()) or (ANYWHERE,)


def _observed(
    jobs: Sequence[_Job],
) -> Iterator[tuple[_Job, Floats, Floats, EnvelopeSpectra]]:
    """Yield each job with its line levels and powers, views of all its channels together."""
    groups: dict[tuple[int, int], list[_Job]] = {}
    for job in jobs:
        fitting = job.recording.fs_hz / 2 / (BAND_WIDTH * job.top_hz)
        bands = max(b for b in BANDS if b <= max(1, fitting))
        turns = job.recording.duration_s * job.speed.hz
        segments = int(2 * turns / SEGMENT_TURNS) - 1 if turns > 1.5 * SEGMENT_TURNS else 1
        groups.setdefault((bands, segments), []).append(job)
    for (bands, segments), members in groups.items():
        fs_hz, samples = members[0].recording.fs_hz, members[0].recording.samples
        names = [n for n in VIBRATIONS if n in members[0].recording.channels]
        step = max(1, CHUNK_SAMPLES // (samples * len(names)))
        for start in range(0, len(members), step):
            chunk = members[start : start + step]
            x = np.asarray(
                [j.recording.channels[n] for j in chunk for n in names], dtype=np.float32
            )
            spectra = envelope.envelope_spectra(x, fs_hz, bands=bands, segments=segments)
            for i, job in enumerate(chunk):
                power = _power(spectra, i * len(names), len(names), job)
                yield job, envelope.over_floor(power, spectra.looks), power, spectra


def _power(spectra: EnvelopeSpectra, first: int, channels: int, job: _Job) -> Floats:
    """Return the views of all channels of a recording, as far up as its combs reach."""
    available = spectra.spectra.shape[-1]
    wanted = int(1.05 * BAND_WIDTH * job.top_hz / spectra.df_hz) + 1
    bins = min(-(-wanted // envelope.BLOCK), max(1, available // envelope.BLOCK)) * envelope.BLOCK
    return np.concatenate(
        [
            envelope.view_power(spectra.spectra[c, ..., :bins], spectra.mean[c])
            for c in range(first, first + channels)
        ]
    )


def _judged(job: _Job, lines: Floats, power: Floats, spectra: EnvelopeSpectra) -> Diagnosis:
    step_hz = spectra.df_hz / SPEED_STEPS
    supply = _supply_lines(job, step_hz)
    speed = sharpened(job.speed, lines, spectra.df_hz, supply)
    cage = _cage_order(job.orders, job.motor.bearing)
    targets = _targets(job.orders, cage)
    channels = len(lines) // len(envelope.view_bands(spectra.mean.shape[1]))
    plan = comb.plan(
        targets,
        bins=lines.shape[1],
        df_hz=spectra.df_hz,
        looks=spectra.looks,
        shaft_hz=step_hz * round(speed.hz / step_hz),
        cage_order=cage,
        tolerance=round(SLIP_TOLERANCE + speed.tolerance, 4),
        shaft_tolerance=round(speed.tolerance, 4),
        avoided_hz=supply,
        channels=channels,
    )
    if not job.orders:
        return _unclassified(lines, plan, speed)
    rows = comb.table(lines, plan.usable)
    found = comb.candidates(rows, plan)
    findings = {
        t.name: surrogates.judged(rows, plan, t, found[t.name])
        if found[t.name].level >= 1
        else _below_chance(plan, found[t.name])
        for t in targets
    }
    name = named(findings)
    finding = findings[name]
    bands = spectra.mean.shape[1]
    width_hz = job.recording.fs_hz / 2 / bands
    views = envelope.view_bands(bands)
    low, high = views[finding.view % len(views)]
    names = [n for n in VIBRATIONS if n in job.recording.channels]
    marks, modulation = (
        _lines_of(plan, finding, power, lines, spectra.df_hz) if finding.ratio >= 1 else ((), 0.0)
    )
    notes, doubt = _doubts(job, findings, speed, spectra)
    return verdict(
        Case(
            findings=findings,
            orders=job.orders,
            speed=speed,
            band_hz=(low * width_hz, high * width_hz),
            lines=marks,
            modulation=modulation,
            channel=names[finding.view // len(views)],
            notes=notes,
            doubt=doubt,
        )
    )


def _supply_lines(job: _Job, step_hz: float) -> tuple[float, ...]:
    """Return twice the supply frequency, at whose multiples magnetic pull sounds."""
    if job.supply_hz:
        return (step_hz * round(2 * job.supply_hz / step_hz),)
    return () if job.motor.supply == "inverter" else tuple(2 * f for f in GRIDS_HZ)


def _below_chance(plan: Plan, c: comb.Candidate) -> surrogates.Finding:
    return surrogates.Finding(c.level, 1.0, float(plan.orders[c.comb]), c.view, c.family)


def _lines_of(
    plan: Plan, finding: surrogates.Finding, power: Floats, lines: Floats, df_hz: float
) -> tuple[tuple[dict[str, float], ...], float]:
    """Return the harmonics found and the modulation of the envelope by the whole comb.

    The modulation is the root of the summed squared line amplitudes over the mean envelope, noise
    subtracted.
    """
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


def _doubts(
    job: _Job,
    findings: dict[str, surrogates.Finding],
    speed: Speed,
    spectra: EnvelopeSpectra,
) -> tuple[tuple[str, ...], float]:
    """Return what to say beside the verdict, and the factor on its confidence."""
    notes, doubt = [], 1.0
    name = named(findings)
    order = job.orders[name]
    close = [n for n, o in job.orders.items() if o > 1 and abs(o / round(o) - 1) < CLOSE_TO_INTEGER]
    if close:
        listed = ", ".join(f"{n} ({job.orders[n]:.3f})" for n in close)
        notes.append(f"{listed} within 1 % of a multiple of shaft speed, told apart by slip only")
    if name in close:
        doubt *= 0.7
    if speed.tolerance > SLIP_TOLERANCE:
        notes.append(f"speed known to {speed.tolerance:.1%}, so the search is wide")
        doubt *= 0.8
    if not job.supply_hz and job.motor.supply == "inverter" and job.motor.pole_pairs:
        twice = 2 * job.motor.pole_pairs
        if any(twice * h <= order * h < 1.1 * twice * h for h in (1,)):
            notes.append("twice the unknown supply frequency may lie here too")
            doubt *= 0.6
    if "FTF" not in job.orders and job.motor.bearing and len(job.orders) == 3:
        notes.append(f"cage not judged below {CAGE_TURNS} turns")
    return tuple(notes), doubt


def _unclassified(lines: Floats, plan: Plan, speed: Speed) -> Diagnosis:
    """Return the answer where the bearing is unknown: periodic impacts are told, not named."""
    bins = plan.bins[PLAIN]
    scale = comb.scale_of(bins, plan.usable, plan.trust, plan.allowed)
    rows = comb.table(lines, plan.usable)
    found = comb.levels(rows, bins, scale, plan.single).max(axis=1)
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


def _changes(
    recordings: Sequence[Recording],
    baselines: Sequence[Baseline | None],
    load_a: Sequence[float | None],
) -> list[float | None]:
    """Return the change of the vibration level against each baseline, dB, None without one."""
    changes: list[float | None] = []
    for recording, baseline, load in zip(recordings, baselines, load_a, strict=True):
        healthy = baseline.level("bearing.vibration_db", load) if baseline else None
        now = _level_db(recording) if healthy else float("nan")
        known = healthy is not None and np.isfinite(now)
        changes.append(round(now - healthy.mean, 2) if known and healthy else None)
    return changes


def _with_change(diagnosis: Diagnosis, change_db: float | None) -> Diagnosis:
    if change_db is None:
        return diagnosis
    return replace(diagnosis, indicators={**diagnosis.indicators, "change_db": change_db})
