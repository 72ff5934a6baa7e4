"""The book of all alarms: the effects of alerts and actions, and the alarms that it forgets."""

from dataclasses import replace
from typing import Any

import pytest

from vtox.motor.alarms import book as book_module
from vtox.motor.alarms.book import FINISHED_KEPT_MS, Action, Book, replay
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.life import Suspension
from vtox.motor.errors import AlarmRefused

FIRST = Alert(
    id="M1:bearing:1000",
    machine_id="M1",
    fault="bearing",
    level="warning",
    event="raised",
    t=1.0,
    code="impacts",
)
SECOND = replace(FIRST, id="M1:bearing:9000", t=9.0)
OTHER = replace(FIRST, id="M1:broken_bar:1000", fault="broken_bar")
UNTIL = 50_000


def action(name: Any, ms: int, alert: Alert = FIRST, **more: Any) -> Action:
    machine = name in ("take_out_of_service", "return_to_service")
    about = {} if machine else {"alarm_id": alert.id, "fault": alert.fault}
    return Action(name=name, machine_id="M1", ms=ms, by="Ada", **{**about, **more})


def raised(*alerts: Alert, at_ms: int = 1500) -> Book:
    book = Book()
    for alert in alerts or (FIRST,):
        book.note_alert(alert, at_ms)
    return book


def states_of(book: Book, now_ms: int = 10_000) -> dict[str, str]:
    return {a.id: a.state for a in book.at(now_ms).alarms.values()}


def test_a_shelving_holds_for_the_next_alarm_of_that_fault_alone() -> None:
    book = raised(FIRST, OTHER)
    book.act(action("shelve", 2000, until_ms=UNTIL))
    book.note_alert(replace(FIRST, event="cleared"), 3000)
    book.note_alert(SECOND, 9000)
    assert states_of(book) == {FIRST.id: "normal", SECOND.id: "shelved", OTHER.id: "unacknowledged"}
    assert states_of(book, UNTIL)[SECOND.id] == "unacknowledged"
    assert book.at(UNTIL).shelved == {}


def test_what_is_shelved_is_unshelved_by_any_alarm_of_that_fault() -> None:
    book = raised()
    book.act(action("shelve", 2000, until_ms=UNTIL))
    book.note_alert(replace(FIRST, event="cleared"), 3000)
    book.note_alert(SECOND, 9000)
    book.act(action("unshelve", 9500))
    assert states_of(book) == {FIRST.id: "normal", SECOND.id: "unacknowledged"}
    for ms in (9600, UNTIL + 1):
        with pytest.raises(AlarmRefused) as caught:
            book.act(action("unshelve", ms))
        assert caught.value.code == "not_shelved"


def test_alarms_of_a_machine_out_of_service_are_not_open() -> None:
    book = raised()
    assert book.act(action("take_out_of_service", 2000, text="repair", request_id="r"))
    book.note_alert(OTHER, 3000)
    assert set(states_of(book).values()) == {"out_of_service"}
    assert not book.act(action("take_out_of_service", 4000, request_id="r")), "sent again"
    with pytest.raises(AlarmRefused, match="by Ada"):
        book.act(action("take_out_of_service", 4000))
    book.note_alert(replace(FIRST, event="cleared"), 5000)
    book.act(action("return_to_service", 6000))
    assert states_of(book) == {FIRST.id: "normal", OTHER.id: "unacknowledged"}
    with pytest.raises(AlarmRefused, match="in service"):
        book.act(action("return_to_service", 7000))


def test_a_refused_action_changes_nothing() -> None:
    book = raised()
    book.act(action("acknowledge", 2000))
    before = book.copy()
    with pytest.raises(AlarmRefused):
        book.act(action("acknowledge", 3000))
    assert book == before


def test_alerts_that_come_twice_count_once_and_unknown_ones_are_ignored() -> None:
    book = raised(FIRST, FIRST)
    book.act(action("acknowledge", 2000))
    book.note_alert(FIRST, 2500)
    book.note_alert(replace(OTHER, event="cleared"), 2600)
    assert states_of(book) == {FIRST.id: "acknowledged"}


def test_a_new_alarm_of_a_fault_ends_the_one_whose_end_was_missed() -> None:
    book = raised()
    book.note_alert(SECOND, 9000)
    assert states_of(book) == {FIRST.id: "returned_unacknowledged", SECOND.id: "unacknowledged"}


@pytest.mark.parametrize("code", ["machine_retired", "machine_forgotten"])
def test_nothing_is_left_of_a_machine_that_is_gone(code: str) -> None:
    book = raised(FIRST, OTHER, replace(FIRST, id="M2:bearing:1000", machine_id="M2"))
    book.act(action("shelve", 2000, until_ms=UNTIL))
    book.act(action("take_out_of_service", 2000))
    book.note_alert(replace(FIRST, event="cleared", code=code), 3000)
    assert states_of(book) == {"M2:bearing:1000": "unacknowledged"}
    assert (book.shelved, book.out_of_service) == ({}, {})


def test_what_ended_long_ago_is_forgotten_and_what_is_active_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = raised(FIRST, OTHER)
    book.note_alert(replace(FIRST, event="cleared"), 3000)
    book.forget_finished(FINISHED_KEPT_MS)
    assert set(book.alarms) == {FIRST.id, OTHER.id}
    book.forget_finished(FINISHED_KEPT_MS + 3001)
    assert set(book.alarms) == {OTHER.id}
    many = raised(FIRST)
    many.note_alert(SECOND, 9000)
    many.note_alert(replace(SECOND, event="cleared"), 9500)
    monkeypatch.setattr(book_module, "FINISHED_AT_MOST", 1)
    many.forget_finished(10_000)
    assert set(many.alarms) == {SECOND.id}, "the one that ended first is forgotten first"


def test_replaying_what_was_written_leads_to_the_same_book() -> None:
    alerts = [(1500, FIRST), (1500, OTHER), (4000, replace(FIRST, event="cleared"))]
    actions = [
        action("acknowledge", 2000),
        action("shelve", 2500, OTHER, until_ms=UNTIL),
        action("close", 5000, outcome="confirmed", text="race is pitted"),
        action("close", 6000, outcome="false_alarm"),
        action("comment", 7000, SECOND, text="of an alarm whose alert is not known"),
    ]
    book = replay(alerts, reversed(actions))
    alarm = book.alarms[FIRST.id]
    assert (alarm.state, alarm.outcome, alarm.closed_by) == ("normal", "confirmed", "Ada")
    assert book.alarms[OTHER.id].state == "shelved"
    assert book.shelved == {
        ("M1", "broken_bar"): Suspension(ms=2500, by="Ada", until_ms=UNTIL, alarm_id=OTHER.id)
    }
