"""`vtox status`: the state of the running system."""

import json
import time
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.shared import status_table
from vtox.cli.shared.options import Json
from vtox.motor.words.rendering import advice, full_reason, name_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.monitoring.capacity import capacity
from vtox.pipeline.monitoring.readiness import Check, checks
from vtox.pipeline.monitoring.throughput import READING_EVERY_S, Sampler, Throughput, throughput
from vtox.pipeline.store.server.client import Client, check, connect
from vtox.pipeline.store.system.status import Snapshot, snapshot

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def status(as_json: Json = False) -> None:
    """Show throughput, latency, raw stream, queues and workers of the running system."""
    settings = load()
    with connect(settings.working_url(), "status") as client:
        check(client)
        snap, rate = _measure(client)
    if as_json:
        typer.echo(json.dumps(_as_json(snap, rate, checks(snap))))
        return
    _print(Console(highlight=False), snap, rate)


def _print(console: Console, snap: Snapshot, rate: Throughput) -> None:
    results = checks(snap)
    state = "degraded" if any(c.status == "fail" for c in results) else "running"
    versions = ", ".join(sorted({p.version for p in snap.parties if p.version}))
    head = Text(f"VTOX {versions} ", "bold")
    head.append(state, "green" if state == "running" else "bold red")
    console.print(head.append(f"  {snap.machines} machines, {len(snap.workers)} workers", "dim"))
    grid = Table.grid(padding=(0, 2))
    grid.add_row("throughput", status_table.rate_line(rate))
    grid.add_row("latency", status_table.latency_line(snap))
    grid.add_row("room", status_table.room_line(capacity(snap.metrics, snap.t)))
    grid.add_row(keys.RAW, status_table.raw_line(snap))
    grid.add_row("server", status_table.server_line(snap))
    grid.add_row("broker", status_table.broker_line(snap))
    for report in snap.scaling:
        grid.add_row("scaling", status_table.scaling_line(report, snap.t))
    console.print(grid)
    if len(snap.partitions) > 1:
        console.print()
        console.print(status_table.partitions(snap))
    console.print()
    console.print(status_table.queues(snap))
    if snap.workers:
        console.print()
        console.print(status_table.workers(snap))
    for a in snap.alarms:
        line = Text(
            f"\n{name_of('fault', a.fault)}: {full_reason(a)}",
            "bold red" if a.level == "fault" else "yellow",
        )
        what_to_do = advice(a.code, a.values)
        console.print(
            line.append(f"; for {status_table.span(snap.t - a.t)}. {what_to_do}", "default")
        )
    for c in results:
        if c.status != "pass":
            line = Text(f"\n{c.name}: {c.observed}", STYLES[c.status])
            console.print(line.append(f". {c.remedy}" if c.remedy else "", "default"))


def _measure(client: Client) -> tuple[Snapshot, Throughput]:
    """Return a snapshot and the throughput.

    Without a recent figure of the monitor the throughput is measured here, which takes seconds.
    """
    snap = snapshot(client)
    rate = throughput(snap, [])
    if rate.source == "performance_metrics" or snap.group is None:
        return snap, rate
    sampler = Sampler()
    sampler.take(client)
    time.sleep(READING_EVERY_S)
    sampler.take(client)
    snap = snapshot(client)
    return snap, throughput(snap, sampler.readings())


def _as_json(snap: Snapshot, rate: Throughput, results: list[Check]) -> dict[str, Any]:
    group = asdict(snap.group) if snap.group else None
    return {
        "state": "degraded" if any(c.status == "fail" for c in results) else "running",
        "throughput": rate.windows_per_s,
        "throughput_source": rate.source,
        "throughput_age_s": rate.age_s,
        "throughput_reason": rate.reason,
        "metrics": asdict(snap.metrics[0]) if snap.metrics else None,
        "capacity": asdict(capacity(snap.metrics, snap.t)),
        "group": {"stream": keys.RAW, "name": keys.GROUP} | group if group else None,
        "streams": snap.lengths,
        "partitions": [asdict(p) for p in snap.partitions],
        "queues": {name: asdict(q) for name, q in snap.queues.items()},
        "workers": [asdict(w) for w in snap.workers],
        "scaling": [asdict(r) for r in snap.scaling],
        "machines": snap.machines,
        "counters": snap.counters,
        "server": asdict(snap.server) if snap.server else None,
        "broker": asdict(snap.broker) if snap.broker else None,
        "checks": [asdict(c) for c in results],
        "alarms": [asdict(a) | {"what_to_do": advice(a.code, a.values)} for a in snap.alarms],
    }
