"""A worker plug-in for the throughput benchmark: diagnosis replaced by a light fixed load.

`celery -A vtox worker -I benchmarks.light ...` then does one float32 FFT of every channel and the
squared envelope spectrum of one, and answers `unknown`. With it the benchmark sees the transport.
"""

from collections.abc import Sequence

import numpy as np
import scipy.fft

import workers.work
from vtox.diagnosis import Case
from vtox.domain import Diagnosis, Recording, unknown


def light_load(recording: Recording) -> float:
    """Return a number that depends on the spectra of all channels, so that none can be skipped."""
    total = 0.0
    for x in recording.channels.values():
        total += float(np.abs(scipy.fft.rfft(np.asarray(x, dtype=np.float32))[1]))
    spectrum = scipy.fft.fft(np.asarray(x, dtype=np.float32))
    spectrum[len(spectrum) // 2 :] = 0
    envelope = np.abs(scipy.fft.ifft(2 * spectrum)) ** 2
    return total + float(np.abs(scipy.fft.rfft(envelope)[1]))


def light_batch(cases: Sequence[Case], faults: Sequence[str]) -> list[list[Diagnosis]]:
    """Stand in for `diagnose_batch`."""
    answers = []
    for case in cases:
        level = light_load(case.recording)
        answers.append([unknown(f, f"benchmark load, level {level:.3g}") for f in faults])
    return answers


workers.work.diagnose_batch = light_batch
