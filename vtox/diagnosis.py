"""The public maths: diagnose recordings, one or a batch, and learn what healthy looks like.

The workers call `diagnose_batch`; `diagnose` is a batch of one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import Band, Baseline, bands_of, merged
from vtox.diagnosers import registry
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.turn_short import applicability, asymmetry_fit
from vtox.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.domain import Diagnosis, Motor, Recording
from vtox.errors import InputError
from vtox.faults import FAMILIES, FAULTS, Family, record_s

UNNAMED = Motor()


@dataclass(frozen=True, slots=True)
class Case:
    """One recording with what is known of its machine."""

    recording: Recording
    motor: Motor | None = None
    baseline: Baseline | None = None


def diagnose(
    recording: Recording,
    motor: Motor | None = None,
    baseline: Baseline | None = None,
    *,
    faults: Iterable[str] | None = None,
) -> list[Diagnosis]:
    """Return exactly one diagnosis per fault, in the order of `vtox.faults.FAULTS`.

    Parameters
    ----------
    recording : Recording
        Equally long channels in A, V and m/s^2, shape (samples,), at `fs_hz` (Hz). What it is good
        for is judged fault by fault: what is missing or unusable gives `unknown` and the reason.
    motor : Motor, optional
        The nameplate; a value left out is a reason to abstain, never a default.
    baseline : Baseline, optional
        What this machine shows when healthy, from `learn_baseline`.
    faults : iterable of str, optional
        Only these.

    Raises
    ------
    InputError
        An argument of another type, or an unknown fault.

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
    return diagnose_batch([Case(recording, motor, baseline)], faults)[0]


def diagnose_batch(
    cases: Sequence[Case], faults: Iterable[str] | None = None
) -> list[list[Diagnosis]]:
    """Return the diagnoses of each case, as `diagnose` would, equal shapes worked on together."""
    asked = _asked(faults)
    answers: list[list[Diagnosis]] = [[] for _ in cases]
    for members in _alike([c.recording for c in cases]):
        view = registry.analyse(
            [cases[i].recording for i in members],
            [cases[i].motor or UNNAMED for i in members],
            asked,
        )
        baselines = [cases[i].baseline for i in members]
        for fault in asked:
            found = registry.DIAGNOSERS[fault].diagnose(view, baselines)
            for i, diagnosis in zip(members, found, strict=True):
                answers[i].append(diagnosis)
    return answers


def learn_baseline(
    recordings: Iterable[Recording] | Recording,
    motor: Motor | None = None,
    *,
    one_session: bool = False,
) -> Baseline:
    """Return what healthy recordings of one machine show, to diagnose later ones against.

    Each is cut into records of the length its family works on, and their features are grouped by
    load; a family for which no recording is long enough learns nothing. Recordings that cannot be
    used (see the reasons `diagnose` gives) are left out.

    Recordings of `one_session` follow each other: what sets one session apart from the next (clamps
    put back, a supply that moved) is the same in all of them, and seen once only.

    Returns
    -------
    Baseline
        `empty` where no recording taught anything.

    Raises
    ------
    InputError
        No recordings.
    """
    healthy = [recordings] if isinstance(recordings, Recording) else list(recordings)
    if not healthy:
        raise InputError("learn_baseline: no recordings")
    bands: list[tuple[Band, ...]] = []
    phasors: dict[int, list[Sequences]] = {}
    records = 0
    for family in FAMILIES.values():
        pieces = [(i, p) for i, r in enumerate(healthy) for p in _pieces(r, family, motor)]
        seen: list[tuple[Mapping[str, Float64], Float64]] = []
        for group in _alike([p for _, p in pieces]):
            view = registry.analyse(
                [pieces[k][1] for k in group], [motor or UNNAMED] * len(group), family.faults
            )
            seen.append((registry.features(view, family.faults), registry.load_a(view)))
            if "turn_short" in family.faults:
                records += len(group)
                sources = [0 if one_session else pieces[k][0] for k in group]
                _add_phasors(phasors, sources, view.analysis)
        bands.append(_bands(seen))
    return Baseline(
        bands=merged(bands),
        asymmetry=asymmetry_fit.fit(
            [s for p in phasors.values() for s in asymmetry_fit.concatenate_by_frequency(p)], motor
        ),
        records=records,
        seconds=round(sum(r.duration_s for r in healthy), 3),
    )


def _asked(faults: Iterable[str] | None) -> list[str]:
    if faults is None:
        return list(FAULTS)
    wanted = {faults} if isinstance(faults, str) else set(faults)
    if missing := wanted - set(FAULTS):
        raise InputError(f"unknown fault {min(missing)!r}, expected some of {', '.join(FAULTS)}")
    return [f for f in FAULTS if f in wanted]


def _alike(recordings: Sequence[Recording]) -> list[list[int]]:
    """Return the indices of recordings that can share arrays: same channels, length and rate."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, r in enumerate(recordings):
        groups.setdefault((r.fs_hz, r.samples, frozenset(r.channels)), []).append(i)
    return list(groups.values())


def _pieces(recording: Recording, family: Family, motor: Motor | None) -> list[Recording]:
    """Return a recording cut to the length of the records that the stream makes for the family.

    Phasors, and levels below the supply line, are the same in shorter records (which are refused
    where they are too short to measure), so a short recording serves as one; levels of the bearing
    family grow with noise in shorter ones.
    """
    length = max(1, round(record_s(family.name, motor) * recording.fs_hz))
    if recording.samples < length and family.name != "bearing":
        return [recording]
    return [
        Recording(
            {name: x[start : start + length] for name, x in recording.channels.items()},
            recording.fs_hz,
            recording.speed_rpm,
            recording.temperature_c,
        )
        for start in range(0, recording.samples - length + 1, length)
    ]


def _add_phasors(
    phasors: dict[int, list[Sequences]], sources: Sequence[int], analysis: CurrentAnalysis
) -> None:
    """Add the sequence phasors of each piece to those of the recording it was cut from."""
    for source, s in zip(sources, applicability.healthy_sequences(analysis), strict=True):
        if s is not None:
            phasors.setdefault(source, []).append(s)


def _bands(seen: Sequence[tuple[Mapping[str, Float64], Float64]]) -> tuple[Band, ...]:
    """Return the load bands of features observed shape by shape."""
    if not seen:
        return ()
    names = sorted({name for values, _ in seen for name in values})
    features = {
        n: np.concatenate([v.get(n, np.full(len(load), np.nan)) for v, load in seen]) for n in names
    }
    return bands_of(features, np.concatenate([load for _, load in seen]))
