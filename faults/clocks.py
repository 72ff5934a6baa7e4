"""The server's clock steps by an hour, both ways, and runs fast."""

import time
from collections import Counter

from faults.history import History
from faults.outages import measure, until_results
from faults.run import DISTURBED, Load, Test
from faults.server_clock import ServerClock
from faults.slow_fsync import compiler
from faults.system import Options, System
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.pipeline.configuration import keys

# Seconds by which the clock is ahead, and its gain in each second from then on.
STEPS = ((3600.0, 0.0), (0.0, 0.0), (-3600.0, 0.0), (0.0, 0.0), (0.0, 0.05), (0.0, 0.0))
STEP_S = 12.0
# Alarms of the system are cleared by the monitor's next rounds.
CLEAR_S = 45.0
# Ids of the stream stay ahead of the clock for as long as it was wrong, and that alarm with them.
STAYS = {"stream_ids"}


def clock_steps(seed: int) -> Test:
    """Step the server's clock while true times are sent."""
    load = Load(windows=4000, rate=40.0)
    return Test(
        name="server's clock 1 h ahead, 1 h behind, 5 % fast",
        seed=seed,
        load=load,
        options=Options(settings={"VTOX_CLOCK_TOLERANCE_S": "300"}),
        prepare=_prepare,
        during=_during,
        after=_after,
        limits=DISTURBED | {"windows": load.windows},
        needs="" if compiler() else "no C compiler is installed (Debian: gcc)",
    )


def _prepare(system: System) -> None:
    system.options.server_env |= ServerClock(system.folder).variables


def _during(system: System, history: History) -> None:
    time.sleep(14)  # by now the longest records have come
    clock = ServerClock(system.folder)
    for n, (ahead_s, drift) in enumerate(STEPS):
        step = f"{ahead_s:+.0f} s, {drift:+.0%}"
        history.add("disturb", n=n, kind="clock", target="server", step=step)
        clock.set(ahead_s, drift)
        stepped = time.monotonic()
        for family in FAMILIES:
            seconds = until_results(system, family, stepped)
            measure(history, f"results of {family} after the step to {step}, s", seconds, 15.0)
        time.sleep(max(0.0, stepped + STEP_S - time.monotonic()))
        history.add("calm", n=n)


def _after(system: System, history: History) -> None:
    """Compare the alerts with the ones that the steps justify: clocks, raised and cleared."""
    end = time.monotonic() + CLEAR_S * system.slowness
    while _open(alerts := _alerts(system)) and time.monotonic() < end:
        time.sleep(0.5)
    raised = Counter(a["fault"] for a in alerts if a["event"] == "raised")
    history.add("alerts", raised=dict(raised), open=_open(alerts))
    motors = sum(n for fault, n in raised.items() if fault in FAULTS)
    measure(history, "alerts about motors", motors, 0)
    measure(history, "silent alerts of machines that send", raised["silent"], 0)
    measure(history, "alerts that stay", len(_open(alerts)), 0)


def _alerts(system: System) -> list[dict[str, str]]:
    with system.client() as client:
        entries = client.xrange(keys.ALERTS)
    return [{k.decode(): v.decode() for k, v in fields.items()} for _, fields in entries]


def _open(alerts: list[dict[str, str]]) -> list[str]:
    """Return the faults of the alerts that were raised and not cleared."""
    cleared = {a["id"] for a in alerts if a["event"] == "cleared"}
    raised = [a for a in alerts if a["event"] == "raised" and a["id"] not in cleared]
    return [a["fault"] for a in raised if a["fault"] not in STAYS]
