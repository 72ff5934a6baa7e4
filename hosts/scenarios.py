"""What is done to the hosts while vehicles send."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from faults.history import History
from faults.probe import READY, Probe
from faults.run import LIMITS, Load, Test
from faults.system import Options, System
from hosts.network import why_impossible
from hosts.system import API_PORT, SERVER_HOST, Hosts
from tests.tls_server import system_server

# Before the first disturbance and after each: what a hand-over, a time-out and the dispatch after
# 15 s need together.
CALM_S = 10.0
SETTLE_S = 40.0
RATE = 20.0
READY_SHARE = "API ready"

Step = Callable[[Hosts, History], None]


def scenario(name: str, span_s: float, step: Step, **more: object) -> Test:
    """Return a run in which `step` is done while vehicles send for about `span_s`."""
    windows = round(RATE * span_s)
    options: dict[str, object] = {
        "load": Load(windows=windows, rate=RATE),
        "limits": LIMITS | {"windows": windows},
    } | more
    return Test(
        name=name,
        seed=1,
        options=Options(),
        system=Hosts,
        during=partial(_probed, step),
        needs=why_impossible() or ("" if system_server() else "no server with TLS"),
        **options,  # type: ignore[arg-type]
    )


def _probed(step: Step, system: System, history: History) -> None:
    assert isinstance(system, Hosts)
    host = system.network.address(SERVER_HOST)
    system.wait(system.vehicles_send, "windows of the vehicles")
    with Probe(API_PORT, host).probing() as probe:
        step(system, history)
    history.add("measure", name=READY_SHARE, value=probe.share(READY, 200))


@contextmanager
def disturbance(history: History, n: int, kind: str, target: str) -> Iterator[None]:
    """Note when a disturbance begins and ends."""
    history.add("disturb", n=n, kind=kind, target=target)
    yield
    history.add("calm", n=n)


def cut(seconds: Sequence[float], settle_s: float = SETTLE_S) -> Step:
    """Cut a host of workers off, half-open, for so long each time."""

    def step(system: Hosts, history: History) -> None:
        time.sleep(CALM_S)
        for n, duration_s in enumerate(seconds):
            with disturbance(history, n, f"cut {duration_s:g} s", "b"):
                system.network.cut("b")
                time.sleep(duration_s)
                system.network.mend("b")
            time.sleep(settle_s)

    return step


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


SCENARIOS: dict[str, Callable[[], Test]] = {
    "undisturbed": lambda: scenario("undisturbed", 40.0, lambda *_: time.sleep(30.0)),
    "cut": lambda: scenario(
        "worker host cut off for 5, 30 and 90 s", 255.0, cut((5.0, 30.0, 90.0))
    ),
    "cut-short": lambda: scenario("worker host cut off for 5 s", 40.0, cut((5.0,), 20.0)),
    "stop": lambda: scenario("host of server, bridge and API stopped for 30 s", 80.0, stop_host),
    "flaps": lambda: scenario("links flap five times in 3 s", 96.0, flap),
}
