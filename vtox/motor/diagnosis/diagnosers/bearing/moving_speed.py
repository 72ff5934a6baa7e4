"""Records in which the shaft speed moves: searched again by the angle of the shaft."""

from collections.abc import Sequence
from dataclasses import replace

from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup
from vtox.motor.diagnosis.dsp.shaft_phase import MIN_SWING, ShaftPhase, by_shaft_angle, shaft_phases
from vtox.motor.values.domain import VIBRATIONS


def resample_moving_shaft(setups: Sequence[SearchSetup]) -> list[SearchSetup]:
    """Return those recordings of one shape whose speed moves, at equal steps of the shaft's angle.

    The first vibration channel is tracked.
    """
    if not setups:
        return []
    first = setups[0].recording
    names = [n for n in VIBRATIONS if n in first.channels]
    phases = shaft_phases(
        [s.recording.channels[names[0]] for s in setups],
        first.fs_hz,
        [s.speed.hz for s in setups],
    )
    return [
        _by_angle(setup, phase, names)
        for setup, phase in zip(setups, phases, strict=True)
        if phase is not None and phase.swing >= MIN_SWING
    ]


def _by_angle(setup: SearchSetup, phase: ShaftPhase, names: Sequence[str]) -> SearchSetup:
    recording = setup.recording
    tracked = {n: by_shaft_angle(recording.channels[n], phase) for n in names}
    # The mean over the record is that of the line: a reading is of one instant.
    source = (*setup.speed.source, "tracked_by_shaft_line")
    speed = replace(setup.speed, rpm=60 * phase.mean_hz, source=source)
    channels = {**recording.channels, **tracked}
    by_angle = replace(recording, channels=channels)
    return replace(setup, recording=by_angle, speed=speed, moving=True)
