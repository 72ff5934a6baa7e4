"""The print of a window: by it the bridge sees that a sender has sent its samples before."""

from hashlib import sha256

import numpy as np

from vtox.motor.values.domain import Array
from vtox.pipeline.windows.wire import Fields, Header, decode_channels

# Among the marks that the bridge keeps of a machine: its last window, and the print of that. Named
# as the mark of a replay, which readers of this build and of the one before pass over.
LAST_PRINT = "|0|0|print"
# This many bytes of each channel make the print: 1,024 samples of 16 bits.
PRINT_BYTES = 2048
# This many steps of these samples differ from the one before, in a channel that makes it unlikely.
MIN_MOVES, ROUNDING = 64, 1e-6
# A signal repeats to this share of its peak.
REPEATED = 4e-4


def window_print(fields: Fields, header: Header) -> str:
    """Return the print of the first samples of all channels."""
    digest = sha256()
    for name in header.channels:
        digest.update(fields[name.encode()][:PRINT_BYTES])
    return digest.hexdigest()[:32]


def print_is_unlikely(fields: Fields) -> bool:
    """Return whether two measured windows cannot have the print of this one.

    They can if all channels are constant, or ramps, or repeat after a whole number of samples. Such
    windows are refused by other codes once they are diagnosed.
    """
    channels = decode_channels(fields)
    return any(
        _is_unlikely(np.asarray(x[: PRINT_BYTES // 2], np.float64)) for x in channels.values()
    )


def _is_unlikely(x: Array) -> bool:
    bends = np.abs(np.diff(x, 2)) > ROUNDING * np.abs(x).max()
    if np.count_nonzero(bends) < MIN_MOVES:
        return False
    # Rounding to counts moves each sample of a signal that repeats by one at most.
    near = REPEATED * np.abs(x).max()
    again = np.flatnonzero(np.abs(x[1 : len(x) // 2 + 1] - x[0]) <= near) + 1
    return not any((np.abs(x[lag:] - x[:-lag]) <= near).all() for lag in again.tolist())
