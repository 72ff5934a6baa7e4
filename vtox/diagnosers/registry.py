"""The five diagnosers behind one signature, over what they share, computed once per batch."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import Baseline
from vtox.diagnosers import eccentricity
from vtox.diagnosers.bearing import diagnoser as bearing
from vtox.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.diagnosers.current.front_end import Front, front_end
from vtox.diagnosers.current.slip import Rotor, rotor_view
from vtox.diagnosers.insulation import admittance
from vtox.diagnosers.insulation import diagnoser as insulation
from vtox.diagnosers.turn_short import diagnoser as turn_short
from vtox.domain import VIBRATIONS, Diagnosis, Motor, Recording


@dataclass(frozen=True, slots=True)
class View:
    """A batch of equal shapes: the front end, and the rotor's view where a fault asked for it."""

    front: Front
    rotor: Rotor | None


def view_of(
    recordings: Sequence[Recording], motors: Sequence[Motor], faults: Collection[str]
) -> View:
    """Return the shared view that the diagnosers of `faults` need."""
    # A bearing is judged at the speed that the currents tell where no sensor does.
    rotor = bool({"eccentricity", "broken_bar"} & set(faults)) or (
        "bearing" in faults
        and any(v in recordings[0].channels for v in VIBRATIONS)
        and any(r.speed_rpm is None for r in recordings)
    )
    front = front_end(recordings, motors, frames="turn_short" in faults, slot_band=rotor)
    return View(front, rotor_view(front) if rotor else None)


def load_a(view: View) -> Float64:
    """Return the load of each recording, positive-sequence A rms; NaN without usable currents."""
    front = view.front
    if not front.currents:
        return np.full(len(front.recordings), np.nan)
    usable = np.array([not p for p in front.problems])
    return np.where(usable, front.current_rms_a() if front.envelope.shape[-1] else np.nan, np.nan)


def features(view: View, faults: Collection[str]) -> dict[str, Float64]:
    """Return what a baseline remembers of `faults`: name -> one value per recording, or NaN."""
    found: dict[str, Float64] = {}
    for fault, observe in FEATURES.items():
        if fault in faults:
            found |= observe(view)
    return found


def _turn_short(view: View, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return turn_short.diagnose(view.front, baselines)


def _insulation(view: View, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return insulation.diagnose(view.front, baselines)


def _bearing(view: View, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    front = view.front
    rpm, tolerance = _speeds(view)
    return bearing.diagnose(
        front.recordings,
        front.motors,
        baselines,
        speed_rpm=rpm,
        speed_tolerance=tolerance,
        supply_hz=_known(front.f0_hz, front),
        load_a=_known(load_a(view), front),
    )


def _eccentricity(view: View, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return eccentricity.diagnose(view.front, baselines, rotor=view.rotor)


def _broken_bar(view: View, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return broken_bar.diagnose(view.front, baselines, rotor=view.rotor)


def _speeds(view: View) -> tuple[list[float | None], list[float | None]]:
    """Return shaft speed (rpm) from the slip of the currents, and its relative half width."""
    front, rotor = view.front, view.rotor
    rpm: list[float | None] = [None] * len(front.recordings)
    tolerance = rpm.copy()
    if rotor is not None:
        for i, (slip, pairs) in enumerate(zip(rotor.slips, rotor.pole_pairs, strict=True)):
            if slip.source != "none" and pairs:
                rpm[i] = 60 * float(front.f0_hz[i]) / pairs * (1 - slip.value)
                tolerance[i] = slip.half / (1 - slip.value)
    return rpm, tolerance


def _known(values: Float64, front: Front) -> list[float | None]:
    return [
        None if problems or not np.isfinite(x) else float(x)
        for x, problems in zip(values, front.problems, strict=True)
    ]


DIAGNOSERS: Mapping[str, Callable[[View, Sequence[Baseline | None]], list[Diagnosis]]] = {
    "turn_short": _turn_short,
    "insulation": _insulation,
    "bearing": _bearing,
    "eccentricity": _eccentricity,
    "broken_bar": _broken_bar,
}
FEATURES: Mapping[str, Callable[[View], dict[str, Float64]]] = {
    "insulation": lambda view: admittance.features(view.front),
    "bearing": lambda view: bearing.features(view.front.recordings),
    "eccentricity": lambda view: eccentricity.features(view.front, rotor=view.rotor),
    "broken_bar": lambda view: broken_bar.features(view.front, rotor=view.rotor),
}
