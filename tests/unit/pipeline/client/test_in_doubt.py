"""A sender keeps windows until enough replicas have them, and some seconds longer."""

from types import SimpleNamespace
from typing import Any

import pytest

from vtox.pipeline.client import in_doubt
from vtox.pipeline.client.in_doubt import InDoubt


class Replicas:
    """As many replicas as answer `WAIT`."""

    def __init__(self, having: int) -> None:
        self.having = having

    def wait(self, replicas: int, ms: int) -> int:
        return self.having


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    clock = {"t": 0.0}
    monkeypatch.setattr(in_doubt, "time", SimpleNamespace(monotonic=lambda: clock["t"]))
    return clock


def test_a_window_is_kept_until_a_later_one_is_confirmed(now: dict[str, float]) -> None:
    kept: InDoubt[str] = InDoubt(0, keep_s=5.0)
    for t in (0.0, 4.0, 6.0):
        now["t"] = t
        kept.unconfirmed.append((f"window of {t:g} s", "1-0", 0.0))
        assert kept.confirm(None)
    now["t"] = 100.0
    assert kept.take_all() == ([("window of 4 s", 2.0), ("window of 6 s", 0.0)], [])
    assert not kept


def test_a_window_that_is_sent_again_is_kept_no_longer_for_it(now: dict[str, float]) -> None:
    """Each fail-over would else keep all from the first one on, more than the bridge remembers."""
    kept: InDoubt[int] = InDoubt(0, keep_s=5.0)
    again: list[tuple[int, float]] = []
    for t in range(40):
        now["t"] = float(t)
        kept.unconfirmed += [(window, "1-0", age_s) for window, age_s in again]
        kept.unconfirmed.append((t, "1-0", 0.0))
        kept.confirm(None)
        again = kept.take_all()[0] if t % 4 == 0 else []
        assert len(again) <= 7


def test_nothing_is_confirmed_that_too_few_replicas_have() -> None:
    client: Any = Replicas(0)
    kept: InDoubt[str] = InDoubt(1, keep_s=0.0)
    kept.unconfirmed.append(("window", "1-0", 0.0))
    assert not kept.confirm(client)
    client.having = 1
    assert kept.confirm(client) == [("window", "1-0")]
    assert not kept
