"""Days of machines by minute, for `evaluation.profiles`: six kinds, with all that is usual."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from vtox.motor.alarms.profile.values import DAY_MIN, LEARNING_DAYS, Minute, Site
from vtox.motor.values.arrays import Bool, Float64

DAYS = LEARNING_DAYS + 30
KINDS = ("pump", "fan", "conveyor", "compressor", "mixer", "drive")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Shanghai")
_RATED_W, _VOLTS = 15_000.0, 400.0
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class MachineDays:
    """Load, frequency and supply of one machine, by minute from `began` on."""

    kind: str
    site: Site
    voltages: bool
    began: int
    running: Bool
    power_w: Float64
    hz: Float64
    volts: Float64
    unbalance: Float64
    reactive_va: float

    def __len__(self) -> int:
        return len(self.running)

    def minute(self, k: int) -> Minute:
        """Return the figures of a minute."""
        return self.with_load(k, 1.0)

    def with_load(self, k: int, factor: float) -> Minute:
        """Return the figures of a minute with another load."""
        if not self.running[k]:
            return Minute(self.began + k, 60.0, 0.0)
        watts = float(self.power_w[k]) * factor
        va = np.hypot(watts, self.reactive_va)
        starts = int(k > 0 and not self.running[k - 1])
        return Minute(
            self.began + k,
            60.0,
            60.0,
            watts if self.voltages else None,
            float(va / (np.sqrt(3) * _VOLTS)),
            float(self.hz[k]),
            0.0 if k == 0 else abs(float(self.hz[k] / self.hz[k - 1] - 1)),
            float(self.volts[k]) if self.voltages else None,
            float(self.unbalance[k]) if self.voltages else None,
            0.02,
            starts,
        )

    def since_start(self, k: int) -> int:
        """Return for how many minutes the motor has run."""
        n = 0
        while n < 30 and k - n >= 0 and self.running[k - n]:
            n += 1
        return n


def machine_days(rng: Rng, kind: str) -> MachineDays:
    """Draw a machine, and its days."""
    zone = ZoneInfo(ZONES[rng.integers(len(ZONES))])
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=int(rng.integers(365)))
    if rng.random() < 1 / 3:  # the clocks change after the profile is learnt
        changes = (datetime(2025, 3, 30, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC))
        begin = changes[rng.integers(2)] - timedelta(days=LEARNING_DAYS + int(rng.integers(5, 20)))
    began = round(begin.timestamp() / 60)
    local = [datetime.fromtimestamp(60 * (began + k), zone) for k in range(DAYS * DAY_MIN)]
    hour = np.array([t.hour + t.minute / 60 for t in local])
    ordinal = np.array([t.toordinal() for t in local])
    weekend = np.array([t.weekday() >= 5 for t in local])
    weekend |= np.isin(ordinal, _holidays(rng, ordinal))
    driven = kind == "fan" or (kind == "drive" and rng.random() < 0.7)
    running = _running(rng, kind, hour, ordinal, weekend)
    hz, load = _DRAWN[kind](rng, hour, weekend, running, driven)
    load *= 1 + _season(rng, len(load))
    load *= _set_points(rng, len(load), driven=driven)
    cleaning, clean_load = _cleaning(rng, hour, ordinal)
    running = np.where(cleaning, clean_load > 0, running)
    load = np.where(cleaning, load * np.maximum(clean_load, 0.1), load)
    n = len(load)
    volts = _VOLTS * (1 + 0.012 * np.sin(2 * np.pi * hour / 24 + rng.uniform(0, 6)))
    volts *= 1 + 0.004 * _red(rng, n, 200)
    unbalance = np.abs(rng.uniform(0.003, 0.012) + 0.0015 * _red(rng, n, 300))
    site = Site(zone, driven=driven, supply_hz=None if driven else 50.0)
    return MachineDays(
        kind,
        site,
        bool(rng.random() < 0.7),
        began,
        running,
        np.maximum(load, 0.02) * _RATED_W,
        hz,
        volts,
        unbalance,
        float(rng.uniform(0.3, 0.55) * _RATED_W),
    )


def _red(rng: Rng, n: int, minutes: float) -> Float64:
    """Return noise of unit deviation that lasts for some minutes."""
    keep = np.exp(-1 / minutes)
    white = rng.standard_normal(n) * np.sqrt(1 - keep**2)
    out = np.empty(n)
    last = rng.standard_normal()
    for k, x in enumerate(white.tolist()):
        last = keep * last + x
        out[k] = last
    return out


def _holidays(rng: Rng, ordinal: Float64) -> list[int]:
    days = np.unique(ordinal)
    return rng.choice(days, int(rng.integers(0, 3)), replace=False).tolist()  # type: ignore[no-any-return]


def _season(rng: Rng, n: int) -> Float64:
    """Return a slow change of the load: up to 10 % in a month and a half."""
    t = np.linspace(0, 1, n)
    return np.asarray(rng.uniform(-0.1, 0.1) * t + 0.02 * np.sin(2 * np.pi * t * rng.uniform(1, 4)))


def _set_points(rng: Rng, n: int, *, driven: bool) -> Float64:
    """Return the factor of a new set-point: one machine of three gets one after it has learnt."""
    factor = np.ones(n)
    if rng.random() < 1 / 3:
        at = int(rng.integers(LEARNING_DAYS * DAY_MIN, n))
        factor[at:] = rng.choice([-1, 1]) * rng.uniform(0.08, 0.3) + 1
    return factor


def _cleaning(rng: Rng, hour: Float64, ordinal: Float64) -> tuple[Bool, Float64]:
    """Return when a machine is cleaned, and its load then over the usual one; at rest is 0."""
    during, load = np.zeros(len(hour), bool), np.zeros(len(hour))
    if rng.random() < 0.3:
        for day in rng.choice(np.unique(ordinal), int(rng.integers(1, 3)), replace=False):
            own = (ordinal == day) & (hour >= 7) & (hour < 11)
            during |= own
            load[own] = np.where((hour[own] * 2).astype(int) % 2, 0.0, rng.uniform(0.5, 0.9))
    return during, load


def _running(rng: Rng, kind: str, hour: Float64, ordinal: Float64, weekend: Bool) -> Bool:
    n = len(hour)
    jitter = dict(
        zip(np.unique(ordinal), rng.normal(0, 0.15, len(np.unique(ordinal))), strict=True)
    )
    late = np.array([jitter[d] for d in ordinal])
    always = kind in ("pump", "fan", "compressor") and rng.random() < 0.5
    if always:
        on = np.ones(n, bool)
    else:
        begin, end = rng.choice([5.0, 6.0, 7.0]), rng.choice([14.0, 18.0, 22.0])
        on = (hour >= begin + late) & (hour < end + late) & ~weekend
        if rng.random() < 0.3:  # Saturdays and Sundays too, for fewer hours
            on |= weekend & (hour >= begin + 1 + late) & (hour < begin + 6 + late)
    if kind == "conveyor":
        for pause in (9.0, 12.0):
            on &= ~((hour >= pause + late / 3) & (hour < pause + 0.4 + late / 3))
    if kind == "mixer":
        on &= _batches(rng, n)[0] > 0
    return on


def _batches(rng: Rng, n: int) -> tuple[Float64, Float64]:
    """Return the share of a batch that is done, 0 between batches."""
    done, at = np.zeros(n), 0
    lasts, rests = rng.uniform(25, 60), rng.uniform(10, 40)
    while at < n:
        m = int(lasts * rng.uniform(0.85, 1.2))
        done[at : at + m] = np.linspace(0.01, 1, m)[: max(0, n - at)]
        at += m + max(3, int(rests * rng.uniform(0.6, 1.6)))
    return done, done


def _pump(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    load = rng.uniform(0.5, 0.85) * (
        1 + rng.uniform(0, 0.1) * np.sin(2 * np.pi * hour / 24 + rng.uniform(0, 6))
    )
    load *= np.where(weekend, rng.uniform(0.9, 1.0), 1.0) * (
        1 + rng.uniform(0.01, 0.04) * _red(rng, n, 40)
    )
    return np.full(n, 50.0) + 0.02 * _red(rng, n, 10), load


def _fan(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    day = 8 * np.sin(np.pi * np.clip((hour - 6) / 14, 0, 1))
    hz = rng.uniform(30, 38) + day * ~weekend + rng.uniform(0.3, 2.0) * _red(rng, n, 120)
    hz = np.round(np.clip(hz, 20, 50) * 2) / 2
    load = (
        rng.uniform(0.6, 0.95) * (hz / 50) ** 3 * (1 + rng.uniform(0.01, 0.03) * _red(rng, n, 60))
    )
    return hz, load


def _conveyor(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    feed = 1 + rng.uniform(0.03, 0.25) * _red(rng, n, rng.uniform(3, 30))
    load = rng.uniform(0.15, 0.3) + rng.uniform(0.25, 0.45) * np.clip(feed, 0, 2)
    return np.full(n, 50.0), load


def _compressor(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    demand = rng.uniform(0.4, 0.8) * (1 + 0.3 * np.sin(2 * np.pi * (hour - 9) / 24))
    demand = np.clip(demand * np.where(weekend, 0.5, 1) * (1 + 0.1 * _red(rng, n, 30)), 0.05, 1)
    period = rng.uniform(1.5, 15)
    phase = np.cumsum(np.full(n, 1 / period) * rng.uniform(0.8, 1.2, n)) % 1
    loaded = (phase < demand).astype(float)
    if period < 4:  # several cycles a minute or so: the mean of a minute follows the demand
        loaded = demand
    load = rng.uniform(0.75, 0.95) * (0.35 + 0.65 * loaded) * (1 + 0.01 * _red(rng, n, 60))
    return np.full(n, 50.0), load


def _mixer(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    begun = np.concatenate([[False], running[1:] & ~running[:-1]])
    since = np.arange(n) - np.maximum.accumulate(np.where(begun, np.arange(n), 0))
    batch = np.cumsum(begun)
    of_batch = rng.normal(1, rng.uniform(0.02, 0.08), batch.max() + 1)[batch]
    thick = rng.uniform(0.0, 0.5) * np.exp(-since / 15)
    load = rng.uniform(0.4, 0.7) * of_batch * (1 + thick) * (1 + 0.02 * _red(rng, n, 10))
    return np.full(n, 50.0), load


def _drive(
    rng: Rng, hour: Float64, weekend: Bool, running: Bool, driven: bool
) -> tuple[Float64, Float64]:
    n = len(hour)
    speeds = rng.choice(
        [25.0, 30.0, 35.0, 40.0, 45.0, 50.0], int(rng.integers(1, 4)), replace=False
    )
    chosen = np.repeat(rng.integers(0, len(speeds), n // 45 + 1), 45)[:n]
    hz = speeds[chosen] if driven else np.full(n, 50.0)
    noise = 1 + rng.uniform(0.01, 0.06) * _red(rng, n, rng.uniform(5, 60))
    return hz, rng.uniform(0.4, 0.8) * hz / 50 * noise


_DRAWN = {
    "pump": _pump,
    "fan": _fan,
    "conveyor": _conveyor,
    "compressor": _compressor,
    "mixer": _mixer,
    "drive": _drive,
}
