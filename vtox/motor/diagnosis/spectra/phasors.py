"""Phasors of the measured currents and voltages, and the sequences made of them."""

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.dsp import supply_line
from vtox.motor.errors import SpectrumError
from vtox.motor.values.arrays import TINY, Complex
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VOLTAGES, Motor, Recording
from vtox.motor.values.spectra import Phasor, Phasors


def phasors(recording: Recording, motor: Motor | None) -> Phasors:
    """Return the phasors of a recording at its supply frequency.

    The first voltage is at 0 degrees, without voltages the first current.

    Raises
    ------
    SpectrumError
        The recording has no usable current.
    """
    analysis = front_end([recording], [motor or Motor()], frames=True, slot_band=False)
    if analysis.problems[0]:
        raise SpectrumError("no_spectrum", analysis.problems[0][0].sentence)
    names = [c for c in (*VOLTAGES, *LINE_VOLTAGES, *CURRENTS) if c in recording.channels]
    x = np.stack([recording.channels[n] for n in names]).astype(np.float32)[None]
    _, frames = supply_line.frame_phasors(x, recording.fs_hz, analysis.f0_hz)
    if not frames.shape[-1]:
        raise SpectrumError("no_spectrum", "the record is shorter than a frame of 0.2 s")
    turned = frames[0] * np.exp(-1j * np.angle(frames[0, 0]))
    means = turned.mean(axis=-1)
    lag_rad = float(analysis.lag_rad[0])
    return Phasors(
        supply_hz=float(analysis.f0_hz[0]),
        phasors=tuple(
            Phasor(name, float(abs(z)) / 2**0.5, float(np.degrees(np.angle(z))))
            for name, z in zip(names, means, strict=True)
        ),
        negative_sequence_ratio=_ratio(analysis.sequence_i, 2),
        zero_sequence_ratio=_ratio(analysis.sequence_i, 0),
        voltage_unbalance_ratio=_ratio(_usable_voltages(analysis), 2),
        lag_deg=float(np.degrees(lag_rad)) if np.isfinite(lag_rad) else None,
    )


def _usable_voltages(analysis: CurrentAnalysis) -> Complex:
    sequence_v = analysis.sequence_v
    return sequence_v[..., :0] if analysis.voltage_problems[0] else sequence_v


def _ratio(sequences: Complex, number: int) -> float | None:
    """Return the median over frames of a sequence over the positive one, None without frames."""
    if not sequences.shape[-1]:
        return None
    size = np.abs(sequences[0])
    return float(np.median(size[number] / np.maximum(size[1], TINY)))
