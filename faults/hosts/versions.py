"""Two versions of VTOX at work together: an earlier commit is checked out next to this one."""

import subprocess
import time
from functools import partial
from typing import Any

from faults.history import History
from faults.hosts.steps import CALM_S, disturbance
from faults.hosts.system import ROOT, SERVER_HOST, START_S, VEHICLES_HOST, Hosts
from faults.outages import measure
from faults.system import System
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration.version import commit_of
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.system.status import snapshot

# How many commits lie between the two versions.
EARLIER = 40
# Time to replace a bridge that ended by SIGTERM, or whose lease has run out; on a busy box.
TAKE_OVER_S = 30.0
# Diagnoses of each machine.
COMPARED = 50
# Machines that send to the API of the earlier version.
MACHINES, RATE = (50, 52), 5.0


def roll(system: Hosts, history: History) -> None:
    """Replace workers of an earlier version, then restart every part in turn."""
    time.sleep(CALM_S)
    with system.client() as client:
        (seen,) = (c for c in checks(snapshot(client)) if c.name == "hosts")
    assert isinstance(system, Hosts)
    assert system.earlier
    versions = [f"+g{commit_of(folder)}" for folder in (ROOT, system.earlier)]
    not_named = [v for v in versions if v not in str(seen.values["versions"])]
    measure(history, "versions that are not named", len(not_named), 0)
    with disturbance(history, 0, "upgraded", "b"):
        for family in FAMILIES:
            system.terminate(f"{family}@b")
        system.add_workers("b")
        system.wait(system.ready, "workers of this version", START_S)
    time.sleep(CALM_S)
    parts = ("workers@c", f"bridge@{SERVER_HOST}", f"api@{SERVER_HOST}", "server")
    for n, name in enumerate(parts, start=1):
        with disturbance(history, n, "restarted", name):
            system.restart(name)
        time.sleep(CALM_S)


def check_out_earlier(system: System) -> None:
    """Check out an earlier version, with its history: its processes name its commit."""
    assert isinstance(system, Hosts)
    system.earlier = system.folder / "earlier"
    git = ["git", "-c", "advice.detachedHead=false"]
    clone = ["clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(system.earlier)]
    subprocess.run([*git, *clone], check=True)
    subprocess.run(
        [*git, "-C", str(system.earlier), "checkout", "--quiet", earlier_commit()], check=True
    )


def earlier_commit() -> str:
    """Return the commit of the earlier version; empty if there is no history."""
    found = subprocess.run(
        ["git", "-C", str(ROOT), "rev-list", "--max-count=1", f"--skip={EARLIER}", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def skew(system: Hosts, history: History) -> None:
    """Let bridges of both versions take over from each other, and APIs of both read and take."""
    assert system.earlier
    this = f"bridge@{SERVER_HOST}"
    code = {"PYTHONPATH": str(system.earlier)}
    earlier = system.add_roles(VEHICLES_HOST, "earlier-bridge", "bridge", **code).name
    system.add_roles(VEHICLES_HOST, "earlier-api", "api", **code)
    addresses = [system.api_address_of(host) for host in (SERVER_HOST, VEHICLES_HOST)]
    system.wait(lambda: all(map(system.api_ready, addresses)), "APIs of both versions", START_S)
    system.wait(lambda: system.bridges() == 2, "bridges of both versions", START_S)
    first, last = map(str, MACHINES)
    values = {
        "--windows": str(round(4 * RATE * CALM_S)),
        "--rate": str(RATE),
        "--began": str(time.monotonic() + 1.0),
        "--t0": str(time.time()),
    }
    words = [word for pair in values.items() for word in pair]
    vehicles = system.add_sender(["--machines", first, last, *words], http_to=addresses[1])
    phases = (("this version", this, earlier), ("the earlier version", earlier, this))
    for n, (version, ends, takes_over) in enumerate(phases):
        time.sleep(CALM_S)
        compare(system, history, addresses, f"bridge of {version}")
        with disturbance(history, n, "ended by SIGTERM", ends):
            ended = time.monotonic()
            system.terminate(ends)
            system.wait(partial(system.owns, takes_over), "another bridge", START_S)
            taken_s = round(time.monotonic() - ended, 1)
            measure(history, f"taken over from the bridge of {version}, s", taken_s, TAKE_OVER_S)
        time.sleep(CALM_S)
        system.begin(ends)
    compare(system, history, addresses, "bridge of this version again")
    system.wait(lambda: not vehicles.wanted, "windows by the API of the earlier version", START_S)


def compare(system: Hosts, history: History, addresses: list[str], when: str) -> None:
    """Compare the diagnoses and machines in the APIs of both versions."""
    names = [
        {m["machine_id"] for m in system.get(a, "/api/v1/machines")["data"]} for a in addresses
    ]
    measure(history, f"machines that one of them misses, {when}", len(names[0] ^ names[1]), 0)
    ours, theirs = (
        {
            e["stream_id"]: e
            for name in names[0] & names[1]
            for e in system.get(a, f"/api/v1/machines/{name}/diagnoses?limit={COMPARED}")["data"]
        }
        for a in addresses
    )
    common = ours.keys() & theirs.keys()
    differ = sum(_differ(ours[i], theirs[i]) for i in common)
    history.add("measure", name=f"read by both, {when}", value=len(common), at_least=20)
    measure(history, f"read differently, {when}", differ, 0)


def _differ(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Return whether two versions of an entry differ in a common field other than sentences."""
    words = {"sentence", "reason", "what_to_do", "doubts"}
    return any(a[name] != b[name] for name in (a.keys() & b.keys()) - words)
