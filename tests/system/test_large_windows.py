"""Windows far larger than allowed, more of them than one reply of the server may carry."""

from tests.integration.helpers import add_window, bridging, counters
from tests.waiting import eventually
from vtox import keys
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.streams import group_info, trim_raw

HUGE = bytes(48 << 20)


def test_eleven_waiting_windows_of_48_mb_do_not_stop_the_bridge(
    client: Client, settings: Settings
) -> None:
    for seq in range(40):
        add_window(client, seq=seq)
    for seq in range(11):
        add_window(client, "HUGE", seq=seq, ia=HUGE)
    add_window(client, seq=40)
    with bridging(settings):
        eventually(lambda: counters(client).get("windows_in") == 41, 60)
    assert {e[b"code"] for _, e in client.xrange(keys.DEAD_LETTERS)} == {b"too_large"}
    assert counters(client)["windows_refused"] == 11
    assert group_info(client, keys.RAW).pending == 41
    client.xack(keys.RAW, keys.GROUP, *[i for i, _ in client.xrange(keys.RAW, count=40)])
    trim_raw(client, keys.RAW, 0.0)
