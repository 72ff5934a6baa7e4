"""The cost of an open page of the fleet to the API process, and how soon it shows the fleet.

A real server holds machines whose records are committed by the workers' script, one a second for
each machine, with its own API process and the page in headless Chromium:

    python -m benchmarks.fleet_page [--machines 1000] [--seconds 60]

Ten of a hundred machines are ill, and the health of three of these moves with each record; two are
blind to a fault in every second record. Each figure is the CPU time of the API process alone, user
and system, as a share of one core.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import httpx
import psutil

from tests.integration.api.browser import Tab, chromium
from tests.waiting import eventually
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.assessment import Fused
from vtox.motor.alarms.health.marks import MARKS
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.faults import FAULTS
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, Record, State
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.ledger.ledger_rows import record_json
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.entries import entry_of
from vtox.reporting.history.recorder import Recorder

BATCH = 50
FAMILY = "bearing"
TRIES = 5
SITES, LINES = 8, 40


class Feeder:
    """Commits a record of each machine a second, as a worker does."""

    def __init__(self, client: Client, settings: Settings, n: int) -> None:
        self.client, self.ledger = client, Ledger(client, settings)
        self.names = [f"M{i:04d}" for i in range(n)]
        self.versions = dict.fromkeys(self.names, "0")
        self.forced: dict[str, State] = {}
        self.seq = 0

    def turn(self) -> None:
        """Commit the next record of every machine."""
        now = time.time()
        self.client.zadd(keys.MACHINES, dict.fromkeys(self.names, now))
        for first in range(0, len(self.names), BATCH):
            part = self.names[first : first + BATCH]
            outcomes = [self._outcome(i, m, now) for i, m in enumerate(part, start=first)]
            assert set(self.ledger.commit(FAMILY, outcomes)) == {1}
        self.seq += 1

    def run(self, stop: Event) -> None:
        """Make a turn a second until `stop` is set."""
        while not stop.is_set():
            began = time.monotonic()
            self.turn()
            stop.wait(max(1.0 - (time.monotonic() - began), 0.0))

    def _outcome(self, i: int, m: str, now: float) -> Outcome:
        r = Record(
            machine_id=m,
            run="",
            first_seq=self.seq,
            last_seq=self.seq,
            t_start=now - 1,
            t_end=now,
            ids="1-1",
            windows=1,
            bytes=1,
        )
        record_id = r.record_id(FAMILY)
        self.client.hset(keys.ledger(FAMILY), record_id, record_json(r))
        history = self.history(i, m, now)
        version, self.versions[m] = self.versions[m], f"{self.seq + 1}"
        own = (("memory",), [codec.encode(history)])
        texts = ["machine_id", m, *entry_of(history.assessment)]
        published = [(tuple(texts[::2]), texts[1::2])] if self.seq % 10 == i % 10 else []
        return Outcome(
            record_id,
            version,
            self.versions[m],
            own,
            [],
            published,
            [],
            evidence=False,
            fingerprint=Fused.of(history.faults, now).fingerprint(history.faults),
        )

    def history(self, i: int, m: str, now: float) -> MachineHistory:
        """Return the history of a machine after a record."""
        state: State = "normal"
        severity = 0.4
        if i % 10 == 0:
            state = "fault" if i % 30 == 0 else "warning"
            severity -= (self.seq % 7) / 100 if i % 100 < 30 else 0
        state = self.forced.get(m, state)
        normal = FaultHistory(last_state="normal", severities=(0.0,), marks="n", starts=(now,))
        faults = dict.fromkeys(FAULTS, normal)
        if state in ("warning", "fault"):
            words = f"impacts at {91.2 + self.seq % 3:.1f} Hz, 12 dB above the limit"
            faults["bearing"] = FaultHistory(
                last_state=state,
                last_code="outer_race",
                last_reason=words,
                severities=(severity,),
                level=state,
                marks=MARKS[state],
                starts=(now,),
            )
        if i % 50 == 7 and self.seq % 2:
            faults["broken_bar"] = replace(normal, last_state="unknown", last_code="load_too_low")
        return MachineHistory(faults, t=now)


def fill_history(client: Client, settings: Settings, feeder: Feeder) -> None:
    """Record an hour of assessments, one a minute of each machine."""
    now = time.time()
    recorder = Recorder(client, settings)
    recorder.record(Event())
    for minute in range(60):
        pipe = client.pipeline(transaction=False)
        for i, m in enumerate(feeder.names):
            t = now - 3600 + 60 * minute
            pipe.execute_command(
                "XADD",
                keys.ASSESSMENTS,
                "*",
                "machine_id",
                m,
                *entry_of(feeder.history(i, m, t).assessment),
            )
        pipe.execute()
    recorder.record(Event())
    recorder.close()


@contextmanager
def api_process(settings: Settings, url: str) -> Iterator[tuple[int, str]]:
    """Run the API as `vtox up` does; yield its process id and address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "VTOX_REDIS_URL": url,
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_API_PORT": str(port),
    }
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port)]
    command += ["--no-access-log", "--log-level=warning"]
    process = subprocess.Popen(command, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _responds(address))
        yield process.pid, address
    finally:
        process.terminate()
        process.wait()


def _responds(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/live").status_code == 200
    except httpx.TransportError:
        return False


def cpu_share(pid: int, seconds: float) -> float:
    """Return the share of a core (%) that a process takes over a time."""
    process = psutil.Process(pid)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    time.sleep(seconds)
    return 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


def delays(tab: Tab, feeder: Feeder) -> list[float]:
    """Return how long it takes until the page counts a machine that becomes faulty (s)."""
    shown = "document.title"
    found = []
    for i in range(TRIES):
        before = tab.run(shown)
        feeder.forced[feeder.names[11 + 10 * i]] = "fault"
        began = time.monotonic()
        eventually(lambda before=before: tab.run(shown) != before)
        found.append(time.monotonic() - began)
    return found


def first_paint(tab: Tab) -> dict[str, Any]:
    """Return when the page drew anything, and when machines (ms after the start of loading)."""
    script = """(() => {
      const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
      const rows = performance.getEntriesByName('machines')[0]?.startTime;
      return JSON.stringify([Math.round(paint), Math.round(rows)]);
    })()"""
    return {"first paint, machines (ms)": tab.run(script)}


def measure(n: int, seconds: float, folder: Path) -> None:
    """Print the cost of a page over so many machines."""
    with EmbeddedServer(load(data_dir=folder / "server")) as server:
        settings = load(redis_url=server.url, data_dir=folder)
        client = connect(server.url, "benchmark")
        feeder = Feeder(client, settings, n)
        for i, m in enumerate(feeder.names):
            line = f"Plant {i % SITES}/Line {i % LINES}/{m}"
            machines.register(client, m, Motor(site=f"Site {i % SITES}", asset_path=line))
        feeder.turn()
        fill_history(client, settings, feeder)
        stop = Event()
        thread = Thread(target=feeder.run, args=(stop,))
        thread.start()
        try:
            with api_process(settings, server.url) as (pid, address):
                print(f"{n} machines; no page: {cpu_share(pid, seconds / 3):.2f} % of a core")
                for _ in range(TRIES):
                    with chromium(address) as tab:
                        tab.shows("M0000")
                        print(first_paint(tab))
                with chromium(address) as tab:
                    tab.shows("M0000")
                    time.sleep(3)
                    print(f"one page: {cpu_share(pid, seconds):.2f} % of a core")
                    late = delays(tab, feeder)
                    print(f"delay median {median(late):.1f} s, longest {max(late):.1f} s")
        finally:
            stop.set()
            thread.join()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(given.machines, given.seconds, Path(folder))


if __name__ == "__main__":
    main()
