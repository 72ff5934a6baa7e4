"""The five diagnosers behind one signature, over what they share, computed once per batch."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import Baseline
from vtox.diagnosers import eccentricity
from vtox.diagnosers.bearing import diagnoser as bearing
from vtox.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.diagnosers.current.front_end import CurrentAnalysis, front_end
from vtox.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.diagnosers.insulation import admittance
from vtox.diagnosers.insulation import diagnoser as insulation
from vtox.diagnosers.turn_short import diagnoser as turn_short
from vtox.domain import VIBRATIONS, Diagnosis, Motor, Recording


@dataclass(frozen=True, slots=True)
class SharedAnalysis:
    """A batch of equal shapes: the front end, and the rotor's view where a fault asked for it."""

    analysis: CurrentAnalysis
    rotor: SlipAnalysis | None


def analyse(
    recordings: Sequence[Recording], motors: Sequence[Motor], faults: Collection[str]
) -> SharedAnalysis:
    """Return the shared view that the diagnosers of `faults` need."""
    # A bearing is judged at the speed that the currents tell where no sensor does.
    rotor = bool({"eccentricity", "broken_bar"} & set(faults)) or (
        "bearing" in faults
        and any(v in recordings[0].channels for v in VIBRATIONS)
        and any(r.speed_rpm is None for r in recordings)
    )
    analysis = front_end(recordings, motors, frames="turn_short" in faults, slot_band=rotor)
    return SharedAnalysis(analysis, analyse_slip(analysis) if rotor else None)


def load_a(view: SharedAnalysis) -> Float64:
    """Return the load of each recording, positive-sequence A rms; NaN without usable currents."""
    analysis = view.analysis
    if not analysis.currents:
        return np.full(len(analysis.recordings), np.nan)
    usable = np.array([not p for p in analysis.problems])
    return np.where(
        usable, analysis.current_rms_a() if analysis.envelope.shape[-1] else np.nan, np.nan
    )


def features(view: SharedAnalysis, faults: Collection[str]) -> dict[str, Float64]:
    """Return what a baseline remembers of `faults`: name -> one value per recording, or NaN."""
    found: dict[str, Float64] = {}
    for fault, observe in FEATURES.items():
        if fault in faults:
            found |= observe(view)
    return found


def _turn_short(view: SharedAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return turn_short.diagnose(view.analysis, baselines)


def _insulation(view: SharedAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return insulation.diagnose(view.analysis, baselines)


def _bearing(view: SharedAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    analysis = view.analysis
    rpm, tolerance = _speeds(view)
    return bearing.diagnose(
        analysis.recordings,
        analysis.motors,
        baselines,
        speed_rpm=rpm,
        speed_tolerance=tolerance,
        supply_hz=_known(analysis.f0_hz, analysis),
        load_a=_known(load_a(view), analysis),
    )


def _eccentricity(view: SharedAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return eccentricity.diagnose(view.analysis, baselines, slip_analysis=view.rotor)


def _broken_bar(view: SharedAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    return broken_bar.diagnose(view.analysis, baselines, slip_analysis=view.rotor)


def _speeds(view: SharedAnalysis) -> tuple[list[float | None], list[float | None]]:
    """Return shaft speed (rpm) from the slip of the currents, and its relative half width."""
    analysis, rotor = view.analysis, view.rotor
    rpm: list[float | None] = [None] * len(analysis.recordings)
    tolerance = rpm.copy()
    if rotor is not None:
        for i, (slip, pairs) in enumerate(zip(rotor.slips, rotor.pole_pairs, strict=True)):
            if slip.source != "none" and pairs:
                rpm[i] = 60 * float(analysis.f0_hz[i]) / pairs * (1 - slip.value)
                tolerance[i] = slip.half / (1 - slip.value)
    return rpm, tolerance


def _known(values: Float64, analysis: CurrentAnalysis) -> list[float | None]:
    return [
        None if problems or not np.isfinite(x) else float(x)
        for x, problems in zip(values, analysis.problems, strict=True)
    ]


DIAGNOSERS: Mapping[str, Callable[[SharedAnalysis, Sequence[Baseline | None]], list[Diagnosis]]] = {
    "turn_short": _turn_short,
    "insulation": _insulation,
    "bearing": _bearing,
    "eccentricity": _eccentricity,
    "broken_bar": _broken_bar,
}
FEATURES: Mapping[str, Callable[[SharedAnalysis], dict[str, Float64]]] = {
    "insulation": lambda view: admittance.features(view.analysis),
    "bearing": lambda view: bearing.features(view.analysis.recordings),
    "eccentricity": lambda view: eccentricity.features(view.analysis, slip_analysis=view.rotor),
    "broken_bar": lambda view: broken_bar.features(view.analysis, slip_analysis=view.rotor),
}
