"""Setup of the search in a recording: its combs, speed, supply and bands.

Decides per recording whether it can be searched at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import copysign, floor, log2

from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import SENSOR_TOLERANCE, Speed, best_speed
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import GRIDS_HZ, grids_of_speed
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, PLAIN, SHAFT, CombTarget
from vtox.motor.values.domain import Motor, Reason, Recording, reason

# Slippage of rolling elements, relative: 1 to 2 % (Randall & Antoni 2011, section 2).
SLIPPAGE = 0.015
# Shaft turns of a record. Fewer hold too few passes: shaft lines, four bins wide, would cover a
# third of all orders.
MIN_TURNS = 15
# Shaft turns for a comb of the bearing cage: it turns 0.4 times a turn, and needs 16 cage turns.
MIN_TURNS_FOR_BEARING_CAGE = 40
# Shaft turns of one segment. Slippage of 1 % from pass to pass broadens the third harmonic of the
# inner race to 2*pi*9*1e-4*5.4 = 0.03 of shaft speed: 2 bins of a segment.
SEGMENT_TURNS = 60
# Width of a band over the highest defect frequency, so that three harmonics and surrogates above
# them fit into the envelope spectrum.
MIN_BAND_RATIO = 4.5
BANDS = (1, 2, 3, 4, 6, 8, 12, 16)
# Bandwidth of the vibration over the highest defect frequency.
MIN_BANDWIDTH_RATIO = 3.0
# Searched if the bearing is unknown: any comb between a third and one and a half of it.
ANYWHERE = CombTarget("any", 6.0)
# Bands and segments in which a recording is analysed, and 1 over the share of spectra that is used.
Layout = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SearchSetup:
    """One recording that can be searched, `index` its place in the batch.

    `orders` of the combs by defect: twice the ball spin for BSF, as a ball strikes a race twice a
    own turn; empty if the bearing is unknown.
    """

    index: int
    recording: Recording
    motor: Motor
    speed: Speed
    orders: dict[str, float]
    #: Bearing cage frequency in shaft orders.
    bearing_cage_order: float | None
    #: Combs to search, `ANYWHERE` if the bearing is unknown.
    targets: tuple[CombTarget, ...]
    supply_hz: float | None
    #: The speed moves within the record.
    moving: bool = False
    #: Analysed in one segment, however long: lines of shaft and bearing separate better.
    whole: bool = False

    @property
    def order_tolerance(self) -> float:
        """Relative half width within which the orders hold: 0 unless makers differ."""
        return self.motor.bearing.order_tolerance if self.motor.bearing else 0.0

    def deviation(self, order: float, defect: str) -> float:
        """Return the distance of an order from that of a defect, beyond the spread of makers."""
        apart = order / self.orders[defect] - 1
        return copysign(max(abs(apart) - self.order_tolerance, 0.0), apart)

    @property
    def top_hz(self) -> float:
        """Highest defect frequency."""
        return max(self.orders.values(), default=ANYWHERE.order) * self.speed.hz

    @property
    def turns(self) -> float:
        """Shaft turns in the recording."""
        return self.recording.duration_s * self.speed.hz

    @property
    def layout(self) -> Layout:
        """Bands and segments to analyse the recording in, and the share of the spectra to use.

        Equal layouts share arrays. The share, 1 over it, is less than the whole if bands cannot
        be as narrow as would do.
        """
        fitting = max(1.0, self.recording.fs_hz / 2 / (MIN_BAND_RATIO * self.top_hz))
        bands = max(b for b in BANDS if b <= fitting)
        several = self.turns > 1.5 * SEGMENT_TURNS and not self.whole
        segments = int(2 * self.turns / SEGMENT_TURNS) - 1 if several else 1
        return bands, segments, int(2 ** floor(log2(fitting / bands)))

    @property
    def motor_supply_hz(self) -> tuple[float, ...]:
        """Supply frequency of the motor; on the grid and unknown, all that its speeds allow.

        The rated speed excludes a grid even where the speed of the record is uncertain.
        """
        if self.supply_hz:
            return (self.supply_hz,)
        if self.motor.supply == "inverter":
            return ()
        grids: tuple[float, ...] = GRIDS_HZ
        rated_rpm, pairs = self.motor.rated_speed_rpm, self.motor.pole_pairs
        if rated_rpm:
            grids = grids_of_speed(rated_rpm, pairs)
        if len(grids) > 1 and self.speed.tolerance <= SENSOR_TOLERANCE:
            grids = grids_of_speed(self.speed.rpm, pairs)
        return grids

    @property
    def mains_hz(self) -> tuple[float, ...]:
        """Frequencies whose multiples cables pick up; magnetic pull sounds at the even ones.

        Behind a drive those of both public supplies as well: the cable of the sensor lies next to
        others, and the drive's rectifier draws its pulses from the grid.
        """
        grids = GRIDS_HZ if self.motor.supply == "inverter" else ()
        return tuple(dict.fromkeys((*self.motor_supply_hz, *grids)))

    @property
    def magnetic_pull_hz(self) -> tuple[float, ...]:
        """Twice the supply frequency of the motor."""
        return tuple(2 * f for f in self.motor_supply_hz)


def set_up_search(
    index: int,
    recording: Recording,
    motor: Motor | None,
    *,
    estimated_rpm: float | None = None,
    estimate_tolerance: float | None = None,
    supply_hz: float | None = None,
) -> SearchSetup | tuple[Reason, ...]:
    """Return how to search a recording, or why it cannot be searched."""
    motor = motor or Motor()
    speed = best_speed(recording, motor, estimated_rpm, estimate_tolerance, supply_hz)
    defect_orders = motor.bearing.defect_orders if motor.bearing else {}
    orders = _comb_orders(defect_orders)
    if isinstance(speed, Reason):
        return (speed,) if orders else (reason("no_bearing_geometry"), speed)
    supply_hz = supply_hz or (motor.supply_hz if motor.supply == "grid" else None)
    duration_s = recording.duration_s
    turns = duration_s * speed.hz
    if turns < MIN_TURNS:
        needed = {"turns": turns, "needed_turns": MIN_TURNS}
        return (reason("too_few_turns", duration_s=duration_s, speed_rpm=speed.rpm, **needed),)
    if turns < MIN_TURNS_FOR_BEARING_CAGE and len(orders) > 1:
        orders.pop("FTF", None)
    cage_order = _bearing_cage_order(defect_orders)
    targets = _targets(tuple(orders.items()), cage_order is not None) or (ANYWHERE,)
    setup = SearchSetup(index, recording, motor, speed, orders, cage_order, targets, supply_hz)
    if recording.fs_hz / 2 < MIN_BANDWIDTH_RATIO * setup.top_hz:
        needed_hz = 2 * MIN_BANDWIDTH_RATIO * setup.top_hz
        rates = {"fs_hz": recording.fs_hz, "needed_hz": needed_hz, "highest_hz": setup.top_hz}
        return (reason("vibration_rate_too_low", **rates),)
    return setup


def _comb_orders(defect_orders: Mapping[str, float]) -> dict[str, float]:
    return {n: 2 * o if n == "BSF" else o for n, o in defect_orders.items()}


def _bearing_cage_order(defect_orders: Mapping[str, float]) -> float | None:
    """Return the bearing cage frequency in shaft orders.

    BPFO is the number of elements times it, and BPFO + BPFI that number (Randall & Antoni 2011,
    eq. 1-4).
    """
    if "FTF" in defect_orders:
        return defect_orders["FTF"]
    if {"BPFO", "BPFI"} <= defect_orders.keys():
        return defect_orders["BPFO"] / (defect_orders["BPFO"] + defect_orders["BPFI"])
    return None


@lru_cache(maxsize=256)
def _targets(orders: tuple[tuple[str, float], ...], bearing_cage: bool) -> tuple[CombTarget, ...]:
    """Return the targets of a bearing.

    An inner race turns through the load zone, so its comb may carry sidebands at shaft speed. A
    damaged element is modulated by the bearing cage; its comb counts half without those sidebands.
    """
    kinds = {
        "BPFO": CombTarget("BPFO", 1.0),
        "BPFI": CombTarget("BPFI", 1.0, SHAFT),
        "BSF": CombTarget(
            "BSF", 1.0, BEARING_CAGE if bearing_cage else PLAIN, plain_weight=0.5, divisors=(3,)
        ),
        "FTF": CombTarget("FTF", 1.0, divisors=()),
    }
    return tuple(replace(kinds[name], order=order) for name, order in orders)
