"""Test whether the steps of the converter made the signs of a winding that leaks all over.

The third harmonic of the voltages shows the whole winding (`earth_admittance`), and a coarse
converter makes its own.
"""

from math import ceil, log2

import numpy as np

from vtox.motor.diagnosis.dsp import converter, supply_line, symmetrical_components
from vtox.motor.diagnosis.dsp.earth_admittance import EarthAdmittance
from vtox.motor.values.domain import VOLTAGES, Reason, reason

# Third harmonic of a sine of N steps over a step, times the root of N, at most:
# docs/calibration/insulation.md#steps-of-the-converter
HARMONIC_OF_STEPS = 1.7


def steps_problem(y: EarthAdmittance, row: int) -> tuple[Reason, ...]:
    """Return the channel whose steps may make the conductance of the whole winding, if any does."""
    x = y.x[row : row + 1]
    third = supply_line.frame_phasors(x[:, 1:], y.fs_hz, 3 * y.f0_hz[row : row + 1])[1].mean(-1)
    zero_v = abs(symmetrical_components.components(third)[0][0])
    # The steps explain a conductance of which they may make half.
    harmless_a = 0.5 * abs(y.whole_estimate[row].real) * zero_v
    steps, stuck = converter.amplitude_steps(x)
    left = steps[0] / 2.0 ** np.maximum(stuck[0] + 1, 0)
    amplitude = np.ptp(x[0], axis=-1) / 2
    amplitude_a = np.where(np.arange(4) == 0, amplitude, amplitude * abs(y.whole_estimate[row]))
    needed = (HARMONIC_OF_STEPS * amplitude_a / harmless_a) ** (2 / 3)
    worst = int(np.argmax(needed / left))
    if not left[worst] < needed[worst]:
        return ()
    return (
        reason(
            "converter_resolution",
            channel=("leakage", *VOLTAGES)[worst],
            steps=float(left[worst]),
            needed_steps=ceil(needed[worst]),
            more_bits=ceil(log2(needed[worst] / left[worst])),
        ),
    )
