"""Changed settings of a machine count from the next record, in all workers that know it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from tests.integration.helpers import add_window, bridging, eventually
from tests.worker import worker
from vtox.motor.alarms.health.sensitivity import rules_from_dict
from vtox.motor.faults import FAMILIES
from vtox.motor.values.channel_map import sources_from_dict
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.machines.baselines import set_baseline, store_learnt_baseline
from vtox.pipeline.store.machines.channel_maps import set_channel_map
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.machines.machine_states import StateCache, load_states
from vtox.pipeline.store.machines.machines import register, retire
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.long

WORKERS = ("turn_short", "bearing")
RULES = rules_from_dict({"bearing": {"k": 2}})
MAP = sources_from_dict({"ia": {"sign": -1}})


@pytest.fixture
def two_workers(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Two workers in their own processes, and the bridge that sends them tasks."""
    url = settings.working_url()
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    queues = TaskQueues()
    with ExitStack() as stack:
        for family in WORKERS:
            log = tmp_path / f"{family}.log"
            stack.enter_context(worker(client, log, queue=family, VTOX_REDIS_URL=url))
        stack.callback(queues.close)
        stack.enter_context(bridging(load(redis_url=url, batch_wait_ms=1), queues.send))
        yield


def next_details(client: Client, seq: int) -> dict[str, tuple[str, list[dict[str, object]]]]:
    """Send two windows; return code and evidence of the two workers' results, by fault."""
    for k in (seq, seq + 1):
        add_window(client, seq=k, ib=b"\1\0" * 1000, ic=b"\2\0" * 1000)
    faults = {fault for f in WORKERS for fault in FAMILIES[f].faults}

    def results() -> dict[str, tuple[str, list[dict[str, object]]]]:
        entries = [e for _, e in client.xrange(keys.RESULTS) if int(e[b"last_seq"]) == seq + 1]
        return {
            e[b"fault"].decode(): (e[b"code"].decode(), orjson.loads(e[b"detail"])["evidence"])
            for e in entries
        }

    eventually(lambda: faults <= results().keys())
    return results()


def test_a_changed_setting_counts_in_two_workers(client: Client, two_workers: None) -> None:
    first = next_details(client, 0)
    assert {evidence == [] for _, evidence in first.values()} == {True}
    register(client, "V001", Motor(pole_pairs=2, supply_hz=50.0))
    set_channel_map(client, "V001", MAP, by="Ada")
    mapped = next_details(client, 2)
    assert all({"kind": "channel_map", "version": 1} in e for _, e in mapped.values())
    set_channel_map(client, "V001", {}, by="Bob")
    assert all(evidence == [] for _, evidence in next_details(client, 4).values())


def test_each_change_of_a_machine_is_read_by_all_who_keep_its_state(client: Client) -> None:
    caches = [StateCache(), StateCache()]

    def present_states() -> list[object]:
        found = [load_states(client, ["M1"], cache)[0] for cache in caches]
        assert found == load_states(client, ["M1"]) * 2
        return list(found)

    steps = [
        lambda: register(client, "M1", Motor(pole_pairs=2)),
        lambda: register(client, "M1", Motor(pole_pairs=3)),
        lambda: store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="Ada"),
        lambda: set_baseline(client, "M1", '{"bands": []}'),
        lambda: set_channel_map(client, "M1", MAP, by="Ada"),
        lambda: set_baseline(client, "M1", None),
        lambda: store_learnt_baseline(client, "M1", "", '{"bands": []}', MAP),
        lambda: client.hset(keys.machine("M1"), mapping={"version": "v1", "memory": "{}"}),
        lambda: retire(client, "M1"),
        lambda: register(client, "M1", Motor(pole_pairs=2)),
    ]
    before = present_states()
    for step in steps:
        step()
        assert present_states() != before
        before = present_states()


def test_what_has_not_changed_is_not_read_again(client: Client) -> None:
    register(client, "M1", Motor(pole_pairs=2))
    cache = StateCache()
    (first,) = load_states(client, ["M1"], cache)
    client.hset(keys.machine("M1"), mapping={"motor": "{}", "memory": "{"})
    assert load_states(client, ["M1"], cache)[0] == first
    client.hset(keys.machine("M1"), "version", "v1")
    (second,) = load_states(client, ["M1"], cache)
    assert (second.version, second.motor) == ("v1", first.motor)


def test_a_process_keeps_the_states_that_it_met_last(client: Client) -> None:
    cache = StateCache(2)
    for machine_id in ("M1", "M2", "M1", "M3"):
        register(client, machine_id, Motor(pole_pairs=2))
        load_states(client, [machine_id], cache)
    assert [bool(cache.get(m).settings) for m in ("M1", "M2", "M3")] == [True, False, True]
