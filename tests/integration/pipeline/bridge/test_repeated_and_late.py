"""A tenth of the windows sent twice and all out of order, over restarts: one result for each."""

import random
from collections import Counter

from tests.cluster import small_window
from tests.integration.helpers import Worker, bridging, counters, eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import group_info

MACHINES, WINDOWS, PARTS = ("M1", "M2", "M3"), 80, 4


def shuffled_and_repeated(rng: random.Random) -> list[tuple[str, int]]:
    """Machine and seq of each window, some places from where it belongs; repeats later still."""
    windows = [(m, seq) for seq in range(WINDOWS) for m in MACHINES]
    places = [(seq + rng.uniform(0, 6), (m, seq)) for m, seq in windows]
    again = rng.sample(windows, len(windows) // 10)
    places += [(seq + rng.uniform(0, 30), (m, seq)) for m, seq in again]
    return [window for _, window in sorted(places)]


def test_each_window_has_one_result_for_each_family(client: Client, settings: Settings) -> None:
    sent = shuffled_and_repeated(random.Random(5))
    first: dict[tuple[str, int], str] = {}
    with connect(settings.working_url(), "worker") as connection:
        worker = Worker(connection, settings)
        size = -(-len(sent) // PARTS)
        for part in range(0, len(sent), size):
            half = 0

            def work(family: str, record_ids: list[str]) -> None:
                nonlocal half
                half += 1
                if half % 3:  # the others are dispatched again, or by the next bridge
                    worker.work(family, record_ids)
                else:
                    worker.ledger.make_due(family, record_ids)

            with bridging(settings, work):
                for machine, seq in sent[part : part + size]:
                    entry = client.xadd(keys.RAW, small_window(machine, seq)).decode()
                    first.setdefault((machine, seq), entry)
                eventually(lambda: (group := group_info(client, keys.RAW)) and group.lag == 0)
        with bridging(settings, worker.work):
            eventually(lambda: group_info(client, keys.RAW).pending == 0)
    assert worker.entries == Counter((e, f) for e in first.values() for f in FAMILIES)
    expected = {"windows_in": len(first), "windows_duplicate": len(sent) - len(first)}
    assert expected.items() <= counters(client).items()
    assert counters(client)["windows_done"] == len(first)
