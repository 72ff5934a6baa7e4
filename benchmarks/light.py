"""A worker plug-in for the throughput benchmark: diagnosis replaced by a light fixed load.

`celery -A vtox worker -I benchmarks.light ...` then computes, for every second of data, one float32
FFT of each channel and the squared envelope spectrum of one, and answers `unknown`. With it the
benchmark sees the transport. The naive pipeline does the same load for every window and fault.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.fft

import workers.work
from vtox.diagnosis import Case
from vtox.domain import Diagnosis, unknown

Floats = npt.NDArray[np.float32]


def light_load(x: Floats) -> float:
    """Return a number that depends on the spectra of `x`, shape (channels, samples of 1 s)."""
    spectra = scipy.fft.rfft(x)
    analytic = np.zeros(x.shape[-1], spectra.dtype)
    analytic[: spectra.shape[-1]] = 2 * spectra[-1]
    analytic = scipy.fft.ifft(analytic)
    envelope = scipy.fft.rfft(analytic.real**2 + analytic.imag**2)
    return float(np.abs(spectra[:, 1]).sum() + abs(envelope[1]))


def light_batch(cases: Sequence[Case], faults: Sequence[str]) -> list[list[Diagnosis]]:
    """Stand in for `diagnose_batch`: the load once for each second of each record."""
    answers = []
    for case in cases:
        r = case.recording
        second = min(round(r.fs_hz), r.samples)
        x = np.stack([np.asarray(c, np.float32) for c in r.channels.values()])
        level = sum(
            light_load(x[:, k : k + second]) for k in range(0, r.samples - second + 1, second)
        )
        answers.append([unknown(f, f"benchmark load, level {level:.3g}") for f in faults])
    return answers


workers.work.diagnose_batch = light_batch
