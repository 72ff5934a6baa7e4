"""The diagnoser of each fault, and the analysis of a batch that they share.

The folder of a fault (`vtox.motor.faults`) has a `row`: nothing else names it. An error in a folder
of VTOX is raised. One in the folder of a package costs the answers for its own fault alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import TypeVar, get_args

from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.slip import analyse_slip
from vtox.motor.diagnosis.diagnosers.decision import Verdicts, abstentions
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser, SharedAnalysis
from vtox.motor.faults import FAILED, MODULES, NOT_INSTALLED, PACKAGES, PackageProblem
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor, Recording, State, reason

T = TypeVar("T")


def _row(module: str) -> Diagnoser:
    row = import_module(f"{module}.row").ROW
    if not isinstance(row, Diagnoser):
        raise TypeError(f"{module}.row.ROW is {row!r:.80}, expected a Diagnoser")
    return row


def _rows() -> tuple[dict[str, Diagnoser], list[PackageProblem]]:
    """Return the diagnosers, and the faults of packages whose code cannot be imported."""
    rows, refused = {}, []
    for fault, module in MODULES.items():
        try:
            rows[fault] = _row(module)
        except Exception as error:
            if fault not in PACKAGES:
                raise
            package = PACKAGES[fault].package
            refused.append(PackageProblem(fault, package, "import_failed", repr(error)))
    return rows, refused


DIAGNOSERS: Mapping[str, Diagnoser]
DIAGNOSERS, REFUSED = _rows()
_WHY = {r.name: reason(FAILED, error=r.detail) for r in REFUSED}


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
    rows = {f: DIAGNOSERS[f] for f in faults if f in DIAGNOSERS}
    slip = any(_guarded(f, row.needs_slip, False, recordings) for f, row in rows.items())
    frames = any(row.needs_frames for row in rows.values())
    unknown = Motor()
    nameplates = [m or unknown for m in motors]
    analysis = front_end(recordings, nameplates, frames=frames, slot_band=slip)
    return SharedAnalysis(analysis, analyse_slip(analysis) if slip else None)


def diagnose(fault: str, shared: SharedAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    """Return the verdicts on a batch for one fault.

    All are `unknown`, and say why, if the fault is of a package that is not installed here, raises,
    or answers in another form.
    """
    count = len(shared.analysis.recordings)
    if fault not in DIAGNOSERS:
        return without_diagnoser(fault, count)
    if fault not in PACKAGES:
        return DIAGNOSERS[fault].diagnose(shared, baselines)
    try:
        found = DIAGNOSERS[fault].diagnose(shared, baselines)
        answers = found.answers()
        states = {a.state for a in answers}
        shares = {x for a in answers if a.state != "unknown" for x in (a.severity, a.confidence)}
        if found.fault != fault or len(found.states) != count or not states <= {*get_args(State)}:
            raise ValueError(f"{len(found.states)} answers for {found.fault!r}: {states}")
        if not all(x is not None and 0 <= x <= 1 for x in shares):
            raise ValueError(f"severity or confidence is not within 0 to 1: {shares}")
    except MemoryError:
        raise
    except Exception as error:  # of the package, or the end of the time for this batch
        named = f"{type(error).__name__}: {error}"
        return abstentions(fault, [(reason(FAILED, error=named),)] * count)
    return found


def without_diagnoser(fault: str, count: int) -> Verdicts:
    """Return abstentions for a fault whose package is not installed here, or not importable."""
    return abstentions(fault, [(_WHY.get(fault) or reason(NOT_INSTALLED),)] * count)


def channels(faults: Collection[str]) -> frozenset[str]:
    """Return the channels that the diagnosers of `faults` read."""
    return frozenset(c for f in faults if f in DIAGNOSERS for c in DIAGNOSERS[f].channels)


def features(shared: SharedAnalysis, faults: Collection[str]) -> dict[str, Float64]:
    """Return the features of `faults` for a baseline: name -> one value per recording, or NaN."""
    values: dict[str, Float64] = {}
    for fault in faults:
        if fault in DIAGNOSERS and (of_fault := DIAGNOSERS[fault].features):
            none: dict[str, Float64] = {}
            # One of a package replaces none of VTOX, which are first.
            values = _guarded(fault, of_fault, none, shared) | values
    return values


def _guarded(fault: str, function: Callable[..., T], without: T, *args: object) -> T:
    """Return the result of a function of a fault, `without` if one of a package raises."""
    try:
        return function(*args)
    except Exception:
        if fault not in PACKAGES:
            raise
        return without
