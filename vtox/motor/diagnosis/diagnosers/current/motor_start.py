"""Figures of a start in one recording, beyond the ones its diagnoses state."""

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.operation import track
from vtox.motor.diagnosis.diagnosers.current.start_figures import StartFigures, start_figures
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import voltage_samples
from vtox.motor.values.domain import CURRENTS, Motor, Recording


def motor_start(recording: Recording, motor: Motor | None = None) -> StartFigures | None:
    """Return the figures of the start in a recording, None if there is none.

    Parameters
    ----------
    recording : Recording
        Currents in A, and voltages in V if there are any.
    motor : Motor, optional
        The nameplate: the rated current distinguishes a start that is under way from a load.

    Examples
    --------
    >>> t = np.arange(8000) / 2000
    >>> amps = np.where(t < 0.5, 0.0, np.where(t < 1.5, 60.0, 10.0))
    >>> phases = {"ia": 0, "ib": 1, "ic": 2}
    >>> x = {p: amps * np.sin(2 * np.pi * (50 * t - k / 3)) for p, k in phases.items()}
    >>> start = motor_start(Recording(x, fs_hz=2000.0))
    >>> round(start.on_s, 2), round(start.duration_s, 2), round(start.peak_a)
    (0.5, 1.02, 60)
    """
    plate = motor or Motor()
    analysis = front_end([recording], [plate], frames=False, slot_band=False)
    op = analysis.operations[0]
    if op is None or op.state != "start":
        return None
    i = np.array([recording.channels[n] for n in CURRENTS if n in recording.channels], np.float64)
    t = track(
        i,
        recording.fs_hz,
        analysis.envelope[0],
        analysis.rate_hz,
        float(analysis.centre_hz[0]),
        analysis.envelope_v[0],
    )
    return start_figures(i, voltage_samples(recording), recording.fs_hz, t, op, plate)
