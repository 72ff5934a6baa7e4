"""Quotas by the server's clock, even if that clock changes."""

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger.quotas import BURST_S, Quota, charge
from vtox.pipeline.store.server.client import Client


def test_a_clock_that_was_set_back_blocks_no_sender(client: Client) -> None:
    def wait_s() -> float:
        return charge(client, [Quota("m", 1, 0)], "M", 100, max_machines=9)

    allowed = 1 + round(BURST_S)
    assert [wait_s() for _ in range(allowed)] == [0] * allowed
    assert wait_s() > 0, "over its quota"
    kept = client.hgetall(keys.quota("m"))
    client.hset(keys.quota("m"), mapping={k: float(v) + 3.6e6 for k, v in kept.items()})
    assert wait_s() == 0
