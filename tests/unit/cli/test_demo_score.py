"""The demo's score: who was found, who is missing, who was accused wrongly."""

from vtox.cli.demo_score import Score, counted, latest
from vtox.health import Alert, EventName
from vtox.simulator.fleet import fleet

MACHINES = fleet(50)
FAULTY = next(m for m in MACHINES if m.fault == "bearing" and m.detectable)
HIDDEN = next(m for m in MACHINES if m.fault and not m.detectable)
HEALTHY = next(m for m in MACHINES if m.fault is None)


def alert(machine_id: str, fault: str, event: EventName = "raised", t: float = 1.0) -> Alert:
    return Alert(id="", machine_id=machine_id, fault=fault, level="fault", event=event, t=t)


def test_a_right_alert_is_found_once() -> None:
    score = Score(MACHINES)
    before = len(score.missing())
    for event in ("raised", "escalated", "cleared"):
        score.take(alert(FAULTY.machine_id, "bearing", event))
    assert score.by_fault()["bearing"][0] == 1
    assert len(score.missing()) == before - 1
    assert not score.false


def test_an_alert_of_another_fault_is_false() -> None:
    score = Score(MACHINES)
    score.take(alert(FAULTY.machine_id, "turn_short"))
    score.take(alert(HEALTHY.machine_id, "bearing"))
    assert set(score.false) == {
        (FAULTY.machine_id, "turn_short"),
        (HEALTHY.machine_id, "bearing"),
    }


def test_silence_and_strangers_do_not_count() -> None:
    score = Score(MACHINES)
    score.take(alert(HEALTHY.machine_id, "silent"))
    score.take(alert("another", "bearing"))
    assert not score.false
    assert not score.found


def test_what_cannot_be_seen_is_not_missed() -> None:
    assert HIDDEN.machine_id not in {m for m, _ in Score(MACHINES).missing()}


def test_the_count_says_how_many_can_be_found() -> None:
    score = Score(MACHINES)
    findable = sum(of for _, of in score.by_fault().values())
    faulty = sum(m.fault is not None for m in MACHINES)
    said = counted(MACHINES)
    assert f"{faulty} of them faulty: {findable} can be found" in said
    assert f"{faulty - findable} not from the signals they send" in said
    seen = [m for m in MACHINES if m.detectable]
    assert counted(seen) == f"{len(seen)} machines, {findable} of them faulty"


def test_the_last_alerts_are_shown_in_the_order_of_their_times() -> None:
    came = [alert("V001", "bearing", t=t) for t in (1.0, 7.0, 5.0, 6.0)]
    assert [a.t for a in latest(came, 3)] == [5.0, 6.0, 7.0]
