"""The bench: what each system gets, and how its figures are told."""

import numpy as np
import pytest

from benchmarks.bench.__main__ import ratios, table
from benchmarks.bench.measure import Measured
from benchmarks.bench.workload import CHANNELS, MACHINES, Joiner, Sent, as_read, cases, windows
from vtox.faults import FAMILIES
from vtox.wire import decode_channels


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return windows(2 * MACHINES)


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


def test_ratios_are_taken_within_a_round() -> None:
    slow = {"vtox": Measured(100.0, {"a": 2.0}), "naive": Measured(10.0, {"a": 20.0})}
    fast = {"vtox": Measured(300.0, {"a": 1.0}), "naive": Measured(20.0, {"a": 10.0})}
    (line,) = ratios([slow, fast])
    assert "12.50 times the windows a second (10.00 to 15.00), 0.10 times the CPU" in line
    assert "| vtox | 100 | 2.00 | a 2.00 |  |" in table(slow)
