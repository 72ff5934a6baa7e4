"""The diagnoser of each fault, and the analysis of a batch that they share.

A new fault is one row of `DIAGNOSERS`; docs/howto/add-a-fault.md names the other places.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtox.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.diagnosis.diagnosers.current.front_end import CurrentAnalysis, front_end
from vtox.diagnosis.diagnosers.current.operating_problems import not_running
from vtox.diagnosis.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.diagnosis.diagnosers.decision import Verdicts
from vtox.diagnosis.diagnosers.eccentricity import diagnoser as eccentricity
from vtox.diagnosis.diagnosers.insulation import admittance
from vtox.diagnosis.diagnosers.insulation import diagnoser as insulation
from vtox.diagnosis.diagnosers.turn_short import diagnoser as turn_short
from vtox.values.arrays import Float64
from vtox.values.baseline import Baseline
from vtox.values.domain import CURRENTS, VIBRATIONS, VOLTAGES, Motor, Recording

NO_NAMEPLATE = Motor()


@dataclass(frozen=True, slots=True)
class SharedAnalysis:
    """Analysis of a batch of one shape: the currents, and the slip where a fault needs it."""

    analysis: CurrentAnalysis
    slip: SlipAnalysis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnoser:
    """How one fault is diagnosed, and what of the shared analysis that needs."""

    # The verdicts on a batch, each recording against its baseline if there is one.
    diagnose: Callable[[SharedAnalysis, Sequence[Baseline | None]], Verdicts]
    # The channels that it reads, of those that are there.
    channels: tuple[str, ...] = (*CURRENTS, *VOLTAGES)
    # What a baseline stores of it (`vtox.diagnosis.diagnosers.features`): name -> (batch,), NaN
    # where absent.
    features: Callable[[SharedAnalysis], dict[str, Float64]] | None = None
    needs_frames: bool = False
    needs_slip: Callable[[Sequence[Recording]], bool] = lambda _: False


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
    nameplates = [m or NO_NAMEPLATE for m in motors]
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


def load_a(shared: SharedAnalysis) -> Float64:
    """Return the load of each recording, positive-sequence A rms; NaN without usable currents."""
    analysis = shared.analysis
    if not analysis.currents or not analysis.envelope.shape[-1]:
        return np.full(len(analysis.recordings), np.nan)
    usable = np.array([not p for p in analysis.problems])
    return np.where(usable, analysis.current_rms_a, np.nan)


def _bearing(shared: SharedAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    analysis = shared.analysis
    speed_rpm, tolerance = _estimated_speeds(shared)
    return bearing.diagnose(
        analysis.recordings,
        analysis.motors,
        baselines,
        not_running=not_running(analysis.recordings, analysis.operations, analysis.problems),
        speed_rpm=speed_rpm,
        speed_tolerance=tolerance,
        supply_hz=_where_usable(analysis.f0_hz, analysis),
        load_a=_where_usable(load_a(shared), analysis),
    )


def examine_bearing(shared: SharedAnalysis) -> bearing.Examination:
    """Return what the diagnosis of the bearing rests on, of a batch of one recording."""
    analysis = shared.analysis
    speed_rpm, tolerance = _estimated_speeds(shared)
    return bearing.examine(
        analysis.recordings[0],
        analysis.motors[0],
        speed_rpm=speed_rpm[0],
        speed_tolerance=tolerance[0],
        supply_hz=_where_usable(analysis.f0_hz, analysis)[0],
    )


def _speed_is_estimated(recordings: Sequence[Recording]) -> bool:
    """Return whether vibration without a measured speed needs that which the currents give."""
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


def _where_usable(values: Float64, analysis: CurrentAnalysis) -> list[float | None]:
    return [
        None if problems or not np.isfinite(x) else float(x)
        for x, problems in zip(values, analysis.problems, strict=True)
    ]


DIAGNOSERS: Mapping[str, Diagnoser] = {
    "turn_short": Diagnoser(
        diagnose=lambda shared, baselines: turn_short.diagnose(shared.analysis, baselines),
        needs_frames=True,
    ),
    "insulation": Diagnoser(
        diagnose=lambda shared, baselines: insulation.diagnose(shared.analysis, baselines),
        channels=(*CURRENTS, *VOLTAGES, "leakage"),
        features=lambda shared: admittance.features(shared.analysis),
    ),
    "bearing": Diagnoser(
        diagnose=_bearing,
        channels=(*CURRENTS, *VOLTAGES, *VIBRATIONS),
        features=lambda shared: bearing.features(shared.analysis.recordings),
        needs_slip=_speed_is_estimated,
    ),
    "eccentricity": Diagnoser(
        diagnose=lambda shared, baselines: eccentricity.diagnose(
            shared.analysis, baselines, slip_analysis=shared.slip
        ),
        features=lambda shared: eccentricity.features(shared.analysis, slip_analysis=shared.slip),
        needs_slip=lambda _: True,
    ),
    "broken_bar": Diagnoser(
        diagnose=lambda shared, baselines: broken_bar.diagnose(
            shared.analysis, baselines, slip_analysis=shared.slip
        ),
        features=lambda shared: broken_bar.features(shared.analysis, slip_analysis=shared.slip),
        needs_slip=lambda _: True,
    ),
}
