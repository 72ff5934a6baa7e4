"""The simulated fleet: its machines, how each is built, and which fault it has.

``fleet(n, seed=..., fault_mode=...) -> tuple[Machine, ...]``   the machines, V001 upwards
``truth(machines) -> list[dict]``                               the same as plain data for JSON

`vtox.motor.simulator.signals.window` makes the windows that a machine sends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any

import numpy as np

from vtox.motor.simulator.catalogue import BEARINGS, MOTOR_TYPES, MotorType, nameplate
from vtox.motor.simulator.noise import subkey
from vtox.motor.simulator.severity import FAULT_MODES, SCALES
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor
from vtox.motor.values.nameplate import motor_to_dict

DEFAULT_SEED = 2024
FAULTY_SHARE = 0.26
# Negative- over positive-sequence voltage of the fleet's supplies.
MIN_UNBALANCE, MAX_UNBALANCE = 0.001, 0.005
# Shorted share of turns that draws as much negative-sequence current as MAX_UNBALANCE does
# (`currents_and_voltages.shorted_turns`).
SHORT_LIKE_MAX_UNBALANCE = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """Construction of one machine and its instruments; the fault changes none of it."""

    run_hz: float
    unbalance: complex  # negative- over positive-sequence voltage
    wander_hz: float  # rms of the slow wander of the supply frequency
    load_wander: float  # rms of the slow load variation over the load
    clamp_gains: tuple[float, float, float]
    clamp_noise: float  # rms over rated current
    slot_dbc: float
    rotation_dbc: float  # f+-fr of a healthy machine
    asymmetry_dbc: float  # (1-2s)f of a healthy machine
    resonance_hz: float
    vibration_rms: float  # broadband, m/s^2
    earth_capacitance_f: float
    tachometer: bool
    swapped_phases: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMachine:
    """One simulated machine. `severity` is 0..1, `level` its physical quantity (see `SCALES`).

    `detectable` is False if the signals it sends cannot show its fault; `reason` says why.
    """

    machine_id: str
    key: int
    motor: Motor
    load: float
    channels: tuple[str, ...]
    body: _Body = field(repr=False)
    fault: str | None = None
    severity: float | None = None
    level: float | None = None
    onset_s: float | None = None
    defect: str | None = None
    phase: str | None = None
    detectable: bool = True
    reason: str = ""

    def level_of(self, fault: str) -> float:
        """Return the physical quantity of a fault, 0 if the machine has another one or none."""
        return self.level or 0.0 if self.fault == fault else 0.0


@dataclass(frozen=True, slots=True)
class _FaultCase:
    """One kind of faulty machine; `undetectable` says why its signals cannot show the fault.

    `fits` selects its types of motor, `load` and `onset_s` are ranges. A fault that is `phased` is
    in one phase. Below the level `ambiguous_below` a sound machine may show the same signals.
    """

    fault: str
    channels: tuple[str, ...] = (*CURRENTS, "vibration")
    defect: str | None = None
    undetectable: str = ""
    fits: Callable[[MotorType], bool] = lambda _: True
    load: tuple[float, float] = (0.55, 0.95)
    onset_s: tuple[float, float] = (5.0, 20.0)
    phased: bool = False
    ambiguous_below: float = -inf


def _has_parted_orders(motor_type: MotorType) -> bool:
    """Return whether no defect order lies next to a whole number, as shaft harmonics do."""
    orders = BEARINGS[motor_type.bearing].defect_orders
    return all(abs(orders[d] / round(orders[d]) - 1) > 0.02 for d in ("BPFO", "BPFI"))


def _has_slip(motor_type: MotorType) -> bool:
    return motor_type.rated_slip >= 0.026


def _has_little_slip(motor_type: MotorType) -> bool:
    return motor_type.rated_slip <= 0.02


def _has_two_poles(motor_type: MotorType) -> bool:
    return motor_type.pole_pairs == 1


def _has_more_poles(motor_type: MotorType) -> bool:
    return motor_type.pole_pairs != 1


_SITES = ("North quarry", "South quarry", "Harbour")
_VEHICLES = ("Excavator", "Loader", "Crusher", "Conveyor")
_PARTS = ("hydraulic pump", "fan", "left drive", "right drive", "winch")
_WITH_VOLTAGES = (*CURRENTS, *VOLTAGES, "vibration")
_INSULATION = (*CURRENTS, *VOLTAGES, "leakage", "vibration")
_SHORT = partial(_FaultCase, "turn_short", phased=True)
_LEAK = partial(_FaultCase, "insulation", phased=True)
_IMPACTS = partial(_FaultCase, "bearing", fits=_has_parted_orders)
# A broken bar needs records of 10 s: it starts early, so that a minute of data is enough.
_BAR = partial(_FaultCase, "broken_bar", onset_s=(0.0, 3.0))
# With voltages: else the supply is not excluded, and the alert takes some minutes.
_CLEAR_BAR = _BAR(_WITH_VOLTAGES, fits=_has_slip, load=(0.75, 0.95))
# In this order, as many as the fleet has faulty machines: first each fault once, detectable.
_FAULT_CASES = (
    _SHORT(ambiguous_below=SHORT_LIKE_MAX_UNBALANCE),
    _IMPACTS(defect="BPFO"),
    _CLEAR_BAR,
    _FaultCase("eccentricity", fits=_has_more_poles),
    _LEAK(_INSULATION),
    _IMPACTS(defect="BPFI"),
    _SHORT(_WITH_VOLTAGES),
    _CLEAR_BAR,
    _LEAK(undetectable="no leakage channel"),
    _BAR(
        undetectable="slip too low: the sidebands lie within the width of the supply line",
        fits=_has_little_slip,
        load=(0.05, 0.09),
    ),
    _IMPACTS(CURRENTS, "BPFO", undetectable="no vibration channel"),
    _SHORT(("ia", "vibration"), undetectable="one phase current only"),
    _FaultCase(
        "eccentricity",
        undetectable="two poles: f-fr and f+fr fall on 0 Hz and on twice the supply frequency",
        fits=_has_two_poles,
    ),
)


def fleet(
    n: int = 50,
    *,
    seed: int = DEFAULT_SEED,
    fault_mode: str = "moderate",
    severities: Mapping[str, tuple[float, float]] | None = None,
    onset_s: tuple[float, float] | None = None,
) -> tuple[SimulatedMachine, ...]:
    """Return `n` machines, most of them healthy; the same arguments give the same machines.

    `severities` replaces the range of `fault_mode` for the faults it names; `onset_s` replaces the
    range of the time at which faults begin (s after the start of the first window).
    """
    rng = np.random.default_rng(seed)
    faulty = min(n // 2, max(5, round(FAULTY_SHARE * n)))
    cases: list[_FaultCase | None] = [None] * n
    for i, position in enumerate(rng.permutation(n)[:faulty]):
        cases[position] = _FAULT_CASES[i % len(_FAULT_CASES)]
    ranges = dict.fromkeys(SCALES, FAULT_MODES[fault_mode]) | dict(severities or {})
    return tuple(
        _with_place(i, _machine(f"V{i + 1:03d}", subkey(seed, i), case, ranges, onset_s))
        for i, case in enumerate(cases)
    )


def _with_place(i: int, m: SimulatedMachine) -> SimulatedMachine:
    """Return a machine as one of five in a vehicle of some site."""
    vehicle, part = divmod(i, len(_PARTS))
    path = f"{_VEHICLES[vehicle % len(_VEHICLES)]} {vehicle + 1}/{_PARTS[part]}"
    return replace(m, motor=replace(m.motor, site=_SITES[vehicle % len(_SITES)], asset_path=path))


def truth(machines: tuple[SimulatedMachine, ...]) -> list[dict[str, Any]]:
    """Return the properties and the fault of each machine, as plain data."""
    return [
        {
            "machine_id": m.machine_id,
            "motor": motor_to_dict(m.motor),
            "load": round(m.load, 3),
            "channels": list(m.channels),
            "fault": m.fault,
            "severity": m.severity,
            "onset": m.onset_s,
            "level": m.level,
            "quantity": SCALES[m.fault].quantity if m.fault else None,
            "defect": m.defect,
            "phase": m.phase,
            "detectable": m.detectable,
            "reason": m.reason,
        }
        for m in machines
    ]


def _machine(
    machine_id: str,
    key: int,
    case: _FaultCase | None,
    ranges: Mapping[str, tuple[float, float]],
    onset_s: tuple[float, float] | None,
) -> SimulatedMachine:
    rng = np.random.default_rng(key)
    motor_type = MOTOR_TYPES[
        rng.choice([i for i, k in enumerate(MOTOR_TYPES) if case is None or case.fits(k)])
    ]
    inverter = case is None and rng.random() < 0.06
    motor = nameplate(motor_type, 50.0 if rng.random() < 0.7 else 60.0, inverter=inverter)
    load = float(rng.uniform(*(case.load if case else (0.35, 0.95))))
    body = _body(rng, motor, case)
    if case is None:
        channels = _INSULATION if rng.random() < 0.1 else (*CURRENTS, "vibration")
        return SimulatedMachine(
            machine_id=machine_id, key=key, motor=motor, load=load, channels=channels, body=body
        )
    severity = round(float(rng.uniform(*ranges[case.fault])), 3)
    level = float(f"{SCALES[case.fault].level(severity):.4g}")
    undetectable = case.undetectable or _ambiguity_reason(case, level)
    return SimulatedMachine(
        machine_id=machine_id,
        key=key,
        motor=motor,
        load=load,
        channels=case.channels,
        body=body,
        fault=case.fault,
        severity=severity,
        level=level,
        onset_s=round(float(rng.uniform(*(onset_s or case.onset_s))), 1),
        defect=case.defect,
        phase=str(rng.choice(["a", "b", "c"])) if case.phased else None,
        detectable=not undetectable,
        reason=undetectable,
    )


def _ambiguity_reason(case: _FaultCase, level: float) -> str:
    """Return why a healthy machine may show the same signals, empty if none does."""
    if level < case.ambiguous_below:
        return f"no voltages: a supply unbalance of {MAX_UNBALANCE:.1%} draws as much current"
    return ""


def _body(rng: np.random.Generator, motor: Motor, case: _FaultCase | None) -> _Body:
    assert motor.supply_hz
    inverter = motor.supply == "inverter"
    angle = rng.uniform(0, 2 * np.pi)
    return _Body(
        run_hz=motor.supply_hz * (float(rng.uniform(0.6, 0.95)) if inverter else 1.0),
        unbalance=complex(rng.uniform(MIN_UNBALANCE, MAX_UNBALANCE) * np.exp(1j * angle)),
        wander_hz=float(rng.uniform(0.002, 0.015)),
        load_wander=float(rng.uniform(0.003, 0.015)),
        clamp_gains=(
            float(1 + rng.uniform(-0.005, 0.005)),
            float(1 + rng.uniform(-0.005, 0.005)),
            float(1 + rng.uniform(-0.005, 0.005)),
        ),
        clamp_noise=float(rng.uniform(0.001, 0.003)),
        slot_dbc=float(rng.uniform(-56, -44)),
        rotation_dbc=float(rng.uniform(-62, -54)),
        asymmetry_dbc=float(rng.uniform(-82, -74)),
        resonance_hz=float(rng.uniform(1_800, 3_600)),
        vibration_rms=float(rng.uniform(0.3, 1.0)),
        earth_capacitance_f=float(rng.uniform(2e-9, 15e-9)),
        tachometer=case is not None or rng.random() < 0.7,
        swapped_phases=case is None and rng.random() < 0.1,
    )
