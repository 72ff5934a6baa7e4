"""The shortest orders of events that once lost or doubled windows, on the bridges of the model."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.helpers import counters
from tests.integration.pipeline.bridge.test_model import BRIDGES, HORIZON, TURNS, BridgeModel
from tests.integration.pipeline.bridge.test_model import model as model
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.scripts import source

A, B = BRIDGES
Command = tuple[Any, ...]


@pytest.fixture
def bridges(model: type[BridgeModel]) -> Iterator[BridgeModel]:
    """Two bridges; at the end all windows must have one result of each family, and be counted."""
    bridges = model()
    yield bridges
    bridges.teardown()


def turn_interrupted(
    bridges: BridgeModel, is_reached: Callable[[Command], bool], event: Callable[[], None]
) -> None:
    """Let A make one turn with an event before the first command that `is_reached` accepts."""
    events = [event]

    def interruption(command: Command) -> None:
        if events and is_reached(command):
            events.pop()()

    bridges.bridges[A].interruption = interruption
    bridges.turn(A, TURNS)
    bridges.bridges[A].interruption = lambda _: None
    assert not events, "the command was never reached"


def serve(bridges: BridgeModel, name: str) -> None:
    """Let a bridge close and dispatch all that it holds."""
    for seconds in (0.1, 8.0, 1.0, 1.0):
        bridges.pass_time(seconds)
        bridges.turn(name, 1)


def replace_owner(bridges: BridgeModel) -> None:
    bridges.lease_ends()
    bridges.turn(B, 1)


def is_script(bridges: BridgeModel, name: str) -> Callable[[Command], bool]:
    texts = [source(name, shared=shared) for shared in (False, True)]
    known = [("EVALSHA", bridges.client.register_script(text).sha) for text in texts]
    return lambda command: command[:2] in known


# More than the horizon: the first is not known any more, and would be counted as a new one.
@pytest.mark.parametrize("windows", [2, HORIZON + 4])
def test_windows_finished_while_a_bridge_rebuilds_are_not_diagnosed_again(
    bridges: BridgeModel, windows: int
) -> None:
    bridges.add("M1", windows)
    bridges.turn(A, TURNS)
    serve(bridges, A)
    bridges.kill(A)
    bridges.lease_ends()
    turn_interrupted(bridges, is_script(bridges, "family_progress"), bridges.work)
    assert counters(bridges.client)["windows_in"] == windows


def test_an_owner_that_slept_through_another_ownership_rebuilds(bridges: BridgeModel) -> None:
    bridges.turn(A, TURNS)
    bridges.add("M1", 2)
    bridges.turn(A, TURNS)
    replace_owner(bridges)
    serve(bridges, B)
    bridges.work()
    bridges.end_in_order(B)
    serve(bridges, A)
    bridges.work()


def test_windows_read_by_a_deposed_owner_are_admitted_by_the_next(bridges: BridgeModel) -> None:
    bridges.turn(A, TURNS)

    def replaced_before_windows_come() -> None:
        replace_owner(bridges)
        bridges.add("M1", 2)

    turn_interrupted(bridges, lambda c: c[0] == "XREADGROUP", replaced_before_windows_come)
    assert bridges.client.xpending(keys.RAW, keys.GROUP)["pending"] == 2


def test_a_restart_with_more_pending_windows_than_the_horizon_counts_none_twice(
    bridges: BridgeModel,
) -> None:
    bridges.turn(A, TURNS)
    bridges.add("M1", 14)
    bridges.turn(A, TURNS)
    for _ in range(2):
        bridges.kill(A)
        bridges.lease_ends()
        bridges.turn(A, TURNS)
    assert counters(bridges.client)["windows_in"] == 14


def test_a_deposed_owner_admits_nothing(bridges: BridgeModel) -> None:
    bridges.turn(A, TURNS)
    bridges.add("M1", 4)
    turn_interrupted(bridges, is_script(bridges, "admit"), lambda: replace_owner(bridges))
    assert counters(bridges.client)["windows_in"] == 4


def test_a_dispatch_of_an_earlier_ownership_that_arrives_late_is_refused(
    bridges: BridgeModel,
) -> None:
    bridges.turn(A, TURNS)
    bridges.add("M1", 2)
    bridges.turn(A, TURNS)
    bridges.pass_time(1.0)
    bridges.interrupt_turn(A, 0, "dispatch_is_late")
    assert bridges.late_commands
    bridges.turn(A, TURNS)
    bridges.add("M1", 12)
    bridges.turn(A, TURNS)
    bridges.late_command_arrives()
