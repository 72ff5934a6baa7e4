"""Conditions outside a profile: what is learnt, what alarms, and what never does."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from vtox.motor.alarms.profile.advance import accept, advance, no_profile
from vtox.motor.alarms.profile.minutes import RecordFigures, gather
from vtox.motor.alarms.profile.picture import picture
from vtox.motor.alarms.profile.values import (
    DAY_MIN,
    MOST_BYTES,
    Minute,
    Profile,
    Site,
    decode_profile,
    encode_profile,
)
from vtox.motor.values.energy import MeterCounts
from vtox.motor.values.work_hours import work_quarters

BERLIN = ZoneInfo("Europe/Berlin")
SITE = Site(BERLIN, supply_hz=50.0)
# A Monday, two weeks before the clocks of Berlin change.
MONDAY = round(datetime(2025, 10, 6, tzinfo=BERLIN).timestamp() / 60)
WEEK = 7 * DAY_MIN
LEARNT = MONDAY + 2 * WEEK


def running(minute: int, watts: float = 10_000.0, **changes: object) -> Minute:
    """A minute of a motor that runs."""
    known = Minute(minute, 60.0, 60.0, watts, watts / 500, 50.0, 0.0, 400.0, 0.005, 0.01)
    return known._replace(**changes)  # type: ignore[arg-type]


def resting(minute: int) -> Minute:
    return Minute(minute, 60.0, 0.0)


def shift(minute: int, watts: float = 10_000.0) -> Minute:
    """A minute of a machine that runs from 6 to 18 h on working days."""
    local = datetime.fromtimestamp(60 * minute, BERLIN)
    works = local.weekday() < 5 and 6 <= local.hour < 18
    return running(minute, watts) if works else resting(minute)


def advance_all(p: Profile, minutes: Iterable[Minute], site: Site = SITE) -> list[tuple[str, bool]]:
    return [(c.condition, c.on) for m in minutes for c in advance(p, m, site)]


@cache
def learnt() -> bytes:
    """A kept profile of two weeks of shifts."""
    p = Profile()
    assert advance_all(p, map(shift, range(MONDAY, LEARNT))) == []
    return encode_profile(p)


@pytest.fixture
def profile() -> Profile:
    """A profile of two weeks of shifts."""
    return decode_profile(learnt())


def at(day: int, hour: int, minute: int = 0) -> int:
    """A minute after the profile is learnt, day 0 being a Monday."""
    return LEARNT + day * DAY_MIN + 60 * hour + minute


def test_usual_weeks_do_not_alarm(profile: Profile) -> None:
    """The clocks change on the first of these Sundays, and a holiday is in the second week."""
    holiday = range(at(9, 0), at(10, 0))
    minutes = (resting(k) if k in holiday else shift(k) for k in range(LEARNT, LEARNT + 2 * WEEK))
    assert advance_all(profile, minutes) == []
    assert no_profile(profile, driven=False) is None


@pytest.mark.parametrize(("factor", "condition"), [(0.7, "load_low"), (1.25, "load_high")])
def test_a_load_that_is_off_is_found_within_ten_minutes(
    profile: Profile, factor: float, condition: str
) -> None:
    advance_all(profile, map(shift, range(LEARNT, at(0, 10))))
    off = [running(k, 10_000 * factor) for k in range(at(0, 10), at(0, 10, 10))]
    assert advance_all(profile, off) == [(condition, True)]


def test_a_torn_belt_does_not_become_normal(profile: Profile) -> None:
    week = (shift(k, 6_000) for k in range(LEARNT, LEARNT + WEEK))
    assert advance_all(profile, week) == [("load_low", True)]
    again = (shift(k, 6_000) for k in range(LEARNT + WEEK, LEARNT + 2 * WEEK))
    assert advance_all(profile, again) == []
    assert list(profile.open) == ["load_low"]


def test_a_level_that_a_person_calls_normal_is_learnt(profile: Profile) -> None:
    advance_all(profile, (shift(k, 6_000) for k in range(LEARNT, at(0, 10))))
    (ended,) = accept(profile, "load_low", at(0, 10))
    assert (ended.condition, ended.on, ended.reasons[0].code) == (
        "load_low",
        False,
        "profile_accepted",
    )
    later = (shift(k, 6_000) for k in range(at(0, 10), LEARNT + 4 * WEEK))
    assert advance_all(profile, later) == []
    for watts, condition in ((4_000, "load_low"), (8_000, "load_high")):
        day = range(LEARNT + 4 * WEEK, LEARNT + 4 * WEEK + 12 * 60)
        p = decode_profile(encode_profile(profile))
        assert advance_all(p, (shift(k, watts) for k in day)) == [(condition, True)]


def test_the_first_minutes_of_a_run_are_not_compared(profile: Profile) -> None:
    advance_all(profile, map(shift, range(LEARNT, at(0, 6))))
    assert advance_all(profile, (running(k, 30_000) for k in range(at(0, 6), at(0, 6, 4)))) == []
    assert advance_all(profile, map(shift, range(at(0, 6, 4), at(0, 12)))) == []


def test_a_run_on_a_sunday_is_said_once(profile: Profile) -> None:
    advance_all(profile, map(shift, range(LEARNT, at(6, 9))))
    sunday = [running(k) for k in range(at(6, 9), at(6, 15))]
    assert advance_all(profile, sunday) == [("runs_unusually", True)]


def test_stated_starts_win_over_learnt_ones(profile: Profile) -> None:
    stated = replace(SITE, starts_per_hour=2.0)
    advance_all(profile, map(shift, range(LEARNT, at(0, 9))))
    kept = encode_profile(profile)
    minutes = [running(at(0, 9, 5 * k), starts=1) for k in range(3)]
    assert advance_all(decode_profile(kept), minutes) == []
    assert advance_all(decode_profile(kept), minutes, stated) == [("starts_often", True)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"volts": 360.0}, "supply_voltage_outside"),
        ({"voltage_unbalance": 0.05}, "supply_unbalance_above"),
        ({"hz": 48.5}, "supply_frequency_outside"),
        ({"current_unbalance": 0.97}, "single_phase"),
    ],
)
def test_a_supply_outside_its_limits_is_named(
    profile: Profile, changes: dict[str, float], code: str
) -> None:
    advance_all(profile, map(shift, range(LEARNT, at(0, 9))))
    minutes = [running(k, **changes) for k in range(at(0, 9), at(0, 9, 10))]
    (change,) = [c for m in minutes for c in advance(profile, m, SITE)]
    assert (change.condition, change.reasons[1].code) == ("supply_off", code)


def test_one_clamp_is_no_open_phase() -> None:
    p = Profile()
    minutes = (running(k, current_unbalance=1.0) for k in range(MONDAY, LEARNT + 60))
    assert advance_all(p, minutes) == []


def test_a_load_without_a_cycle_has_no_profile() -> None:
    p = Profile()
    advance_all(p, (running(k, 5_000.0 + 400 * (k // 40 % 40)) for k in range(MONDAY, LEARNT + 5)))
    why = no_profile(p, driven=False)
    assert why is not None
    assert why.code == "profile_load_varies"
    assert advance_all(p, (running(k, 60_000) for k in range(LEARNT + 5, LEARNT + 60))) == []


def test_a_minute_counts_once(profile: Profile) -> None:
    before = encode_profile(profile)
    assert advance_all(profile, map(shift, range(MONDAY, LEARNT))) == []
    assert encode_profile(profile) == before


def test_the_profile_of_a_drive_is_small() -> None:
    p, site = Profile(), Site(BERLIN, driven=True)
    speeds = [20.0 + 0.5 * (k * 7 % 61) for k in range(MONDAY, LEARNT + DAY_MIN)]
    minutes = zip(range(MONDAY, LEARNT + DAY_MIN), speeds, strict=True)
    advance_all(p, (running(k, 20 * hz * hz * (1 + k % 11 / 50), hz=hz) for k, hz in minutes), site)
    assert len(encode_profile(p)) < MOST_BYTES
    assert picture(p, site).hours[0].low is not None


def test_records_of_a_minute_are_its_means() -> None:
    p = Profile()
    figures = RecordFigures(0, MeterCounts(), (50.0, 20.0, 400.0, 0.01, 0.02))
    for k in range(60):
        for _ in range(2):  # again, which changes nothing
            counts = MeterCounts(1000, 1000, 1000, 0, 9_000 + 2_000 * (k % 2))
            assert gather(p, figures._replace(t_ms=60_000 + 1000 * k, counts=counts)) is None
    minute = gather(p, figures._replace(t_ms=120_000))
    assert minute is not None
    assert (minute.minute, minute.observed_s, minute.power_w) == (1, 60.0, 10_000.0)
    assert minute.current_a == pytest.approx(20.0)
    assert minute.volts == pytest.approx(400.0)


def test_stated_hours_win_over_learnt_ones(profile: Profile) -> None:
    stated = replace(SITE, work_hours=work_quarters("Mon-Fri 08:00-18:00; Sat 09:00-12:00"))
    monday = [*map(shift, range(LEARNT, at(0, 7)))]
    assert advance_all(profile, monday, stated) == [("runs_unusually", True)]
    week = [*map(shift, range(at(0, 7), at(5, 9))), *map(running, range(at(5, 9), at(5, 12)))]
    assert advance_all(profile, week, stated)[-1] == ("runs_unusually", False)


def test_a_stated_voltage_wins_over_learnt_ones(profile: Profile) -> None:
    stated = replace(SITE, supply_v=380.0, supply_v_tolerance=0.04)
    advance_all(profile, map(shift, range(LEARNT, at(0, 6))))
    assert advance_all(profile, map(shift, range(at(0, 6), at(0, 7))), stated) == [
        ("supply_off", True)
    ]


def shifts_in(zone: ZoneInfo, begin: int, days: int, weekend: float = 0.0) -> list[Minute]:
    """Minutes of 6 to 18 h on working days, and on weekend days at a share of the load."""
    out = []
    for k in range(begin, begin + days * DAY_MIN):
        local = datetime.fromtimestamp(60 * k, zone)
        share = weekend if local.weekday() >= 5 else 1.0
        works = share and 6 <= local.hour < 18
        out.append(running(k, 10_000 * share) if works else resting(k))
    return out


def test_the_spring_change_of_the_clocks_does_not_alarm() -> None:
    begin = round(datetime(2025, 3, 10, tzinfo=BERLIN).timestamp() / 60)
    p = Profile()
    assert advance_all(p, shifts_in(BERLIN, begin, 28)) == []
    assert p.learnt


def test_hours_are_those_of_the_site() -> None:
    """The machine runs by day in New York, which is the evening of Berlin."""
    zone = ZoneInfo("America/New_York")
    begin = round(datetime(2025, 6, 2, tzinfo=zone).timestamp() / 60)
    p, site = Profile(), replace(SITE, zone=zone)
    assert advance_all(p, shifts_in(zone, begin, 14), site) == []
    night = range(begin + 14 * DAY_MIN + 60, begin + 14 * DAY_MIN + 90)
    (change,) = [c for k in night for c in advance(p, running(k), site)]
    assert (change.condition, change.reasons[1].values["clock"]) == ("runs_unusually", "01:15")


@pytest.mark.parametrize(("share", "alarms"), [(0.7, []), (0.4, [("load_low", True)])])
def test_a_holiday_may_have_the_load_of_a_weekend(
    share: float, alarms: list[tuple[str, bool]]
) -> None:
    p = Profile()
    advance_all(p, shifts_in(BERLIN, MONDAY, 14, weekend=0.7))
    day = range(LEARNT, LEARNT + 12 * 60)
    assert advance_all(p, (shift(k, 10_000 * share) for k in day)) == alarms


def test_a_ramp_is_not_compared() -> None:
    site = Site(BERLIN, driven=True)
    p = Profile()
    advance_all(p, map(shift, range(MONDAY, LEARNT + 600)), site)
    ramp = [running(LEARNT + 600 + k, 20_000, hz_spread=0.05) for k in range(30)]
    assert advance_all(decode_profile(encode_profile(p)), ramp, site) == []
    steady = [m._replace(hz_spread=0.0) for m in ramp]
    assert advance_all(p, steady, site) == [("load_high", True)]


def test_no_profile_says_its_reason(profile: Profile) -> None:
    early, without = Profile(), Profile()
    advance_all(early, map(shift, range(MONDAY, MONDAY + 3 * DAY_MIN)))
    unmeasured = [shift(k)._replace(power_w=None, current_a=None) for k in range(MONDAY, LEARNT)]
    advance_all(without, [*unmeasured, resting(LEARNT)])
    advance_all(profile, [resting(LEARNT)])
    found = [no_profile(p, driven=False) for p in (early, without, profile)]
    codes = [why.code if why else None for why in found]
    assert codes == ["profile_learning", "profile_without_load", None]
