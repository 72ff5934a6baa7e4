"""Windows of a simulated machine: made in any order, by any process, always the same.

``window(machine, seq, seconds=1.0, fs_hz=10_000.0, healthy=False) -> (channels, speed_rpm)``

`channels` maps the machine's channel names to float32 arrays of shape (samples,) in the units of
`vtox.motor.values.domain.CHANNEL_UNITS`; `speed_rpm` is the tachometer's mean speed over the
window, None on a machine without one. Window `seq` covers `seq * seconds` to `(seq + 1) * seconds`
of the machine's time, so consecutive windows join without a step. `healthy=True` is a commissioning
run: the same machine before its fault, with other noise and wander.
"""

import numpy as np
import numpy.typing as npt

from vtox.motor.simulator.currents_and_voltages import currents, leakage, voltages
from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.noise import subkey
from vtox.motor.simulator.timeline import timeline
from vtox.motor.simulator.vibration import bearing_impacts, vibration
from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array

# Windows that the simulated fleet sends.
WINDOW_S = 1.0
FS_HZ = 10_000.0
_ONSET_S = 0.1  # a fault grows in over this time
CONVERTER_STEPS = 32_767  # of the converter on either side of zero
TACHOMETER_ERROR = 1e-4  # rms
LEAKAGE_NOISE_A = 10e-6  # rms, of a core-balance transformer


def window(
    machine: SimulatedMachine,
    seq: int,
    seconds: float = 1.0,
    fs_hz: float = 10_000.0,
    healthy: bool = False,
) -> tuple[dict[str, Array], float | None]:
    """Return (channels, speed_rpm) of one window, as the module describes them."""
    key = subkey(machine.key, 1 if healthy else 2)
    samples = round(seconds * fs_hz)
    start_s = seq * seconds
    line = timeline(machine, key, start_s, samples, fs_hz)
    share = _fault_share(machine, line.t_s, healthy)
    rng = np.random.default_rng((key, seq))

    clean: dict[str, Float32] = {}
    names = set(machine.channels)
    if names.intersection(CURRENTS):
        clean |= currents(machine, line, share, fs_hz)
    if names.intersection(VOLTAGES):
        clean |= voltages(machine, line)
    if "leakage" in names:
        clean["leakage"] = leakage(machine, line, share)
    if "vibration" in names:
        clean["vibration"] = vibration(machine, line, share)
        if machine.defect and np.any(share):
            clean["vibration"] += bearing_impacts(machine, key, line, fs_hz)
    channels: dict[str, Array] = {
        name: _digitise(machine, name, clean[name], rng) for name in machine.channels
    }
    mean_rpm = (line.shaft[-1] - line.shaft[0]) / (line.t_s[-1] - line.t_s[0]) * 60
    measured_rpm = mean_rpm * (1 + TACHOMETER_ERROR * rng.standard_normal())
    return channels, round(float(measured_rpm), 1) if machine.body.tachometer else None


def _fault_share(
    machine: SimulatedMachine, t_s: npt.NDArray[np.float64], healthy: bool
) -> Float32 | float:
    """Return the share of the fault: 0, 1, or the ramp between them, shape (samples,)."""
    if machine.onset_s is None or healthy or t_s[-1] <= machine.onset_s:
        return 0.0
    if t_s[0] >= machine.onset_s + _ONSET_S:
        return 1.0
    return np.clip((t_s - machine.onset_s) / _ONSET_S, 0, 1).astype(np.float32)


def _digitise(
    machine: SimulatedMachine, name: str, x: Float32, rng: np.random.Generator
) -> Float32:
    """Add the instrument's noise and round to the steps of its converter."""
    noise, full_scale = noise_and_full_scale(machine, name)
    step = np.float32(full_scale / CONVERTER_STEPS)
    y = rng.standard_normal(len(x), dtype=np.float32)
    y *= np.float32(noise)
    y += x
    y /= step
    np.rint(y, out=y)
    np.clip(y, -CONVERTER_STEPS, CONVERTER_STEPS, out=y)
    y *= step
    return y


def noise_and_full_scale(machine: SimulatedMachine, name: str) -> tuple[float, float]:
    """Noise (rms) and full scale of one channel."""
    motor, body = machine.motor, machine.body
    assert motor.rated_current_a
    assert motor.rated_voltage_v
    if name in CURRENTS:
        return body.clamp_noise * motor.rated_current_a, 5 * motor.rated_current_a
    if name in VOLTAGES:
        return 5e-4 * motor.rated_voltage_v, 2 * motor.rated_voltage_v
    if name == "leakage":
        return LEAKAGE_NOISE_A, 0.1
    return body.vibration_rms, 500.0
