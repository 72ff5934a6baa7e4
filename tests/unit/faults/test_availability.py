"""Availability and recovery, as `make hosts` computes them from a history."""

from faults.history import Event
from faults.hosts.availability import Availability, availability
from faults.hosts.scenarios import ready_share


def ack(t: float, seq: int) -> Event:
    return {"t": t, "event": "ack", "machine": "M", "run": "r", "seq": seq}


def answer(t: float, last: int) -> Event:
    record = {"machine": "M", "run": "r", "fault": "bearing", "first": last, "last": last}
    return {"t": t, "event": "result"} | record


def disturbance(begin: float, end: float) -> list[Event]:
    return [{"t": begin, "event": "disturb", "n": 0}, {"t": end, "event": "calm", "n": 0}]


def test_a_run_in_which_all_is_answered_in_time_is_available() -> None:
    events = [e for s in range(20) for e in (ack(s, s), answer(s + 0.5, s))]
    assert availability(events) == Availability(1.0, 1.0, ())


def test_a_second_with_a_late_record_counts_as_lost_and_recovery_ends_with_the_last_one() -> None:
    late = {7: 14.5, 8: 13.5}
    events = [e for s in range(22) for e in (ack(s, s), answer(late.get(s, s + 0.5), s))]
    found = availability(events + disturbance(7.0, 9.0))
    assert found == Availability(round(17 / 19, 4), round(20 / 22, 4), (5.5,))


def test_a_second_in_which_nothing_is_acknowledged_counts_as_lost() -> None:
    events = [e for s in range(20) if s not in (5, 6) for e in (ack(s, s), answer(s + 0.5, s))]
    assert availability(events).available == round(15 / 17, 4)


def test_a_disturbance_that_delays_nothing_is_recovered_from_at_once() -> None:
    events = [e for s in range(20) for e in (ack(s, s), answer(s + 0.5, s))]
    assert availability(events + disturbance(7.0, 9.0)).recovery_s == (0.0,)


def test_an_answer_that_a_new_primary_has_too_was_given_when_it_was_first_seen() -> None:
    events = [e for s in range(20) for e in (ack(s, s), answer(s + 0.5, s) | {"id": str(s)})]
    again = [answer(19.6, s) | {"id": str(s)} for s in range(20)]
    found = availability([*events, {"t": 19.6, "event": "timeline"}, *again])
    assert found == Availability(1.0, 1.0, ())


def test_nothing_sent_has_no_availability() -> None:
    assert availability(disturbance(1.0, 2.0)) == Availability(None, None, ())


def test_the_api_is_ready_in_the_seconds_in_which_it_says_so() -> None:
    told = [(t / 4, 200) for t in range(40)] + [(14.0, 0), (14.5, 503)]
    assert ready_share([*told, *((15 + t / 4, 200) for t in range(8))]) == round(10 / 15, 4)
    assert ready_share([(1.0, 200), (1.2, 200)]) == 0.0
