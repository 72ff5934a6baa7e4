"""Whether an alarm grows: a robust slope with an interval that holds."""

import numpy as np
import pytest
from scipy.stats import theilslopes

from vtox.motor.alarms.health.growth import (
    DAY_S,
    LEAST_LEVELS,
    Growth,
    growth,
    held,
    slope_with_interval,
)

HOURS = np.arange(48) * 3600.0


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(25)


def of(levels: np.ndarray) -> Growth:
    t = HOURS[: len(levels)]
    return growth(12 * 3600.0, t.tolist(), levels.tolist(), "BPFO", "dBc")


def noisy(rng: np.random.Generator, slope_db: float = 0.0, r: float = 0.0) -> np.ndarray:
    """Levels that move by so many dB a day, in noise of 1 dB whose neighbours correlate."""
    noise = rng.normal(size=HOURS.size)
    for k in range(1, HOURS.size):
        noise[k] = r * noise[k - 1] + np.sqrt(1 - r**2) * noise[k]
    return -44.7 + slope_db * HOURS / DAY_S + noise


def test_the_slope_is_that_of_scipy_and_the_interval_no_narrower(rng: np.random.Generator) -> None:
    x, y = HOURS / DAY_S, noisy(rng, 3.0)
    slope, low, high = slope_with_interval(x, y)
    expected = theilslopes(y, x)
    assert slope == pytest.approx(expected.slope)
    assert low <= expected.low_slope + 0.1
    assert high >= expected.high_slope - 0.1


def test_then_now_and_slope_of_a_fault_that_grows(rng: np.random.Generator) -> None:
    levels = noisy(rng, 3.25)
    levels[20:24] += 30.0
    g = of(levels)
    assert (g.course, g.why.code) == ("rising", "growth_rising")
    assert g.then_db == pytest.approx(-44.7 + 1.6, abs=1.5)
    assert g.now_db == pytest.approx(-44.7 + 6.4, abs=1.5)
    assert g.slope_db == pytest.approx(3.25, abs=0.8), "not moved by records that lie far off"


@pytest.mark.parametrize("r", [0.0, 0.5, 0.8])
def test_what_does_not_grow_is_rarely_said_to(rng: np.random.Generator, r: float) -> None:
    courses = [of(noisy(rng, r=r)).course for _ in range(200)]
    assert courses.count("unchanged") >= 200 * (0.92 if r < 0.8 else 0.85)


def test_what_is_constant_is_unchanged() -> None:
    assert of(np.full(20, -40.0)).course == "unchanged"
    assert of(np.linspace(-40, -50, 30)).course == "falling"


@pytest.mark.parametrize("n", [0, 1, LEAST_LEVELS - 1])
def test_few_levels_give_no_number(n: int) -> None:
    g = of(np.linspace(-44.7, -38.2, n))
    assert (g.course, g.why.code, g.why.values["levels"]) == ("unknown", "growth_unknown", n)
    assert (g.then_db, g.now_db, g.slope_db) == (None, None, None)


def test_many_levels_of_an_hour_give_no_number() -> None:
    t = (np.arange(60) * 60.0).tolist()
    assert growth(0.0, t, t).course == "unknown"


def test_levels_of_two_weeks_have_a_slope_a_week(rng: np.random.Generator) -> None:
    t = np.arange(60) * DAY_S / 2
    levels = -44.7 + 0.05 * t / DAY_S + 0.1 * rng.normal(size=t.size)
    g = growth(0.0, t.tolist(), levels.tolist(), "BPFO", "dBc")
    assert (g.course, g.per, g.why.values["ago_d"]) == ("rising", "week", 29.5)
    assert g.slope_db == pytest.approx(0.35, abs=0.05)


@pytest.mark.parametrize(
    ("lasted_s", "said"),
    [
        (-5.0, (0, "minutes")),
        (70.0, (1, "minute")),
        (7000.0, (116, "minutes")),
        (7200.0, (2, "hours")),
        (2 * DAY_S, (2, "days")),
    ],
)
def test_a_length_of_time_has_the_unit_of_which_there_are_two(
    lasted_s: float, said: tuple[int, str]
) -> None:
    values = held("no_alert_held", 1000.0, 1000.0 + lasted_s).values
    assert (values["held"], values["held_unit"]) == said
