"""Alarms of silence are one if most machines of a site were silent at once."""

from dataclasses import replace

import pytest

from tests.unit.motor.alarms.test_supplies import alarm
from vtox.motor.alarms.life import Alarm, AlarmChange, apply
from vtox.motor.alarms.supplies import SuppliedMachine, Supply, SupplyAlarm, supply_alarms

DAY_S = 86_400.0
SITE = [SuppliedMachine(f"M{i}", None, False, "North") for i in range(6)]


def silent(i: int, t: float, until: float | None = None) -> Alarm:
    raised = alarm(f"M{i}", t, "silent")
    return apply(raised, AlarmChange(name="cleared", ms=round(1000 * until))) if until else raised


def of(*alarms: Alarm, machines: list[SuppliedMachine] = SITE) -> list[SupplyAlarm]:
    return supply_alarms(alarms, machines)


def names(group: SupplyAlarm) -> str:
    return " ".join(a.machine_id for a in group.alarms)


def test_a_site_of_which_nothing_comes_is_one_alarm() -> None:
    minutes = [60.0 * i for i in range(6)]  # each falls silent in its own time
    (group,) = of(*(silent(i, 1000 + t) for i, t in enumerate(minutes)))
    assert (group.supply, group.fault) == (Supply("North", ""), "silent")
    assert (group.machines, group.of_machines, group.t) == (6, 6, 1180.0)
    assert group.why.code == "no_machine_of_site_sends"


@pytest.mark.parametrize("n", [2, 3])
def test_half_a_site_is_not_most_of_it(n: int) -> None:
    assert of(*(silent(i, 1000.0) for i in range(n))) == []


def test_one_that_was_silent_before_is_part_of_it_and_it_began_later() -> None:
    (group,) = of(silent(5, 1000.0), *(silent(i, DAY_S + i) for i in range(4)))
    assert names(group) == "M5 M0 M1 M2 M3"
    assert group.t == DAY_S + 2, "when most were silent"
    assert group.why.values == {"silent": 5, "machines": 5, "of_machines": 6}


def test_it_stays_one_alarm_while_its_machines_come_back() -> None:
    back = [silent(i, 1000.0, until=1100.0 + i) for i in range(6)]
    (group,) = of(*back)
    assert (group.machines, group.active, group.why.values["silent"]) == (6, 0, 0)
    assert group.why.code == "machines_of_site_silent"


def test_each_outage_is_its_own_alarm() -> None:
    first = [silent(i, 1000.0, until=1100.0) for i in range(6)]
    second = [silent(i, 2000.0 + i) for i in range(5)]
    later, earlier = of(*first, *second)
    assert (names(earlier), names(later)) == ("M0 M1 M2 M3 M4 M5", "M0 M1 M2 M3 M4")
    assert later.t == 2003.0


def test_a_machine_silent_alone_after_an_outage_stays_its_own() -> None:
    outage = [silent(i, 1000.0, until=1100.0) for i in range(6)]
    (group,) = of(*outage, silent(1, 5000.0))
    assert group.machines == 6


def test_machines_that_never_sent_are_not_counted() -> None:
    planned = [SuppliedMachine(f"P{i}", None, False, "North", diagnosed=False) for i in range(20)]
    (group,) = of(*(silent(i, 1000.0) for i in range(6)), machines=[*SITE, *planned])
    assert group.of_machines == 6


def test_sites_do_not_mix_and_a_line_of_a_large_site_is_a_supply() -> None:
    line = Supply("South", "Plant/Line 1")
    others = [SuppliedMachine(f"S{i}", None, False, "South") for i in range(20)]
    lined = [SuppliedMachine(f"M{i}", line, False, "South") for i in range(3)]
    (group,) = of(*(silent(i, 1000.0) for i in range(3)), machines=[*others, *lined])
    assert (group.supply, group.of_machines) == (line, 3)


def test_what_was_ungrouped_stays_by_itself() -> None:
    alarms = [silent(i, 1000.0) for i in range(6)]
    (group,) = of(replace(alarms[0], ungrouped=True), *alarms[1:])
    assert group.machines == 5
