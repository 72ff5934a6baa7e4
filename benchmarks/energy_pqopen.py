"""Power, frequency and harmonics next to those of `pqopen-lib`, on the same waveforms.

    .venv/bin/python -m pip install pqopen-lib==0.10.0
    python -m benchmarks.energy_pqopen

The waveforms are sums of lines with unbalance and harmonics (`tests/signals/terminals.py`), 3 s at
10 kHz. `tests/unit/motor/diagnosis/dsp/test_power.py` holds the limits.
"""

import numpy as np

from tests.signals import terminals
from tests.unit.motor.diagnosis.dsp.test_power import by_pqopen
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.domain import Motor
from vtox.motor.values.terminal_power import TOLD


def row(hz: float) -> str:
    """Return the differences at a frequency as a row of a table."""
    theirs = by_pqopen(*terminals.samples(hz=hz, seconds=3.0))
    record = terminals.recording(hz=hz, seconds=3.0)
    analysis = front_end([record], [Motor()], frames=True, slot_band=False)
    x = analysis.power
    if x is None:
        raise RuntimeError("no power")
    # Theirs is the sum over phases, which has the negative sequence in it.
    v2, i2 = terminals.LINES[-1]
    reactive_var = x.reactive_var[0] + 1.5 * (v2 * np.conj(i2)).imag
    shares = [getattr(x, f"voltage_harmonic_{n}")[0] - theirs[f"v{n}"] for n in TOLD] + [
        getattr(x, f"current_harmonic_{n}")[0] - theirs[f"i{n}"] for n in TOLD
    ]
    return (
        f"| {hz} Hz | {x.active_w[0] / theirs['active_w'] - 1:+.4%} "
        f"| {reactive_var / theirs['reactive_var'] - 1:+.4%} "
        f"| {x.voltage_unbalance[0] - theirs['unbalance']:+.4%} "
        f"| {1000 * (analysis.f0_hz[0] - theirs['hz']):+.3f} mHz | {max(map(abs, shares)):.4%} |"
    )


def main() -> None:
    """Print the table."""
    print("| supply | P | Q | V2 over V1 | frequency | harmonics, largest, of the fundamental |")
    print("|---|---:|---:|---:|---:|---:|")
    for hz in (49.6, 50.03, 50.4, 59.95):
        print(row(hz))


if __name__ == "__main__":
    main()
