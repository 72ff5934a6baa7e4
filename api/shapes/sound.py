"""Samples as sound: WAV of 16 bits, to listen to a record."""

import io
import wave

import numpy as np

from vtox.motor.values.domain import Array

# The loudest sample; full scale is 32767.
_PEAK = 0.9 * 32767


def wav(x: Array, fs_hz: float) -> bytes:
    """Return samples at `fs_hz` (Hz) as a mono WAV file, without their mean, as loud as fits.

    Samples that are not finite are silence. The rate of a WAV file is a whole number.
    """
    finite = np.nan_to_num(np.asarray(x, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    moved = finite - (finite.mean() if finite.size else 0.0)
    largest = float(np.abs(moved).max(initial=0.0)) or 1.0
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(round(fs_hz))
        sound.writeframes(np.round(moved * (_PEAK / largest)).astype("<i2").tobytes())
    return file.getvalue()
