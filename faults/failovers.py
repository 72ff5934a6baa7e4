"""The primary of a Sentinel group is killed, and another one is stopped for a minute."""

import os
import signal
import time

from faults.history import History
from faults.outages import measure, until_results
from faults.run import DISTURBED, Load, Test
from faults.system import Options, System
from vtox.motor.faults import FAMILIES

STOPPED_S = 60.0
# After a fail-over, which itself takes some 4 s with the sentinels of the harness.
BACK_S = 30.0
KEEP_S = 30.0


def failover(seed: int) -> Test:
    """Kill the primary and a bridge under load, then stop the next primary silently for 60 s."""
    load = Load(windows=5000, rate=40.0)
    return Test(
        name="fail-over: primary killed, stopped for 60 s",
        seed=seed,
        load=load,
        options=Options(
            sentinel=True,
            keep_s=KEEP_S,
            settings={"VTOX_ACK": "1 replica"},
        ),
        during=_during,
        # A disturbance here is the fail-over itself.
        limits=DISTURBED | {"windows": load.windows, "aftermath_s": BACK_S},
    )


def failover_short(seed: int) -> Test:
    """Kill the primary under load, once."""
    load = Load(windows=1000, rate=40.0)
    options = Options(sentinel=True, keep_s=KEEP_S, settings={"VTOX_ACK": "1 replica"})
    return Test(
        name="fail-over, short",
        seed=seed,
        load=load,
        options=options,
        during=lambda system, history: _kill(system, history, 0),
        limits=DISTURBED | {"windows": load.windows, "aftermath_s": BACK_S},
    )


def _during(system: System, history: History) -> None:
    _kill(system, history, 0)
    assert system.group
    system.group.wait_until_whole()
    _kill(system, history, 1, "owner")
    system.group.wait_until_whole()
    _stop(system, history, 2)


def _kill(system: System, history: History, n: int, also: str = "") -> None:
    """Kill the primary, and with it another process; it comes back as a replica."""
    group = system.group
    assert group
    time.sleep(6)
    old = group.primary()
    assert old
    history.add("disturb", n=n, kind="kill", target=f"primary, {also}" if also else "primary")
    killed = time.monotonic()
    if also and (pid := system.pid_of(also)):
        os.kill(pid, signal.SIGKILL)
    old.kill()
    # Recovery begins here: the fail-over is part of it.
    history.add("calm", n=n)
    group.wait_for_new_primary(old)
    measure(
        history, "another primary after the kill, s", round(time.monotonic() - killed, 2), BACK_S
    )
    _until_results(system, history, "the primary was killed", killed)
    old.start()


def _stop(system: System, history: History, n: int) -> None:
    """Stop the primary silently; when it wakes, another one has replaced it."""
    group = system.group
    assert group
    time.sleep(6)
    old = group.primary()
    assert old
    history.add("disturb", n=n, kind="stop", target="primary")
    stopped = time.monotonic()
    old.signal(signal.SIGSTOP)
    history.add("calm", n=n)
    group.wait_for_new_primary(old)
    _until_results(system, history, "the primary was stopped", stopped)
    time.sleep(max(0.0, stopped + STOPPED_S - time.monotonic()))
    history.add("disturb", n=n + 1, kind="wake", target="primary of before")
    old.signal(signal.SIGCONT)
    history.add("calm", n=n + 1)
    group.wait_until_whole()


def _until_results(system: System, history: History, what: str, since: float) -> None:
    for family in FAMILIES:
        seconds = until_results(system, family, since)
        measure(history, f"results of {family} after {what}, s", seconds, BACK_S)
