"""Quotas by the server's clock, whatever happens to that clock."""

from vtox import keys
from vtox.store.ledger.quotas import Quota, charge
from vtox.store.server.client import Client


def test_a_clock_that_was_set_back_blocks_no_sender(client: Client) -> None:
    def wait_s() -> float:
        return charge(client, [Quota("m", 1, 0)], "M", 100, burst_s=1, max_machines=9)

    assert [wait_s(), wait_s()] == [0, 0]
    assert wait_s() > 0, "over its quota"
    kept = client.hgetall(keys.quota("m"))
    client.hset(keys.quota("m"), mapping={k: float(v) + 3.6e6 for k, v in kept.items()})
    assert wait_s() == 0
