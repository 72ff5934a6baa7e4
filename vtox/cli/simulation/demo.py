"""`vtox demo`: the whole system with a simulated fleet, some machines of which are faulty."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.shared.actor import actor
from vtox.cli.simulation.demo_score import Score, fleet_summary
from vtox.cli.simulation.demo_view import DemoView
from vtox.cli.simulation.simulate import FaultMode, Machines, Seed
from vtox.motor.errors import InputError
from vtox.motor.simulator.fleet import DEFAULT_SEED, SimulatedMachine, fleet
from vtox.motor.simulator.severity import FAULT_MODES
from vtox.pipeline.cluster import processes
from vtox.pipeline.cluster.cluster_log import ClusterLog, open_console
from vtox.pipeline.cluster.processes import ProcessSpec
from vtox.pipeline.cluster.roles import host_roles
from vtox.pipeline.cluster.supervised_run import (
    addresses,
    exclusive_use,
    run_supervised,
    supervisor,
)
from vtox.pipeline.configuration.settings import Settings, load_for_demo
from vtox.pipeline.errors import UnknownMachine
from vtox.pipeline.store.server.client import connect, server_time_ms
from vtox.pipeline.store.system.deeds import retire_machine


def demo(
    machines: Machines = 50,
    seed: Seed = DEFAULT_SEED,
    fault_mode: FaultMode = "moderate",
    duration: Annotated[
        int | None, typer.Option(metavar="S", min=1, help="Seconds of data; default: until Ctrl-C.")
    ] = None,
) -> None:
    """Run the whole system with a simulated fleet and watch it detect the faulty machines."""
    if fault_mode not in FAULT_MODES:
        raise InputError(f"--fault-mode {fault_mode}: expected one of {', '.join(FAULT_MODES)}")
    settings = load_for_demo()
    simulated = fleet(machines, seed=seed, fault_mode=fault_mode)
    options = ["--machines", str(machines), "--seed", str(seed), "--fault-mode", fault_mode]
    options += ["--duration", str(duration)] if duration else []
    # Commissioning takes seconds of both cores and needs the server only.
    command = ("vtox", "simulate", *options)
    sender = ProcessSpec("simulate", command, 1, 0, lambda _: True, one_shot=True)
    specs = sorted([*processes.cluster(settings), sender], key=lambda s: s.start_order)
    score = Score(simulated)
    console = open_console()
    with exclusive_use(settings, specs), ClusterLog(settings.data_dir, console, quiet=True) as log:
        supervised = supervisor(settings, specs, log, actor())
        title = fleet_summary(simulated)
        view = DemoView(
            settings, console, log, supervised, score, addresses(settings, specs), title
        )
        preflight = supervised.preflight

        def prepare() -> None:
            preflight()
            view.count_alerts_after(_retire_machines(settings, simulated))

        supervised.preflight = prepare
        with view:
            asyncio.run(run_supervised(supervised, host_roles(settings)))
    _print_summary(console, score, shared=bool(settings.redis_url))


def _retire_machines(settings: Settings, machines: tuple[SimulatedMachine, ...]) -> str:
    """Retire the machines of an earlier demo; return the present as a stream id.

    It is the last id of its millisecond, after the alerts that retiring has cleared.
    """
    with connect(settings.working_url(), "demo") as client:
        for m in machines:
            with suppress(UnknownMachine):
                retire_machine(client, actor(), m.machine_id)
        return f"{server_time_ms(client)}-{2**64 - 1}"


def _print_summary(console: Console, score: Score, *, shared: bool) -> None:
    detected = ", ".join(f"{fault} {n} of {all_}" for fault, (n, all_) in score.by_fault().items())
    lines = [f"detected: {detected or 'no machine has a detectable fault'}"]
    if missed := score.missed():
        lines.append("missed: " + ", ".join(f"{m} {fault}" for m, fault in missed))
    false_alarms = ", ".join(f"{m} {fault}" for m, fault in sorted(score.false_alarms))
    lines.append(f"false alarms: {false_alarms or 'none'}")
    if undetectable := sum(m.fault is not None and not m.detectable for m in score.machines):
        lines.append(f"not detectable: {undetectable} more; `vtox simulate --list` shows why")
    if shared:
        lines.append(
            "the machines of the demo stay known on the server of VTOX_REDIS_URL, and silent: "
            "`vtox machines retire` them"
        )
    for line in lines:
        console.print(line, soft_wrap=True)
