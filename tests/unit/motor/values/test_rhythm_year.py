"""A simulated year of bursts, pauses and clock steps: silence is hardly ever false, and found."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from vtox.motor.values.rhythm import Arrivals, Rhythm

SILENCE_AFTER_S, DAY_S, DAYS = 30.0, 86_400.0, 365
PAUSES_S = (900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0)
GAPS_S = (1.0, 5.0, 12.0, 25.0, 45.0, 90.0, 150.0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reading, by the server's and by the sender's clock, and the gap before it."""

    t: float
    t0: float
    gap_s: float
    after_outage: bool


def year(rng: np.random.Generator, pause_s: float, gap_s: float) -> Iterator[Arrival]:
    """Yield the readings of a sender: bursts of 3 to 20, now and then an outage or a clock step.

    Outages last 4 to 12 pauses, after every 20 days in the mean. The sender's clock steps by up to
    a day, the server's by up to five minutes, each every 30 days in the mean.
    """
    t, server_s, sender_s = 1e6, 0.0, 0.0
    end_t = t + DAYS * DAY_S
    while t < end_t:
        for _ in range(int(rng.integers(3, 21))):
            gap = gap_s * rng.uniform(0.7, 1.3)
            t += gap
            yield Arrival(t + server_s, t + sender_s, gap, after_outage=False)
        whole = pause_s * rng.uniform(0.7, 1.3)
        outage = rng.uniform() < whole / (20 * DAY_S)
        if outage:
            whole = pause_s * rng.uniform(4, 12) + 20 * gap_s
        before_s = server_s
        if rng.uniform() < whole / (30 * DAY_S):
            server_s += rng.uniform(-300, 300)
        if rng.uniform() < whole / (30 * DAY_S):
            sender_s += rng.uniform(-DAY_S, DAY_S)
        t += whole
        yield Arrival(t + server_s, t + sender_s, whole + server_s - before_s, outage)


def count(arrivals_of: Iterator[Arrival]) -> tuple[int, int, int]:
    """Return false silences, outages, and those of them that were silences, after the first day."""
    arrivals = Arrivals(Rhythm())
    false = outages = found = 0
    for a in arrivals_of:
        silent = a.gap_s > arrivals.rhythm.interval.limit_s(SILENCE_AFTER_S)
        false += silent and not a.after_outage
        outages += a.after_outage
        found += silent and a.after_outage
        arrivals.add(a.t, a.t0, SILENCE_AFTER_S)
    return false, outages, found


@pytest.mark.long
def test_a_year_of_bursts_has_hardly_a_false_silence() -> None:
    rng = np.random.default_rng(44)
    total = np.zeros(3, int)
    for pause_s in PAUSES_S:
        for gap_s in GAPS_S:
            total += count(year(rng, pause_s, gap_s))
    false, outages, found = total.tolist()
    machine_days = len(PAUSES_S) * len(GAPS_S) * DAYS
    print(f"{false} false in {machine_days} machine-days, {found} of {outages} outages found")
    assert false <= machine_days / 1000
    assert found >= 0.95 * outages
    assert outages > 500


@pytest.mark.parametrize("every_s", [900.0, 3600.0, 8 * 3600.0, DAY_S])
def test_single_readings_are_learned_and_kept(every_s: float) -> None:
    rng = np.random.default_rng(4)
    arrivals = Arrivals(Rhythm())
    for n in range(400):
        t = 1e6 + n * every_s + rng.uniform(-0.05, 0.05) * every_s
        arrivals.add(t, t, SILENCE_AFTER_S)
    assert arrivals.rhythm.every_s == pytest.approx(every_s, rel=0.15)
