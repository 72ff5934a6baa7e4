"""One run of the motor model from standstill: how it is started, and how stiff its supply is."""

from dataclasses import dataclass
from typing import Literal

from evaluation.motor_model.case import Case

Method = Literal["direct", "star_delta", "soft", "drive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The start of a machine: method, time and disturbances; times are of the record, s.

    A start at a negative time is under way when the record begins.
    """

    method: Method = "direct"
    at_s: float = 0.5
    off_s: float = float("inf")  # when it is switched off again
    ramp_s: float = 3.0  # of the voltage of a soft starter, of the frequency of a drive
    first_voltage: float = 0.4  # of a soft starter, over the rated one
    first_hz: float = 1.0  # of a drive
    boost: float = 0.06  # least voltage of a drive over the rated one
    delta_speed: float = 0.85  # over synchronous speed, at which star becomes delta
    gap_s: float = 0.06  # without voltage between star and delta
    skin: float = 0.0  # the rotor's resistance is R*(1 + skin) at standstill, by its deep bars
    source: float = 0.0  # reactance of the supply over the leakage reactance of the machine
    # Dips of the supply: time, length, and the remaining share of the voltage.
    dips: tuple[tuple[float, float, float], ...] = ()
    load_steps: tuple[tuple[float, float], ...] = ()  # time, and factor of the torque from then on


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCase:
    """A machine with its supply, load, faults and instruments, and how it is started."""

    case: Case
    start: Start = Start()
