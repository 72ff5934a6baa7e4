"""`make demo` as a newcomer runs it: it finds every detectable fault, and gives no false alert.

`vtox simulate --list` gives the truth about its machines; the alerts are read over HTTP.
At the end Ctrl-C must leave no process behind.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dashboard import prometheus, unanswered
from tour import broken_commands

FIND_S = 240.0  # until every machine is named, the start of all processes included
CALM_S = 60.0  # and then no false alarm for this long
END_S = 30.0
LOG = Path("demo.log")


def free_ports(n: int, among: range = range(10_000, 15_000)) -> list[int]:
    """Return free ports that embedded servers and clients do not get meanwhile."""
    ports: list[int] = []
    for port in random.SystemRandom().sample(among, 50):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return ports[:n]


def injected() -> dict[str, tuple[str | None, bool]]:
    """Return machine -> its fault and whether its signals can show it."""
    command = [".venv/bin/vtox", "simulate", "--list", "--json"]
    rows = json.loads(subprocess.check_output(command))
    return {r["machine_id"]: (r["fault"], r["detectable"]) for r in rows}


def alerts(url: str) -> set[tuple[str, str]]:
    """Return machine and fault of every alert so far; none while the service starts."""
    accused: set[tuple[str, str]] = set()
    path: str | None = "/api/v1/alerts?limit=500"
    while path:
        try:
            with urllib.request.urlopen(url + path, timeout=10) as reply:
                page: dict[str, Any] = json.load(reply)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return accused
        raised = [a for a in page["data"] if a["event"] != "cleared"]
        accused |= {(a["machine_id"], a["fault"]) for a in raised}
        path = page.get("next")
    return accused


def left_over(mark: str) -> list[str]:
    """Return the processes that were started with `mark` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        folders = (f"VTOX_DATA_DIR={mark}".encode(), f"VTOX_DATA_DIR={mark}/demo".encode())
        if not set(folders).isdisjoint(environment.split(b"\0")):
            found.append(f"{folder.name} {command}")
    return found


def watch(
    url: str,
    truth: dict[str, tuple[str | None, bool]],
    demo: subprocess.Popen[bytes],
    use: Callable[[], str],
) -> str:
    """Return the failure, empty if none; `use` the demo while it is to stay calm."""
    wanted = {(m, fault) for m, (fault, detectable) in truth.items() if fault and detectable}
    real = {(m, fault) for m, (fault, _) in truth.items()}
    start, named = time.monotonic(), None
    while named is None or time.monotonic() - named < CALM_S:
        time.sleep(1)
        if demo.poll() is not None:
            return f"the demo ended by itself ({demo.returncode})"
        accused = alerts(url)
        if false := {(m, f) for m, f in accused if m in truth and f in FAULTS} - real:
            return f"false alarms: {sorted(false)}"
        if named is None and wanted <= accused:
            named = time.monotonic()
            print(f"demo: {len(wanted)} of {len(wanted)} found after {named - start:.0f} s")
            if failure := use():
                return failure
        if named is None and time.monotonic() - start > FIND_S:
            return f"not found in {FIND_S:g} s: {sorted(wanted - accused)}"
    return ""


FAULTS = {"turn_short", "insulation", "bearing", "eccentricity", "broken_bar"}


def main() -> None:
    """Run the demo, watch it, stop it."""
    names = ("API", "COORDINATOR", "FLOWER", "WORKER")
    *own, prometheus_port = free_ports(len(names) + 1)
    ports = dict(zip(names, own, strict=True))
    data = Path("demo-data").absolute()
    env = os.environ | {f"VTOX_{name}_PORT": str(port) for name, port in ports.items()}
    env["VTOX_DATA_DIR"] = str(data)
    truth = injected()
    # A script in the background ignores Ctrl-C, and so would its child processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with LOG.open("wb") as log:
        demo = subprocess.Popen(
            ["make", "demo"], env=env, stdout=log, stderr=log, start_new_session=True
        )
        with prometheus(ports["API"], prometheus_port, Path("demo-prometheus")) as asked:

            def use() -> str:
                return (asked and unanswered(asked)) or broken_commands(ports["API"], env)

            failure = watch(f"http://127.0.0.1:{ports['API']}", truth, demo, use)
        with suppress(ProcessLookupError):  # it ended by itself, which is a failure already
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
        try:
            demo.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            failure = failure or f"the demo did not end within {END_S:g} s of Ctrl-C"
    if remaining := left_over(str(data)):
        failure = failure or "processes left over:\n" + "\n".join(remaining)
    if failure:
        print("\n".join(LOG.read_text().splitlines()[-40:]))
        sys.exit(f"demo: {failure}")
    print("demo: no false alarm, no process left")


if __name__ == "__main__":
    main()
