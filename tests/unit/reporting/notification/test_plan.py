"""Recipients and times of events: matching, quiet hours, digests, changes of clocks."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vtox.motor.alarms.life import Alarm, AlarmChange, apply
from vtox.pipeline.store.machines.fleet import Place
from vtox.reporting.notification.events import AlarmEvent
from vtox.reporting.notification.plan import (
    ENDS_TOGETHER_MS,
    Schedule,
    SecondNotice,
    gather_ends,
    is_answered,
    matches,
    plans,
    second_notices,
)
from vtox.reporting.notification.rules import NotificationRule, Rules

BERLIN = ZoneInfo("Europe/Berlin")
EVENT = AlarmEvent(
    id="vtox_alert_1_0",
    ms=1,
    name="raised",
    alarm_id="M1:bearing:1",
    machine_id="M1",
    fault="bearing",
    level="warning",
    t=1.0,
    place=Place(site="Hall 2", asset_path="Crushing/Line 2/Conveyor 4"),
)
SYSTEM = AlarmEvent(
    id="x",
    ms=1,
    name="raised",
    alarm_id=":memory:1",
    machine_id="",
    fault="memory",
    level="fault",
    t=1.0,
)


def ms(text: str, zone: ZoneInfo = BERLIN) -> int:
    return round(1000 * datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def rules(*given: dict[str, Any], zone: str = "Europe/Berlin") -> Rules:
    hook = {"kind": "webhook", "url": "https://a.example/", "secret_env": "S"}
    full = [{"targets": ["a"]} | r for r in given]
    return Rules.model_validate({"targets": {"a": hook, "b": hook}, "rules": full, "zone": zone})


@pytest.mark.parametrize(
    ("rule", "of_machine", "of_system"),
    [
        ({}, True, True),
        ({"machines": ["M1"]}, True, False),
        ({"machines": ["m1"]}, False, False),
        ({"machines": ["X", "M*"]}, True, False),
        ({"machines": ["*"]}, True, False),
        ({"sites": ["Hall 2"]}, True, False),
        ({"sites": ["Hall 1"]}, False, False),
        ({"assets": ["Crushing"]}, True, False),
        ({"assets": ["Crushing/Line 2/Conveyor 4"]}, True, False),
        ({"assets": ["Crushing/*/Conveyor 4/"]}, True, False),
        ({"assets": ["Crush"]}, False, False),
        ({"assets": ["Crushing/Line 2/Conveyor 4/Motor"]}, False, False),
        ({"faults": ["bearing", "broken_bar"]}, True, False),
        ({"faults": ["memory"]}, False, True),
        ({"levels": ["fault"]}, False, True),
        ({"events": ["cleared"]}, False, False),
        ({"machines": ["M1"], "levels": ["fault"]}, False, False),
    ],
)
def test_a_rule_is_about_what_it_names(
    rule: dict[str, Any], of_machine: bool, of_system: bool
) -> None:
    parsed = NotificationRule.model_validate({"targets": ["a"]} | rule)
    assert (matches(parsed, EVENT), matches(parsed, SYSTEM)) == (of_machine, of_system)


def due(now: str, *given: dict[str, Any]) -> int | None:
    found = plans(rules(*given), EVENT, ms(now), suspended=False).get("a")
    return found and found.due_ms


NIGHT = {"quiet": {"from": "22:00", "to": "06:00"}}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-26T21:59", "2026-11-26T21:59"),
        ("2026-11-26T22:00", "2026-11-27T06:00"),
        ("2026-11-27T05:59", "2026-11-27T06:00"),
        ("2026-11-27T06:00", "2026-11-27T06:00"),
        # Clocks go forward at 2 and back at 3: the end is at 6 all the same.
        ("2026-03-29T01:30", "2026-03-29T06:00"),
        ("2026-10-25T02:30", "2026-10-25T06:00"),
    ],
)
def test_in_quiet_hours_it_waits_for_their_end(now: str, expected: str) -> None:
    assert due(now, NIGHT) == ms(expected)


def test_quiet_hours_are_of_the_days_on_which_they_begin() -> None:
    # 2026-11-28 is a Saturday.
    weekend = {"quiet": {"from": "20:00", "to": "08:00", "days": ["sat"]}}
    assert due("2026-11-28T07:00", weekend) == ms("2026-11-28T07:00")
    assert due("2026-11-29T07:00", weekend) == ms("2026-11-29T08:00")
    assert due("2026-11-29T21:00", weekend) == ms("2026-11-29T21:00")
    at_noon = {"quiet": {"from": "12:00", "to": "13:00"}}
    assert due("2026-11-29T12:30", at_noon) == ms("2026-11-29T13:00")


def test_a_rule_may_have_a_zone_of_its_own() -> None:
    shanghai = {**NIGHT, "zone": "Asia/Shanghai"}
    # 16:00 in Berlin is 23:00 in Shanghai.
    assert due("2026-11-26T16:00", shanghai) == ms("2026-11-26T23:00")


def test_a_digest_is_at_its_time_each_day() -> None:
    digest = {"digest": "07:00"}
    assert due("2026-11-26T06:59", digest) == ms("2026-11-26T07:00")
    assert due("2026-11-26T07:00", digest) == ms("2026-11-27T07:00")
    # The night on which clocks skip from 2 to 3.
    assert due("2026-03-28T12:00", {"digest": "02:30"}) == ms("2026-03-29T03:30")


def test_of_several_rules_the_one_that_sends_first_decides() -> None:
    now = "2026-11-26T23:00"
    assert due(now, {"digest": "23:30"}, NIGHT) == ms("2026-11-26T23:30")
    assert due(now, NIGHT, {}) == ms(now)
    both = plans(rules({"targets": ["a", "b"], **NIGHT}, {}), EVENT, ms(now), suspended=False)
    assert {name: p.due_ms for name, p in both.items()} == {
        "a": ms(now),
        "b": ms("2026-11-27T06:00"),
    }


def test_a_suspended_alarm_waits_unless_a_rule_wants_it() -> None:
    assert plans(rules({}), EVENT, 5, suspended=True) == {"a": Schedule(5, suspended=True)}
    wanted = rules({}, {"suspended": True})
    assert plans(wanted, EVENT, 5, suspended=True) == {"a": Schedule(5)}


def test_the_end_of_an_alarm_waits_for_others_at_people_alone() -> None:
    mail = {"kind": "apprise", "url_env": "U"}
    hook = {"kind": "webhook", "url": "https://a.example/", "secret_env": "S"}
    both = Rules.model_validate(
        {"targets": {"mail": mail, "hook": hook}, "rules": [{"targets": ["mail", "hook"]}]}
    )
    at_once = {"mail": Schedule(5), "hook": Schedule(5)}
    first = gather_ends(at_once, both, 5, {})
    assert first == at_once | {"mail": Schedule(5 + ENDS_TOGETHER_MS, digest=True)}
    second = gather_ends(at_once, both, 5, {"mail": 900, "hook": 900})
    assert second == at_once | {"mail": Schedule(900, digest=True)}
    later = {"mail": Schedule(6), "hook": Schedule(5)}
    assert gather_ends(later, both, 5, {}) == later


ALARM = Alarm(
    id="M1:bearing:1",
    machine_id="M1",
    fault="bearing",
    level="warning",
    t=1.0,
    raised_ms=1,
    since_ms=1,
)


def test_a_second_notice_is_due_after_the_time_of_its_level() -> None:
    wanted = rules(
        {"unacknowledged_min": {"warning": 60, "fault": 5}},
        {"unacknowledged_min": {"warning": 30}, "targets": ["a", "b"]},
        {"unacknowledged_min": {"warning": 1}, "machines": ["other"]},
    )
    half_an_hour = SecondNotice(1 + 1_800_000, 30)
    assert second_notices(wanted, EVENT) == {"a": half_an_hour, "b": half_an_hour}
    assert second_notices(wanted, replace(EVENT, level="fault")) == {"a": (300_001, 5)}
    assert second_notices(wanted, replace(EVENT, name="cleared")) == {}
    assert plans(wanted, EVENT, 1, suspended=False) == {}


@pytest.mark.parametrize(
    ("names", "answered"),
    [
        ([], False),
        (["commented"], False),
        (["shelved"], False),
        (["acknowledged"], True),
        (["acknowledged", "shelved", "unshelved"], False),
        (["closed"], True),
        (["cleared"], True),
        (["worsened"], True),
    ],
)
def test_who_sees_to_an_alarm_answers_its_notice(names: list[Any], answered: bool) -> None:
    alarm = ALARM
    for name in names:
        alarm = apply(alarm, AlarmChange(name=name, ms=5, level="fault", outcome="confirmed"))
    assert is_answered(alarm, "warning") is answered


def test_an_alarm_that_is_gone_needs_no_second_notice() -> None:
    assert is_answered(None, "warning")
