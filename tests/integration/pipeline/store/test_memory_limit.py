"""A server at its memory limit: new windows wait outside, all other work goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from tests.integration.api.test_windows import GOOD, PATH
from tests.integration.conftest import serving
from tests.integration.helpers import add_window, bridging, counters, eventually
from tests.integration.pipeline.sending.senders.test_pacing import jobs
from vtox.cli.main import add
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import reason
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.monitoring import monitor
from vtox.pipeline.monitoring.doctor import inspect
from vtox.pipeline.queues import celery_app
from vtox.pipeline.sending.senders.pacing import send
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.ledger.retention import (
    ServerMemory,
    effective_retention_s,
    server_memory,
    shortened_retention_s,
    trim_outputs,
)
from vtox.pipeline.store.machines.machines import retire
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import create_group

LIMIT_MB = 64
FILL = "fill"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Settings]:
    settings = load(data_dir=tmp_path, redis_maxmemory_mb=LIMIT_MB)
    with EmbeddedServer(settings):
        yield settings


@pytest.fixture
def client(limited: Settings) -> Iterator[Client]:
    with connect(limited.working_url(), "test") as opened:
        yield opened


def fill(settings: Settings) -> None:
    """Fill the server beyond its limit, so far that short-lived memory of clients is nothing."""
    with connect(settings.working_url(), "filler") as c:
        for _ in range(LIMIT_MB + 4):
            c.rpush(FILL, bytes(1 << 20))


def empty(client: Client) -> None:
    """Make room, and wait for it: the server frees a large key in its own thread."""
    client.delete(FILL)
    eventually(lambda: server_memory(client).share < 0.5)


@contextmanager
def emptied_after_a_refusal(settings: Settings) -> Iterator[None]:
    """Make room as soon as something was refused inside the block."""
    with connect(settings.working_url(), "emptier") as c:

        def refusals() -> int:
            return int(c.info("errorstats").get("errorstat_OOM", {"count": 0})["count"])

        def wait() -> None:
            eventually(lambda: refusals() > before, timeout_s=60)
            empty(c)

        before = refusals()
        thread = threading.Thread(target=wait)
        thread.start()
        yield
        thread.join()


def test_only_windows_are_refused(limited: Settings, client: Client) -> None:
    fill(limited)
    with pytest.raises(redis.OutOfMemoryError):
        add_window(client)
    create_group(client, keys.RAW)
    create_group(client, keys.RAW)
    assert client.hset("h", mapping={"a": 1, "b": 2}) == 2
    assert client.hincrbyfloat("h", "a", 0.5) == 1.5
    assert client.set("s", "x") is True
    assert client.xadd(keys.METRICS, {"t": 1}).endswith(b"-0")
    client.zadd(keys.MACHINES, {"M1": 0})
    assert set_flag(client, "M1", "clock", True, reason("clock_off"))
    assert not set_flag(client, "M1", "clock", True, reason("clock_off"))
    assert retire(client, "M1")
    assert client.xlen(keys.ALERTS) == 2
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        client.zadd("h", {"a": 1})


def test_a_transaction_is_taken_whole_unless_it_holds_a_window(
    limited: Settings, client: Client
) -> None:
    fill(limited)
    with client.pipeline() as pipe:
        pipe.zadd("z", {"a": 1.5})
        pipe.zscore("z", "a")
        pipe.hset("h", "a", 1)
        pipe.hdel("h", "none")
        pipe.hincrbyfloat("h", "a", 1)
        pipe.hgetall("h")
        pipe.zmscore("z", ["none", "a", "none"])
        pipe.get("none")
        want = [1, 1.5, 1, 0, 2.0, {b"a": b"2"}, [None, 1.5, None], None]
        assert pipe.execute() == want
        pipe.hset("h", "b", 1)
        pipe.xadd(keys.RAW, {"machine_id": "M1"})
        with pytest.raises(redis.OutOfMemoryError):
            pipe.execute()
        assert pipe.execute() == []
    assert client.hgetall("h") == {b"a": b"2"}
    assert not client.exists(keys.RAW)


def test_a_limit_reached_inside_a_transaction(limited: Settings, client: Client) -> None:
    for _ in range(40):
        client.rpush("half", bytes(1 << 20))
    with client.pipeline() as pipe:
        # Queued commands use memory too: at EXEC there is none left.
        for k in range(6):
            pipe.xadd(keys.RAW, {"seq": k, "ia": bytes(5 << 20)})
        with pytest.raises(redis.OutOfMemoryError):
            pipe.execute()
        pipe.hset("h", "a", 1)
        assert pipe.execute() == [1]
    assert not client.exists(keys.RAW)


def test_celery_sends_and_binds_its_queues(
    limited: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", limited.working_url())
    fill(limited)
    with celery_app.app.connection_for_write(limited.working_url()) as connection:
        with celery_app.app.amqp.Producer(connection) as producer:
            for family, f in FAMILIES.items():
                celery_app.app.send_task(f.task, [["r"]], queue=f.queue, producer=producer)
                assert client.llen(keys.CELERY_PREFIX + f.queue) == 1, family
        # A queue that expires, as each worker has one for remote control.
        queue = connection.SimpleQueue("own", queue_opts={"expires": 60})
        queue.put({"n": 1})
        assert queue.get(timeout=5).payload == {"n": 1}
        queue.close()


def test_the_bridge_takes_in_and_makes_room(limited: Settings, client: Client) -> None:
    for k in range(25):
        add_window(client, seq=k)
    create_group(client, keys.RAW)
    fill(limited)
    with capture_logs() as said, bridging(limited) as sent:
        eventually(lambda: sum(len(ids) for f, ids in list(sent) if f == "turn_short") == 25)
        eventually(lambda: any("out of memory" in line["event"] for line in said))
        assert counters(client)["windows_in"] == 25
        monitor.measure(client, limited)
        empty(client)
        eventually(lambda: any("memory again" in line["event"] for line in said))
    assert not any("does not answer" in line["event"] for line in said)


def test_finished_windows_stay_shorter_where_memory_is_short() -> None:
    settings = load()
    shares = {0.0: 60.0, 0.65: 60.0, 0.7: 30.0, 0.75: 0.0, 1.2: 0.0}
    for share, stay_s in shares.items():
        assert effective_retention_s(
            settings, ServerMemory(round(1000 * share), 1000)
        ) == pytest.approx(stay_s)
    assert effective_retention_s(settings, ServerMemory(1000, 0)) == 60.0


@pytest.mark.parametrize("fills_a_second", [0.005, 0.0373, 0.06])
def test_finished_windows_come_to_rest_at_an_age(fills_a_second: float) -> None:
    """They are not all deleted as soon as memory is short."""
    settings = load()
    age_s = kept_s = 0.0
    ages = []
    for _ in range(300):
        age_s += 1
        memory = ServerMemory(round(1e6 * (0.12 + fills_a_second * age_s)), 1_000_000)
        retention_s = shortened_retention_s(settings, memory, kept_s, 1.0)
        kept_s = min(kept_s + 1, retention_s)
        age_s = min(age_s, retention_s)
        ages.append(age_s)
    assert max(ages[100:]) - min(ages[100:]) <= 1.01
    assert min(ages[100:]) >= min(60.0, (0.75 - 0.12) / fills_a_second) - 3


def test_finished_windows_go_at_once_where_the_memory_is_nearly_full() -> None:
    nearly = ServerMemory(800_000, 1_000_000)
    assert shortened_retention_s(load(), nearly, 60.0, 1.0) == 0.0


def test_outputs_leave_most_of_a_small_memory(limited: Settings, client: Client) -> None:
    for k in range(500):
        client.xadd(keys.EVIDENCE, {"seq": k, "ia": bytes(80_000)})
    known = server_memory(client)
    assert known.limit_bytes == LIMIT_MB << 20
    trim_outputs(client, limited, known)
    # Evidence is 64 of the 248 MB that all outputs may take by default.
    wanted = 0.4 * known.limit_bytes * 64 / 248
    assert client.memory_usage(keys.EVIDENCE) == pytest.approx(wanted, rel=0.1)


def test_a_sender_says_that_it_waits_and_goes_on(limited: Settings, client: Client) -> None:
    fill(limited)
    with emptied_after_a_refusal(limited):
        progress = list(send(client, jobs(30, samples=100_000), None))
    assert progress[0].full
    assert not progress[-1].full
    seqs = [int(fields[b"seq"]) for _, fields in client.xrange(keys.RAW)]
    assert seqs == list(range(30)), "in order, and once"


def test_simulate_says_so(limited: Settings) -> None:
    fill(limited)
    app = typer.Typer()
    add(app, "simulate")
    where = {"VTOX_REDIS_URL": limited.working_url(), "COLUMNS": "200"}
    options = ["--machines", "1", "--duration", "2", "--no-commission"]
    with emptied_after_a_refusal(limited):
        result = CliRunner().invoke(app, options, env=where)
    assert result.exception is None
    assert "out of memory" in result.output
    assert "2 windows sent" in result.output


def test_doctor_says_so(limited: Settings) -> None:
    fill(limited)
    found = {c.name: c for c in inspect(limited)}
    assert found["memory"].status == "fail"
    assert "VTOX_REDIS_MAXMEMORY_MB" in found["memory"].remedy
    assert found["eviction"].status == "pass"


def test_http_refuses_windows_alone(limited: Settings, client: Client) -> None:
    fill(limited)
    with serving(limited) as http:
        refused = http.post(PATH, json=GOOD)
        assert (refused.status_code, refused.json()["code"]) == (503, "server_full")
        assert "memory" in refused.json()["detail"]
        assert refused.headers["retry-after"]
        assert http.put("/api/v1/machines/M1", json={"pole_pairs": 2}).is_success
        empty(client)
        assert http.post(PATH, json=GOOD).status_code == 202
