"""A light fixed load in place of diagnosis: the rest of a system's cost is its transport.

For every second of data one float32 FFT of each channel and the squared envelope spectrum of one.
"""

from collections.abc import Sequence

import numpy as np
import scipy.fft

from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import Diagnosis, abstain, reason

# Windows transformed at a time: their spectra fit in the cache.
WINDOWS_AT_A_TIME = 4


def light_load(x: Float32) -> Float32:
    """Return numbers that depend on the spectra of `x`, shape (windows, channels, samples)."""
    spectra = scipy.fft.rfft(x)
    analytic = np.zeros((len(x), x.shape[-1]), spectra.dtype)
    analytic[:, : spectra.shape[-1]] = 2 * spectra[:, -1]
    analytic = scipy.fft.ifft(analytic, overwrite_x=True)
    envelope = scipy.fft.rfft(analytic.real**2 + analytic.imag**2)
    level: Float32 = np.abs(spectra[:, :, 1]).sum(-1) + np.abs(envelope[:, 1])
    return level


def light_batch(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[list[Diagnosis]]:
    """Replace `diagnose_batch`: the load once for each second of each record."""
    if not cases:
        return []
    seconds: list[tuple[int, int]] = []
    for i, case in enumerate(cases):
        second = round(case.recording.fs_hz)
        seconds += [(i, k) for k in range(0, case.recording.samples - second + 1, second)]
    levels = np.zeros(len(cases))
    block = np.empty((WINDOWS_AT_A_TIME, len(cases[0].recording.channels), second), np.float32)
    for start in range(0, len(seconds), WINDOWS_AT_A_TIME):
        some = seconds[start : start + WINDOWS_AT_A_TIME]
        for n, (i, k) in enumerate(some):
            for c, x in enumerate(cases[i].recording.channels.values()):
                block[n, c] = x[k : k + second]
        np.add.at(levels, [i for i, _ in some], light_load(block[: len(some)]))
    return [[abstain(f, reason("benchmark_load", level=x)) for f in faults] for x in levels]
