"""What a sender keeps: until enough replicas have it, and some seconds longer."""

from typing import Any

import pytest

from vtox.client import in_doubt
from vtox.client.in_doubt import InDoubt


class Replicas:
    """As many replicas as answer `WAIT`."""

    def __init__(self, having: int) -> None:
        self.having = having

    def wait(self, replicas: int, ms: int) -> int:
        return self.having


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    clock = {"t": 0.0}
    monkeypatch.setattr(in_doubt.time, "monotonic", lambda: clock["t"])
    return clock


def test_a_window_is_kept_until_a_later_one_is_confirmed(now: dict[str, float]) -> None:
    kept: InDoubt[str] = InDoubt(0, keep_s=5.0)
    for t in (0.0, 4.0, 6.0):
        now["t"] = t
        kept.unconfirmed.append((f"window of {t:g} s", "1-0"))
        assert kept.confirm(None)
    now["t"] = 100.0
    assert kept.take_all() == (["window of 4 s", "window of 6 s"], [])
    assert not kept


def test_nothing_is_confirmed_that_too_few_replicas_have() -> None:
    client: Any = Replicas(0)
    kept: InDoubt[str] = InDoubt(1, keep_s=0.0)
    kept.unconfirmed.append(("window", "1-0"))
    assert not kept.confirm(client)
    client.having = 1
    assert kept.confirm(client) == [("window", "1-0")]
    assert not kept
