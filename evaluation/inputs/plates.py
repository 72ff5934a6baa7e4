"""Mistakes of nameplates, speeds and temperatures."""

from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.inputs.mistake import Mistake, RawInput, mistake, plate, sent
from vtox.motor.values.bearing import Bearing

SPEED = "speed_implausible"


def _speed(factor: float) -> Any:
    """Return the change of the speed that is sent by a factor."""
    return lambda raw, rng: replace(raw, speed_rpm=raw.speed_rpm * factor)


def _copied(raw: RawInput, rng: np.random.Generator) -> RawInput:
    return replace(raw, speed_rpm=raw.motor["rated_speed_rpm"])


def _synchronous_rpm(raw: RawInput) -> float:
    return float(60 * raw.motor["supply_hz"] / raw.motor["pole_pairs"])


def _synchronous(raw: RawInput, rng: np.random.Generator) -> RawInput:
    return replace(raw, speed_rpm=_synchronous_rpm(raw))


def _rated_synchronous(raw: RawInput, rng: np.random.Generator) -> RawInput:
    return replace(raw, motor={**raw.motor, "rated_speed_rpm": _synchronous_rpm(raw)})


def _times(factor: float) -> Any:
    return lambda value: value * factor


def _other_poles(more: int) -> Any:
    return plate(pole_pairs=lambda p: p + more, rated_speed_rpm=None)


PLATES: tuple[Mistake, ...] = (
    mistake("pole pairs one more", _other_poles(1), broken_bar=SPEED),
    mistake("pole pairs two more", _other_poles(2), broken_bar=SPEED),
    mistake(
        "pole pairs one more, with the rated speed",
        plate(pole_pairs=lambda p: p + 1),
        refused="NameplateError",
    ),
    mistake("poles for pole pairs", plate(pole_pairs=lambda p: 2 * p), refused="NameplateError"),
    mistake("half a pole pair", plate(pole_pairs=1.5), refused="NameplateError"),
    mistake("no pole pairs", plate(pole_pairs=None)),
    mistake(
        "another supply frequency",
        plate(supply_hz=lambda f: 110 - f, rated_speed_rpm=None),
        currents="supply_off_nameplate",
    ),
    mistake(
        "supply of 400 Hz",
        plate(supply_hz=400.0, rated_speed_rpm=None),
        currents="supply_off_nameplate",
    ),
    mistake(
        "supply of 16.7 Hz",
        plate(supply_hz=16.7, rated_speed_rpm=None),
        currents="supply_off_nameplate",
    ),
    mistake("negative supply frequency", plate(supply_hz=-50.0), refused="NameplateError"),
    *(
        mistake(f"rated current times {k:g}", plate(rated_current_a=_times(k)), currents=code)
        for k, code in (
            (1e3, "current_far_below_rated"),
            (12, "current_far_below_rated"),
            (0.1, "current_far_above_rated"),
            (1e-3, "current_far_above_rated"),
        )
    ),
    mistake("no rated current", plate(rated_current_a=None)),
    mistake(
        "rated voltage by sqrt(3)",
        plate(rated_voltage_v=_times(1 / np.sqrt(3))),
        turn_short="voltages_between_lines",
    ),
    *(
        mistake(
            f"rated voltage times {k:g}",
            plate(rated_voltage_v=_times(k)),
            turn_short="voltage_off_nameplate",
        )
        for k in (15, 0.1)
    ),
    mistake(
        "rated voltage times 0.001", plate(rated_voltage_v=_times(1e-3)), refused="NameplateError"
    ),
    mistake("rated voltage times sqrt(3)", plate(rated_voltage_v=_times(np.sqrt(3)))),
    mistake("rated power in kW", plate(rated_power_w=_times(1e-3))),
    mistake("rated power times 1000", plate(rated_power_w=_times(1e3))),
    mistake("rated speed synchronous", _rated_synchronous),
    mistake("rated speed by 60", plate(rated_speed_rpm=_times(1 / 60)), refused="NameplateError"),
    mistake("rated speed times 2", plate(rated_speed_rpm=_times(2)), refused="NameplateError"),
    mistake("rotor bars six more", plate(rotor_bars=lambda b: b + 6)),
    mistake("rotor bars are slots of the stator", plate(rotor_bars=48)),
    mistake("drive on the nameplate, grid in truth", plate(supply="inverter")),
    mistake("supply misspelt", plate(supply="mains"), refused="NameplateError"),
    mistake(
        "bearing of another machine",
        plate(bearing=Bearing(orders={"BPFO": 4.71, "BPFI": 7.29, "BSF": 3.07, "FTF": 0.39})),
    ),
    mistake(
        "BPFI and BPFO exchanged",
        plate(
            bearing=lambda b: Bearing(
                orders={
                    **b.defect_orders,
                    "BPFO": b.defect_orders["BPFI"],
                    "BPFI": b.defect_orders["BPFO"],
                }
            )
        ),
    ),
    mistake(
        "defect frequencies for orders",
        plate(bearing=lambda b: Bearing(orders={k: 8 * v for k, v in b.defect_orders.items()})),
    ),
    mistake("no bearing", plate(bearing=None), bearing="no_bearing_geometry"),
    mistake(
        "another machine's plate",
        plate(rated_current_a=_times(30), rated_power_w=_times(30), rotor_bars=56),
        currents="current_far_below_rated",
    ),
)
SPEEDS: tuple[Mistake, ...] = (
    mistake("speed in turns per second", _speed(1 / 60), broken_bar=SPEED),
    mistake("speed in rad/s", _speed(2 * np.pi / 60), broken_bar=SPEED),
    mistake("speed behind a gear", _speed(0.37), broken_bar=SPEED),
    mistake("two pulses a turn", _speed(2.0), broken_bar=SPEED),
    mistake("speed 1 % high", _speed(1.01)),
    mistake("speed 3 % low", _speed(0.97)),
    mistake("speed synchronous", _synchronous, broken_bar=SPEED),
    mistake("speed copied from the nameplate", _copied, broken_bar="speed_copied_from_nameplate"),
    mistake("speed zero", sent(speed_rpm=0.0), broken_bar=SPEED, bearing="shaft_at_rest"),
    mistake("speed negative", _speed(-1.0), broken_bar=SPEED, bearing="shaft_at_rest"),
    mistake("speed NaN", sent(speed_rpm=float("nan"))),
    mistake("speed as text", sent(speed_rpm="1450"), refused="RecordingError"),
    mistake("temperature of 4000 C", sent(temperature_c=4000.0), insulation="temperature_unknown"),
    mistake("temperature NaN", sent(temperature_c=float("nan")), insulation="temperature_unknown"),
)
NAMEPLATES = (*PLATES, *SPEEDS)
