"""Which combs of lines a bearing calls for, and at which speed, supply and bands to look for them.

Decides per recording whether it can be judged at all.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, log2

from vtox.diagnosers.bearing.shaft_speed import Speed, speed_of
from vtox.diagnosers.current.pole_pairs import GRIDS_HZ
from vtox.domain import Bearing, Motor, Recording
from vtox.dsp.comb_plan import CAGE, PLAIN, SHAFT, Target

# Rolling elements slip by 1 to 2 % (Randall & Antoni 2011, section 2).
SLIP_TOLERANCE = 0.015
# Fewer turns hold too few passes: shaft lines, four bins wide, then cover a third of all orders.
LEAST_TURNS = 15
# The cage turns 0.4 times a turn: a comb at its frequency needs 16 of its turns.
CAGE_TURNS = 40
# Turns of one segment. Slip of 1 % from pass to pass broadens the third harmonic of the inner race
# to 2*pi*9*1e-4*5.4 = 0.03 of shaft speed, two bins of such a segment.
SEGMENT_TURNS = 60
# A band is this many times wider than the highest defect frequency, so that three harmonics and
# surrogates above them fit into the envelope spectrum.
BAND_WIDTH = 4.5
BANDS = (1, 2, 3, 4, 6, 8, 12, 16)
# Sampling must reach this multiple of the highest defect frequency.
LEAST_BANDWIDTH = 3.0
# Looked for where the bearing is unknown: any comb between a third and one and a half of it.
ANYWHERE = Target("any", 6.0)


@dataclass(frozen=True, slots=True)
class Job:
    """One recording that can be judged, `index` its place in the batch.

    `orders` of the combs by defect name: twice the ball spin for BSF, as a ball strikes a race
    twice a turn of its own; empty where the bearing is unknown.
    """

    index: int
    recording: Recording
    motor: Motor
    speed: Speed
    orders: dict[str, float]
    supply_hz: float | None

    @property
    def top_hz(self) -> float:
        """Highest defect frequency."""
        return max(self.orders.values(), default=ANYWHERE.order) * self.speed.hz

    @property
    def turns(self) -> float:
        """Shaft turns in the recording."""
        return self.recording.duration_s * self.speed.hz

    @property
    def layout(self) -> tuple[int, int, int]:
        """Bands and segments to analyse the recording in, and the share of the spectra to look at.

        Equal layouts share arrays. The share, 1 over it, is less than the whole where bands cannot
        be as narrow as would do.
        """
        fitting = max(1.0, self.recording.fs_hz / 2 / (BAND_WIDTH * self.top_hz))
        bands = max(b for b in BANDS if b <= fitting)
        segments = (
            int(2 * self.turns / SEGMENT_TURNS) - 1 if self.turns > 1.5 * SEGMENT_TURNS else 1
        )
        return bands, segments, int(2 ** floor(log2(fitting / bands)))

    @property
    def cage_order(self) -> float | None:
        """Cage frequency in shaft orders.

        BPFO is the number of elements times it, and BPFO + BPFI that number (Randall & Antoni
        2011, eq. 1-4).
        """
        known = self.motor.bearing.defect_orders if self.motor.bearing else {}
        if "FTF" in known:
            return known["FTF"]
        if {"BPFO", "BPFI"} <= known.keys():
            return known["BPFO"] / (known["BPFO"] + known["BPFI"])
        return None

    @property
    def mains_hz(self) -> tuple[float, ...]:
        """Supply frequency: cables pick up its multiples; magnetic pull sounds at the even ones.

        Where it is not known, those of both public supplies.
        """
        if self.supply_hz:
            return (self.supply_hz,)
        return () if self.motor.supply == "inverter" else GRIDS_HZ

    @property
    def pull_hz(self) -> tuple[float, ...]:
        """Twice the supply frequency."""
        return tuple(2 * f for f in self.mains_hz)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Combs to look for, `ANYWHERE` where the bearing is unknown."""
        return _targets(tuple(self.orders.items()), self.cage_order is not None) or (ANYWHERE,)


def job_of(
    index: int,
    recording: Recording,
    motor: Motor | None,
    *,
    rpm: float | None = None,
    tolerance: float | None = None,
    supply_hz: float | None = None,
) -> Job | str:
    """Return the job of judging a recording, or why it cannot be judged."""
    motor = motor or Motor()
    speed = speed_of(recording, motor, rpm, tolerance)
    orders = _orders(motor.bearing) if motor.bearing else {}
    if isinstance(speed, str):
        return speed if orders else f"no bearing geometry, and {speed}"
    job = Job(
        index,
        recording,
        motor,
        speed,
        orders,
        supply_hz or (motor.supply_hz if motor.supply == "grid" else None),
    )
    if job.turns < LEAST_TURNS:
        return (
            f"too short: {recording.duration_s:.3g} s hold {job.turns:.0f} shaft turns at "
            f"{speed.rpm:.0f} rpm, need {LEAST_TURNS}"
        )
    if job.turns < CAGE_TURNS and len(orders) > 1:
        orders.pop("FTF", None)
    if recording.fs_hz / 2 < LEAST_BANDWIDTH * job.top_hz:
        return (
            f"sampling rate too low: {recording.fs_hz:g} Hz, need "
            f"{2 * LEAST_BANDWIDTH * job.top_hz:.0f} Hz for lines up to {job.top_hz:.0f} Hz"
        )
    return job


def _orders(bearing: Bearing) -> dict[str, float]:
    return {n: 2 * o if n == "BSF" else o for n, o in bearing.defect_orders.items()}


@lru_cache(maxsize=256)
def _targets(orders: tuple[tuple[str, float], ...], cage: bool) -> tuple[Target, ...]:
    """Return the targets of a bearing.

    An inner race turns through the load zone, so its comb may carry sidebands at shaft speed; a
    damaged element is modulated by the cage, and without those sidebands its comb counts half.
    """
    kinds = {
        "BPFO": Target("BPFO", 1.0),
        "BPFI": Target("BPFI", 1.0, SHAFT),
        "BSF": Target("BSF", 1.0, CAGE if cage else PLAIN, bare=0.5, divisors=(3,)),
        "FTF": Target("FTF", 1.0, divisors=()),
    }
    return tuple(replace(kinds[name], order=order) for name, order in orders)
