"""The shaft speed at which bearing combs are searched: its source, its tolerance, its refinement.

Defect frequencies are multiples of shaft speed: without a speed there is nothing to search for, and
an uncertain one widens the search.
"""

from dataclasses import dataclass, replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.pole_pairs import (
    GRIDS_HZ,
    LARGEST_SLIP,
    pole_pairs_of_nameplate,
    rated_slip,
)
from vtox.motor.diagnosis.diagnosers.current.slip import LARGEST_SLIP_RATIO
from vtox.motor.diagnosis.diagnosers.current.slip_prior import ANY_LOAD
from vtox.motor.values.arrays import Float32, Float64
from vtox.motor.values.domain import Motor, Reason, Recording, reason

# Relative error of a measured speed: it may be of another second of the run than the record.
SENSOR_TOLERANCE = 0.005
# Largest relative error. Beyond it a search finds every defect order in any spectrum with lines.
MAX_TOLERANCE = 0.04
# Shaft lines that refine a speed: number of multiples, least power of all over the floor,
# least ratio to the power at the next best speed. docs/calibration/bearing.md#shaft-lines
SHAFT_MULTIPLES = 6
MIN_SHAFT_POWER = 18.0
MIN_SHAFT_LEAD = 1.5
# Least number of lines: one line counts at most its share of the power that is enough.
MIN_SHAFT_LINES = 3
# Relative error of a refined speed, at least.
REFINED_TOLERANCE = 0.003
# A speed reported as measured may be a set point or the nameplate value, wrong by a slip.
MAX_REPORTING_ERROR = 0.02
# Shaft lines contradict a reported speed if their power at another speed is higher by this factor,
# and the first two are this near the multiples of that speed, bins.
# docs/calibration/bearing.md#reported-speeds
MIN_CONTRADICTION_LEAD = 1.15
MAX_OFF_CENTRE_BINS = 0.4


@dataclass(frozen=True, slots=True)
class Speed:
    """Shaft speed: within the relative `tolerance` of `rpm`; `source` in identifiers."""

    rpm: float
    tolerance: float
    source: tuple[str, ...]

    @property
    def hz(self) -> float:
        """Turns per second."""
        return self.rpm / 60


def best_speed(
    recording: Recording,
    motor: Motor | None,
    estimated_rpm: float | None,
    estimate_tolerance: float | None,
    supply_hz: float | None = None,
) -> Speed | Reason:
    """Return the speed of a recording from its best source, or why there is none.

    Parameters
    ----------
    recording : Recording
        Its `speed_rpm` comes first.
    motor : Motor or None
        On the grid its rated and synchronous speed bound the speed.
    estimated_rpm, estimate_tolerance : float or None
        Estimate from the currents (slip), and its relative half width.
    supply_hz : float or None
        Supply frequency measured in the currents of the same record: it bounds the reported speed.
    """
    if recording.speed_rpm is not None:
        if not recording.speed_rpm > 0:
            return reason("shaft_at_rest", speed_rpm=recording.speed_rpm)
        if motor and supply_hz and (why := speed_problem(recording.speed_rpm, motor, supply_hz)):
            return why
        return Speed(float(recording.speed_rpm), SENSOR_TOLERANCE, ("speed_sensor",))
    speeds = []
    if estimated_rpm:
        tolerance = estimate_tolerance or SENSOR_TOLERANCE
        speeds.append(Speed(float(estimated_rpm), tolerance, ("current_slip",)))
    if motor is not None and motor.rated_slip and motor.supply == "grid":
        speeds.append(_nameplate_speed(motor, motor.rated_slip))
    if not speeds:
        return reason("no_speed")
    speed = min(speeds, key=lambda s: s.tolerance)
    if speed.tolerance > MAX_TOLERANCE:
        return reason(
            "speed_too_uncertain",
            speed_rpm=speed.rpm,
            tolerance=speed.tolerance,
            largest_tolerance=MAX_TOLERANCE,
            speed_source=speed.source,
        )
    return speed


def speed_problem(speed_rpm: float, motor: Motor, f0_hz: float) -> Reason | None:
    """Return the reason if the supply and the pole pairs contradict a speed.

    The slip would be none of a motor, nor of one that brakes. Either the speed is wrong or the pole
    pairs are, so neither is used. A drive slows the rotor by as many turns at any frequency.
    """
    pairs = pole_pairs_of_nameplate(motor, f0_hz)
    if not pairs:
        return None
    base_hz = f0_hz
    if motor.supply == "inverter":
        base_hz = max(f0_hz, motor.supply_hz or max(GRIDS_HZ))
    most_hz = LARGEST_SLIP * base_hz
    rated = rated_slip(motor, pairs, f0_hz)
    braking_hz = (
        SENSOR_TOLERANCE * f0_hz + LARGEST_SLIP_RATIO * rated * base_hz if rated else most_hz
    )
    if -braking_hz <= f0_hz - speed_rpm * pairs / 60 <= most_hz:
        return None
    return reason("speed_implausible", speed_rpm=speed_rpm, f0_hz=f0_hz, pole_pairs=pairs)


def _nameplate_speed(motor: Motor, rated_slip: float) -> Speed:
    """Return the speeds from no load to overload."""
    assert motor.pole_pairs
    assert motor.supply_hz
    synchronous = 60 * motor.supply_hz / motor.pole_pairs
    lowest = synchronous * (1 - ANY_LOAD[1] * rated_slip)
    tolerance = (synchronous - lowest) / (synchronous + lowest)
    return Speed((lowest + synchronous) / 2, tolerance, ("nameplate",))


def refine_speed(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...] = ()
) -> Speed:
    """Return the speed at which lines are at its first multiples, or the speed as it was.

    Parameters
    ----------
    speed : Speed
    lines : ndarray, shape (views, bins)
        Power of the envelope spectra over their floor.
    df_hz : float
        Bin width, Hz.
    avoided_hz : tuple of float
        Fundamentals whose multiples are not the shaft's, Hz: at light load those of the supply lie
        next to every fourth (or 2p-th) line of the shaft.

    See Also
    --------
    speed_contradicted_by_lines : for a speed reported as measured.
    speed_change : compares the refined speeds of two parts of a record.
    """
    # Within the tolerance the last multiple must move by more than a bin.
    if speed.tolerance <= REFINED_TOLERANCE or speed.tolerance * speed.hz * SHAFT_MULTIPLES < df_hz:
        return speed
    candidates_hz, power = _shaft_line_power(speed, lines, df_hz, avoided_hz)
    best = int(power.argmax())
    distant = np.abs(np.arange(len(candidates_hz)) - best) > 2 * SHAFT_MULTIPLES
    rival = float(power[distant].max(initial=0.0))
    if power[best] < MIN_SHAFT_POWER or power[best] < MIN_SHAFT_LEAD * rival:
        return speed
    # Speeds that share the bins of the best are as good: take their middle.
    equal = np.flatnonzero((power >= 0.95 * power[best]) & ~distant)
    rpm = 60 * float(candidates_hz[equal].mean())
    tolerance = max(REFINED_TOLERANCE, float(candidates_hz[1] - candidates_hz[0]) / speed.hz)
    if tolerance >= speed.tolerance:
        return speed
    return Speed(rpm, tolerance, (*speed.source, "refined_by_shaft_lines"))


def speed_contradicted_by_lines(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...] = ()
) -> Speed | None:
    """Return the speed at which shaft lines contradict the reported one, or None.

    Parameters are those of `refine_speed`; the lines without those of the combs found, as a race
    near a shaft order would otherwise be taken for the shaft.

    See Also
    --------
    refine_speed : for a speed that is known to a tolerance only.
    """
    wide = replace(speed, tolerance=max(speed.tolerance, MAX_REPORTING_ERROR))
    candidates_hz, power = _shaft_line_power(wide, lines, df_hz, avoided_hz)
    near = np.abs(candidates_hz - speed.hz) <= speed.tolerance * speed.hz
    reported = float(power[near].max(initial=0.0))
    best = float(power.max())
    if best < MIN_SHAFT_POWER or best < MIN_CONTRADICTION_LEAD * reported:
        return None
    hz = float(candidates_hz[power >= 0.95 * best].mean())
    if not _centred_on_multiples(lines.mean(axis=0), hz / df_hz):
        return None
    return Speed(60 * hz, SENSOR_TOLERANCE, (*speed.source, "corrected_by_shaft_lines"))


def speed_change(
    speed: Speed,
    early: Float32,
    late: Float32,
    df_hz: float,
    avoided_hz: tuple[float, ...] = (),
) -> Reason | None:
    """Return the reason if the shaft lines of two parts of a record show different speeds.

    Parameters
    ----------
    speed : Speed
    early, late : ndarray, shape (views, bins)
        Power over the floor of the first and the last part.
    df_hz, avoided_hz : float, tuple of float
        As of `refine_speed`.
    """
    wide = replace(speed, tolerance=max(speed.tolerance, MAX_TOLERANCE))
    first, last = (refine_speed(wide, lines, df_hz, avoided_hz) for lines in (early, late))
    clear = first.tolerance < wide.tolerance and last.tolerance < wide.tolerance
    if not clear or abs(first.rpm - last.rpm) <= 0.01 * speed.rpm:
        return None  # beyond 1 % all lines smear
    return reason("shaft_speed_changes", first_rpm=first.rpm, last_rpm=last.rpm)


def _centred_on_multiples(mean: Float32, shaft: float) -> bool:
    """Return whether the first two shaft lines, if present, are centred on multiples of the shaft.

    Sidebands of a race lie off them by as much as the race lies off a shaft order.

    Parameters
    ----------
    mean : ndarray, shape (bins,)
        Power over the floor.
    shaft : float
        Shaft frequency, bins.
    """
    offsets = []
    for k in (1, 2):
        at = round(k * shaft)
        line = np.maximum(mean[at - 1 : at + 2] - 1, 0)
        if len(line) == 3 and line.max() > MIN_SHAFT_POWER / MIN_SHAFT_LINES:
            offsets.append(abs(at + float(line[2] - line[0]) / float(line.sum()) - k * shaft))
    return bool(offsets) and max(offsets) < MAX_OFF_CENTRE_BINS


def _shaft_line_power(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...]
) -> tuple[Float64, Float32]:
    """Return the speeds within the tolerance, Hz, and the power at the first multiples of each."""
    step_hz = df_hz / (2 * SHAFT_MULTIPLES)
    half = int(np.ceil(speed.tolerance * speed.hz / step_hz))
    candidates_hz = speed.hz + step_hz * np.arange(-half, half + 1, dtype=np.float64)
    multiples = np.arange(1, SHAFT_MULTIPLES + 1)[:, None]
    bins = np.rint(multiples * candidates_hz / df_hz).astype(np.int64)
    mean = lines.mean(axis=0)
    frequency = np.arange(len(mean)) * df_hz
    for f in avoided_hz:
        mean[np.abs(frequency - np.rint(frequency / f) * f) <= 2 * df_hz] = 1
    bins = bins[bins[:, -1] < len(mean)]
    power: Float32 = np.minimum(mean[bins], MIN_SHAFT_POWER / MIN_SHAFT_LINES).sum(axis=0)
    return candidates_hz, power
