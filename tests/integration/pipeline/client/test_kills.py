"""`kill -9` of sender and server: acknowledged windows are there, and nothing counts twice."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.helpers import bridging, counters, eventually
from tests.integration.pipeline.client.sender import BATCH, MACHINES
from tests.paths import ROOT
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import connect

BATCHES, KILLS = 300, 9
WINDOWS = BATCH * BATCHES


class Killed:
    """Sender and server, each of which is started again when it is killed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.server = EmbeddedServer(settings)
        self.server.start()
        self.sender = self._start_sender()

    def _start_sender(self) -> subprocess.Popen[bytes]:
        module = "tests.integration.pipeline.client.sender"
        files = [str(self.folder / "numbers"), str(self.folder / "notes")]
        command = [sys.executable, "-m", module, self.server.url, *files, str(BATCHES)]
        return subprocess.Popen(command, cwd=ROOT)

    def batches_noted(self) -> int:
        notes = self.folder / "notes"
        return len(notes.read_text().split()) if notes.exists() else 0

    def kill_sender(self) -> None:
        self.sender.kill()
        self.sender.wait()
        self.sender = self._start_sender()

    def kill_server(self) -> None:
        self.server._process.kill()
        self.server.stop()
        self.server = EmbeddedServer(self.settings)
        self.server.start()


@contextmanager
def killed(settings: Settings, folder: Path) -> Iterator[Killed]:
    processes = Killed(settings, folder)
    try:
        yield processes
    finally:
        processes.sender.kill()
        processes.sender.wait()
        processes.server.stop()


@pytest.mark.long
def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(tmp_path: Path) -> None:
    rng = random.Random(7)
    settings = load(data_dir=tmp_path / "data", redis_fsync="always")
    with killed(settings, tmp_path) as processes:
        for kill in range(KILLS):
            # Wherever it is, but not before it has begun.
            target = processes.batches_noted() + rng.randrange(1, BATCHES // KILLS)
            eventually(lambda n=target: processes.batches_noted() >= min(n, BATCHES), 60)
            time.sleep(rng.uniform(0, 0.005))
            processes.kill_server() if kill % 3 == 2 else processes.kill_sender()
        assert processes.sender.wait(timeout=60) == 0
        with connect(processes.server.url, "test") as client:
            sent = [
                (f[b"machine_id"], f[b"t0"], f[b"run"], f[b"seq"])
                for _, f in client.xrange(keys.RAW)
            ]
            url = processes.server.url
            with bridging(load(redis_url=url, data_dir=tmp_path, in_flight_windows=2 * WINDOWS)):
                eventually(lambda: sum(_fates(counters(client))) == len(sent))
            fates = _fates(counters(client))
    assert len(set(sent)) == len({(machine, t0) for machine, t0, _, _ in sent}) == WINDOWS
    assert fates == (WINDOWS, len(sent) - WINDOWS)
    for machine, count in Counter(s[0] for s in set(sent)).items():
        assert {int(s[3]) for s in sent if s[0] == machine} == set(range(count))
        assert abs(count - WINDOWS / MACHINES) < 1


def _fates(counts: dict[str, int]) -> tuple[int, int]:
    return counts.get("windows_in", 0), counts.get("windows_duplicate", 0)
