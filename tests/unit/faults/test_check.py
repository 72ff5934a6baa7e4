"""The checker passes a sound history, and names the faults of a broken one."""

from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import pytest

from faults.check import Verdict, check, main
from faults.history import Event, History, read
from faults.reference import IDLE, Reference

FAMILIES = {"turn_short": ["turn_short", "insulation"], "broken_bar": ["broken_bar"]}
WINDOWS = 20


def result(t: float, fault: str, first: int, last: int) -> Event:
    where = {"machine": "M", "run": "r", "fault": fault, "first": first, "last": last}
    return {"t": t, "event": "result", "latency_ms": 3.0} | where


def history(reference: Reference = IDLE, **limits: float) -> list[Event]:
    """One window a second, each in a separate record but for those of broken bars; a kill."""
    head = {"t": 0, "event": "run", "test": "t", "seed": 1, "families": FAMILIES}
    events: list[Event] = [head | {"limits": limits, "reference": asdict(reference)}]
    for seq in range(WINDOWS):
        t = float(seq + 1)
        events.append({"t": t, "event": "ack", "machine": "M", "run": "r", "seq": seq})
        events += [result(t + 0.1, f, seq, seq) for f in FAMILIES["turn_short"]]
        if seq % 10 == 9:
            events.append(result(t + 0.2, "broken_bar", seq - 9, seq))
        if seq == 5:
            events.append({"t": t, "event": "disturb", "n": 0, "kind": "kill", "target": "x"})
            events.append({"t": t + 1, "event": "calm", "n": 0})
    events.append({"t": 20.0, "event": "sample", "queues": {"turn_short": 3}})
    events.append({"t": 21.0, "event": "drained", "seconds": 1.0})
    counters = {"windows_in": WINDOWS, "windows_done": WINDOWS, "windows_duplicate": 2}
    counters |= {f"windows:{f}": WINDOWS for f in FAMILIES}
    counters |= {"records:turn_short": WINDOWS, "records:broken_bar": 2}
    state = {"pending": 0, "lag": 0, "progress": 0, "ledger": {}, "queues": {"turn_short": 0}}
    ends = {"results": 2 * WINDOWS + 2, "dead": 0, "executed": {"turn_short": 21, "broken_bar": 2}}
    events.append({"t": 22.0, "event": "final", "counters": counters} | state | ends)
    return events


def violations(events: list[Event]) -> str:
    return "\n".join(check(events).violations)


def test_a_sound_history_passes() -> None:
    verdict: Verdict = check(history(queue=3, drained_s=60, progress=0.5, duplicates=0.05))
    assert verdict.violations == []
    figures = verdict.figures
    assert (figures.windows, figures.lost, figures.doubled, figures.dead) == (WINDOWS, 0, 0, 0)
    assert figures.duplicates == pytest.approx(1 / 22, abs=1e-4)
    assert figures.recovery_s == pytest.approx(3.2)


def test_a_lost_window_is_named() -> None:
    events = [e for e in history() if not (e["event"] == "result" and e["first"] == e["last"] == 7)]
    text = violations(events)
    assert "2 lost (acknowledged, neither result nor dead letter)" in text
    assert "M r 7 insulation, M r 7 turn_short" in text


def test_a_doubled_result_is_named() -> None:
    text = violations([*history(), result(19.0, "broken_bar", 5, 6)])
    assert "2 doubled: M r 5 broken_bar, M r 6 broken_bar" in text


def test_a_dead_letter_stands_for_the_faults_of_its_family_only() -> None:
    events = [e for e in history() if not (e["event"] == "result" and e["first"] == e["last"] == 7)]
    dead = {"t": 9.0, "event": "dead", "machine": "M", "family": "turn_short", "seq": "7"}
    verdict = check([*events, dead | {"code": "poison"}])
    assert (verdict.figures.lost, verdict.figures.doubled, verdict.figures.dead) == (0, 0, 1)


def test_a_dead_letter_beside_a_result_is_doubled() -> None:
    dead = {"t": 9.0, "event": "dead", "machine": "M", "family": "broken_bar", "seq": "7"}
    assert check([*history(), dead | {"code": "poison"}]).figures.doubled == 1


def test_an_answer_without_acknowledgement_is_named() -> None:
    assert "never acknowledged: M r 99 bearing" not in violations(history())
    assert "never acknowledged: M r 99 insulation" in violations(
        [*history(), result(9.0, "insulation", 99, 99)]
    )


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("pending", 2, "pending is 2 at the end"),
        ("lag", None, "lag is None at the end"),
        ("progress", 1, "progress is 1 at the end"),
        ("ledger", {"bearing": 1}, "ledger not empty at the end: {'bearing': 1}"),
        ("queues", {"bearing": 9}, "queues not empty at the end"),
        ("results", 41, "41 results in the stream, 42 in the history"),
    ],
)
def test_what_is_left_at_the_end_is_named(field: str, value: object, text: str) -> None:
    events = history()
    events[-1][field] = value
    assert text in violations(events)


@pytest.mark.parametrize(
    ("counter", "text"),
    [
        ("windows_in", "windows_in is 21, but 20"),
        ("windows_done", "windows_done + windows_dead is 21"),
        ("windows:turn_short", "windows:turn_short + dead:turn_short is 21"),
        ("in_flight_bytes:turn_short", "in_flight_bytes:turn_short is 1"),
    ],
)
def test_a_counter_that_differs_is_named(counter: str, text: str) -> None:
    events = deepcopy(history())
    counters = events[-1]["counters"]
    counters[counter] = counters.get(counter, 0) + 1
    assert text in violations(events)


def test_a_meter_that_differs_from_the_results_is_named() -> None:
    events = history()
    for e in events:
        if e["event"] == "result":
            e["joules"] = 200 * (e["last"] - e["first"] + 1) if e["fault"] == "turn_short" else 0
    total = sum(e["joules"] for e in events if e["event"] == "result")
    events[-1]["joules"] = {"M": total}
    assert violations(events) == ""
    events[-1]["joules"] = {"M": total + 200}
    assert f"the meter of M is {total + 200} J" in violations(events)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"queue": 2}, "queue is 3, expected at most 2"),
        ({"drained_s": 0.5}, "drained_s is 1, expected at most 0.5"),
        ({"duplicates": 0.01}, "duplicates is 0.0455"),
        ({"recovery_s": 3}, "recovery_s is 3.2"),
        ({"disturbances": 2}, "disturbances is 1, expected 2"),
        ({"windows": 21}, "windows is 20, expected 21"),
    ],
)
def test_the_limits_of_the_test_hold(limits: dict[str, float], text: str) -> None:
    assert text in violations(history(**limits))


def test_limits_are_relative_to_a_run_without_faults() -> None:
    limits = {"recovery_s": 3.0, "drained_s": 0.9, "progress": 2.0}
    assert "recovery_s is 3.2, expected at most 3" in violations(history(**limits))
    assert "progress is 1.267, expected 2" in violations(history(**limits))
    busy = Reference(slowness=1.2, progress=0.5)
    assert violations(history(busy, **limits)) == ""


def test_a_measured_time_may_be_longer_on_a_slow_box() -> None:
    slow = {"t": 1.0, "event": "measure", "name": "ready 503 after, s", "value": 7, "at_most": 5}
    assert violations([*history(Reference(slowness=2.0)), slow]) == ""
    busier = {"t": 0.5, "event": "started", "seconds": 16.0, "slowness": 2.0}
    assert violations([*history(), busier, slow]) == ""


def test_a_run_that_never_recovers_is_named() -> None:
    events = [e for e in history(recovery_s=3.0) if e["event"] != "result" or e["t"] < 6]
    assert "recovery_s is unknown, expected at most 3" in violations(events)


def test_a_run_without_disturbance_is_held_to_its_progress() -> None:
    events = [e for e in history(progress=0.5) if e["event"] not in ("disturb", "calm")]
    assert violations(events) == ""
    late = [e | {"t": 30.0} if e["event"] == "result" else e for e in events]
    assert "progress is 0, expected 0.5" in violations(late)


def test_a_run_in_which_everything_waits_for_the_end_of_the_disturbance_fails() -> None:
    events = history(progress=0.5, accepted=0.5)
    for e in events:
        if e["event"] in ("ack", "result") and 6 <= e["t"] < 11.5:
            e["t"] = 11.5
    text = violations(events)
    assert "progress is 0" in text
    assert "accepted is 0" in text


def test_a_run_that_did_not_end_fails() -> None:
    assert "did not reach its end" in violations(history()[:-1])


def test_what_a_test_measured_is_held_to_its_limit() -> None:
    slow = {"t": 1.0, "event": "measure", "name": "ready 503 after, s", "value": 7, "at_most": 5}
    few = {"t": 1.0, "event": "measure", "name": "live 200", "value": 8, "at_least": 9}
    text = violations([*history(), slow, few])
    assert "ready 503 after, s: 7, expected at most 5" in text
    assert "live 200: 8, expected at least 9" in text


def test_the_command_reads_a_file_and_fails_on_violations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = History(tmp_path / "history.jsonl")
    for e in history():
        file.add(e["event"], **{k: v for k, v in e.items() if k not in ("t", "event")})
    file.close()
    assert len(list(read(file.path))) == len(history())
    assert main([str(file.path)]) == 0
    with file.path.open("a") as more:
        more.write('{"t": 3.0, "event": "dead", "machine": "M", "family": "turn_short", ')
        more.write('"seq": "3", "code": "poison"}\n{"t": 4, "event": "res')
    assert main([str(file.path)]) == 1
    assert "2 doubled: M r 3 insulation" in capsys.readouterr().out


def test_what_a_fail_over_took_back_is_no_answer() -> None:
    """Its readers saw two results; the new primary has others in place of one of them."""
    events = [
        e | {"id": f"{n}-0"} if e["event"] == "result" else e for n, e in enumerate(history())
    ]
    results = [e for e in events if e["event"] == "result"]
    again = [e | {"t": 30.0} for e in results[1:]]
    anew = results[0] | {"t": 30.0, "id": "99-0"}
    verdict = check([*events, {"t": 29.0, "event": "timeline"}, *again, anew])
    assert verdict.violations == []
    assert (verdict.figures.lost, verdict.figures.doubled, verdict.figures.withdrawn) == (0, 0, 1)
    assert verdict.figures.recovery_s == check(history()).figures.recovery_s
    assert "1 doubled" in violations(
        [*events, {"t": 29.0, "event": "timeline"}, *again, anew, anew]
    )


def test_a_record_that_counts_twice_on_its_day_is_named() -> None:
    said = {"state": "warning", "t_start": 0.0, "t_end": 1.0}
    events = [e | said if e["event"] == "result" else e for e in history(days=1.0)]
    found = [
        violations(
            [*events[:-1], events[-1] | {"days": {"M": {"broken_bar": ["w", n, n, "", []]}}}]
        )
        for n in (2, 3)
    ]
    assert found[0] == ""
    assert found[1].startswith("M keeps Days(letters='w', records=3")
