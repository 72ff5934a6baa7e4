"""An alarm that a person closed as false does not come again, until it has grown or time is up."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Any

import pytest

from tests.unit.motor.alarms.health.test_days import RULES
from tests.unit.motor.alarms.health.test_update import RECORDS_ALONE, record
from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.dismissals import (
    DISMISSED_S,
    MOST_DISMISSALS,
    Dismissal,
    Dismissals,
    dismissal_of,
)
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, update
from vtox.motor.values import codec
from vtox.motor.values.domain import Diagnosis, Record, State

HOUR_S = 3600.0
BAR: dict[str, Any] = {"code": "because_of_lines", "distance_hz": 2.0, "level_db": -50.0}
BEARING: dict[str, Any] = {"code": "because_of_impacts", "order": 3.05, "severity": 0.4}


def finding_of(fault: str, state: State = "warning", **values: Any) -> Diagnosis:
    severity, code = values.pop("severity", 0.4), values.pop("code", "because_of_lines")
    if "level_db" in values:
        values["lower_sideband_dbc"] = values.pop("level_db")
    return Diagnosis(fault=fault, state=state, severity=severity, code=code, values=values)


BAR_AGAIN, BEARING_AGAIN = finding_of("broken_bar", **BAR), finding_of("bearing", **BEARING)
QUIET = finding_of("broken_bar", "normal", code="because_quiet", severity=0.0)


def at(hours: float) -> Record:
    """Return a record that arrives as it ends."""
    t = hours * HOUR_S
    return replace(record(0), t_start=t, t_end=t + 10, arrived_ms=round(1000 * t + 10_000))


def closed(d: Diagnosis, hours: float = 0.0, level: str = "warning") -> Dismissal:
    """Return the dismissal of an alarm that said this, closed at an hour, while it was open."""
    alarm = Alert(id=f"M:{d.fault}:0", machine_id="M", fault=d.fault, level=level, code=d.code)
    history = FaultHistory(alert=alarm.id, severities=(d.severity or 0.0,))
    history.held = replace(history.latest, code=d.code, values=d.values)
    dismissal = dismissal_of(alarm, history, hours * HOUR_S, "Ann")
    assert dismissal
    return dismissal


def fed(
    diagnoses: Sequence[Diagnosis],
    *dismissed: Dismissal,
    from_hour: float = 1.0,
    days: bool = False,
    history: MachineHistory | None = None,
) -> list[HealthUpdate]:
    """Feed one diagnosis an hour to a machine, which reads its state again for each record."""
    history, after = history or MachineHistory(), []
    kept = codec.decode(Dismissals, codec.encode(Dismissals(alarms=dismissed)), strict=True)
    for i, d in enumerate(diagnoses):
        r = at(from_hour + i)
        rules = RULES if days else RECORDS_ALONE
        after.append(update(history, r, [d], rules=rules, dismissals=kept.at(r.arrived_t)))
        history = codec.decode(MachineHistory, codec.encode(after[-1].history))
    return after


def events(after: Sequence[HealthUpdate]) -> list[tuple[str, str]]:
    return [(a.event, a.level) for u in after for a in u.alerts]


RAISED = [("raised", "warning")]


def test_what_was_closed_as_false_is_seen_and_not_raised() -> None:
    after = fed([BAR_AGAIN] * 9, closed(BAR_AGAIN))
    assert events(after) == []
    assert events(fed([BAR_AGAIN] * 9)) == RAISED, "without it"
    seen = after[-1].history.assessment.faults["broken_bar"].seen
    assert seen is not None
    assert "alarm_dismissed" in [need.code for need in seen.needs]


def test_days_that_confirm_it_do_not_raise_it() -> None:
    assert events(fed([BEARING_AGAIN] * 80, closed(BEARING_AGAIN), days=True)) == []
    assert events(fed([BEARING_AGAIN] * 80, days=True)) == RAISED


def test_it_comes_again_after_thirty_days() -> None:
    last_hour = DISMISSED_S / HOUR_S
    after = fed([BAR_AGAIN] * 6, closed(BAR_AGAIN), from_hour=last_hour - 4)
    assert [bool(u.alerts) for u in after] == [False] * 4 + [True, False]


def test_the_clock_of_the_server_counts_the_thirty_days() -> None:
    history = MachineHistory()
    for i in range(9):  # the clock of the sender is ten years off, and slow
        r = replace(at(1 + i), t_start=3e8 + 60 * i, t_end=3e8 + 60 * i + 10)
        after = update(history, r, [BAR_AGAIN], rules=RECORDS_ALONE, dismissals=[closed(BAR_AGAIN)])
        history = after.history
        assert not after.alerts


@pytest.mark.parametrize(
    ("d", "raised"),
    [
        (finding_of("broken_bar", **BAR | {"level_db": -44.1}), False),
        (finding_of("broken_bar", **BAR | {"level_db": -43.9}), True),
        (
            finding_of("broken_bar", **BAR | {"severity": 0.95}),
            False,
        ),  # its level says that it stays
        (finding_of("broken_bar", **BAR | {"level_db": nan, "severity": 0.55}), False),
        (finding_of("broken_bar", **BAR | {"level_db": nan, "severity": 0.65}), True),
        (finding_of("broken_bar", **BAR | {"distance_hz": 2.2}), False),
        (
            finding_of("broken_bar", **BAR | {"distance_hz": 2.3}),
            True,
        ),  # the line moved with the load
        (finding_of("broken_bar", **BAR | {"code": "because_of_another"}), True),
        (finding_of("broken_bar", "fault", **BAR), True),
        (finding_of("eccentricity", **BAR), True),
    ],
)
def test_another_line_or_a_stronger_one_is_raised(d: Diagnosis, raised: bool) -> None:
    assert bool(events(fed([d] * 9, closed(BAR_AGAIN)))) is raised


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ({"order": 3.09}, False),
        ({"order": 3.10}, True),
        ({"severity": 0.59}, False),
        ({"severity": 0.61}, True),
    ],
)
def test_orders_have_a_tolerance_and_severities_a_limit(
    change: dict[str, float], raised: bool
) -> None:
    again = finding_of("bearing", **BEARING | change)
    assert bool(events(fed([again] * 12, closed(BEARING_AGAIN)))) is raised


def test_one_strong_record_does_not_end_it() -> None:
    strong = finding_of("broken_bar", **BAR | {"level_db": -40.0})
    assert events(fed([*[BAR_AGAIN] * 5, strong, *[BAR_AGAIN] * 5], closed(BAR_AGAIN))) == []


def test_it_is_raised_as_soon_as_nothing_is_dismissed() -> None:
    before = fed([BAR_AGAIN] * 9, closed(BAR_AGAIN))
    after = fed([QUIET, BAR_AGAIN, BAR_AGAIN], from_hour=10, history=before[-1].history)
    assert events([*before, *after]) == RAISED


@pytest.mark.parametrize("fault", ["turn_short", "insulation"])
def test_quick_faults_are_never_dismissed(fault: str) -> None:
    alarm = Alert(id=f"M:{fault}:0", machine_id="M", fault=fault, level="warning")
    assert dismissal_of(alarm, None, 0.0, "Ann") is None
    forced = replace(closed(BAR_AGAIN), fault=fault)
    assert events(fed([finding_of(fault, **BAR)] * 9, forced)) == RAISED


def test_limits_and_silence_are_never_dismissed() -> None:
    alarm = Alert(id="M:silent:0", machine_id="M", fault="silent", level="warning")
    assert dismissal_of(alarm, None, 0.0, "Ann") is None


ENDED = [*RAISED, ("cleared", "warning")]
STRONGER = finding_of("broken_bar", **BAR | {"level_db": -43.0})


def after_close(
    *diagnoses: Diagnosis, level: str = "warning", shown: Diagnosis = BAR_AGAIN
) -> list[HealthUpdate]:
    """Raise an alarm, close it as false while it is open, and feed the diagnoses after it."""
    first = fed([shown] * 3)
    kept = first[-1].history.faults["broken_bar"]
    alarm = Alert(id=kept.alert, machine_id="M", fault="broken_bar", level=level, code=shown.code)
    dismissal = dismissal_of(alarm, kept, 4 * HOUR_S, "Ann")
    assert dismissal
    return [*first, *fed(diagnoses, dismissal, from_hour=4, history=first[-1].history)]


def test_an_open_alarm_ends_with_its_close_and_does_not_come_again() -> None:
    after = after_close(*[BAR_AGAIN] * 3, *[QUIET] * 3, *[BAR_AGAIN] * 9)
    assert events(after) == ENDED
    (cleared,) = after[3].alerts
    assert (cleared.code, cleared.t) == ("alarm_dismissed", 4 * HOUR_S)
    assert after[3].history.assessment.health == 100
    assert [u.history.assessment.faults["broken_bar"].seen is None for u in after[3:6]] == [
        False
    ] * 3


def test_a_fault_that_never_paused_comes_again_once_it_has_grown() -> None:
    after = after_close(*[BAR_AGAIN] * 3, *[STRONGER] * 4)
    assert events(after) == [*ENDED, *RAISED]
    raised = [a for u in after for a in u.alerts if a.event == "raised"]
    assert raised[0].id != raised[1].id, "the closed alarm would take it for a repetition"


def test_one_strong_record_after_the_close_is_not_growth() -> None:
    assert events(after_close(STRONGER, *[BAR_AGAIN] * 6)) == ENDED


def test_a_fault_that_never_paused_comes_again_when_that_ends() -> None:
    held = after_close(*[BAR_AGAIN] * 3)
    after = fed([QUIET, BAR_AGAIN], from_hour=7, history=held[-1].history)
    assert [[a.event for a in u.alerts] for u in after] == [[], ["raised"]]


def test_the_open_level_fault_stays_as_it_is() -> None:
    bad = replace(BAR_AGAIN, state="fault")
    after = after_close(bad, bad, BAR_AGAIN, level="fault", shown=bad)
    assert events(after) == [("raised", "fault")]


def test_an_abstention_after_the_close_ends_the_alarm_too() -> None:
    unclear = finding_of("broken_bar", "unknown", code="because_unclear", severity=None)
    after = after_close(unclear, unclear)
    assert events(after) == ENDED


def test_a_clock_that_was_far_ahead_at_the_close_holds_nothing_for_years() -> None:
    kept = Dismissals(alarms=(closed(BAR_AGAIN, hours=10 * 365 * 24.0),))
    assert kept.at(HOUR_S) == ()
    assert kept.at(kept.alarms[0].t - HOUR_S) == kept.alarms, "a record that waited"


def test_an_alarm_that_has_ended_keeps_the_severity_it_had() -> None:
    after = fed([*[BEARING_AGAIN] * 8, *[replace(QUIET, fault="bearing")] * 5])
    (raised, _) = [a for u in after for a in u.alerts]
    dismissal = dismissal_of(raised, after[-1].history.faults["bearing"], HOUR_S, "Ann")
    assert dismissal is not None
    assert (dismissal.severity, dismissal.orders, dismissal.level_db) == (0.4, (3.05,), None)


def test_the_same_record_again_gives_the_same() -> None:
    history = fed([BAR_AGAIN] * 2, closed(BAR_AGAIN))[-1].history
    once, again = (fed([BAR_AGAIN], closed(BAR_AGAIN), history=history)[0] for _ in range(2))
    assert once == again


def test_a_machine_has_few_dismissals_one_for_each_alarm() -> None:
    kept = Dismissals()
    for i in range(2 * MOST_DISMISSALS):
        kept = Dismissals(alarms=kept.with_one(replace(closed(BAR_AGAIN), alarm_id=f"M:b:{i}")))
    assert [d.alarm_id for d in kept.alarms] == [f"M:b:{i}" for i in range(8, 16)]
    assert len(kept.with_one(kept.alarms[0])) == MOST_DISMISSALS
    assert len(kept.without("M:b:9")) == MOST_DISMISSALS - 1
