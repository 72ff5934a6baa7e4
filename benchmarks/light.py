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
# So many windows are transformed at a time: their spectra stay in the cache.
TOGETHER = 4


def light_load(x: Floats) -> Floats:
    """Return numbers that depend on the spectra of `x`, shape (windows, channels, samples)."""
    spectra = scipy.fft.rfft(x)
    analytic = np.zeros((len(x), x.shape[-1]), spectra.dtype)
    analytic[:, : spectra.shape[-1]] = 2 * spectra[:, -1]
    analytic = scipy.fft.ifft(analytic, overwrite_x=True)
    envelope = scipy.fft.rfft(analytic.real**2 + analytic.imag**2)
    level: Floats = np.abs(spectra[:, :, 1]).sum(-1) + np.abs(envelope[:, 1])
    return level


def light_batch(cases: Sequence[Case], faults: Sequence[str]) -> list[list[Diagnosis]]:
    """Stand in for `diagnose_batch`: the load once for each second of each record."""
    seconds: list[Floats] = []
    owners: list[int] = []
    for i, case in enumerate(cases):
        r = case.recording
        second = min(round(r.fs_hz), r.samples)
        for k in range(0, r.samples - second + 1, second):
            seconds.append(
                np.stack([np.asarray(c[k : k + second], np.float32) for c in r.channels.values()])
            )
            owners.append(i)
    levels = np.zeros(len(cases))
    for k in range(0, len(seconds), TOGETHER):
        found = light_load(np.stack(seconds[k : k + TOGETHER]))
        np.add.at(levels, owners[k : k + TOGETHER], found)
    return [[unknown(f, f"benchmark load, level {x:.3g}") for f in faults] for x in levels]


workers.work.diagnose_batch = light_batch
