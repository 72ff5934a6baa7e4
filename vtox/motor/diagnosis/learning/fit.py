"""Learns a baseline from healthy recordings of one machine."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.shared_analysis import load_a
from vtox.motor.diagnosis.diagnosers.turn_short import asymmetry_fit
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.diagnosis.diagnosers.turn_short.diagnoser import healthy_sequences
from vtox.motor.errors import InputError
from vtox.motor.faults import FAMILIES, Family
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Band, Baseline, bands_of, sort_bands
from vtox.motor.values.domain import Motor, Recording
from vtox.motor.values.record_lengths import MAX_RECORD_S, record_length_s

# Features of recordings of one shape, name -> (batch,), and their loads, A rms, (batch,).
Observation = tuple[Mapping[str, Float64], Float64]


def learn_baseline(
    recordings: Iterable[Recording] | Recording,
    motor: Motor | None = None,
    *,
    one_session: bool = False,
    record_max_s: float = MAX_RECORD_S,
) -> Baseline:
    """Return the baseline of healthy recordings of one machine, to diagnose later ones against.

    Each recording is cut into records of the length that each fault family needs, and their
    features are grouped by load. A family for which no recording is long enough learns nothing.
    Recordings that cannot be used (`diagnose` says why) are left out.

    Parameters
    ----------
    recordings : Recording or iterable of Recording
        Of a machine known to be healthy, best at several loads and on several days.
    motor : Motor, optional
        The nameplate.
    one_session : bool
        The recordings follow each other. The state of a session (clamps put back, a supply
        that moved) is then the same in all of them, and counts as observed once.
    record_max_s : float
        Length of the longest records that the stream makes, s.

    Returns
    -------
    Baseline
        `empty` if nothing could be learnt.

    Raises
    ------
    InputError
        No recordings.
    """
    healthy = [recordings] if isinstance(recordings, Recording) else list(recordings)
    if not healthy:
        raise InputError("learn_baseline: no recordings, expected one or more")
    bands: list[tuple[Band, ...]] = []
    phasors: dict[int, list[Sequences]] = {}
    records = 0
    for family in FAMILIES.values():
        pieces = [
            (i, p) for i, r in enumerate(healthy) for p in _pieces(r, family, motor, record_max_s)
        ]
        observations: list[Observation] = []
        for group in registry.group_by_shape([p for _, p in pieces]):
            members = [pieces[k][1] for k in group]
            shared = registry.analyse(members, [motor] * len(group), family.faults)
            observations.append((registry.features(shared, family.faults), load_a(shared)))
            if "phasors" in family.shows:
                records += len(group)
                sources = [0 if one_session else pieces[k][0] for k in group]
                _add_phasors(phasors, sources, shared.analysis)
        bands.append(_bands(observations))
    return Baseline(
        bands=sort_bands(bands),
        asymmetry=asymmetry_fit.fit(
            [s for p in phasors.values() for s in asymmetry_fit.concatenate_by_frequency(p)], motor
        ),
        records=records,
        seconds=round(sum(r.duration_s for r in healthy), 3),
    )


def _pieces(
    recording: Recording, family: Family, motor: Motor | None, record_max_s: float
) -> list[Recording]:
    """Return a recording cut to the length of the records that the stream makes for the family.

    A shorter recording serves as one record, as its phasors and the levels of its lines are the
    same. If it is too short to measure them, it is left out later. Levels of a family that
    `learns_whole` grow with noise in shorter ones, which are therefore not used.
    """
    length = max(1, round(record_length_s(family.name, motor, record_max_s) * recording.fs_hz))
    if recording.samples < length and not family.learns_whole:
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
    for source, s in zip(sources, healthy_sequences(analysis), strict=True):
        if s is not None:
            phasors.setdefault(source, []).append(s)


def _bands(observations: Sequence[Observation]) -> tuple[Band, ...]:
    """Return the load bands of features that were observed shape by shape."""
    if not observations:
        return ()
    names = sorted({name for values, _ in observations for name in values})
    features = {
        n: np.concatenate([v.get(n, np.full(len(load), np.nan)) for v, load in observations])
        for n in names
    }
    return bands_of(features, np.concatenate([load for _, load in observations]))
