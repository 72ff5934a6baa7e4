"""The range of each number on a nameplate; values outside are typing errors. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

from vtox.motor.errors import NameplateError


@dataclass(frozen=True, slots=True)
class Range:
    """A range with both ends included; of `whole` numbers for counts.

    `kilo`: people read and enter thousands of the unit, as plates have them.
    """

    low: float
    high: float
    unit: str = ""
    whole: bool = False
    kilo: bool = False

    def scale_unit(self, value: float) -> tuple[float, str]:
        """Return a value as people read it, and the prefix of its unit.

        >>> RANGES["rated_power_w"].scale_unit(3700.0), RANGES["rated_current_a"].scale_unit(7.8)
        ((3.7, 'k'), (7.8, ''))
        """
        return (value / 1000, "k") if self.kilo else (value, "")

    def __str__(self) -> str:
        kind = "a whole number from" if self.whole else "a number from"
        return f"{kind} {self.low:g} to {self.high:g} {self.unit}".rstrip()


# Wider than any machine built, so that only impossible values are refused.
RANGES = {
    # Ring motors of mills have 36, hydro generators 60.
    "pole_pairs": Range(1, 100, whole=True),
    # Gearless drives turn at some Hz; spindles are fed with up to 2 kHz.
    "supply_hz": Range(1, 2000, "Hz"),
    # Spindles of turbo compressors stay below.
    "rated_speed_rpm": Range(0.1, 200_000, "rpm"),
    # From the motor of a clock to the largest generator: 30 kA, 30 kV, 2 GVA at its terminals.
    "rated_current_a": Range(1e-3, 1e5, "A"),
    "rated_voltage_v": Range(1, 1e6, "V"),
    "rated_power_w": Range(0.1, 1e9, "W", kilo=True),
    # Rotor cages have 14 to some 200.
    "rotor_bars": Range(8, 1000, whole=True),
    # Speed of the motor over that of the driven shaft: below 1 the gear steps up.
    "gear_ratio": Range(0.01, 1000),
    # Shafts and wheels near the bearing, a turn of the motor; 16 of them: `MAX_NEIGHBOURS`.
    "neighbour_orders": Range(0.01, 200, "orders of shaft speed"),
    # Motors of watts reach a fifth, the largest 98.5 %; 91.4 % is 0.914.
    "rated_efficiency": Range(0.1, 0.995, "as a ratio: 0.914 for 91.4 %"),
    "rated_power_factor": Range(0.1, 1),
    # From a motor of megawatts to one of watts.
    "stator_resistance_ohm": Range(1e-5, 1e4, "ohm"),
    # From one in ten days to a positioning drive.
    "max_starts_per_hour": Range(0.004, 3600, "an hour"),
    "supply_v": Range(1, 1e6, "V"),
    # Contracts and standards say 5 to 15 %.
    "supply_v_tolerance": Range(0.005, 0.5, "as a ratio: 0.1 for 10 %"),
    # From a clamp that streams to a sensor that sends once a month.
    "expected_every_s": Range(0.001, 31 * 86_400, "s"),
    # 1: there is a spare; 5: the plant stops with it.
    "criticality": Range(1, 5, whole=True),
    "downtime_cost_per_hour": Range(0, 1e12),
    # FTF is below 0.5, BPFI below the number of balls; slewing rings have up to 200.
    "bearing.orders": Range(0.01, 200, "orders of shaft speed"),
    "bearing.balls": Range(2, 400, whole=True),
    "bearing.ball_diameter_mm": Range(0.1, 1000, "mm"),
    "bearing.pitch_diameter_mm": Range(0.5, 10_000, "mm"),
    # 90 degrees: a thrust bearing.
    "bearing.contact_angle_deg": Range(0, 90, "degrees"),
}
# The fields of a motor that are one number.
MOTOR_NUMBERS = tuple(n for n in RANGES if "." not in n and n != "neighbour_orders")

# Neighbouring shafts on a nameplate: more would mask most orders of a bearing.
MAX_NEIGHBOURS = 16
# The length of a name; and the fields that are names, with the most that may be in each: an asset
# path has levels, as in plant, line, supply, machine.
PLACE_LENGTH = 64
PLACE_LEVELS = {"site": 1, "asset_path": 8, "feeder": 1}
# Field -> the longest text.
PLACE_LENGTHS = {n: levels * (PLACE_LENGTH + 1) - 1 for n, levels in PLACE_LEVELS.items()} | {
    "bearing.designation": PLACE_LENGTH,
    "scalar_limits": 2000,
    "work_hours": 400,
}


def validate_place(name: str, value: str, *, levels: int) -> None:
    """Check a site or an asset path: names with `/` between them, at most so many.

    Raises `NameplateError`: a name is empty, too long, has spaces around it or a character that
    cannot be printed.
    """
    parts = value.split("/", levels) if isinstance(value, str) else []
    good = all(
        part and len(part) <= PLACE_LENGTH and part.isprintable() and part == part.strip()
        for part in parts
    )
    if not parts or not good or len(parts) > levels:
        names = "a name" if levels == 1 else f"1 to {levels} names with / between them, each"
        expected = f"{names} of 1 to {PLACE_LENGTH} characters"
        raise NameplateError(f"{name}: {repr(value)[:80]}, expected {expected}", name)


def validate_neighbours(orders: Sequence[float]) -> tuple[float, ...] | None:
    """Return the orders of neighbouring shafts, None if there are none.

    Raises `NameplateError`: they are no list, too many, or one is no number in its range.
    """
    name = "neighbour_orders"
    if isinstance(orders, str) or not isinstance(orders, Sequence) or len(orders) > MAX_NEIGHBOURS:
        found = f"{len(orders)} of them" if isinstance(orders, list | tuple) else repr(orders)[:40]
        expected = f"a list of at most {MAX_NEIGHBOURS} numbers, {RANGES[name]}"
        raise NameplateError(f"{name}: {found}, expected {expected}", name)
    found_orders = (validate(f"{name}[{i}]", order, name) for i, order in enumerate(orders))
    return tuple(order for order in found_orders if order is not None) or None


def validate(name: str, value: float | None, range_name: str = "") -> float | None:
    """Return a value of a nameplate, a count as an int; None, which is unknown, is valid.

    Parameters
    ----------
    name : str
        The field, which an error names.
    value : float or None
    range_name : str
        Row of `RANGES`, if it differs from the field.

    Raises
    ------
    NameplateError
        The value is not a number, is outside its range, or should be whole and is not.
    """
    if value is None:
        return None
    expected = RANGES[range_name or name]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise NameplateError(f"{name}: {value!r}, expected {expected}", name)
    inside = expected.low <= value <= expected.high
    if not inside or (expected.whole and value != int(value)):
        raise NameplateError(f"{name}: {repr(value)[:40]}, expected {expected}", name)
    # JSON cannot encode numpy's numbers.
    return int(value) if expected.whole else float(value)
