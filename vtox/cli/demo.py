"""`vtox demo`: the whole system with a simulated fleet, some of its machines faulty."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.demo_score import Score, counted
from vtox.cli.demo_view import DemoView
from vtox.cli.up import addresses, prepared, supervisor
from vtox.cluster import processes
from vtox.cluster.cluster_log import Journal, open_console
from vtox.cluster.processes import Role
from vtox.errors import InputError
from vtox.settings import Settings, load
from vtox.simulator.fleet import DEFAULT_SEED, Machine, fleet
from vtox.simulator.severity import FAULT_MODES
from vtox.store import machines as store
from vtox.store.client import connect, server_time_ms


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    machines: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another fleet.")] = DEFAULT_SEED,
    fault_mode: Annotated[
        str, typer.Option(metavar="MODE", help=f"Severity of the faults: {', '.join(FAULT_MODES)}.")
    ] = "moderate",
    duration: Annotated[
        int | None, typer.Option(metavar="S", min=1, help="Seconds of data; else until Ctrl-C.")
    ] = None,
) -> None:
    """Run the whole system with a simulated fleet and watch it find the faulty machines."""
    if fault_mode not in FAULT_MODES:
        raise InputError(f"--fault-mode {fault_mode}: expected one of {', '.join(FAULT_MODES)}")
    settings = load()
    chosen = fleet(machines, seed=seed, fault_mode=fault_mode)
    title = counted(chosen)
    options = ["--machines", str(machines), "--seed", str(seed), "--fault-mode", fault_mode]
    options += ["--duration", str(duration)] if duration else []
    # Commissioning takes seconds of both cores and needs the server only.
    sender = Role("simulate", ("vtox", "simulate", *options), 1, 0, lambda _: True, once=True)
    plan = sorted([*processes.cluster(settings), sender], key=lambda r: r.rank)
    score = Score(chosen)
    console = open_console()
    with prepared(settings, plan), Journal(settings.data_dir, console, quiet=True) as journal:
        watched = supervisor(settings, plan, journal)
        view = DemoView(
            settings, console, journal, watched, score, addresses(settings, plan), title
        )
        admit = watched.admit

        def begin() -> None:
            admit()
            view.begin_at(_begin_anew(settings, chosen))

        watched.admit = begin
        with view:
            asyncio.run(watched.run())
    _summary(console, score)


def _begin_anew(settings: Settings, machines: tuple[Machine, ...]) -> str:
    """Forget what an earlier demo left of these machines; return the present as a stream id.

    The last id of its millisecond: the alerts that this clears are the earlier demo's.
    """
    with connect(settings.working_url(), "demo") as client:
        for m in machines:
            store.retire(client, m.machine_id)
        return f"{server_time_ms(client)}-{2**64 - 1}"


def _summary(console: Console, score: Score) -> None:
    found = ", ".join(f"{fault} {n} of {of}" for fault, (n, of) in score.by_fault().items())
    lines = [f"found: {found or 'nothing to find'}"]
    if missing := score.missing():
        lines.append("not found: " + ", ".join(f"{m} {fault}" for m, fault in missing))
    false = ", ".join(f"{m} {fault}" for m, fault in score.false)
    lines.append(f"false alarms: {false or 'none'}")
    if hidden := sum(m.fault is not None and not m.detectable for m in score.machines):
        lines.append(f"not detectable: {hidden} more; `vtox simulate --list` tells why")
    for line in lines:
        console.print(line, soft_wrap=True)
