"""The demo's score: detected faults, missed faults, false alarms."""

from vtox.cli.simulation.demo_score import Score, fleet_summary, latest
from vtox.motor.alarms.health.alert_values import Alert, EventName
from vtox.motor.simulator.fleet import fleet

MACHINES = fleet(50)
FAULTY = next(m for m in MACHINES if m.fault == "bearing" and m.detectable)
UNDETECTABLE = next(m for m in MACHINES if m.fault and not m.detectable)
HEALTHY = next(m for m in MACHINES if m.fault is None)


def alert(machine_id: str, fault: str, event: EventName = "raised", t: float = 1.0) -> Alert:
    return Alert(id="", machine_id=machine_id, fault=fault, level="fault", event=event, t=t)


def test_a_fault_is_detected_once() -> None:
    score = Score(MACHINES)
    before = len(score.missed())
    for event in ("raised", "escalated", "cleared"):
        score.add(alert(FAULTY.machine_id, "bearing", event))
    assert score.by_fault()["bearing"][0] == 1
    assert len(score.missed()) == before - 1
    assert not score.false_alarms


def test_an_alert_for_another_fault_is_a_false_alarm() -> None:
    score = Score(MACHINES)
    score.add(alert(FAULTY.machine_id, "turn_short"))
    score.add(alert(HEALTHY.machine_id, "bearing"))
    assert score.false_alarms == {
        (FAULTY.machine_id, "turn_short"),
        (HEALTHY.machine_id, "bearing"),
    }


def test_silence_and_other_machines_are_ignored() -> None:
    score = Score(MACHINES)
    score.add(alert(HEALTHY.machine_id, "silent"))
    score.add(alert("another", "bearing"))
    assert not score.false_alarms
    assert not score.detected


def test_an_undetectable_fault_is_not_missed() -> None:
    assert UNDETECTABLE.machine_id not in {m for m, _ in Score(MACHINES).missed()}


def test_the_summary_says_how_many_are_detectable() -> None:
    score = Score(MACHINES)
    detectable = sum(n for _, n in score.by_fault().values())
    faulty = sum(m.fault is not None for m in MACHINES)
    summary = fleet_summary(MACHINES)
    assert f"{faulty} of them faulty ({faulty - detectable} not detectable" in summary
    others = [m for m in MACHINES if m.detectable]
    assert fleet_summary(others) == f"{len(others)} machines, {detectable} of them faulty"


def test_the_latest_alerts_are_in_the_order_of_their_times() -> None:
    arrived = [alert("V001", "bearing", t=t) for t in (1.0, 7.0, 5.0, 6.0)]
    assert [a.t for a in latest(arrived, 3)] == [5.0, 6.0, 7.0]
