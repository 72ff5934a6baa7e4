"""`vtox simulate`: a fleet of simulated machines that sends windows as real ones would."""

import json
import multiprocessing
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, track

from vtox.cli.shared.actor import actor
from vtox.cli.shared.columns import columns
from vtox.cli.shared.server_access import running_server
from vtox.cli.simulation.demo_score import fleet_summary
from vtox.motor.errors import InputError
from vtox.motor.faults import FAULTS
from vtox.motor.simulator.fleet import DEFAULT_SEED, SimulatedMachine, fleet, truth
from vtox.motor.simulator.severity import FAULT_MODES
from vtox.motor.values.plain_data import digits
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.usable_cores import usable_cores
from vtox.pipeline.sending.senders import pacing
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.deeds import change_baseline, register_machine

# For fewer machines starting a pool takes longer than the work.
POOL_MIN_MACHINES = 8
WAITING_FOR_WORKERS = "Waiting for the workers to catch up: is the system running (`vtox up`)?"
SERVER_FULL = (
    "The server is out of memory and takes no windows. Waiting for the workers to finish others: "
    "is the system running? `vtox doctor` checks."
)
Machines = Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Number of machines.")]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Each seed gives another fleet.")]
FaultMode = Annotated[
    str, typer.Option(metavar="MODE", help=f"Severity of the faults: {', '.join(FAULT_MODES)}.")
]


def simulate(
    machines: Machines = 50,
    seed: Seed = DEFAULT_SEED,
    fault_mode: FaultMode = "moderate",
    severity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT=LOW:HIGH", help="Severity of one fault, 0 to 1. Can be repeated."
        ),
    ] = None,
    onset: Annotated[
        str | None, typer.Option(metavar="FROM:TO", help="When faults begin, in s after the start.")
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="1|10|max", help="Speed as a multiple of real time, or max.")
    ] = "1",
    duration: Annotated[
        float | None,
        typer.Option(metavar="S", min=1, help="Seconds of data; default: until stopped."),
    ] = None,
    commission: Annotated[
        bool,
        typer.Option(
            "--commission/--no-commission",
            help="First register nameplates and learn baselines from healthy runs.",
        ),
    ] = True,
    list_only: Annotated[
        bool, typer.Option("--list", help="Only list the faulty machines and their faults.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: JSON.")] = False,
) -> None:
    """Send windows of 1 s at 10 kHz from simulated machines, some of them faulty."""
    if fault_mode not in FAULT_MODES:
        raise InputError(f"--fault-mode {fault_mode}: expected one of {', '.join(FAULT_MODES)}")
    simulated = fleet(
        machines,
        seed=seed,
        fault_mode=fault_mode,
        severities=dict(_parse_severity(text) for text in severity or ()),
        onset_s=_parse_range("--onset", onset, 1e9) if onset else None,
    )
    factor = pacing.parse_speed(speed)
    if list_only:
        _list(simulated, as_json=as_json)
        return
    if factor != 1.0 and duration is None:
        raise InputError("--speed other than 1 needs --duration")
    console = Console(highlight=False)
    with running_server(load(), "simulate") as client:
        if commission:
            _commission(console, client, simulated)
        # One line, however long: `vtox demo` shows the last one.
        console.print(f"Sending: {fleet_summary(simulated)}.", soft_wrap=True)
        try:
            _send(console, client, simulated, factor, duration)
        except KeyboardInterrupt:
            console.print("stopped")


def _parse_severity(text: str) -> tuple[str, tuple[float, float]]:
    fault, _, span = text.partition("=")
    if fault not in FAULTS:
        raise InputError(f"--severity {text}: expected one of {', '.join(FAULTS)} before the =")
    return fault, _parse_range("--severity", span, 1.0)


def _parse_range(option: str, text: str, upper: float) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= upper:
        raise InputError(f"{option} {text}: expected FROM:TO, rising, from 0 to {upper:g}")
    return low, high


def _commission(console: Console, client: Client, machines: Sequence[SimulatedMachine]) -> None:
    """Register every machine with the baseline of its healthy run."""
    baselines = track(
        _baselines(machines),
        "commissioning",
        total=len(machines),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    started, limit, who = time.monotonic(), load().max_machines, actor()
    for machine, baseline in zip(machines, baselines, strict=True):
        register_machine(client, who, machine.machine_id, machine.motor, limit=limit)
        change_baseline(client, who, machine.machine_id, baseline)
    took_s = time.monotonic() - started
    console.print(f"{len(machines)} machines commissioned in {took_s:.1f} s.")


def _baselines(machines: Sequence[SimulatedMachine]) -> Iterator[str]:
    # Not at the top: it loads scipy, which `vtox --help` does not need.
    from vtox.pipeline.sending.senders.simulated_fleet import baseline_of

    if len(machines) < POOL_MIN_MACHINES:
        yield from map(baseline_of, machines)
        return
    with ProcessPoolExecutor(
        # Spawned: threads are running, and a fork would copy their locks.
        mp_context=multiprocessing.get_context("spawn"),
        max_workers=min(4, ceil(usable_cores())),
        initializer=parent_watch.watch_parent,
        initargs=(os.getpid(),),
    ) as pool:
        yield from pool.map(baseline_of, machines)


def _send(
    console: Console,
    client: Client,
    machines: Sequence[SimulatedMachine],
    factor: float | None,
    duration: float | None,
) -> None:
    from vtox.pipeline.sending.senders.simulated_fleet import jobs

    t0 = pacing.first_t0(time.time(), duration or 0.0, factor)
    run = f"sim.{secrets.token_hex(3)}"
    fleet_jobs = jobs(machines, t0=t0, run=run, duration_s=duration)
    started: float | None = None
    printed: set[str] = set()
    done = pacing.Progress()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as line:
        task = line.add_task("", total=None)
        for done in pacing.send(client, fleet_jobs, factor):
            started = started or time.monotonic()
            _print_once(console, done, printed)
            line.update(task, description=_status(done, time.monotonic() - started))
    console.print(_status(done, time.monotonic() - (started or time.monotonic())))


def _print_once(console: Console, done: pacing.Progress, printed: set[str]) -> None:
    """Print why nothing is sent, once; on a terminal the progress line shows it."""
    notice = SERVER_FULL if done.full else WAITING_FOR_WORKERS if done.behind else ""
    if notice and notice not in printed and not console.is_terminal:
        console.print(notice)
        printed.add(notice)


def _status(done: pacing.Progress, elapsed_s: float) -> str:
    text = f"{done.sent} windows sent"
    if elapsed_s > 1:
        text += f", {done.sent / elapsed_s:.1f} a second"
    if done.dropped:
        text += f", {done.dropped} dropped after a stall"
    if done.full:
        return text + ", the server is out of memory: waiting until it takes windows again"
    return text + (", waiting for the workers" if done.behind else "")


def _list(machines: Sequence[SimulatedMachine], *, as_json: bool) -> None:
    if as_json:
        lines = [{"nameplate": t.pop("motor"), **t} for t in truth(tuple(machines))]
        typer.echo(json.dumps([{"machine_id": t.pop("machine_id"), **t} for t in lines]))
        return
    table = columns("machine", "fault", "severity", "onset", "details", wrapped=("details",))
    for m in machines:
        if m.fault is None:
            continue
        details = " ".join(p for p in (m.defect, m.phase and f"phase {m.phase}") if p)
        note = details if m.detectable else f"not detectable: {m.reason}"
        severity = f"{m.severity:.2f}" if m.severity is not None else ""
        onset = f"{digits(m.onset_s)} s" if m.onset_s is not None else ""
        table.add_row(m.machine_id, m.fault, severity, onset, note)
    console = Console(highlight=False)
    console.print(table)
    healthy = sum(m.fault is None for m in machines)
    console.print(f"\n{healthy} machines are healthy.")
