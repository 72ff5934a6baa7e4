"""What a turn-short diagnosis rests on, and how much that is worth.

A basis is a number: 2 where the voltages are measured, and 1 more where a baseline applies.
"""

import numpy as np

from vtox.arrays import Bool, Int
from vtox.diagnosers.decision import objects

# The values of the indicator `basis`.
TEXTS = objects(
    [
        "currents, no baseline",
        "currents and baseline",
        "voltage, no baseline",
        "voltage and baseline",
    ]
)
# Least limit on the corrected |I2|/I1: docs/calibration/turn_short.md#scale.
LEAST_LIMIT = np.array([0.08, 0.03, 0.03, 0.0075])
# Confidence before the distance from the limit is taken into account.
CONFIDENCE = np.array([0.3, 0.6, 0.7, 0.95])


def basis(voltage: Bool, baseline: Bool) -> Int:
    """Return the basis of each record, shape (batch,)."""
    return np.asarray(2 * voltage + baseline, np.int64)
