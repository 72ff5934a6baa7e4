"""All output of VTOX is bounded in time and in size, and the newest stays."""

from pathlib import Path

from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.server_urls import server_url
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.monitoring.doctor import inspect
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import RecorderHeartbeat
from vtox.pipeline.store.ledger.retention import BOUNDED, ServerMemory, trim_outputs
from vtox.pipeline.store.ledger.retention_clock import RetentionClock, keep_time
from vtox.pipeline.store.server.client import Client, connect


def test_bounded_in_time(client: Client, settings: Settings) -> None:
    seconds, _ = client.time()
    for age_h in (200, 30, 25, 23, 1):
        for k in range(300):
            ms = round((seconds - 3600 * age_h) * 1000)
            client.xadd(keys.RESULTS, {"n": k}, id=f"{ms}-{k + 1}")
    client.xadd(keys.METRICS, {"n": 1})
    trim_outputs(client, settings)
    assert client.xlen(keys.RESULTS) == 1500, "no time is kept yet"
    keep_time(RetentionClock(client), BOUNDED)
    trim_outputs(client, settings)
    oldest = int(client.xrange(keys.RESULTS, count=1)[0][0].partition(b"-")[0]) / 1000
    # Whole nodes of the server's tree go, up to 100 entries more stay.
    assert seconds - oldest < 25.1 * 3600
    assert 600 <= client.xlen(keys.RESULTS) <= 700


def test_bounded_in_size(client: Client, settings: Settings) -> None:
    few = settings.model_copy(update={"keep": Keep(evidence="2MB")})
    for k in range(100):
        client.xadd(keys.EVIDENCE, {"seq": k, "ia": bytes(80_000)})
    trim_outputs(client, few)
    assert 1.5e6 < client.memory_usage(keys.EVIDENCE) < 2.2e6
    assert client.xrevrange(keys.EVIDENCE, count=1)[0][1][b"seq"] == b"99"


def test_unread_results_stay_beyond_their_bound(client: Client, settings: Settings) -> None:
    few = settings.model_copy(update={"keep": Keep(results="0.2MB")})
    ids = [client.xadd(keys.RESULTS, {"n": k, "text": "x" * 200}) for k in range(5000)]
    kept = client.memory_usage(keys.RESULTS)
    assert kept > 1e6
    record_up_to(client, ids[1000])
    trim_outputs(client, few)
    assert 4000 <= client.xlen(keys.RESULTS) <= 4200, "what is recorded goes, whole nodes of it"
    assert client.xrange(keys.RESULTS, ids[1000], count=1)[0][0] == ids[1000]
    record_up_to(client, ids[-1])
    trim_outputs(client, few)
    assert client.memory_usage(keys.RESULTS) < 0.3e6


def test_unread_results_share_what_the_memory_leaves(client: Client, settings: Settings) -> None:
    few = settings.model_copy(update={"keep": Keep(results="0.2MB", assessments="0.2MB")})
    for stream in (keys.RESULTS, keys.ASSESSMENTS):
        for k in range(5000):
            client.xadd(stream, {"n": k, "text": "x" * 200})
    record_up_to(client, b"0-0", keys.RESULTS, keys.ASSESSMENTS)
    trim_outputs(client, few, ServerMemory(used_bytes=0, limit_bytes=2_000_000))
    sizes = [client.memory_usage(s) for s in (keys.RESULTS, keys.ASSESSMENTS)]
    assert sum(sizes) < 0.4 * 2.2e6
    assert min(sizes) > 0.25e6, "both keep some"
    assert client.xrevrange(keys.RESULTS, count=1)[0][1][b"n"] == b"4999"


def test_without_a_recorder_the_bound_holds(client: Client, settings: Settings) -> None:
    few = settings.model_copy(update={"keep": Keep(results="0.2MB")})
    for k in range(5000):
        client.xadd(keys.RESULTS, {"n": k, "text": "x" * 200})
    trim_outputs(client, few)
    assert client.memory_usage(keys.RESULTS) < 0.3e6


def test_bounds_in_time_hold_where_sizes_are_denied(tmp_path: Path) -> None:
    rights = "~* +@all -@dangerous -memory +info"
    settings = load(data_dir=tmp_path)
    with EmbeddedServer(settings, f"user few reset on >pw {rights}\n") as own:
        url = server_url(own.address.port, "pw", "few")
        with connect(url, "test") as client:
            for k in range(300):
                client.xadd(keys.RESULTS, {"n": k}, id=f"{k + 1}-1")
            client.xadd(keys.METRICS, {"n": 1})
            keep_time(RetentionClock(client), BOUNDED)
            assert trim_outputs(client, settings) >= 200
        (found,) = (c for c in inspect(load(redis_url=url)) if c.name == "rights")
    assert "MEMORY USAGE" in found.observed
    assert "users.acl" in found.remedy


def test_nothing_to_trim(client: Client, settings: Settings) -> None:
    assert trim_outputs(client, settings) == 0


def record_up_to(client: Client, entry_id: bytes, *streams: str) -> None:
    beat = RecorderHeartbeat(
        pid=1,
        host="h",
        address="history.sqlite",
        last_seen_t=0.0,
        recorded_t=None,
        recorded=dict.fromkeys(streams or (keys.RESULTS,), entry_id.decode()),
    )
    heartbeats.send(client, beat)
