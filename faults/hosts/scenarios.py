"""Disturbances of the hosts while vehicles send."""

import itertools
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial

import psutil

from faults.history import History
from faults.hosts.network import why_impossible
from faults.hosts.steps import CALM_S, SETTLE_S, Step, disturbance
from faults.hosts.system import API_PORT, SERVER_HOST, WORKER_HOSTS, Hosts
from faults.hosts.versions import check_out_earlier, earlier_commit, roll, skew
from faults.outages import measure
from faults.parts import children
from faults.probe import READY, Probe
from faults.run import LIMITS, Load, Test
from faults.system import Options, System
from tests.tls_server import system_server

RATE = 20.0
READY_SHARE = "API ready"
# A host that was cut off is at work again within this time.
WORKERS_BACK_S = 30.0
# A burst, and the time in which the workers that it brought go again.
BURST_S, BACK_S = 80.0, 180.0


def scenario(
    name: str,
    span_s: float,
    step: Step,
    *,
    prepare: Callable[[System], None] = lambda _: None,
    missing: str = "",
) -> Test:
    """Return a run in which `step` is done while vehicles send for about `span_s`."""
    windows = round(RATE * span_s)
    return Test(
        name=name,
        seed=1,
        load=Load(windows=windows, rate=RATE),
        limits=LIMITS | {"windows": windows},
        options=Options(),
        system=Hosts,
        prepare=prepare,
        during=partial(_probed, step),
        needs=missing or why_impossible() or ("" if system_server() else "no server with TLS"),
    )


def _probed(step: Step, system: System, history: History) -> None:
    assert isinstance(system, Hosts)
    host = system.network.address(SERVER_HOST)
    system.wait(system.vehicles_send, "windows of the vehicles")
    with Probe(API_PORT, host).probing() as probe:
        step(system, history)
    history.add("measure", name=READY_SHARE, value=ready_share(probe.answers[READY]))


def ready_share(answers: Sequence[tuple[float, int]]) -> float:
    """Return the share of seconds in which the API answered that it is ready."""
    seconds = range(int(answers[0][0]) + 1, int(answers[-1][0]))
    ready = {int(t) for t, status in answers if status == 200}
    return round(sum(s in ready for s in seconds) / max(len(seconds), 1), 4)


def cut(seconds: Sequence[float]) -> Step:
    """Cut a host of workers off, half-open, for each of these times."""

    def step(system: Hosts, history: History) -> None:
        time.sleep(CALM_S)
        for n, duration_s in enumerate(seconds):
            cut_off(system, history, n, duration_s)
            mended = time.monotonic()
            back_s = system.until_at_work("b", WORKERS_BACK_S * 2)
            measure(history, f"workers back after {duration_s:g} s, s", back_s, WORKERS_BACK_S)
            time.sleep(max(0.0, mended + SETTLE_S - time.monotonic()))

    return step


def cut_off(system: Hosts, history: History, n: int = 0, duration_s: float = 4.0) -> None:
    """Cut the host `b` off, half-open, for this time."""
    with disturbance(history, n, f"cut {duration_s:g} s", "b"):
        system.network.cut("b")
        time.sleep(duration_s)
        system.network.mend("b")


def fail_over(kind: str, *, seconds: float) -> Step:
    """Kill or stop the primary of the Sentinel group, and bring it back after `seconds`."""

    def step(system: Hosts, history: History) -> None:
        assert system.group
        time.sleep(CALM_S)
        primary = system.group.primary()
        assert primary
        with disturbance(history, 0, kind, "primary"):
            began = time.monotonic()
            primary.signal(signal.SIGKILL if kind == "killed" else signal.SIGSTOP)
            system.group.wait_for_new_primary(primary)
            history.add("measure", name="new primary, s", value=time.monotonic() - began)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        if kind == "killed":
            primary.start()
        primary.signal(signal.SIGCONT)
        time.sleep(SETTLE_S)

    return step


def under_sentinel(system: System) -> None:
    """Use a Sentinel group as the server: one server and one sentinel on each host."""
    assert isinstance(system, Hosts)
    system.sentinel = True


def stop_host(system: Hosts, history: History) -> None:
    """Stop every process of the host of server, bridge and API for half a minute, and wake them."""
    time.sleep(CALM_S)
    with disturbance(history, 0, "stopped 30 s", SERVER_HOST):
        system.signal_host(SERVER_HOST, signal.SIGSTOP)
        time.sleep(30.0)
        system.signal_host(SERVER_HOST, signal.SIGCONT)
    time.sleep(SETTLE_S)


def flap(system: Hosts, history: History) -> None:
    """Let the link of the workers' host, then that of the server's, flap five times in 3 s."""
    time.sleep(CALM_S)
    for n, host in enumerate(("b", SERVER_HOST)):
        with disturbance(history, n, "five flaps in 3 s", host):
            for _ in range(5):
                system.network.cut(host)
                time.sleep(0.3)
                system.network.mend(host)
                time.sleep(0.3)
        time.sleep(SETTLE_S)


def stop_bridge(system: Hosts, history: History) -> None:
    """Stop the bridge for half a minute, while a standby runs on another host."""
    with disturbance(history, 0, "stopped 30 s", "bridge"):
        part = system.parts[f"bridge@{SERVER_HOST}"]
        assert part.process
        processes = [psutil.Process(part.process.pid), *children(part.process.pid, recursive=True)]
        for process in processes:
            process.suspend()
        time.sleep(30.0)
        for process in processes:
            process.resume()
    time.sleep(SETTLE_S)


def with_standby(step: Step) -> Step:
    """Start a second bridge on the host of the vehicles first."""

    def both(system: Hosts, history: History) -> None:
        system.add_roles("c", "bridge", "bridge")
        time.sleep(2 * CALM_S)
        step(system, history)

    return both


def drain(system: Hosts, history: History) -> None:
    """Empty a host of workers by `vtox drain`, start it again, and end it by SIGTERM."""
    for n, (how, end) in enumerate(
        (("drained", system.drain), ("SIGTERM", lambda host: system.terminate(f"workers@{host}")))
    ):
        time.sleep(CALM_S)
        before = system.counter("records_redispatched")
        with disturbance(history, n, how, "b"):
            end("b")
        # Longer than the time after which records left behind would be dispatched again.
        time.sleep(2 * CALM_S)
        left = system.counter("records_redispatched") - before
        measure(history, f"dispatched again after {how}", left, 0)
        system.begin("workers@b")


def triple(system: Hosts, history: History) -> None:
    """Send three times as much for a while, and follow the number of workers."""
    counts = []
    until = time.monotonic() + CALM_S
    while time.monotonic() < until:
        time.sleep(1.0)
    with disturbance(history, 0, f"load tripled for {BURST_S:g} s", "vehicles"):
        machines = Load(windows=1, rate=2 * RATE).machines
        began = time.monotonic() + 1.0
        values = {"--windows": 2 * RATE * BURST_S, "--rate": 2 * RATE, "--began": began}
        values["--t0"] = time.time()
        words = [w for name, v in values.items() for w in (name, f"{v:.6f}")]
        words[1] = str(round(2 * RATE * BURST_S))
        more = system.add_sender(["--machines", "100", str(100 + machines), *words])
        while more.wanted:
            counts.append(system.live_workers())
            time.sleep(1.0)
    until = time.monotonic() + BACK_S
    while time.monotonic() < until:
        counts.append(system.live_workers())
        time.sleep(1.0)
    history.add("measure", name="workers at most", value=max(counts), at_least=2)
    measure(history, "workers at the end", counts[-1], 1)
    changes = [b - a for a, b in itertools.pairwise(counts) if a != b]
    measure(history, "times that the number changed", len(changes), 2 * (max(counts) - 1))


def small(system: System) -> None:
    """Run one worker on each host, and dispatch again sooner, to fit into a test."""
    assert isinstance(system, Hosts)
    system.workers = {host: {"VTOX_CLUSTER_WORKERS": "1"} for host in WORKER_HOSTS}
    system.options.settings |= {"VTOX_REDISPATCH_AFTER_S": "5"}


def scale(system: System) -> None:
    """Leave workers to one host, and their number to the load."""
    assert isinstance(system, Hosts)
    system.options.work_ms = 60.0
    bounds = {"VTOX_CLUSTER_WORKERS": "1-4"}
    system.workers = {"b": bounds}


SCENARIOS: dict[str, Callable[[], Test]] = {
    "undisturbed": lambda: scenario("undisturbed", 40.0, lambda *_: time.sleep(30.0)),
    "cut": lambda: scenario(
        "worker host cut off for 5, 30 and 90 s", 255.0, cut((5.0, 30.0, 90.0))
    ),
    # In the tests: its end is that all is answered.
    "cut-short": lambda: scenario("worker host cut off for 4 s", 12.0, cut_off, prepare=small),
    "stop": lambda: scenario("host of server, bridge and API stopped for 30 s", 80.0, stop_host),
    "standby": lambda: scenario(
        "bridge stopped for 30 s, another on another host", 100.0, with_standby(stop_bridge)
    ),
    "primary-killed": lambda: scenario(
        "primary killed under Sentinel",
        110.0,
        fail_over("killed", seconds=20.0),
        prepare=under_sentinel,
    ),
    "primary-stopped": lambda: scenario(
        "primary stopped for 60 s under Sentinel",
        150.0,
        fail_over("stopped", seconds=60.0),
        prepare=under_sentinel,
    ),
    "flaps": lambda: scenario("links flap five times in 3 s", 96.0, flap),
    "drain": lambda: scenario("worker host drained, then ended by SIGTERM", 110.0, drain),
    "rolling": lambda: scenario(
        "workers of an earlier version replaced, then all restarted in turn",
        180.0,
        roll,
        prepare=check_out_earlier,
        missing="" if earlier_commit() else "no history of git in this folder",
    ),
    "skew": lambda: scenario(
        "bridges and API of two versions together",
        150.0,
        skew,
        prepare=check_out_earlier,
        missing="" if earlier_commit() else "no history of git in this folder",
    ),
    "load": lambda: scenario(
        "load tripled and back, one to four workers", 280.0, triple, prepare=scale
    ),
}
