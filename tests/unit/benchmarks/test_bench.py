"""The bench: the load of each system, and the words for its figures."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import psutil
import pytest

from benchmarks.bench.__main__ import drained, paced, ratios, refusal
from benchmarks.bench.measure import Mark, Measured, latencies_ms, running, stopped, wait_for
from benchmarks.bench.sender import send_evenly
from benchmarks.bench.workload import (
    CHANNELS,
    CYCLE,
    MACHINES,
    Joiner,
    Sent,
    as_read,
    cases,
    drained_name,
    live_name,
    motor,
    windows,
)
from vtox.motor.faults import FAMILIES
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.bridge import record_joiner
from vtox.pipeline.windows.wire import decode_channels, entry_header


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return windows(2 * MACHINES)


@pytest.mark.long
def test_windows_differ_so_that_no_cache_makes_a_system_look_fast(sent: list[Sent]) -> None:
    heads = {s.channels["ia"][:100].tobytes() for s in sent}
    assert len(heads) == len(sent)


def test_a_machine_sends_its_windows_in_order(sent: list[Sent]) -> None:
    assert len({s.machine_id for s in sent[:MACHINES]}) == MACHINES
    assert sent[0].machine_id == sent[MACHINES].machine_id
    assert (sent[0].seq, sent[MACHINES].seq) == (0, 1)


def test_the_bearing_gets_two_consecutive_windows_of_one_machine(sent: list[Sent]) -> None:
    made = list(cases(sent, "bearing"))
    assert len(made) == MACHINES
    expected = decode_channels(as_read(sent[0]), as_read(sent[MACHINES]))
    for channel in CHANNELS:
        np.testing.assert_array_equal(made[0].recording.channels[channel], expected[channel])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_record_is_complete_at_the_length_that_its_family_needs(
    family: str, sent: list[Sent]
) -> None:
    joiner, fields = Joiner(family), as_read(sent[0])
    complete = [bool(joiner.add(f"{k}-1", fields)) for k in range(20)]
    assert complete.index(True) + 1 == FAMILIES[family].min_record_s
    assert sum(complete) == 20 // FAMILIES[family].min_record_s


def test_a_drain_of_whole_records_leaves_none_open_in_vtox(sent: list[Sent]) -> None:
    joiner = record_joiner.Joiner(lambda family, name: record_length_s(family, motor(name)))
    header = entry_header(sent[0].fields)
    closed = []
    for k in range(CYCLE):
        own = {"machine_id": drained_name(k % MACHINES), "seq": k // MACHINES}
        own["t0"] = header.t0 + k // MACHINES
        piece = record_joiner.Piece(f"{k}-1", "", replace(header, **own), frozenset(FAMILIES))
        closed += joiner.add(piece, 0.0)
    assert not joiner.entry_ids()
    assert {c.record.closed for c in closed} == {None}
    finished = Counter(
        {f: sum(c.record.windows for c in closed if c.family == f) for f in FAMILIES}
    )
    assert set(finished.values()) == {CYCLE}


def test_machines_that_send_live_have_names_of_their_own_and_a_nameplate() -> None:
    names = [live_name(k) for k in range(3 * MACHINES)]
    assert len(set(names)) == 3 * MACHINES
    assert motor(names[0]) == motor(names[MACHINES]) != motor(names[1])


@pytest.mark.long
def test_a_sender_tells_when_each_window_arrived() -> None:
    taken: list[Sent] = []

    def send(some: Sequence[Sent]) -> list[float | None]:
        taken.extend(some)
        return [None if w.machine_id == live_name(1) else 5.0 for w in some]

    told = send_evenly(send, machines=2, seconds=1.0)
    assert told["refused"] == 1
    assert told["arrivals"] == [(live_name(0), 0, 5.0), (live_name(1), 0, None)]
    assert [w.fields["machine_id"] for w in taken] == [live_name(0), live_name(1)]


def test_latency_runs_from_the_last_window_of_a_record_to_the_last_of_its_results() -> None:
    of = {b"family": b"bearing", b"machine_id": b"V1", b"last_seq": b"3"}
    naive = {b"family": b"turn_short", b"machine_id": b"V1", b"seq": b"4"}
    results = [(b"110-0", of), (b"130-1", of), (b"1050-0", naive)]
    found = latencies_ms(results, {("V1", 3): 100.0, ("V1", 4): 1000.0})
    assert found == {
        "bearing": {"p50": 30.0, "p95": 30.0, "p99": 30.0},
        "turn_short": {"p50": 50.0, "p95": 50.0, "p99": 50.0},
    }


def test_what_did_not_arrive_has_no_latency() -> None:
    naive = {b"family": b"turn_short", b"machine_id": b"V1", b"seq": b"4"}
    assert latencies_ms([(b"1050-0", naive)], {}) == {}


def test_costs_are_of_a_window_that_was_finished_between_the_marks() -> None:
    before = Mark(10.0, 500, {"server": 1.0}, 1_000, 3_000_000)
    m = Mark(12.0, 1500, {"server": 1.5, "bridge": 0.1}, 801_000, 2_000_000).since(before)
    assert (m.windows_per_s, m.wire_kb, m.server_mb) == (500.0, 0.8, 3.0)
    assert m.cpu_ms == pytest.approx({"server": 0.5, "bridge": 0.1})
    with pytest.raises(RuntimeError, match="no window"):
        before.since(before)


def test_processes_that_are_held_do_nothing() -> None:
    with running([[sys.executable, "-c", "while True: pass"]]) as processes:
        with stopped(processes):
            wait_for(lambda: processes[0].status() == psutil.STATUS_STOPPED, timeout_s=5)
        wait_for(lambda: processes[0].status() != psutil.STATUS_STOPPED, timeout_s=5)


def test_numbers_of_windows_that_give_no_sound_rate_are_refused() -> None:
    assert refusal(CYCLE, []) == refusal(6 * CYCLE, [1, 256]) == ""
    assert "multiple of 500, at least 500" in refusal(300, [])
    assert "at least 3000" in refusal(1000, [1, 256])


def test_ratios_are_taken_within_a_round() -> None:
    slow = {"vtox": Measured(100.0, {"a": 2.0}), "naive": Measured(10.0, {"a": 20.0})}
    fast = {"vtox": Measured(300.0, {"a": 1.0}), "naive": Measured(20.0, {"a": 10.0})}
    (line,) = ratios([slow, fast])
    assert "12.50 times the windows a second (10.00 to 15.00), 0.10 times the CPU" in line
    assert drained("vtox", slow["vtox"]) == "| vtox | 100 | 2.00 | a 2.00 |  |  |  |"


def test_a_row_of_a_pace_has_latencies_by_family() -> None:
    latency = {"bearing": {"p50": 70.0, "p95": 120.4, "p99": 150.0}}
    m = Measured(49.8, {"a": 2.0}, 0.5, 170.0, 180.0, latency, {"came_per_s": 50.1})
    expected = "| vtox | 50, 50 | 2.00 | a 2.00 | 0.50 | 170 | 180 |  | 70/120/150 |  |"
    assert paced("vtox", m) == expected
