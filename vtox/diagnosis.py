"""The public maths: diagnose recordings, one or a batch, and learn what healthy looks like.

The workers call `diagnose_batch`; `diagnose` is a batch of one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline, bands_of, merged
from vtox.diagnosers import asymmetry, broken_bar, insulation, stator, turn_short
from vtox.diagnosers.asymmetry import Sequences
from vtox.diagnosers.frontend import Front, front_end
from vtox.diagnosers.rotor import rotor_view
from vtox.domain import Diagnosis, Motor, Recording, unknown
from vtox.errors import InputError
from vtox.faults import FAMILIES, FAULTS, Family

Floats = npt.NDArray[np.float64]

# A diagnoser takes the shared view and the baselines; those of the rotor share a second view, of
# modulation and slip, computed once. `features` are what a baseline remembers, named
# `fault.feature`: one value per recording, NaN where it is not shown.
DIAGNOSERS: dict[str, Callable[[Front, Sequence[Baseline | None]], list[Diagnosis]]] = {
    "turn_short": turn_short.diagnose,
    "insulation": insulation.diagnose,
}
ROTOR_DIAGNOSERS = {"broken_bar": broken_bar.diagnose}
FEATURES: dict[str, Callable[[Front], Mapping[str, Floats]]] = {"insulation": insulation.features}
ROTOR_FEATURES = {"broken_bar": broken_bar.features}
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
    *,
    faults: Iterable[str] | None = None,
    baseline: Baseline | None = None,
) -> list[Diagnosis]:
    """Return exactly one diagnosis per fault (all five, or `faults`), in the registry's order."""
    return diagnose_batch([Case(recording, motor, baseline)], faults)[0]


def diagnose_batch(
    cases: Sequence[Case], faults: Iterable[str] | None = None
) -> list[list[Diagnosis]]:
    """Return the diagnoses of each case, as `diagnose` would, equal shapes worked on together."""
    asked = _asked(faults)
    answers: list[list[Diagnosis]] = [[] for _ in cases]
    for members in _alike([c.recording for c in cases]):
        front = front_end(
            [cases[i].recording for i in members],
            [cases[i].motor or UNNAMED for i in members],
        )
        baselines = [cases[i].baseline for i in members]
        rotor = rotor_view(front) if ROTOR_DIAGNOSERS.keys() & set(asked) else None
        for fault in asked:
            if fault in ROTOR_DIAGNOSERS:
                found = ROTOR_DIAGNOSERS[fault](front, baselines, rotor=rotor)
            elif fault in DIAGNOSERS:
                found = DIAGNOSERS[fault](front, baselines)
            else:
                found = [unknown(fault, "not diagnosed by this version")] * len(members)
            for i, diagnosis in zip(members, found, strict=True):
                answers[i].append(diagnosis)
    return answers


def learn_baseline(recordings: Iterable[Recording], motor: Motor | None = None) -> Baseline:
    """Return what healthy recordings of one machine show, to diagnose later ones against.

    Each is cut into records of the length its family works on, and their features are grouped by
    load; a family for which no recording is long enough learns nothing. Recordings that cannot be
    used (see the reasons `diagnose` gives) are left out.
    """
    healthy = list(recordings)
    if not healthy:
        raise InputError("learn_baseline: no recordings")
    bands, fronts = [], []
    for family in FAMILIES.values():
        pieces = [(i, p) for i, r in enumerate(healthy) for p in _pieces(r, family)]
        found = _fronts(pieces, motor or UNNAMED)
        bands.append(bands_of(*_observed([front for _, front in found], family)))
        if "turn_short" in family.faults:
            fronts = found
    return Baseline(
        bands=merged(bands),
        asymmetry=asymmetry.fit(_by_recording(fronts), motor),
        records=sum(len(front.recordings) for _, front in fronts),
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


def _pieces(recording: Recording, family: Family) -> list[Recording]:
    """Return a recording cut to the family's record length.

    What phasors in frames tell does not depend on the length, so there a shorter one serves too.
    """
    length = round(family.record_s * recording.fs_hz)
    if recording.samples < length and family.name == "turn_short":
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


def _fronts(pieces: Sequence[tuple[int, Recording]], motor: Motor) -> list[tuple[list[int], Front]]:
    """Return shared views of the pieces, each with the recordings its members were cut from."""
    records = [p for _, p in pieces]
    return [
        (
            [pieces[i][0] for i in group],
            front_end([records[i] for i in group], [motor] * len(group)),
        )
        for group in _alike(records)
    ]


def _observed(fronts: Sequence[Front], family: Family) -> tuple[dict[str, Floats], Floats]:
    """Return the features of all records of a family and their loads, A rms."""
    views = [(_features(f, family), _load_a(f)) for f in fronts]
    names = sorted({name for values, _ in views for name in values})
    features = {
        n: np.concatenate([v.get(n, np.full(len(load), np.nan)) for v, load in views])
        for n in names
    }
    return features, np.concatenate([load for _, load in views] or [np.zeros(0)])


def _features(front: Front, family: Family) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    rotor = rotor_view(front) if ROTOR_FEATURES.keys() & set(family.faults) else None
    for fault in family.faults:
        if fault in FEATURES:
            found |= FEATURES[fault](front)
        elif fault in ROTOR_FEATURES:
            found |= ROTOR_FEATURES[fault](front, rotor=rotor)
    return found


def _load_a(front: Front) -> Floats:
    if not front.currents:
        return np.full(len(front.recordings), np.nan)
    usable = np.array([not p for p in front.problems])
    return np.where(usable, front.current_rms_a(), np.nan)


def _by_recording(fronts: Sequence[tuple[Sequence[int], Front]]) -> list[Sequences]:
    """Return the sequence phasors of each recording, its pieces joined."""
    found: dict[int, list[Sequences]] = {}
    for sources, front in fronts:
        for source, s in zip(sources, stator.healthy(front), strict=True):
            if s is not None:
                found.setdefault(source, []).append(s)
    return [asymmetry.joined(parts) for parts in found.values()]
