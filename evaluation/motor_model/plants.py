"""Machines of the motor model: equivalent circuits and their steady state at constant slip."""

from dataclasses import dataclass
from math import pi, sqrt

from scipy.optimize import brentq

from vtox.motor.values.domain import Motor

MIN_SLIP = 1e-7  # of an unloaded machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """T equivalent circuit of one cage machine, per phase in star, referred to the stator."""

    name: str
    stator_ohm: float
    rotor_ohm: float
    stator_leakage_h: float
    rotor_leakage_h: float
    magnetising_h: float
    inertia_kgm2: float
    pole_pairs: int
    supply_hz: float
    voltage_v: float  # rated, line to line, rms
    rated_power_w: float
    rated_speed_rpm: float
    rotor_bars: int

    @property
    def rated_torque_nm(self) -> float:
        """Torque at rated power and speed."""
        return self.rated_power_w / (self.rated_speed_rpm * pi / 30)

    @property
    def peak_phase_v(self) -> float:
        """Amplitude of the rated phase voltage."""
        return self.voltage_v * sqrt(2 / 3)

    @property
    def nameplate(self) -> Motor:
        """The nameplate of the machine; speed and current are those of the circuit."""
        slip = slip_at_torque(self, self.rated_torque_nm)
        current = abs(steady_state(self, slip).stator_a) / sqrt(2)
        speed = 60 * self.supply_hz / self.pole_pairs * (1 - slip)
        return Motor(
            pole_pairs=self.pole_pairs,
            supply_hz=self.supply_hz,
            rated_speed_rpm=float(round(speed)),
            rated_current_a=round(current, 1),
            rated_voltage_v=self.voltage_v,
            rated_power_w=self.rated_power_w,
            rotor_bars=self.rotor_bars,
        )


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Torque and peak phasors at constant slip; the phase of the supply is zero."""

    stator_a: complex
    rotor_a: complex
    torque_nm: float


def steady_state(
    plant: Plant, slip: float, *, hz: float | None = None, volts: float | None = None
) -> SteadyState:
    """Return currents and torque of the equivalent circuit at `slip` (Steinmetz).

    `hz` and `volts` (peak, phase) are the rated ones unless given. The rotor current is positive
    into the rotor: the magnetising current is the sum of both.
    """
    f = plant.supply_hz if hz is None else hz
    v = plant.peak_phase_v if volts is None else volts
    w = 2 * pi * f
    magnetising = 1j * w * plant.magnetising_h
    rotor = plant.rotor_ohm / slip + 1j * w * plant.rotor_leakage_h
    stator = plant.stator_ohm + 1j * w * plant.stator_leakage_h
    i_s = v / (stator + magnetising * rotor / (magnetising + rotor))
    i_r = -i_s * magnetising / (magnetising + rotor)
    torque = 1.5 * plant.pole_pairs * abs(i_r) ** 2 * plant.rotor_ohm / (slip * w)
    return SteadyState(i_s, i_r, torque)


def slip_at_torque(
    plant: Plant, torque_nm: float, *, hz: float | None = None, volts: float | None = None
) -> float:
    """Return the slip of the stable branch at which the circuit gives `torque_nm`."""

    def excess_nm(slip: float) -> float:
        return steady_state(plant, slip, hz=hz, volts=volts).torque_nm - torque_nm

    breakdown = _breakdown_slip(plant, hz)
    if excess_nm(breakdown) < 0:
        raise ValueError(f"{plant.name}: {torque_nm:.1f} N m is beyond the breakdown torque")
    if excess_nm(MIN_SLIP) > 0:
        return MIN_SLIP
    return float(brentq(excess_nm, MIN_SLIP, breakdown, xtol=1e-18, rtol=8.9e-16))


def load_for_slip(plant: Plant, slip: float) -> float:
    """Return the load, over rated torque, at which the healthy machine has this slip."""
    return steady_state(plant, slip).torque_nm / plant.rated_torque_nm


def _breakdown_slip(plant: Plant, hz: float | None) -> float:
    w = 2 * pi * (plant.supply_hz if hz is None else hz)
    stator = plant.stator_ohm + 1j * w * plant.stator_leakage_h
    magnetising = 1j * w * plant.magnetising_h
    thevenin = stator * magnetising / (stator + magnetising)
    return plant.rotor_ohm / abs(thevenin + 1j * w * plant.rotor_leakage_h)


def _krause(
    name: str,
    stator: tuple[float, float],
    rotor: tuple[float, float],
    magnetising: float,
    inertia_kgm2: float,
    ratings: tuple[float, float, float],
    rotor_bars: int,
) -> Plant:
    """Return a four-pole 60 Hz machine; `stator` and `rotor` are (resistance, reactance) in ohm."""
    w = 2 * pi * 60
    voltage_v, power_w, speed_rpm = ratings
    return Plant(
        name=name,
        stator_ohm=stator[0],
        stator_leakage_h=stator[1] / w,
        rotor_ohm=rotor[0],
        rotor_leakage_h=rotor[1] / w,
        magnetising_h=magnetising / w,
        inertia_kgm2=inertia_kgm2,
        pole_pairs=2,
        supply_hz=60.0,
        voltage_v=voltage_v,
        rated_power_w=power_w,
        rated_speed_rpm=speed_rpm,
        rotor_bars=rotor_bars,
    )


# Three machines of Krause, Wasynczuk & Sudhoff, "Analysis of Electric Machinery" (table of
# induction machine parameters), and the 2.2 kW machine of motulator's examples (inverse-gamma
# parameters: all leakage on the stator). The numbers of rotor bars are our assumption.
PLANTS: dict[str, Plant] = {
    p.name: p
    for p in (
        _krause("3hp", (0.435, 0.754), (0.816, 0.754), 26.13, 0.089, (220, 2_237, 1710), 28),
        _krause("50hp", (0.087, 0.302), (0.228, 0.302), 13.08, 1.662, (460, 37_285, 1705), 40),
        _krause("500hp", (0.262, 1.206), (0.187, 1.206), 54.02, 11.06, (2_300, 372_850, 1773), 44),
        Plant(
            name="2kw2",
            stator_ohm=3.7,
            rotor_ohm=2.1,
            stator_leakage_h=0.021,
            rotor_leakage_h=0.0,
            magnetising_h=0.224,
            inertia_kgm2=0.015,
            pole_pairs=2,
            supply_hz=50.0,
            voltage_v=400.0,
            rated_power_w=2_200.0,
            rated_speed_rpm=1433.0,
            rotor_bars=28,
        ),
    )
}
