"""Shared parts of the steps of all runs: lengths of calm, notes of a disturbance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from faults.history import History
from faults.hosts.system import Hosts

# Before the first disturbance and after each: the time of a hand-over, a time-out and the dispatch
# after 15 s together.
CALM_S = 10.0
SETTLE_S = 40.0

Step = Callable[[Hosts, History], None]


@contextmanager
def disturbance(history: History, n: int, kind: str, target: str) -> Iterator[None]:
    """Note when a disturbance begins and ends."""
    history.add("disturb", n=n, kind=kind, target=target)
    yield
    history.add("calm", n=n)
