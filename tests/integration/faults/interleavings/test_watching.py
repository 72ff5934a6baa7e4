"""Checks of each command by the interleavings: the time of the server, and its data."""

from collections.abc import Callable

import pytest

from faults.interleavings.commands import Command
from faults.interleavings.truth import Broken, Truth
from faults.interleavings.watching import Watch
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import source
from vtox.pipeline.windows.partitions import FIRST

HOLD_S = 4.0
LEDGER = FIRST.ledger("bearing")


@pytest.fixture
def asks(client: Client) -> Callable[[str, float, bool], None]:
    """A worker that asks for a record at a time of the server, and gets it or does not."""
    now_s = [0.0]
    watch = Watch(client, Truth(client, 8), lambda: now_s[0])
    client.hset(LEDGER, "record", "row")
    sha = client.register_script(source("start")).sha

    def ask(token: str, at_s: float, gets: bool) -> None:
        now_s[0] = at_s
        argv = ("bearing", 1, 3, "vtox", 5, 1000, token, HOLD_S, "record")
        command = Command([("EVALSHA", sha, 1, LEDGER, *argv)])
        answered = watch.observe(command, "worker")
        assert answered
        answered([b"row" if gets else None])

    return ask


def test_a_start_counts_again_when_the_clock_comes_by_its_time_again(asks) -> None:
    asks("first", 100.0, True)
    # The clock was set back meanwhile, for longer than the hold.
    asks("second", 101.0, False)


@pytest.mark.parametrize("at_s", [90.0, 100.0 + HOLD_S + 0.1])
def test_a_start_of_the_future_or_of_old_holds_nothing_up(asks, at_s: float) -> None:
    asks("first", 100.0, True)
    with pytest.raises(Broken, match="held up"):
        asks("second", at_s, False)


def test_two_are_not_at_work_on_a_record(asks) -> None:
    asks("first", 100.0, True)
    with pytest.raises(Broken, match="two are at work"):
        asks("second", 101.0, True)
