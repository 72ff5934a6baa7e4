"""The server away for a minute, every part restarted in turn, links that are half-open for long."""

import os
import signal
import time
from contextlib import suppress

import redis

from faults.history import History
from faults.probe import LIVE, READY, Probe
from faults.run import DISTURBED, ON_DISK, Load, Test
from faults.system import Options, System
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys

OUTAGE_S = 60.0
BACK_S = 30.0
PATIENCE_S = 120.0


def outage(seed: int) -> Test:
    """Kill the server and keep it away for a minute; then restart every part in turn."""
    return Test(
        name="server away for 60 s, rolling restart",
        seed=seed,
        load=Load(windows=6000, rate=40.0),
        options=Options(settings=ON_DISK),
        during=_outage,
        limits=DISTURBED | {"windows": 6000, "aftermath_s": BACK_S},
    )


def half_open(seed: int) -> Test:
    """Make the links of a worker and of the bridge half-open for 5, 30 and 90 s."""
    return Test(
        name="half-open links for 5, 30 and 90 s",
        seed=seed,
        load=Load(windows=8000, rate=30.0),
        during=_half_open,
        limits=DISTURBED | {"windows": 8000},
    )


def _outage(system: System, history: History) -> None:
    with Probe(system.api_port, slowness=system.slowness).probing() as probe:
        time.sleep(8)
        _server_away(system, history, probe)
        time.sleep(5)
        for name in ("server", "turn_short", "bearing", "broken_bar", "bridge-1", "bridge-2"):
            _restart(system, history, name)
        history.add("measure", name="live answers 200", value=probe.share(LIVE, 200), at_least=1.0)
    _restart(system, history, "api")


def _server_away(system: System, history: History, probe: Probe) -> None:
    pid = system.pid_of("server")
    assert pid
    killed = time.monotonic()
    system.parts["server"].start_at = killed + OUTAGE_S
    history.add("disturb", n=0, kind="kill", target="server")
    os.kill(pid, signal.SIGKILL)
    measure(history, "ready 503 after, s", probe.wait_for(READY, 503, killed, PATIENCE_S), 5.0)
    time.sleep(max(0.0, killed + OUTAGE_S - time.monotonic()))
    system.wait(system.server_responds, "the server")
    back = time.monotonic()
    history.add("calm", n=0)
    for family in FAMILIES:
        seconds = until_results(system, family, back)
        measure(history, f"results of {family} after the server is back, s", seconds, 15.0)
    seconds = probe.wait_for(READY, 200, back, PATIENCE_S)
    measure(history, "ready 200 after the server is back, s", seconds, 15.0)


def _restart(system: System, history: History, name: str) -> None:
    """Restart a part as an administrator does, and wait until the system is whole again."""
    part = system.parts[name]
    n = 1 + list(system.parts).index(name)
    assert part.process
    pid = part.process.pid
    part.start_at = time.monotonic() + 0.5
    history.add("disturb", n=n, kind="term", target=name)
    part.process.terminate()
    system.wait(lambda: part.running and part.process.pid != pid, f"restart of {name}")
    system.wait(system.ready, f"readiness after the restart of {name}")
    history.add("calm", n=n)
    time.sleep(2)


def _half_open(system: System, history: History) -> None:
    n = 0
    time.sleep(8)
    for seconds in (5.0, 30.0, 90.0):
        names = [system.link_of(target) for target in ("bearing", "owner")]
        links = [system.links.by_name[name] for name in names]
        history.add("disturb", n=n, kind="half_open", target="bearing, owner", seconds=seconds)
        for link in links:
            link.half_open()
        time.sleep(seconds)
        for link in links:
            link.thaw()
        healed = time.monotonic()
        history.add("calm", n=n)
        for family in FAMILIES:
            wait = until_results(system, family, healed)
            measure(history, f"results of {family} after {seconds:g} s half-open, s", wait, BACK_S)
        n += 1
        time.sleep(5)


def measure(history: History, name: str, value: float, at_most: float) -> None:
    """Note a figure with its limit on an idle box."""
    history.add("measure", name=name, value=value, at_most=at_most)


def until_results(system: System, family: str, since: float) -> float:
    """Return how long after `since` the next results of a family are committed, s."""
    before = _results(system, family)
    patience_s = PATIENCE_S * system.slowness
    while time.monotonic() < since + patience_s:
        now = _results(system, family)
        if before is None:
            before = now
        elif now is not None and now > before:
            return round(time.monotonic() - since, 2)
        time.sleep(0.05)
    return patience_s


def _results(system: System, family: str) -> int | None:
    with suppress(redis.RedisError), system.client() as client:
        return int(client.hget(keys.COUNTERS, f"windows:{family}") or 0)
    return None
