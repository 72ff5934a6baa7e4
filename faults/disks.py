"""A full disk, a data folder that cannot be written, a torn end of the append-only file.

The data folder is a small tmpfs, which needs root.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from faults.history import History
from faults.outages import BACK_S, PATIENCE_S, measure, until_results
from faults.probe import LIVE, READY, Probe
from faults.run import DISTURBED, Load, Test
from faults.system import System
from vtox.motor.faults import FAMILIES

SIZE_MB = 48
WAIT_S = 60.0


def disk(seed: int) -> Test:
    """Fill the disk, make it read-only over a restart, tear the end of the log."""
    load = Load(windows=5000, rate=40.0)
    return Test(
        name="disk full, read-only, torn log",
        seed=seed,
        load=load,
        prepare=lambda system: mount(system.data),
        during=_during,
        finish=lambda system: unmount(system.data),
        limits=DISTURBED | {"windows": load.windows, "aftermath_s": BACK_S},
        needs="" if os.geteuid() == 0 else "mounting a small disk needs root",
    )


def mount(folder: Path) -> None:
    """Make the data folder a small disk."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True
    )


def unmount(folder: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", "-l", str(folder)], check=False)


def _during(system: System, history: History) -> None:
    with Probe(system.api_port, slowness=system.slowness).probing() as probe:
        time.sleep(6)
        _full(system, history, probe)
        time.sleep(4)
        _read_only(system, history, probe)
        time.sleep(4)
        _torn(system, history)
        history.add("measure", name="live answers 200", value=probe.share(LIVE, 200), at_least=1.0)


def _full(system: System, history: History, probe: Probe) -> None:
    ballast = system.data / "ballast"
    began = time.monotonic()
    history.add("disturb", n=0, kind="disk full", target="server")
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    seconds = probe.wait_for(READY, 503, began, PATIENCE_S)
    measure(history, "ready 503 on a full disk after, s", seconds, 5.0)
    reply = post(system)
    history.add("reply", status=reply.status_code, text=reply.text[:500])
    measure(
        history, "status of a window sent to a full disk, off 503", abs(reply.status_code - 503), 0
    )
    time.sleep(5)
    ballast.unlink()
    freed = time.monotonic()
    history.add("calm", n=0)
    for family in FAMILIES:
        seconds = until_results(system, family, freed)
        measure(history, f"results of {family} after there is room, s", seconds, 15.0)
    seconds = probe.wait_for(READY, 200, freed, PATIENCE_S)
    measure(history, "ready 200 after there is room, s", seconds, 15.0)


def _read_only(system: System, history: History, probe: Probe) -> None:
    history.add("disturb", n=1, kind="read-only", target="server")
    began = time.monotonic()
    with _server_stopped(system):
        _remount(system.data, "ro")
    log = system.folder / "server.log"
    size = log.stat().st_size
    system.wait(lambda: "cannot be used" in log.read_text()[size:], "an error about the folder", 30)
    seconds = probe.wait_for(READY, 503, began, PATIENCE_S)
    measure(history, "ready 503 on a read-only folder after, s", seconds, 5.0)
    _remount(system.data, "rw")
    mended = time.monotonic()
    system.wait(system.server_responds, "the server", WAIT_S)
    history.add("calm", n=1)
    for family in FAMILIES:
        seconds = until_results(system, family, mended)
        measure(history, f"results of {family} after the folder is mended, s", seconds, 20.0)


def _torn(system: System, history: History) -> None:
    history.add("disturb", n=2, kind="torn log", target="server")
    with _server_stopped(system):
        newest = max((system.data / "valkey").rglob("*.incr.aof"), key=lambda p: p.stat().st_mtime)
        with newest.open("ab") as file:  # a record of which only the beginning is there
            file.write(
                b"*5\r\n$4\r\nXADD\r\n$14\r\nmotor_raw_data\r\n$1\r\n*\r\n$3\r\nseq\r\n$9\r\nhal"
            )
    started = time.monotonic()
    system.wait(system.server_responds, "the server", WAIT_S)
    history.add("calm", n=2)
    for family in FAMILIES:
        seconds = until_results(system, family, started)
        measure(history, f"results of {family} after a torn log, s", seconds, 20.0)


@contextmanager
def _server_stopped(system: System) -> Iterator[None]:
    """Kill the server, and start it again when the block has ended."""
    pid, part = system.pid_of("server"), system.parts["server"]
    assert pid
    part.start_at = float("inf")
    os.kill(pid, signal.SIGKILL)
    system.wait(lambda: not part.running, "end of the server", 30)
    time.sleep(0.5)
    yield
    part.start_at = time.monotonic()


def _remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def post(system: System) -> httpx.Response:
    """Send a window of a machine that is in no load, and return the answer."""
    body = {"seq": 0, "t0": time.time(), "fs_hz": 100, "channels": {"ia": [0.0] * 32}}
    url = f"http://127.0.0.1:{system.api_port}/api/v1/machines/EXTRA/windows"
    return httpx.post(url, json=body, timeout=10 * system.slowness)
