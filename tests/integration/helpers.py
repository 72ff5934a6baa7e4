"""Senders and readers that know only the contracts of the streams."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from tests.paths import ROOT
from tests.waiting import eventually as eventually
from vtox.pipeline.bridge.dispatcher import WaitingTasks
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.heartbeats import LIFE_S
from vtox.pipeline.store.ledger.ledger import COMMITTED, Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.windows.partitions import FIRST, Partition
from vtox.pipeline.windows.tracing import start_tracing

T0 = 1_764_000_000.0


def add_window(
    client: Client,
    machine_id: str = "V001",
    seq: int = 0,
    entry_id: str = "*",
    raw: str = keys.RAW,
    **changes: Any,
) -> str:
    """XADD one window of 1 s with 1000 samples of one current."""
    counts = (1000 * np.sin(2 * np.pi * 50 * np.arange(1000) / 1000)).astype("<i2")
    fields: dict[str, Any] = {
        "machine_id": machine_id,
        "seq": seq,
        "t0": T0 + seq,
        "fs_hz": 1000,
        "dtype": "i2",
        "ia": counts.tobytes(),
        "scale_ia": 0.01,
    } | changes
    kept = {k: v for k, v in fields.items() if v is not None}
    reply = client.xadd(raw, kept, id=entry_id)
    return str(reply.decode())


@contextmanager
def bridging(
    settings: Settings,
    send: Callable[[str, list[str]], None] = lambda family, ids: None,
    waiting_tasks: WaitingTasks = lambda family: [],
) -> Iterator[list[tuple[str, list[str]]]]:
    """Run a bridge in a thread; the tasks it sends are collected, and only sent by `send`."""
    sent: list[tuple[str, list[str]]] = []

    def collect(family: str, ids: list[str]) -> None:
        sent.append((family, ids))
        send(family, ids)

    stop = Event()
    client = connect(settings.working_url(), "bridge", retries=0, report_loss=True)
    tracing = start_tracing(settings.traces_url, settings.traces_share, "bridge")
    bridge = Bridge(client, settings, collect, waiting_tasks, tracing=tracing)
    thread = Thread(target=bridge.run, args=(stop,))
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()
        client.close()


def counters(client: Client) -> dict[str, int]:
    """The counters that the scripts keep."""
    return {k.decode(): int(v) for k, v in client.hgetall(keys.COUNTERS).items()}


def end_starts(client: Client, attempts: str) -> None:
    """Make the starts at work older than the time after which a record is dispatched again."""
    names = [n for n in client.hkeys(attempts) if n.endswith(keys.AT_WORK.encode())]
    if names:
        client.hdel(attempts, *names)


def count_work(
    client: Client, name: str, family: str, *, windows: int, diagnosis_s: float, busy_s: float
) -> None:
    """Count a task of a worker, as its commit does."""
    key = keys.worker(name)
    counts = {"tasks_done": 1, "windows_done": windows, f"windows_done:{family}": windows}
    for field, n in counts.items():
        client.hincrby(key, field, n)
    for field, s in {
        "diagnosis_s": diagnosis_s,
        "busy_s": busy_s,
        f"busy_s:{family}": busy_s,
    }.items():
        client.hincrbyfloat(key, field, s)
    taken = {"last_family": family, "last_task_t": f"{server_time(client) - busy_s:.3f}"}
    client.hset(key, mapping=taken)
    client.expire(key, LIFE_S)


class Worker:
    """Commits the records of each task at once, and counts the entries of each family."""

    def __init__(self, client: Client, settings: Settings, partition: Partition = FIRST) -> None:
        self.ledger = Ledger(client, settings, partition)
        self.entries: Counter[tuple[str, str]] = Counter()

    def work(self, family: str, record_ids: list[str]) -> None:
        for record_id, record in self.ledger.start(family, record_ids).items():
            version = self.ledger.client.hget(keys.machine(record.machine_id), "version") or b"0"
            outcome = Outcome(record_id, version.decode(), record_id, ((), ()), [], [], [], False)
            assert self.ledger.commit(family, [outcome]) == [COMMITTED]
            self.entries.update((i, family) for i in record.ids.split())


def changed_copy(folder: Path, edits: Iterable[tuple[str, str, str]]) -> Path:
    """Return a copy of the product with lines added: the file, the line before, the new ones."""
    copy = folder / "checkout"
    for name in ("vtox", "api", "workers"):
        shutil.copytree(ROOT / name, copy / name)
    for file, before, lines in edits:
        text = (copy / file).read_text("utf-8")
        assert text.count(before) == 1, (file, before)
        (copy / file).write_text(text.replace(before, before + lines), "utf-8")
    return copy


def run_copy(checkout: Path, code: str, settings: Settings) -> dict[str, Any]:
    """Run code, with the server and the folder as its arguments, on a copy of the product.

    Its last line is JSON.
    """
    command = [sys.executable, "-c", code, settings.working_url(), str(settings.data_dir)]
    env = os.environ | {"COLUMNS": "200", "PYTHONPATH": os.pathsep.join(map(str, (checkout, ROOT)))}
    printed = subprocess.run(
        command, env=env, cwd=checkout, text=True, check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(printed.stdout.splitlines()[-1])
    return found
