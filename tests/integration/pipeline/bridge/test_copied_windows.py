"""A window with the samples of the one before is refused; the same window again never is."""

from typing import Any

import numpy as np
import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client

RNG = np.random.default_rng(3)
ONE, OTHER = (RNG.integers(-900, 900, 1000).astype("<i2").tobytes() for _ in range(2))


def codes(client: Client) -> list[tuple[str, str]]:
    letters = [fields for _, fields in client.xrange(keys.DEAD_LETTERS)]
    return [(x[b"seq"].decode(), x[b"code"].decode()) for x in letters]


def send(client: Client, settings: Settings, *windows: dict[str, Any]) -> None:
    """Send windows to a new bridge, and wait until it has read them."""
    with bridging(settings):
        before = sum(counters(client).get(n, 0) for n in READ) + client.xlen(keys.DEAD_LETTERS)
        for w in windows:
            add_window(client, **w)
        eventually(
            lambda: (
                sum(counters(client).get(n, 0) for n in READ) + client.xlen(keys.DEAD_LETTERS)
                == before + len(windows)
            )
        )


READ = ("windows_in", "windows_duplicate")


def test_a_copy_of_the_window_before_is_refused(client: Client, settings: Settings) -> None:
    send(client, settings, *({"seq": k, "ia": ONE} for k in range(3)), {"seq": 3, "ia": OTHER})
    assert codes(client) == [("1", "window_copied"), ("2", "window_copied")]
    assert counters(client)["windows_in"] == 2


def test_another_bridge_knows_the_window_before(client: Client, settings: Settings) -> None:
    send(client, settings, {"seq": 0, "ia": ONE})
    send(client, settings, {"seq": 0, "ia": ONE}, {"seq": 1, "ia": ONE})
    assert codes(client) == [("1", "window_copied")]
    assert counters(client)["windows_duplicate"] == 1


def test_copies_of_another_machine_or_an_earlier_window_pass(
    client: Client, settings: Settings
) -> None:
    send(
        client,
        settings,
        {"seq": 0, "ia": ONE},
        {"seq": 0, "ia": ONE, "machine_id": "V002"},
        {"seq": 1, "ia": OTHER},
        {"seq": 2, "ia": ONE},
    )
    assert codes(client) == []


@pytest.mark.parametrize("period", [1, 20, 400])
def test_what_repeats_by_itself_is_no_copy(client: Client, settings: Settings, period: int) -> None:
    x = np.resize(np.frombuffer(ONE, "<i2")[:period], 1000).tobytes()
    send(client, settings, {"seq": 0, "ia": x}, {"seq": 1, "ia": x})
    assert codes(client) == []
