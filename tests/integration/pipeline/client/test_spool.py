"""Windows on disk while the line is down: none lost, none twice, in order, within bounds."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.integration.helpers import bridging, counters, eventually
from vtox.cli.main import application
from vtox.pipeline.client import spool_file, store_and_forward
from vtox.pipeline.client.publisher import NUMBERS_FILE, Publisher
from vtox.pipeline.client.spool_file import FILE, repair
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import Client

T0 = 1_764_000_000.0
X = 10 * np.sin(np.arange(200) * 0.3)


class Line:
    """A line to the server that can be cut: a proxy of one port."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("redis://").partition("/")[0].rpartition(":")
        self._to = (host.rpartition("@")[2] or "127.0.0.1", int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://{host}:{self._listener.getsockname()[1]}/0"
        self.down = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break the connections, and take no new ones."""
        self.down = True
        for s in self._open:
            with suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
        self._open.clear()

    def close(self) -> None:
        """Take no connections any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                near.close()
                continue
            far = socket.create_connection(self._to)
            self._open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(a, b), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    finally:
        source.close()
        target.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_and_forward, "RETRY_S", 0.05)


def send(publisher: Publisher, i: int) -> None:
    publisher.send("M1", {"ia": X + i}, t0=T0 + i, fs_hz=1000.0)


def starts(client: Client) -> list[int]:
    return [round(float(f[b"t0"]) - T0) for _, f in client.xrange(keys.RAW)]


def drain(publisher: Publisher) -> None:
    eventually(lambda: (publisher.flush(), publisher.waiting == 0)[1])


def test_a_line_that_is_cut_loses_nothing(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    line = Line(settings.working_url())
    with Publisher(line.url, spool=tmp_path, catch_up_per_s=1000) as publisher:
        for i in range(40):
            if i == 10:
                line.cut()
            if i == 30:
                line.down = False
            begun = time.monotonic()
            send(publisher, i)
            assert time.monotonic() - begun < 4.0
        drain(publisher)
        assert publisher.dropped == 0
    with bridging(settings):
        eventually(lambda: counters(client).get("windows_in") == 40)
    assert sorted(set(starts(client))) == list(range(40))


def test_a_killed_sender_goes_on_where_it_was(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    script = (
        "import sys, time, numpy as np\n"
        "from vtox.pipeline.client import Publisher\n"
        "p = Publisher(sys.argv[1], spool=sys.argv[2])\n"
        f"for i in range(20): p.send('M1', {{'ia': np.zeros(200)}}, t0={T0} + i, fs_hz=1000.0)\n"
        "print(p.waiting, flush=True); time.sleep(60)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        away = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0?socket_timeout=0.2"
        command = [sys.executable, "-c", script, away, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
            assert sender.stdout
            assert sender.stdout.readline().strip() == "20"
            os.kill(sender.pid, signal.SIGKILL)
    with Publisher(settings.working_url(), spool=tmp_path) as publisher:
        assert publisher.waiting == 20
        drain(publisher)
    assert starts(client) == list(range(20))


def test_the_oldest_are_dropped_beyond_the_bounds(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    away = "redis://127.0.0.1:1/0"
    with Publisher(away, spool=tmp_path, spool_bytes=5000) as publisher:
        for i in range(20):
            send(publisher, i)
        kept, dropped = publisher.waiting, publisher.dropped
        assert 0 < kept < 20
        assert kept + dropped == 20
        send(publisher, 20)
    with Publisher(settings.working_url(), spool=tmp_path) as publisher:
        drain(publisher)
    assert starts(client) == list(range(21 - kept, 21))


def test_a_full_disk_keeps_the_latest_in_memory(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    line = Line(settings.working_url())
    line.down = True
    with Publisher(line.url, spool=tmp_path, catch_up_per_s=1000) as publisher:
        spool = publisher._delivery._spool  # type: ignore[union-attr]
        spool._db.execute(f"PRAGMA max_page_count = {12}")
        for i in range(60):
            send(publisher, i)
        assert publisher.waiting == 60
        line.down = False
        drain(publisher)
    assert sorted(starts(client)) == list(range(60))
    assert (tmp_path / FILE).stat().st_size <= 12 * 4096


def test_waiting_windows_are_caught_up_slowly(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    with Publisher("redis://127.0.0.1:1/0", spool=tmp_path) as publisher:
        for i in range(60):
            send(publisher, i)
    with Publisher(settings.working_url(), spool=tmp_path, catch_up_per_s=40) as publisher:
        begun = time.monotonic()
        drain(publisher)
        assert time.monotonic() - begun > 1.0
    assert starts(client) == list(range(60))


AWAY = "redis://127.0.0.1:1/0"


def spooled(folder: Path, windows: int = 20) -> None:
    with Publisher(AWAY, spool=folder) as publisher:
        for i in range(windows):
            send(publisher, i)


@pytest.mark.parametrize(
    "change",
    [
        "header = 'no JSON'",
        "header = '[1]'",
        "header = '{\"ia\": 9999999}'",
        "header = '{\"ia\": [null]}'",
        "samples = substr(samples, 2)",
        "header = x'ff00', nbytes = 'many'",
        "kept_t = 'never'",
    ],
)
def test_rows_that_are_no_windows_keep_no_others_back(
    client: Client, settings: Settings, tmp_path: Path, change: str
) -> None:
    spooled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute(f"UPDATE windows SET {change} WHERE id IN (1, 2, 11)")
    with Publisher(settings.working_url(), spool=tmp_path, catch_up_per_s=1000) as publisher:
        send(publisher, 20)
        drain(publisher)
        lost = 0 if "kept_t" in change else 3
        assert publisher.dropped == lost
    assert starts(client) == [i for i in range(21) if not (lost and i in (0, 1, 10))]
    assert repair(tmp_path) == (None, {"windows": 0, "unreadable": lost})


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("page", [0, 2, 3, 20])
def test_overwritten_pages_cost_their_windows_alone(
    client: Client, settings: Settings, tmp_path: Path, when: str, page: int
) -> None:
    spooled(tmp_path, 200)
    url = AWAY if when == "meanwhile" else settings.working_url()
    file = tmp_path / FILE

    def overwrite() -> None:
        with closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with file.open("r+b") as f:
            f.seek(4096 * page)
            f.write(b"\xff" * 4096)

    if when == "before":
        overwrite()
    with Publisher(url, spool=tmp_path, catch_up_per_s=1000) as publisher:
        if when == "meanwhile":
            send(publisher, 200)
            overwrite()
        send(publisher, 201)
    with Publisher(settings.working_url(), spool=tmp_path, catch_up_per_s=1000) as publisher:
        drain(publisher)
    found = starts(client)
    assert found == sorted(set(found))
    # Pages in memory or in the log of SQLite hide damage until the file is opened again.
    assert list(tmp_path.glob("windows-damaged-*.sqlite")) or found[-1] == 201
    assert len(found) >= (150 if page == 20 else 1)


def test_damaged_numbers_of_a_spool_begin_again(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    spooled(tmp_path)
    for log in tmp_path.glob(f"{NUMBERS_FILE}-*"):
        log.unlink()
    (tmp_path / NUMBERS_FILE).write_bytes(b"\xff" * 8192)
    with Publisher(settings.working_url(), spool=tmp_path, catch_up_per_s=1000) as publisher:
        send(publisher, 20)
        drain(publisher)
    assert starts(client) == list(range(21))


def test_a_folder_has_one_sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_file, "TAKE_OVER_S", 0.2)
    with Publisher(AWAY, spool=tmp_path):
        with pytest.raises(SettingsError, match=f"process {os.getpid()} keeps its windows there"):
            Publisher(AWAY, spool=tmp_path)
        with pytest.raises(SettingsError, match="keeps its windows there"):
            repair(tmp_path)
    Publisher(AWAY, spool=tmp_path).close()


@pytest.mark.parametrize("is_over", [True, False])
def test_a_disk_without_room_for_numbers_keeps_nothing_back(
    client: Client, settings: Settings, tmp_path: Path, is_over: bool
) -> None:
    line = Line(settings.working_url())
    line.down = True
    with Publisher(line.url, spool=tmp_path, catch_up_per_s=1000) as publisher:
        spool = publisher._delivery._spool  # type: ignore[union-attr]
        files = spool._db, publisher._numbers._db  # type: ignore[union-attr]
        for i in range(10):
            send(publisher, i)
        for db in files:
            db.execute("PRAGMA query_only = 1")  # refuses every change, and is read
        for i in range(10, 120):
            send(publisher, i)
        line.down = False
        if is_over:
            for db in files:
                db.execute("PRAGMA query_only = 0")
            send(publisher, 120)
        drain(publisher)
    entries = client.xrange(keys.RAW)
    assert sorted(starts(client)) == list(range(120 + is_over))
    assert sorted(int(f[b"seq"]) for _, f in entries) == list(range(120 + is_over))


def test_the_command_says_what_it_recovered(tmp_path: Path) -> None:
    spooled(tmp_path, 200)
    with (tmp_path / FILE).open("r+b") as f:
        f.seek(4096 * 20)
        f.write(b"\xff" * 4096)
    run = CliRunner().invoke(application(), ["mqtt", "--spool", str(tmp_path), "--repair"])
    assert run.exit_code == 0, run.output
    (kept,) = tmp_path.glob("windows-damaged-*.sqlite")
    assert kept.name in "".join(run.output.split())
    assert CliRunner().invoke(application(), ["mqtt", "--repair"]).exit_code != 0
