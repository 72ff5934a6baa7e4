"""What a nameplate can say: per field the range outside which it is a slip of the pen. Pure."""

from dataclasses import dataclass
from numbers import Real

from vtox.errors import NameplateError


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends are allowed; `whole` numbers are counts."""

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number from" if self.whole else "a number from"
        return f"{kind} {self.low:g} to {self.high:g} {self.unit}".rstrip()


# Wider than any machine built, so that only what cannot be is refused.
RANGES = {
    # Ring motors of mills have 36, hydro generators 60.
    "pole_pairs": Range(1, 100, whole=True),
    # Gearless drives turn at some Hz; spindles are fed with up to 2 kHz.
    "supply_hz": Range(1, 2000, "Hz"),
    # Turbo spindles stay below it.
    "rated_speed_rpm": Range(0.1, 200_000, "rpm"),
    # From a clock's motor to the largest generator: 30 kA, 30 kV, 2 GVA at its terminals.
    "rated_current_a": Range(1e-3, 1e5, "A"),
    "rated_voltage_v": Range(1, 1e6, "V"),
    "rated_power_w": Range(0.1, 1e9, "W"),
    # Cages have 14 to some 200.
    "rotor_bars": Range(8, 1000, whole=True),
    # FTF is below 0.5, BPFI below the number of balls; those of slewing rings come to 200.
    "bearing.orders": Range(0.01, 200, "orders of shaft speed"),
    "bearing.balls": Range(2, 400, whole=True),
    "bearing.ball_diameter_mm": Range(0.1, 1000, "mm"),
    "bearing.pitch_diameter_mm": Range(0.5, 10_000, "mm"),
    # 90: a thrust bearing.
    "bearing.contact_angle_deg": Range(0, 90, "degrees"),
}


def checked(name: str, value: float | None, of: str = "") -> float | None:
    """Return a nameplate value, a count as an int; None, which is not known, passes.

    `of` is the row of `RANGES` where it is not called as the field.

    Raises
    ------
    NameplateError
        It is no number, not in its range, or should be whole and is not.
    """
    if value is None:
        return None
    expected = RANGES[of or name]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise NameplateError(f"{name}: {value!r}, expected {expected}", name)
    within = expected.low <= value <= expected.high
    if not within or (expected.whole and value != int(value)):
        raise NameplateError(f"{name}: {repr(value)[:40]}, expected {expected}", name)
    # JSON does not know numpy's numbers.
    return int(value) if expected.whole else float(value)
