"""Windows far larger than allowed, more of them than one reply of the server may carry."""

from pathlib import Path

from tests.integration.helpers import add_window, bridging, counters
from tests.waiting import eventually
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.window_log import group_info

# An eighth of the limit that the server has in use, so that an eighth of the bytes exceeds it.
REPLY_LIMIT = "client-output-buffer-limit normal 64mb 32mb 30\n"
HUGE = bytes(6 << 20)


def test_waiting_windows_that_no_reply_can_carry_do_not_stop_the_bridge(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path), REPLY_LIMIT) as server:
        settings = load(redis_url=server.url, max_window_bytes=1 << 20)
        with connect(server.url, "test") as client:
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
