"""The diagnoser of each fault, and the analysis of a batch that they share.

A fault of `vtox/motor/faults.py` has a folder of its name here, with a `row`: nothing else names
it.
"""

from collections.abc import Collection, Mapping, Sequence
from importlib import import_module

from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.slip import analyse_slip
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser, SharedAnalysis
from vtox.motor.faults import FAULTS
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Motor, Recording


def _row(fault: str) -> Diagnoser:
    row: Diagnoser = import_module(f"vtox.motor.diagnosis.diagnosers.{fault}.row").ROW
    return row


DIAGNOSERS: Mapping[str, Diagnoser] = {fault: _row(fault) for fault in FAULTS}


def group_by_shape(recordings: Sequence[Recording]) -> list[list[int]]:
    """Return the indices of recordings that can share arrays: same channels, length and rate."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, r in enumerate(recordings):
        groups.setdefault((r.fs_hz, r.samples, frozenset(r.channels)), []).append(i)
    return list(groups.values())


def analyse(
    recordings: Sequence[Recording], motors: Sequence[Motor | None], faults: Collection[str]
) -> SharedAnalysis:
    """Return the analysis that the diagnosers of `faults` share, of recordings of one shape."""
    rows = [DIAGNOSERS[f] for f in faults]
    slip = any(row.needs_slip(recordings) for row in rows)
    frames = any(row.needs_frames for row in rows)
    unknown = Motor()
    nameplates = [m or unknown for m in motors]
    analysis = front_end(recordings, nameplates, frames=frames, slot_band=slip)
    return SharedAnalysis(analysis, analyse_slip(analysis) if slip else None)


def channels(faults: Collection[str]) -> frozenset[str]:
    """Return the channels that the diagnosers of `faults` read."""
    return frozenset(c for f in faults for c in DIAGNOSERS[f].channels)


def features(shared: SharedAnalysis, faults: Collection[str]) -> dict[str, Float64]:
    """Return what a baseline stores of `faults`: name -> one value per recording, or NaN."""
    values: dict[str, Float64] = {}
    for fault in faults:
        if of_fault := DIAGNOSERS[fault].features:
            values |= of_fault(shared)
    return values
