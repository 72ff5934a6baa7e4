from dataclasses import replace
from typing import Any

import pytest

from vtox.motor.alarms.health.alarm_level import Event, transition
from vtox.motor.alarms.health.alert_values import Alert, SlotHistory
from vtox.motor.alarms.health.assessment import Assessment, present_state
from vtox.motor.alarms.health.marks import PASSING_TIMES, slots_of
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, last_load_a, update
from vtox.motor.alarms.priority import NOT_STATED, fault_priority
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.motor.values.domain import QUIET, Diagnosis, Record, State, reason


def record(n: int, length: float = 1.0) -> Record:
    return Record(
        machine_id="M",
        run="",
        first_seq=n,
        last_seq=n,
        t_start=n * length,
        t_end=(n + 1) * length,
        ids=f"{n}-0",
        windows=1,
        bytes=1,
    )


# The rule of records; `test_days.py` has that of days.
RECORDS_ALONE = {fault: replace(rule, days=1) for fault, rule in PERSISTENCE.items()}


def updates(*diagnoses: Diagnosis) -> list[HealthUpdate]:
    """Feed one diagnosis a record to a new machine."""
    history = MachineHistory()
    found = []
    for n, d in enumerate(diagnoses):
        found.append(update(history, record(n), [d], rules=RECORDS_ALONE))
        history = found[-1].history
    return found


def run(marks: str, fault: str = "bearing") -> tuple[list[Alert], list[Assessment]]:
    """Feed one letter a record; return alerts and the health after each."""
    states: dict[str, State] = {"n": "normal", "w": "warning", "f": "fault"}
    severity = {"n": 0.0, "w": 0.4, "f": 0.8}
    found = updates(
        *(
            Diagnosis(
                fault=fault,
                state=states.get(m, "unknown"),
                code=f"because_{m}",
                severity=severity.get(m),
                evidence=(QUIET,) if m == "q" else (),
            )
            for m in marks
        )
    )
    return [a for u in found for a in u.alerts], [u.history.assessment for u in found]


CLEAR = PERSISTENCE["bearing"].clear


def test_one_alert_per_episode() -> None:
    alerts, _ = run("nnnn" + "w" * 8 + "n" * CLEAR + "n" * 5)
    assert [a.event for a in alerts] == ["raised", "cleared"]
    assert len({a.id for a in alerts}) == 1
    assert [a.t for a in alerts] == [4, 12], "when the signal changed, not when it was judged"


def test_where_nothing_is_found_an_alert_ends_and_nothing_is_decided() -> None:
    alerts, healths = run("w" * 6 + "q" * (CLEAR - 1) + "n")
    assert [a.event for a in alerts] == ["raised", "cleared"]
    assert healths[-1].state == "normal"
    alerts, healths = run("w" * 6 + "q" * 130)
    assert [a.event for a in alerts] == ["raised", "cleared"]
    assert alerts[-1].t == 6
    assert (healths[-1].state, healths[-1].health) == ("unknown", None)
    assert run("q" * 20)[1][-1].state == "unknown"


def test_a_record_moves_no_priority_while_its_alert_stays() -> None:
    shares = (0.9, 0.5, 0.7, 0.4, 1.0, 0.3, 0.9, 0.5)
    found = updates(
        *(
            Diagnosis(fault="broken_bar", state="fault", severity=s, confidence=1 - s / 2)
            for s in shares
        )
    )
    faults = [u.history.assessment.faults["broken_bar"] for u in found]
    numbers = {fault_priority("broken_bar", "fault", f, NOT_STATED).number for f in faults[1:]}
    assert numbers == {3 * 4 * 4}, "as of the second record, which raised it"
    assert {(f.alert_severity, f.alert_confidence) for f in faults[1:]} == {(0.7, 0.65)}


def test_a_higher_level_has_ratings_of_its_own() -> None:
    def diagnosis(state: State, share: float) -> Diagnosis:
        return Diagnosis(fault="broken_bar", state=state, severity=share, confidence=share)

    normal = Diagnosis(fault="broken_bar", state="normal", severity=0.0, confidence=1.0)
    steps = [diagnosis("warning", 0.4)] * 3 + [diagnosis("fault", 0.8)] * 3 + [normal] * 3
    rated = [
        (f.alert_severity, f.alert_confidence)
        for u in updates(*steps)
        for f in [u.history.assessment.faults["broken_bar"]]
    ]
    assert rated[1:3] == [(0.4, 0.4)] * 2
    assert rated[4:8] == [(0.8, 0.8)] * 4
    assert rated[8] == (None, None), "ended"


def test_a_single_outlier_says_nothing() -> None:
    assert run("nnnnfnnnnnwnnnn")[0] == []


def test_escalates_once() -> None:
    alerts, _ = run("w" * 6 + "f" * 6 + "w" * 6)
    assert [(a.event, a.level) for a in alerts] == [
        ("raised", "warning"),
        ("escalated", "fault"),
    ]


def test_two_episodes_have_two_ids() -> None:
    alerts, _ = run("f" * 6 + "n" * CLEAR + "f" * 6)
    assert [a.event for a in alerts] == ["raised", "cleared", "raised"]
    assert alerts[0].id == alerts[1].id != alerts[2].id


def test_abstentions_neither_raise_nor_clear() -> None:
    assert run("u" * 20)[0] == []
    alerts, healths = run("f" * 6 + "u" * 20)
    assert [a.event for a in alerts] == ["raised"]
    assert healths[-1].state == "fault"


def test_what_is_not_decided_for_long_is_unknown_and_no_longer_normal() -> None:
    _, healths = run("n" * 5 + "u" * 130)
    assert healths[4].state == healths[100].state == "normal"
    assert (healths[-1].state, healths[-1].health) == ("unknown", None)
    assert healths[-1].faults["bearing"].reason == "because_u"
    alerts, healths = run("f" * 6 + "u" * 200)
    assert [a.event for a in alerts] == ["raised"]
    assert healths[-1].state == "fault", "an open alert is not forgotten for want of sight"


def test_health_follows_the_open_alert() -> None:
    _, healths = run("u" + "n" * 3 + "f" * 6 + "n" * 12)
    assert healths[0].state == "unknown"
    assert healths[0].health is None
    assert (healths[3].state, healths[3].health) == ("normal", 100.0)
    assert (healths[9].state, healths[9].health) == ("fault", 20.0)
    assert (healths[-1].state, healths[-1].health) == ("normal", 100.0)


def test_a_cleared_alert_has_a_code_of_its_own() -> None:
    assert run("f" * 6 + "n" * CLEAR)[0][-1].code == "nothing_found"
    assert run("f" * 6 + "n" * 6, fault="turn_short")[0][-1].code == "nothing_found_in_slots"


def test_the_waveform_of_the_first_of_a_kind_is_kept() -> None:
    d = Diagnosis(fault="bearing", state="warning", severity=0.3)
    first, second = updates(d, d)
    assert first.keep_waveform
    assert not second.keep_waveform


def test_an_assessment_is_published_when_it_changes_and_now_and_then() -> None:
    d = Diagnosis(fault="bearing", state="normal", severity=0.0)
    published = [u.published for u in updates(*[d] * 25)]
    assert published[0]
    assert sum(p is not None for p in published) == 3


def test_the_load_is_that_of_the_last_record_that_measured_it() -> None:
    loads: tuple[dict[str, Any], ...] = ({"load_a": 3.0}, {"load_a": 4.0})
    *_, last = updates(*(Diagnosis(fault="bearing", state="normal", indicators=i) for i in loads))
    assert last_load_a(last.history) == 4.0
    assert last_load_a(MachineHistory()) is None


RULE = Persistence(k=2, n=3, clear=2)


@pytest.mark.parametrize(
    ("before", "mark", "event"),
    [
        (SlotHistory(), "f", None),
        (SlotHistory("", "nw", (1.0, 2.0)), "w", Event("raised", "warning", 2.0)),
        (SlotHistory("", "wn", (1.0, 2.0)), "f", Event("raised", "warning", 1.0)),
        (SlotHistory("warning", "wf", (1.0, 2.0)), "f", Event("escalated", "fault", 3.0)),
        (SlotHistory("fault", "fn", (1.0, 2.0)), "n", Event("cleared", "fault", 2.0)),
        (SlotHistory("fault", "fq", (1.0, 2.0)), "n", Event("cleared", "fault", 2.0)),
        (SlotHistory("fault", "fh", (1.0, 2.0)), "n", None),
        (SlotHistory("fault", "ff", (1.0, 2.0)), "w", None),
    ],
)
def test_one_slot_changes_the_level_once(
    before: SlotHistory, mark: str, event: Event | None
) -> None:
    after, found = transition(before, mark, 3.0, RULE)
    assert found == event
    assert (after.marks[-1], after.starts[-1]) == (mark, 3.0)
    assert len(after.marks) == len(after.starts) <= RULE.n


PASSING_N = RULE.n * PASSING_TIMES


@pytest.mark.parametrize(
    ("marks", "events"),
    [
        ("v" * (PASSING_N - 2), []),  # nearly all of them, but not yet as many
        ("v" * (PASSING_N - 1), ["raised warning"]),
        ("g" * (PASSING_N - 1), ["raised fault"]),
        ("n" + "v" * (PASSING_N - 2) + "v", ["raised warning"]),
        ("vvvvvvnn" * 2 * PASSING_TIMES, []),  # it comes and goes
        ("vw" * 2, ["raised warning"]),  # one record whose supply is excluded, another
        ("v" * (PASSING_N - 1) + "ff", ["raised warning", "escalated fault"]),
        ("v" * (PASSING_N - 1) + "nn" + "nv" * 4, ["raised warning", "cleared warning"]),
    ],
)
def test_what_may_pass_raises_an_alert_only_where_it_stays(marks: str, events: list[str]) -> None:
    history = SlotHistory()
    found: list[str] = []
    for t, mark in enumerate(marks):
        history, event = transition(history, mark, float(t), RULE)
        found += [f"{event.name} {event.level}"] if event else []
        assert len(history.marks) == len(history.starts) <= PASSING_N
    assert found == events


def test_a_doubt_that_names_a_passing_cause_marks_the_record() -> None:
    doubt = reason("flicker_not_excluded")
    for state, mark in (("normal", "n"), ("warning", "v"), ("fault", "g")):
        d = Diagnosis(fault="broken_bar", state=state, severity=0.2, doubts=(doubt,))
        assert slots_of(d, record(0), PERSISTENCE["broken_bar"]).marks == mark


def test_a_short_switched_inside_records_has_its_own_times() -> None:
    on_off = {3: (0.4, 1.0), 4: (0.0, 1.0), 5: (0.0, 0.6)}
    history = MachineHistory()
    alerts = []
    for n in range(8):
        evidence: tuple[dict[str, Any], ...] = ()
        if n in on_off:
            start, end = on_off[n]
            evidence = ({"kind": "episode", "state": "fault", "t_start_s": start, "t_end_s": end},)
        state = "fault" if evidence else "normal"
        d = Diagnosis(fault="turn_short", state=state, severity=0.5, evidence=evidence)
        after = update(history, record(n), [d], rules=RECORDS_ALONE)
        history = after.history
        alerts += after.alerts
    assert [(a.event, a.level, round(a.t, 1)) for a in alerts] == [
        ("raised", "fault", 3.4),
        ("cleared", "fault", 5.6),
    ]


def levels(ratios: str, fault: str = "eccentricity") -> list[str]:
    """Feed records by their statistic in tenths of the threshold (`x`: 1.2) as a letter each."""
    history = MachineHistory()
    events = []
    for i, letter in enumerate(ratios):
        over = 1.2 if letter == "x" else int(letter) / 10
        state = "warning" if over > 1 else "normal"
        d = Diagnosis(fault=fault, state=state, severity=0.4, statistic=6 * over, threshold=6.0)
        after = update(history, record(i), [d], rules=RECORDS_ALONE)
        history = after.history
        events += [a.event for a in after.alerts]
    return events


def test_what_stays_at_the_limit_is_one_episode() -> None:
    assert levels("xxx" + "9" * 6 + "xxx" + "9" * 6 + "xxx") == ["raised"]
    assert levels("xxx" + "9" * 6 + "2" * CLEAR) == ["raised", "cleared"]
    assert levels("xxx" + "2" * CLEAR + "xxx") == ["raised", "cleared", "raised"]
    assert levels("9" * 20) == []


def flicker(over: float) -> list[str]:
    """A short that is on for half of every second, its statistic `over` times the threshold."""
    history = MachineHistory()
    events = []
    for n in range(6):
        episode = {"kind": "episode", "state": "warning", "t_start_s": 0.0, "t_end_s": 0.6}
        d = Diagnosis(
            fault="turn_short",
            state="warning",
            severity=0.3,
            statistic=20 * over,
            threshold=20.0,
            evidence=(episode,),
        )
        after = update(history, record(n), [d], rules=RECORDS_ALONE)
        history = after.history
        events += [a.event for a in after.alerts]
    return events


def test_flicker_at_the_limit_is_one_episode_and_a_switched_short_is_many() -> None:
    assert flicker(1.2) == ["raised"]
    assert flicker(4.0) == ["raised", "cleared"] * 6


FAULTY = Diagnosis(fault="bearing", state="fault", severity=0.9)
SOUND = Diagnosis(fault="bearing", state="normal", severity=0.0)


def test_a_record_of_the_past_changes_neither_history_nor_health_nor_alerts() -> None:
    present = update(MachineHistory(), record(3600), [SOUND]).history
    for n in range(5):
        after = update(present, record(n), [FAULTY])
        assert (after.marks, after.history, after.alerts) == ({}, present, ())
        assert (after.published, after.keep_waveform) == (None, False)
        assert (after.history.assessment.state, after.history.assessment.t) == ("normal", 3601.0)


def test_a_record_may_be_of_the_past_for_one_fault_and_new_for_another() -> None:
    present = update(MachineHistory(), record(10), [SOUND]).history
    other = Diagnosis(fault="eccentricity", state="normal", severity=0.0)
    after = update(present, record(9), [FAULTY, other])
    assert set(after.marks) == {"eccentricity"}
    assert after.history.faults["bearing"] == present.faults["bearing"]
    assert after.history.assessment.t == 11.0, "health does not go back in time"


def test_health_of_a_back_fill_is_placed_where_its_record_ended() -> None:
    history = MachineHistory()
    for n in range(3600):  # of an hour that came at once, one family is done
        history = update(history, record(n), [SOUND]).history
    other = Diagnosis(fault="broken_bar", state="fault", severity=0.9)
    placed = []
    for n in range(12):
        after = update(history, record(n, 10.0), [other])
        history = after.history
        placed.append(after.published)
    assert [p.t for p in placed if p] == [10.0 * (n + 1) for n in range(12)]
    first = next(p for p in placed if p and p.state == "fault")
    assert first.t < 120, "not at the end of the hour"
    assert history.faults["bearing"].last_t == 3600.0


def test_an_open_alert_keeps_what_the_record_said_that_it_rests_on() -> None:
    history = MachineHistory()
    for n, mark in enumerate("ffffffffuuw"):
        states: dict[str, State] = {"f": "fault", "u": "unknown", "w": "warning"}
        d = Diagnosis(fault="bearing", state=states[mark], code=f"because_{mark}{n}", severity=0.9)
        after = update(history, record(n), [d], rules=RECORDS_ALONE)
        history = after.history
    fault = after.history.assessment.faults["bearing"]
    assert (fault.state, fault.latest.code, fault.t) == ("fault", "because_w10", 11.0)
    assert (fault.why.state, fault.why.code, fault.why.t) == ("fault", "because_f7", 8.0)


def test_without_an_alert_the_reason_is_that_of_the_latest_record() -> None:
    _, found = run("ffff" + "n" * CLEAR)
    last = found[-1].faults["bearing"]
    assert (last.state, last.held, last.why.code) == ("normal", None, "because_n")


def test_what_was_normal_is_not_known_of_a_silent_machine() -> None:
    _, (*_, health) = run("nn")
    assert present_state(health, silent=False) == "normal"
    assert present_state(health, silent=True) == present_state(None, silent=False) == "unknown"


def test_recordings_of_long_ago_count_in_their_order() -> None:
    alerts, _ = run("n" * 3 + "f" * 6)
    assert [a.event for a in alerts] == ["raised"]


def test_what_follows_a_clock_that_was_ahead_is_not_its_past() -> None:
    ahead = update(MachineHistory(), record(10**6), [SOUND], latest_t=300.0).history
    after = update(ahead, record(5), [FAULTY], latest_t=310.0)
    assert set(after.marks) == {"bearing"}
    assert after.history.faults["bearing"].last_t == 6.0
    assert after.history.assessment.t == 6.0
    within = update(MachineHistory(), record(200), [SOUND], latest_t=300.0).history
    assert update(within, record(5), [FAULTY], latest_t=310.0).marks == {}


@pytest.mark.parametrize("doubt", ["few_periods_learnt", "feeder_moves", "feeder_not_heard"])
def test_what_the_supply_leaves_open_is_shown_and_raises_nothing(doubt: str) -> None:
    values = {"periods": 1, "needed": 5, "machines": 2, "of_machines": 3, "of_others": 2}

    def asymmetry(*doubts: str) -> Diagnosis:
        why = tuple(reason(d, **values) for d in doubts)
        return Diagnosis(fault="turn_short", state="warning", severity=0.4, doubts=why)

    notices = updates(*[asymmetry(doubt)] * 20)
    assert not [a for u in notices for a in u.alerts]
    health = notices[-1].history.assessment
    assert (health.state, health.health) == ("unknown", None)
    assert health.faults["turn_short"].last == "warning"
    raised = updates(asymmetry(), *[asymmetry(doubt)] * 20)
    assert [a.event for u in raised for a in u.alerts] == ["raised"]


def test_a_machine_without_records_is_unknown() -> None:
    assert MachineHistory().assessment == Assessment()
