"""The state of one alarm after each event, and invariants after any events."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtox.motor.alarms.life import (
    OPEN_STATES,
    OUTCOMES,
    STATES,
    SUSPENSIONS,
    Alarm,
    AlarmChange,
    apply,
    at,
)
from vtox.motor.alarms.work_orders import WORK_ORDERS_AT_MOST, WorkOrder
from vtox.motor.errors import AlarmRefused
from vtox.motor.values.domain import reason

RAISED = Alarm(
    id="M1:bearing:1000",
    machine_id="M1",
    fault="bearing",
    level="warning",
    t=1.0,
    raised_ms=1000,
    since_ms=1000,
)
DOUBTS = (reason("no_baseline"),)
FAULT = {"level": "fault", "code": "worse", "reason": "it is worse", "doubts": DOUBTS}


def after(*steps: tuple[str, dict[str, Any]], alarm: Alarm = RAISED) -> Alarm:
    """The alarm after events that come a second after each other."""
    for i, (name, given_fields) in enumerate(steps):
        alarm = apply(alarm, AlarmChange(name=name, ms=2000 + 1000 * i, by="Ada", **given_fields))
    return alarm


ACK, CLEAR, WORSE = ("acknowledged", {}), ("cleared", {}), ("worsened", FAULT)
SHELVE = ("shelved", {"until_ms": 100_000, "text": "spare ordered"})
UNSHELVE = ("unshelved", {})
OUT, IN = ("out_of_service", {"text": "repair"}), ("in_service", {})
ASSIGN = ("assigned", {"text": "Bob"})
CLOSE = ("closed", {"outcome": "confirmed"})


@pytest.mark.parametrize(
    ("steps", "state", "is_open"),
    [
        ((), "unacknowledged", True),
        ((ACK,), "acknowledged", True),
        ((CLEAR,), "returned_unacknowledged", True),
        ((CLEAR, ACK), "normal", False),
        ((ACK, CLEAR), "normal", False),
        ((ACK, WORSE), "unacknowledged", True),
        ((WORSE, ACK), "acknowledged", True),
        ((SHELVE,), "shelved", False),
        ((ACK, SHELVE, UNSHELVE), "unacknowledged", True),
        ((SHELVE, CLEAR), "normal", False),
        ((SHELVE, WORSE), "shelved", False),
        ((SHELVE, WORSE, UNSHELVE), "unacknowledged", True),
        ((OUT,), "out_of_service", False),
        ((SHELVE, OUT), "out_of_service", False),
        ((SHELVE, OUT, IN), "shelved", False),
        ((ACK, OUT, IN), "unacknowledged", True),
        ((OUT, CLEAR, IN), "normal", False),
        ((CLEAR, OUT, IN), "returned_unacknowledged", True),
        ((("suppressed", {}),), "suppressed_by_design", False),
        ((("suppressed", {}), ("unsuppressed", {})), "unacknowledged", True),
        ((CLOSE,), "acknowledged", False),
        ((CLEAR, CLOSE), "normal", False),
        ((SHELVE, CLOSE), "acknowledged", False),
        ((CLOSE, OUT, IN), "acknowledged", False),
        ((CLOSE, WORSE), "unacknowledged", True),
    ],
)
def test_states(steps: tuple[Any, ...], state: str, is_open: bool) -> None:
    alarm = after(*steps)
    assert (alarm.state, alarm.open) == (state, is_open)


@pytest.mark.parametrize(
    ("steps", "refused", "code"),
    [
        ((ACK,), ACK, "already_acknowledged"),
        ((SHELVE, CLEAR), ACK, "already_acknowledged"),
        ((SHELVE,), ACK, "suspended"),
        ((OUT,), ACK, "suspended"),
        ((CLEAR,), SHELVE, "not_active"),
        ((CLOSE,), CLOSE, "already_closed"),
        ((CLOSE,), ACK, "already_closed"),
        ((CLOSE,), SHELVE, "already_closed"),
        ((CLOSE,), ASSIGN, "already_closed"),
        ((ASSIGN,), ASSIGN, "already_assigned"),
    ],
)
def test_refusals(steps: tuple[Any, ...], refused: Any, code: str) -> None:
    with pytest.raises(AlarmRefused) as caught:
        after(refused, alarm=after(*steps))
    assert caught.value.code == code


def test_an_alarm_says_who_and_when() -> None:
    alarm = after(ACK, ("commented", {"text": "heard it"}), CLOSE)
    assert (alarm.acknowledged_by, alarm.acknowledged_ms) == ("Ada", 2000)
    assert (alarm.comments, alarm.last_comment) == (1, "heard it")
    assert (alarm.outcome, alarm.closed_by, alarm.closed_ms) == ("confirmed", "Ada", 4000)
    assert (alarm.since_ms, alarm.since_by) == (2000, "Ada"), "closing did not change the state"


def test_an_alarm_has_an_assignee_until_another_one_or_nobody_is() -> None:
    alarm = after(ASSIGN, ACK, CLEAR)
    assert (alarm.assignee, alarm.state) == ("Bob", "normal")
    assert after(("assigned", {"text": ""}), alarm=alarm).assignee == ""
    assert after(ASSIGN, CLOSE, WORSE).assignee == "Bob", "who was assigned sees to it again"


def test_a_shelving_ends_by_itself_at_its_time() -> None:
    alarm = after(SHELVE)
    assert at(alarm, 99_999).state == "shelved"
    ended = at(alarm, 200_000)
    assert (ended.state, ended.since_ms, ended.since_by) == ("unacknowledged", 100_000, "")


def test_the_reason_is_that_of_the_last_alert() -> None:
    alarm = after(WORSE)
    assert (alarm.level, alarm.code, alarm.reason) == ("fault", "worse", "it is worse")
    assert alarm.doubts == DOUBTS
    assert after(("worsened", {"level": "warning"}), alarm=alarm) == alarm, "no lower level"


def test_a_request_that_is_sent_again_changes_nothing() -> None:
    named = ("acknowledged", {"request_id": "r1", "text": "seen"})
    once = after(named)
    assert after(named, alarm=once) == once
    with pytest.raises(AlarmRefused):
        after(("acknowledged", {"request_id": "r2"}), alarm=once)


NAMES = st.sampled_from(
    "worsened cleared acknowledged commented shelved unshelved suppressed unsuppressed "
    "out_of_service in_service closed".split()
)
EVENTS = st.lists(
    st.builds(
        lambda name, wait, shelved_s, level, outcome: (wait, name, shelved_s, level, outcome),
        NAMES,
        st.integers(0, 5000),
        st.integers(1, 20_000),
        st.sampled_from(["warning", "fault"]),
        st.sampled_from(OUTCOMES),
    ),
    max_size=12,
)


def histories(steps: list[Any]) -> list[tuple[AlarmChange, Alarm | None, Alarm]]:
    """Each event with the alarm before it, and after it: the same alarm if it is refused."""
    alarm, ms, rows = RAISED, RAISED.raised_ms, []
    for wait, name, shelved_ms, level, outcome in steps:
        ms += wait
        until_ms = ms + shelved_ms if name == "shelved" else None
        event = AlarmChange(
            name=name, ms=ms, by="Ada", level=level, until_ms=until_ms, outcome=outcome, text="x"
        )
        before = alarm
        try:
            alarm = apply(before, event)
            rows.append((event, before, alarm))
        except AlarmRefused:
            continue
    return rows


quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@given(EVENTS)
@quick
def test_after_any_events_the_state_is_consistent(steps: list[Any]) -> None:
    for event, _, alarm in histories(steps):
        assert alarm.state in STATES
        assert alarm.active or not alarm.suspensions
        assert not (alarm.open and alarm.outcome)
        assert alarm.open == (alarm.outcome is None and alarm.state in OPEN_STATES)
        assert alarm.since_ms <= event.ms
        if alarm.outcome:
            assert alarm.acknowledged
        for suspension in alarm.suspensions.values():
            assert suspension.until_ms is None or suspension.until_ms > event.ms


@given(EVENTS)
@quick
def test_only_a_worse_level_or_the_end_of_a_suspension_undoes_an_acknowledgement(
    steps: list[Any],
) -> None:
    for event, before, alarm in histories(steps):
        assert before is not None
        if before.acknowledged and not alarm.acknowledged:
            worse = event.name == "worsened" and alarm.level != before.level
            assert worse or before.suspensions


@given(EVENTS)
@quick
def test_an_alert_is_never_refused_and_no_alarm_comes_back_by_itself(steps: list[Any]) -> None:
    for event, before, alarm in histories(steps):
        assert before is not None
        assert before.active or not alarm.active
        for name in ("worsened", "cleared"):
            apply(alarm, AlarmChange(name=name, ms=event.ms, level="fault"))


@given(EVENTS, st.integers(0, 30_000))
@quick
def test_looking_at_an_alarm_does_not_change_what_becomes_of_it(
    steps: list[Any], later_ms: int
) -> None:
    for event, _, alarm in histories(steps):
        clear = AlarmChange(name="cleared", ms=event.ms + later_ms)
        for looked_ms in (event.ms, event.ms + later_ms // 2, event.ms + later_ms):
            looked_at = at(alarm, looked_ms)
            assert apply(looked_at, clear).state == apply(alarm, clear).state
            assert set(looked_at.suspensions) <= set(SUSPENSIONS)


def test_a_work_order_replaces_the_one_of_the_same_name_and_there_are_not_too_many() -> None:
    def order(n: int, url: str = "") -> WorkOrder:
        return WorkOrder(system="CMMS", reference=f"WO-{n}", url=url)

    steps = [("ordered", {"work_order": order(n)}) for n in range(WORK_ORDERS_AT_MOST)]
    full = after(CLEAR, ACK, *steps)
    assert (full.state, len(full.work_orders)) == ("normal", WORK_ORDERS_AT_MOST)
    moved = order(3, "https://cmms.example/3")
    again = after(("ordered", {"work_order": moved}), alarm=full)
    assert [o for o in again.work_orders if o.reference == "WO-3"] == [moved]
    with pytest.raises(AlarmRefused) as refused:
        after(("ordered", {"work_order": order(99)}), alarm=full)
    assert refused.value.code == "too_many_work_orders"
