"""Slow faults: records make a fault seen, days make it an alarm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.assessment import FaultAssessment
from vtox.motor.alarms.health.backtest import backtest
from vtox.motor.alarms.health.line_test import course, shows
from vtox.motor.alarms.health.marks import slots_of
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.motor.values import codec
from vtox.motor.values.domain import Diagnosis, Record, State, reason

HOUR_S = 3600.0
RULES = {
    f: replace(r, days=3 if f in ("bearing", "eccentricity", "broken_bar") else 1)
    for f, r in PERSISTENCE.items()
}
STATES: dict[str, State] = {"n": "normal", "w": "warning", "f": "fault"}
FLICKER = reason("flicker_not_excluded")


def at(hours: float) -> Record:
    return replace(record(0), t_start=hours * HOUR_S, t_end=hours * HOUR_S + 10)


def finding(fault: str, mark: str, *, slip: Any = None, hz: Any = None) -> Diagnosis:
    severity = {"n": 0.0, "w": 0.4, "f": 0.8}[mark]
    return Diagnosis(
        fault=fault,
        state=STATES[mark],
        severity=severity,
        indicators={} if slip is None else {"slip": slip},
        values={} if hz is None else {"distance_hz": hz},
    )


def fed(
    fault: str,
    said: Iterable[tuple[float, Diagnosis]],
    latest_t: float = inf,
    rules: Mapping[str, Persistence] = RULES,
) -> tuple[list[tuple[float, Alert]], MachineHistory]:
    """Feed diagnoses at hours; return the alerts, with the hour of each, and the history."""
    history, alerts = MachineHistory(), []
    for hour, d in said:
        after = update(history, at(hour), [d], rules=rules, latest_t=latest_t)
        # The next worker reads the kept history.
        history = codec.decode(MachineHistory, codec.encode(after.history))
        alerts += [(hour, a) for a in after.alerts]
    return alerts, history


def marks(fault: str, hourly: Iterable[str], step: float = 1.0) -> list[tuple[float, Diagnosis]]:
    """Return one diagnosis a letter, so many hours apart."""
    return [(step * i, finding(fault, m)) for i, m in enumerate(hourly) if m != " "]


def assessed(history: MachineHistory, fault: str = "eccentricity") -> FaultAssessment:
    return history.assessment.faults[fault]


@pytest.mark.parametrize(
    ("hourly", "raised"),
    [
        ("w" * 60, [47]),  # the third day counts 8 h after the last record of the second
        ("w" * 30 + "n" * 60, []),  # one condition of a day and a half
        ("w" * 24 + "n" * 24 + "w" * 12 + "n" * 60, []),
        ("w" * 22 + "n" * 18 + "w" * 60, [67]),  # 3 of 4
        ("wnn" * 60, []),  # a third of the loads, of which 3 of 5 are asked
    ],
)
def test_a_slow_fault_alarms_on_three_of_four_days(hourly: str, raised: list[float]) -> None:
    alerts, _ = fed("eccentricity", marks("eccentricity", hourly))
    assert [hour for hour, a in alerts if a.event == "raised"] == raised


def test_one_record_a_day_alarms_on_the_third() -> None:
    alerts, _ = fed("bearing", marks("bearing", "nnwwww", 23.99))
    assert [(round(hour / 24), a.event) for hour, a in alerts] == [(4, "raised")]


def test_midnight_makes_no_second_day() -> None:
    hours = [23.0, 23.5, 24.5, 25.0, 47.0, 47.5, 48.5, 49.0]  # two nights
    said = [(h, finding("eccentricity", "w")) for h in hours]
    assert fed("eccentricity", said)[0] == []


def test_it_is_seen_at_once_and_says_what_an_alarm_needs() -> None:
    alerts, history = fed("eccentricity", marks("eccentricity", "nnwww", 0.1))
    seen = assessed(history).seen
    assert not alerts
    assert seen
    assert (seen.level, round(seen.t), seen.shown, seen.judged) == ("warning", 720, 1, 1)
    assert [(r.code, r.values["days"], r.values["of_days"]) for r in seen.needs] == [
        ("days_needed", 3, 4)
    ]
    assert assessed(history).state == "normal", "NE 107 and health do not change by it"


def test_what_is_seen_ends_as_an_alarm_ends_and_its_day_stays_counted() -> None:
    _, history = fed("eccentricity", marks("eccentricity", "w" * 20 + "n" * 5))
    assert assessed(history).seen is None
    assert history.faults["eccentricity"].days.past == "w"  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["bearing", "eccentricity", "broken_bar"])
def test_what_is_seen_is_cleared_by_the_rule_that_clears_an_alarm(fault: str) -> None:
    clear, at_once = RULES[fault].clear, {fault: replace(RULES[fault], days=1)}
    for normal in (clear - 1, clear):
        said = marks(fault, "w" * 20 + "n" * normal)
        _, waits = fed(fault, said)
        _, alarms = fed(fault, said, rules=at_once)
        cleared = normal == clear
        assert (assessed(waits, fault).seen is None) == cleared
        assert (assessed(alarms, fault).state == "normal") == cleared


def test_days_that_were_counted_before_it_was_cleared_lead_to_the_alarm() -> None:
    # Days of 24 h: seen, cleared and without the fault by noon; the third one alarms.
    alerts, _ = fed("eccentricity", marks("eccentricity", ("w" * 15 + "n" * 9) * 3))
    assert [(hour // 24, a.event) for hour, a in alerts] == [(2, "raised")]


def test_an_alarm_ends_after_two_days_without_the_fault() -> None:
    alerts, history = fed("eccentricity", marks("eccentricity", "w" * 60 + "n" * 60))
    assert [(hour, a.event) for hour, a in alerts] == [(47, "raised"), (87, "cleared")]
    assert assessed(history).state == "normal"
    # Neither does one sound shift end it, nor the return of the fault raise a second one.
    alerts, _ = fed("eccentricity", marks("eccentricity", ("w" * 60 + "n" * 12) * 3))
    assert [a.event for _, a in alerts] == ["raised"]


def test_what_led_to_an_alarm_that_ended_leads_to_no_other() -> None:
    alerts, _ = fed("eccentricity", marks("eccentricity", "w" * 60 + "n" * 60 + "w" * 30))
    assert [a.event for _, a in alerts] == ["raised", "cleared"]


def strong(fault: str) -> Diagnosis:
    return Diagnosis(
        fault=fault,
        state="warning" if fault == "eccentricity" else "fault",
        severity=0.9,
        confidence=0.9,
        statistic=12.0,
        threshold=6.0,
        indicators={"weaker_change_db": 12.0},
        doubts=(reason("bearing_cage_not_searched", needed_turns=9),) * (fault == "bearing"),
    )


@pytest.mark.parametrize("fault", ["bearing", "eccentricity", "broken_bar"])
def test_strong_evidence_without_doubt_alarms_at_once(fault: str) -> None:
    k = RULES[fault].k
    alerts, _ = fed(fault, [(0.01 * i, strong(fault)) for i in range(k)])
    assert [(round(100 * hour), a.event) for hour, a in alerts] == [(k - 1, "raised")]


def test_a_bearing_without_any_doubt_needs_less() -> None:
    undoubted = replace(strong("bearing"), severity=0.7, confidence=0.8, doubts=())
    alerts, _ = fed("bearing", [(0.01 * i, undoubted) for i in range(6)])
    assert [a.event for _, a in alerts] == ["raised"]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("bearing", {"severity": 0.87}),
        ("bearing", {"confidence": 0.89}),
        ("bearing", {"severity": 0.69, "doubts": ()}),
        ("bearing", {"confidence": 0.79, "doubts": ()}),
        ("bearing", {"state": "warning"}),
        ("bearing", {"doubts": (reason("level_in_noise", deviation_db=2.0),)}),
        ("eccentricity", {"indicators": {"change_db": 18.0, "weaker_change_db": 11.9}}),
        ("eccentricity", {"indicators": {"weaker_change_db": nan}}),
        ("eccentricity", {"indicators": {"weaker_change_db": None}}),
        ("eccentricity", {"indicators": {"change_db": 18.0}}),
        ("eccentricity", {"threshold": 6.1}),
        ("eccentricity", {"threshold": None}),
        ("broken_bar", {"doubts": (FLICKER,)}),
        ("broken_bar", {"state": "warning"}),
    ],
)
def test_with_less_it_waits_for_days(fault: str, change: dict[str, Any]) -> None:
    weaker = replace(strong(fault), **change)
    assert fed(fault, [(0.01 * i, weaker) for i in range(30)])[0] == []


def bars(hours: Sequence[float], slips: Sequence[float], lines_hz: Sequence[float]) -> list[Any]:
    rows = zip(hours, slips, lines_hz, strict=True)
    return [(h, finding("broken_bar", "w", slip=s, hz=x)) for h, s, x in rows]


LOADS = [0.01, 0.02, 0.03, 0.015]


def test_a_line_that_moves_with_the_load_alarms_after_an_hour() -> None:
    slips = LOADS * 6
    hours = [0.1 * i for i in range(24)]
    alerts, _ = fed("broken_bar", bars(hours, slips, [100 * s for s in slips]))
    assert [(round(hour, 1), a.event) for hour, a in alerts] == [(1.0, "raised")]


def test_a_line_that_stays_while_the_load_moves_never_alarms() -> None:
    slips = LOADS * 100
    alerts, history = fed("broken_bar", bars(range(400), slips, [2.5] * 400))
    assert alerts == []
    seen = assessed(history, "broken_bar").seen
    assert seen
    assert (seen.shown, seen.judged) == (4, 4)
    assert [r.code for r in seen.needs] == ["days_needed", "line_stays"]
    strongly = [(h, replace(d, state="fault")) for h, d in bars(range(40), LOADS * 10, [2.5] * 40)]
    assert [hour for hour, _ in fed("broken_bar", strongly)[0]] == [1], "until the load has moved"


def test_a_line_that_most_records_do_not_show_waits_for_days() -> None:
    """A sound pump was found broken under two of 48 loads, at places that happened to fit."""
    sound = [(0.05 * i, finding("broken_bar", "n")) for i in range(480)]
    slips = [0.01] * 6 + [0.02] * 6
    found = bars(
        [0.05 * i for i in (*range(60, 66), *range(360, 366))], slips, [1.0] * 6 + [2.0] * 6
    )
    alerts, history = fed("broken_bar", sorted([*sound, *found], key=lambda x: x[0]))
    assert alerts == []
    days = history.faults["broken_bar"].days
    assert days
    assert (course(days.line), days.line and shows(days.line)) == ("moves", False)


def undecided(**indicators: Any) -> Diagnosis:
    return Diagnosis(fault="broken_bar", state="unknown", indicators=indicators)


def doubtful(every: int, between: Diagnosis) -> list[tuple[float, Diagnosis]]:
    """Four days of a record in 15 minutes: one of `every` shows bars, and flicker is possible."""
    found = replace(finding("broken_bar", "w"), doubts=(FLICKER,))
    return [(0.25 * i, between if i % every else found) for i in range(4 * 96)]


@pytest.mark.parametrize(("every", "raised"), [(8, []), (3, [48]), (1, [47])])
def test_doubtful_finds_among_undecided_records_need_a_third(
    every: int, raised: list[float]
) -> None:
    """A sound pump of which 21 of 24 records stay undecided and three are wrong: no alarm."""
    alerts, history = fed("broken_bar", doubtful(every, undecided(detectable_dbc=-50.0)))
    assert [int(hour) for hour, _ in alerts] == raised
    if not raised:
        seen = assessed(history, "broken_bar").seen
        assert seen
        assert (seen.shown, seen.judged) == (0, 4)


def test_records_that_did_not_search_do_not_weigh_against_a_find() -> None:
    assert fed("broken_bar", doubtful(8, undecided()))[0]


def test_an_undecided_day_counts_and_ends_no_alarm() -> None:
    """One condition lasts a day: three wrong days among undecided ones are no three of four."""
    searched = undecided(detectable_dbc=-50.0)
    found = replace(finding("broken_bar", "w"), doubts=(FLICKER,))
    hours = range(24 * 8)
    every_third = [(float(h), searched if h // 24 % 3 else found) for h in hours]
    assert fed("broken_bar", every_third)[0] == []
    shown = [(float(h), found if h < 24 * 4 else searched) for h in hours]
    alerts, _ = fed("broken_bar", shown)
    assert [a.event for _, a in alerts] == ["raised"]


def test_undecided_records_change_nothing_but_the_days() -> None:
    said = [(0.1 * i, finding("broken_bar", "w")) for i in range(5)]
    _, before = fed("broken_bar", said)
    _, after = fed("broken_bar", [*said, (0.6, undecided(detectable_dbc=-50.0))])
    one, other = before.faults["broken_bar"], after.faults["broken_bar"]
    assert (other.severities, other.slots) == (one.severities, one.slots)
    assert one.days
    assert other.days
    assert other.days.day
    assert (other.days.day.slots, other.days.day.searched) == (5, 1)


def test_at_one_load_days_decide() -> None:
    alerts, history = fed("broken_bar", bars(range(20), [0.01] * 20, [1.0] * 20))
    seen = assessed(history, "broken_bar").seen
    assert seen
    assert [r.code for r in seen.needs] == ["days_needed", "line_at_one_load"]
    alerts, _ = fed("broken_bar", bars(range(60), [0.01] * 60, [1.0] * 60))
    assert [hour for hour, _ in alerts] == [47]


@pytest.mark.parametrize("slip", [nan, inf, 0.0, -0.1, None, "0.02"])
def test_a_slip_that_is_none_leaves_the_days(slip: Any) -> None:
    alerts, history = fed("broken_bar", bars(range(60), [slip] * 60, [1.0] * 60))
    assert [hour for hour, _ in alerts] == [47]
    _, history = fed("broken_bar", bars(range(5), [slip] * 5, [nan] * 5))
    seen = assessed(history, "broken_bar").seen
    assert seen
    assert [r.code for r in seen.needs] == ["days_needed", "line_not_measured"]


def test_a_replay_and_an_overtaken_record_count_no_day() -> None:
    said = marks("eccentricity", "w" * 30)
    alerts, history = fed("eccentricity", [*said, *said, *said[::-1], *said])
    assert alerts == []
    days = history.faults["eccentricity"].days
    assert days
    assert (days.past, days.today) == ("w", "w")


def test_a_clock_that_was_ahead_drops_its_days_and_says_so() -> None:
    ten_years = 10 * 365 * 24.0
    said = [(h, finding("eccentricity", "w")) for h in (*range(30), ten_years, *range(30, 35))]
    alerts, history = fed("eccentricity", said, latest_t=1000 * HOUR_S)
    assert alerts == []
    seen = assessed(history).seen
    assert seen
    assert (seen.shown, seen.judged) == (1, 1)
    assert [r.code for r in seen.needs] == ["days_needed", "days_dropped"]


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 1.0, 9.0, 25.0]), st.sampled_from("nwf")), max_size=60
    ),
    st.integers(1, 4),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_back_test_gives_the_events_of_the_stream(
    steps: list[tuple[float, str]], days: int
) -> None:
    rule = replace(PERSISTENCE["eccentricity"], days=days)
    history, hour, alerts, slots = FaultHistory(), 0.0, [], []
    for step, mark in steps:
        hour += step
        d = finding("eccentricity", mark)
        after = update(MachineHistory({d.fault: history}), at(hour), [d], rules={d.fault: rule})
        history = after.history.faults[d.fault]
        alerts += [(a.event, a.level, a.t) for a in after.alerts]
        slots.append(slots_of(d, at(hour), rule))
    tried = backtest(slots, rule, "", 0.0, HOUR_S * hour)
    assert [(e.name, e.level, e.t) for e in tried.events] == alerts
    ids = [a for a in alerts if a[0] == "raised"]
    assert len(set(ids)) == len(ids)


def test_an_earlier_build_finds_nothing_to_raise_of_what_is_seen() -> None:
    """It looks at level and marks: of the state that is kept these hold nothing that is found."""
    _, history = fed("bearing", marks("bearing", "w" * 8, 0.1))
    kept = codec.plain(history)["faults"]["bearing"]
    assert (kept["level"], kept["marks"], kept["starts"], kept["alert"]) == ("", "", [], "")


def test_a_history_of_an_earlier_build_goes_on() -> None:
    kept = codec.plain(FaultHistory(level="", marks="wwwwwwww", starts=tuple(map(float, range(8)))))
    del kept["days"]
    history = codec.from_plain(MachineHistory, {"faults": {"eccentricity": kept}})
    after = update(history, at(1), [finding("eccentricity", "w")], rules=RULES)
    assert not after.alerts
    assert after.history.assessment.faults["eccentricity"].seen
    kept |= {"level": "warning", "alert": "M:eccentricity:1000"}
    history = codec.from_plain(MachineHistory, {"faults": {"eccentricity": kept}})
    after = update(history, at(1), [finding("eccentricity", "w")], rules=RULES)
    assert after.history.faults["eccentricity"].alert == "M:eccentricity:1000"


@pytest.mark.long
def test_a_machine_takes_at_most_400_bytes_more() -> None:
    before = after = MachineHistory()
    t0 = 1.7e9 / HOUR_S
    for i in range(8640 * 3):
        slip = 0.0123456 + 0.0001 * (i % 70)
        for fault in ("bearing", "eccentricity", "broken_bar"):
            d = finding(fault, "w", slip=slip, hz=101.2345 * slip + 0.8 * (i % 3))
            d = replace(d, doubts=(FLICKER,)) if i % 60 else d
            record_ = at(t0 + 24 * i / 8640)
            if i > 8640 * 3 - 200:
                before = update(before, record_, [d], rules=PERSISTENCE_ALONE).history
            after = update(after, record_, [d], rules=RULES).history
    plain = codec.plain(after)
    added = sum(len(codec.encode(h["days"])) + len(',"days":') for h in plain["faults"].values())
    moved = sum(
        len(codec.encode(h.days.agreed.marks)) + len(codec.encode(h.days.agreed.starts))
        for h in after.faults.values()
        if h.days and h.days.agreed
    )
    assert added - moved <= 400 - 2 * len(',"days":null')


PERSISTENCE_ALONE = {f: replace(r, days=1) for f, r in PERSISTENCE.items()}


def test_days_one_is_the_rule_of_records() -> None:
    rule = Persistence(3, 5, 5, days=1)
    after, events = FaultHistory(), []
    for i, mark in enumerate("wwwnnnnnn"):
        found_ = update(
            MachineHistory({"eccentricity": after}),
            record(i),
            [finding("eccentricity", mark)],
            rules={"eccentricity": rule},
        )
        after = found_.history.faults["eccentricity"]
        events += [a.event for a in found_.alerts]
    assert events == ["raised", "cleared"]
    assert after.days is None
