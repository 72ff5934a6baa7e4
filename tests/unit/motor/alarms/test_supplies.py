"""Alarms of one supply that are one alarm."""

from dataclasses import replace

import pytest

from vtox.motor.alarms.life import Alarm, AlarmChange, apply
from vtox.motor.alarms.supplies import (
    SAME_TIME_S,
    SuppliedMachine,
    Supply,
    group_ids,
    same_time_s,
    supply_alarms,
    supply_of,
)

LINE_1, LINE_2 = Supply("North", "Plant/Line 1"), Supply("North", "Plant/Line 2")
FIVE = [SuppliedMachine(f"M{i}", LINE_1, behind_drive=False) for i in range(5)]


def alarm(machine_id: str, t: float, fault: str = "turn_short") -> Alarm:
    ms = round(1000 * t)
    own = {"machine_id": machine_id, "fault": fault, "level": "warning", "t": t}
    return Alarm(id=f"{machine_id}:{fault}:{ms}", raised_ms=ms, since_ms=ms, **own)


def grouped(alarms: list[Alarm], machines: list[SuppliedMachine] = FIVE) -> list[list[str]]:
    return [[a.machine_id for a in g.alarms] for g in supply_alarms(alarms, machines)]


def test_most_machines_of_a_supply_at_once_are_one_alarm_that_names_it() -> None:
    alarms = [alarm(f"M{i}", 100.0 + i) for i in (2, 0, 4)]
    (group,) = supply_alarms(alarms, FIVE)
    assert (group.supply, group.fault, group.id) == (LINE_1, "turn_short", "M0:turn_short:100000")
    assert (group.machines, group.of_machines, group.state) == (3, 5, "unacknowledged")
    assert group_ids([group]) == {a.id: group.id for a in alarms}
    assert group.why.values["supply"] == "Plant/Line 1 (North)"


@pytest.mark.parametrize(
    "alarms",
    [
        [alarm("M0", 100.0), alarm("M1", 101.0)],
        [alarm("M0", 100.0), alarm("M1", 101.0), alarm("M1", 102.0)],
        [alarm("M0", 100.0), alarm("M1", 101.0), alarm("M2", 102.0, "bearing")],
        [alarm("M0", 100.0), alarm("M1", 101.0), alarm("M2", 100.1 + SAME_TIME_S)],
        [alarm("M0", 100.0), alarm("M1", 101.0), alarm("", 102.0)],
    ],
    ids=["two", "one machine twice", "another fault", "too late", "the system"],
)
def test_what_is_not_of_most_of_them_stays_its_own(alarms: list[Alarm]) -> None:
    assert grouped(alarms) == []


def test_three_of_many_are_not_most() -> None:
    eight = [SuppliedMachine(f"M{i}", LINE_1, behind_drive=False) for i in range(8)]
    assert grouped([alarm(f"M{i}", 100.0) for i in range(4)], eight) == []
    assert grouped([alarm(f"M{i}", 100.0) for i in range(5)], eight) == [
        [f"M{i}" for i in range(5)]
    ]


def test_an_earlier_alarm_of_its_own_is_left_out() -> None:
    alarms = [alarm("M0", 30.0), *(alarm(f"M{i}", 100.0 + 3 * i) for i in range(1, 5))]
    assert grouped(alarms) == [["M1", "M2", "M3", "M4"]]


def test_supplies_do_not_mix_and_each_comes_again() -> None:
    other = [SuppliedMachine(f"N{i}", LINE_2, behind_drive=False) for i in range(3)]
    alarms = [alarm("M0", 100.0), alarm("M1", 100.0), alarm("N0", 100.0)]
    assert grouped(alarms, [*FIVE, *other]) == []
    later = [alarm(f"N{i}", t) for t in (500.0, 900.0) for i in range(3)]
    assert grouped([*alarms, *later], [*FIVE, *other]) == [["N0", "N1", "N2"]] * 2


def test_behind_drives_the_supply_does_not_show_in_the_motor_but_its_loss_does() -> None:
    driven = [SuppliedMachine(f"M{i}", LINE_1, behind_drive=i < 3) for i in range(5)]
    assert grouped([alarm(f"M{i}", 100.0) for i in range(3)], driven) == []
    silent = [alarm(f"M{i}", 100.0, "silent") for i in range(3)]
    assert grouped(silent, driven) == [["M0", "M1", "M2"]]


def test_what_an_operator_has_ungrouped_stays_by_itself() -> None:
    alarms = [alarm(f"M{i}", 100.0 + i) for i in range(4)]
    alone = apply(alarms[0], AlarmChange(name="ungrouped", ms=200_000, by="Ada"))
    assert grouped([alone, *alarms[1:]]) == [["M1", "M2", "M3"]]
    assert grouped([alone, *alarms[1:3]]) == []


def test_it_has_the_state_and_level_that_need_somebody_most() -> None:
    alarms = [alarm(f"M{i}", 100.0 + i) for i in range(3)]
    acknowledged = [
        apply(a, AlarmChange(name="acknowledged", ms=200_000, by="Ada")) for a in alarms
    ]
    (group,) = supply_alarms([*acknowledged[:2], replace(alarms[2], level="fault")], FIVE)
    assert (group.state, group.level, group.open) == ("unacknowledged", "fault", 3)
    (group,) = supply_alarms(acknowledged, FIVE)
    assert (group.state, group.since_ms) == ("acknowledged", 200_000)


def test_the_time_between_is_that_of_the_records_of_the_fault() -> None:
    assert same_time_s("turn_short") == same_time_s("silent") == SAME_TIME_S
    assert same_time_s("broken_bar") == 160.0, "four records of 40 s"


@pytest.mark.parametrize(
    ("path", "supply"), [("A/B/C", "A/B"), ("A/B", "A"), ("A", None), ("", None)]
)
def test_a_supply_is_the_path_above_a_machine(path: str, supply: str | None) -> None:
    assert supply_of("S", path) == (supply and Supply("S", supply))


def test_what_one_machine_raises_again_and_again_hides_no_group() -> None:
    chatter = [alarm("M0", 100.0 + i) for i in range(0, 200, 2)]
    others = [alarm(f"M{i}", 290.0 + i) for i in (1, 2)]
    (group,) = supply_alarms([*chatter, *others], FIVE)
    assert (group.machines, group.alarms[0].t) == (3, 232.0)
    assert {a.machine_id for a in group.alarms} == {"M0", "M1", "M2"}
