"""The row of this fault in the registry of diagnosers: the bearing needs a speed too."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.operating_problems import whole_record_problems
from vtox.motor.diagnosis.diagnosers.decision import Verdicts
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser, SharedAnalysis, load_a
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VIBRATIONS, VOLTAGES, Recording


def _diagnose(shared: SharedAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    analysis = shared.analysis
    return bearing.diagnose(
        analysis.recordings,
        analysis.motors,
        baselines,
        load_a=_usable_or_none(load_a(shared), analysis),
        **_known_by_currents(shared),
    )


def _features(shared: SharedAnalysis) -> dict[str, Float64]:
    analysis = shared.analysis
    return bearing.features(analysis.recordings, analysis.motors, **_known_by_currents(shared))


def _known_by_currents(shared: SharedAnalysis) -> dict[str, Any]:
    """Return speed, supply and operation by the currents, as arguments of `bearing.diagnose`."""
    analysis = shared.analysis
    speed_rpm, tolerance = _estimated_speeds(shared)
    return {
        "not_running": whole_record_problems(
            analysis.recordings, analysis.operations, analysis.problems
        ),
        "speed_rpm": speed_rpm,
        "speed_tolerance": tolerance,
        "supply_hz": _usable_or_none(analysis.f0_hz, analysis),
    }


def examine_bearing(shared: SharedAnalysis) -> bearing.Examination:
    """Return views and signs behind the diagnosis of the bearing, of a batch of one recording."""
    analysis = shared.analysis
    speed_rpm, tolerance = _estimated_speeds(shared)
    return bearing.examine(
        analysis.recordings[0],
        analysis.motors[0],
        speed_rpm=speed_rpm[0],
        speed_tolerance=tolerance[0],
        supply_hz=_usable_or_none(analysis.f0_hz, analysis)[0],
    )


def _speed_is_estimated(recordings: Sequence[Recording]) -> bool:
    """Return whether vibration without a measured speed needs the speed by the currents."""
    return any(v in recordings[0].channels for v in VIBRATIONS) and any(
        r.speed_rpm is None for r in recordings
    )


def _estimated_speeds(shared: SharedAnalysis) -> tuple[list[float | None], list[float | None]]:
    """Return shaft speed (rpm) from the slip of the currents, and its relative half width."""
    analysis, slip_analysis = shared.analysis, shared.slip
    speed_rpm: list[float | None] = [None] * len(analysis.recordings)
    tolerance = speed_rpm.copy()
    if slip_analysis is None:
        return speed_rpm, tolerance
    estimates = zip(slip_analysis.slips, slip_analysis.pole_pairs, strict=True)
    for i, (slip, pole_pairs) in enumerate(estimates):
        if slip.source != "none" and pole_pairs:
            speed_rpm[i] = 60 * float(analysis.f0_hz[i]) / pole_pairs * (1 - slip.value)
            tolerance[i] = slip.half / (1 - slip.value)
    return speed_rpm, tolerance


def _usable_or_none(values: Float64, analysis: CurrentAnalysis) -> list[float | None]:
    return [
        None if problems or not np.isfinite(x) else float(x)
        for x, problems in zip(values, analysis.problems, strict=True)
    ]


ROW = Diagnoser(
    diagnose=_diagnose,
    channels=(*CURRENTS, *VOLTAGES, *LINE_VOLTAGES, *VIBRATIONS),
    features=_features,
    needs_slip=_speed_is_estimated,
)
