"""Records that end or block their worker: dead letters after five starts; others go on."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.cluster import free_ports
from tests.integration.helpers import add_window, bridging, counters
from tests.paths import ROOT
from tests.system.poison_worker import KINDS, WAITS
from tests.waiting import eventually
from vtox.cli.main import application
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.alone

QUEUE = "bearing"
STARTS = 5


@pytest.fixture
def system(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A bridge and two workers of one family."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    with ExitStack() as stack:
        for name in ("w0", "w1"):
            stack.enter_context(worker(settings, tmp_path, name))
        eventually(lambda: client.scard(keys.WORKERS) == 2, 60)
        stack.enter_context(hasty_bridge(settings))
        yield client


@contextmanager
def hasty_bridge(settings: Settings) -> Iterator[None]:
    """Run a bridge that soon dispatches again, until the block ends."""
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=1.0, batch_wait_ms=1)
    queues = TaskQueues()

    def send(family: str, record_ids: list[str]) -> None:
        if family == QUEUE:
            queues.send(family, record_ids)

    with bridging(hasty, send, queues.waiting_tasks):
        yield


@contextmanager
def worker(
    settings: Settings, folder: Path, name: str, limit_s: float = 0.3, wait_s: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker until the block ends."""
    environment = parent_watch.child_environment(
        {
            "VTOX_REDIS_URL": settings.working_url(),
            "VTOX_REDISPATCH_AFTER_S": "1",
            "VTOX_WORKER_PORT": str(free_ports(1)[0]),
            "POISON_LIMIT_S": str(limit_s),
            "POISON_WAIT_S": str(wait_s),
            "VTOX_WORKER_MEMORY_MB": "700",
            "PYTHONPATH": str(ROOT),
        }
    )
    command = ("-m", "tests.system.poison_worker", "-Q", QUEUE, "-n", f"{name}@%h")
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()


def send_record(client: Client, machine_id: str, kind: int, first: int = 0) -> None:
    """Send the two windows of one record of the family."""
    counts = np.full(1000, kind, "<i2").tobytes()
    for seq in (first, first + 1):
        add_window(client, machine_id, seq, ia=counts, scale_ia=1)


def dead_letters(client: Client) -> list[tuple[str, str, str]]:
    names = (b"machine_id", b"code", b"attempts")
    entries = [e for _, e in client.xrange(keys.DEAD_LETTERS)]
    return [tuple(e[n].decode() for n in names) for e in entries]  # type: ignore[misc]


def test_poison_of_every_kind_ends_in_dead_letters_and_its_neighbours_are_diagnosed(
    system: Client,
) -> None:
    for n in range(10):
        for kind in KINDS:
            send_record(system, f"P{kind}" if n == 5 else f"M{kind}", kind if n == 5 else 0, 2 * n)
    eventually(
        lambda: len(dead_letters(system)) >= 2 * len(KINDS), 90, lambda: str(dead_letters(system))
    )
    poison = {f"P{kind}" for kind in KINDS}
    assert Counter(dead_letters(system)) == {(m, "poison", str(STARTS)): 2 for m in poison}
    eventually(lambda: counters(system)["windows:bearing"] == 2 * 9 * len(KINDS))
    assert counters(system)["in_flight_windows:bearing"] == 0
    assert not system.exists(keys.attempts(QUEUE))

    def command(*arguments: str) -> object:
        result = CliRunner().invoke(application(), ["dead-letters", *arguments, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    listed = command("list")
    assert {d["machine_id"] for d in listed} == poison  # type: ignore[index]
    assert command("show", listed[0]["id"])["entry"]["dtype"] == "i2"  # type: ignore[index]
    assert len(command("replay", "--all")) == 2 * len(KINDS)  # type: ignore[arg-type]
    eventually(lambda: system.hlen(keys.ledger(QUEUE)) == len(KINDS))


def test_starts_that_waited_on_and_on_are_no_attempts(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    log = tmp_path / "w0.log"

    def ended() -> int:
        return log.read_text().count("Hard time limit")

    with worker(settings, tmp_path, "w0", wait_s=0.5) as process:
        eventually(lambda: client.scard(keys.WORKERS) == 1, 60)
        with hasty_bridge(settings):
            send_record(client, "M", WAITS)
            eventually(lambda: ended() >= 3, 60, log.read_text)
            (record_id,) = client.hkeys(keys.ledger(QUEUE))
            assert int(client.hget(keys.attempts(QUEUE), record_id) or 0) <= 1
        # Asked to stop just when a child takes a record, Celery waits for it without a limit.
        process.kill()
