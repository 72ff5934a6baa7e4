"""`vtox baseline`: the baselines of healthy machines."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from vtox.cli.shared import options
from vtox.cli.shared.actor import actor
from vtox.cli.shared.columns import columns
from vtox.cli.shared.server_access import running_server
from vtox.cli.shared.status_table import span
from vtox.motor.errors import InputError
from vtox.motor.files.matching import options as reader_options
from vtox.motor.values.domain import Window
from vtox.motor.values.plain_data import digits
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines import machine_states
from vtox.pipeline.store.machines import machines as store
from vtox.pipeline.store.machines.baselines import stored_baseline
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.deeds import change_baseline
from vtox.pipeline.windows.wire import Limits, encode, entry_header

MachineId = Annotated[str, typer.Argument(metavar="ID", help="The machine.")]

baseline = typer.Typer(help="Show, learn, export and reset baselines.", no_args_is_help=True)


@baseline.command("show")
def show_baseline(machine: MachineId, as_json: options.Json = False) -> None:
    """Show the baseline of a machine: levels by load."""
    with running_server(load()) as client:
        row = _require_machine(client, machine)
        data = _baseline(client, machine)
    if as_json:
        typer.echo(json.dumps({**data, "baseline_state": row.baseline_state}))
        return
    console = Console(highlight=False)
    console.print(f"{machine}: {baseline_line(row.baseline_state, row.as_of_t)}")
    console.print(f"{data['records']} records, {data['seconds']:.0f} s of healthy data")
    if asymmetry := data.get("asymmetry"):
        loads = f"{digits(asymmetry['low_a'])}-{digits(asymmetry['high_a'])} A"
        console.print(f"asymmetry of the healthy currents: learnt at {loads}")
    for line in _loads(row):
        console.print(line)
    names = ("load", "measurement", "mean", "deviation", "records")
    table = columns(*names, wrapped=("measurement",))
    for band in data["bands"]:
        load_a = f"{digits(band['low_a'])}-{digits(band['high_a'])} A" if band["high_a"] else "any"
        for name, level in band["levels"].items():
            cells = (digits(level["mean"]), digits(level["std"]), str(level["n"]))
            table.add_row(load_a, name, *cells)
            load_a = ""
    if table.row_count:
        console.print(table)


@baseline.command("export")
def export_baseline(machine: MachineId) -> None:
    """Print the baseline of a machine as JSON."""
    with running_server(load()) as client:
        _require_machine(client, machine)
        data = _baseline(client, machine)
    typer.echo(json.dumps(data))


@baseline.command("learn")
def learn(
    machine: MachineId,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Healthy recordings or folders, or one exported baseline (.json)."
        ),
    ],
    fs: options.Rate = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    speed_rpm: options.Speed = None,
    part: options.Part = None,
) -> None:
    """Learn the baseline of a machine from healthy recordings, or import an exported one."""
    opts = reader_options(
        mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm, part=part
    )
    check_id(machine)
    with running_server(load()) as client:
        state = machine_states.load_states(client, [machine])[0]
        learnt = options.baseline_from(files, opts, state.motor)
        assert learnt is not None
        change_baseline(client, actor(), machine, learnt.to_json())
    typer.echo(
        f"{machine}: baseline of {learnt.records} records, {learnt.seconds:.0f} s"
        + _replacement(state.baseline)
    )


@baseline.command("reset")
def reset_baseline(machine: MachineId) -> None:
    """Delete the baseline of a machine, for instance after a repair."""
    with running_server(load()) as client:
        _require_machine(client, machine)
        change_baseline(client, actor(), machine, None)
    typer.echo(f"{machine}: baseline deleted")


def _replacement(previous: str | None) -> str:
    """Return which baseline a new one replaces; that one may be damaged."""
    if previous is None:
        return ""
    try:
        return f", replacing one of {json.loads(previous)['records']} records"
    except (ValueError, KeyError, TypeError):
        return ", replacing one that cannot be read"


def _require_machine(client: Client, machine: str) -> store.MachineOverview:
    rows = store.overview(client, [machine])
    if not rows:
        raise InputError(f"no machine {machine}", remedy="`vtox machines list` shows all")
    return rows[0]


def _baseline(client: Client, machine: str) -> dict[str, Any]:
    found = stored_baseline(client, machine)
    if found is None:
        raise InputError(f"{machine} has no baseline", remedy="`vtox baseline learn` makes one")
    data: dict[str, Any] = json.loads(found[1])
    return data


def check_id(machine: str) -> None:
    """Raise `WireError` unless a window could carry this machine id."""
    channels = {"ia": np.zeros(1)}
    window = Window(machine_id=machine, seq=0, t0=1.0, fs_hz=1e3, channels=channels)
    entry_header(encode(window), Limits())


def baseline_line(state: Mapping[str, Any], now_s: float) -> str:
    """Return the state of a baseline in one line."""
    if state["state"] == "learning":
        return f"learning from the stream, {state['records']} records so far"
    sources = {"given": "learnt from recordings", "stream": "learnt from the stream"}
    source = sources.get(state.get("source", ""), "")
    version = f"version {state['version']}" if "version" in state else ""
    age = _since(state.get("learnt_t"), now_s)
    why = render(state["code"], {}) if "code" in state else ""
    return ", ".join(p for p in (state["state"], version, source, age, why) if p)


def _loads(machine: store.MachineOverview) -> list[str]:
    """Return a line for each load: ready, being learnt, or refused and why."""
    lines = []
    for x in machine.baseline_state.get("loads", []):
        age = _since(x.get("learnt_t"), machine.as_of_t)
        texts = {
            "learning": f"learning, {x.get('records')} records so far",
            "refused": f"not accepted as healthy {age}: {x.get('reason')}",
        }
        text = texts.get(x["state"], f"{x['state']}, learnt {age}")
        lines.append(f"load {digits(x['low_a'])}-{digits(x['high_a'])} A: {text}")
    return lines


def _since(t: float | None, now_s: float) -> str:
    return ago(max(now_s - t, 0.0) if t else None)


def ago(seconds: float | None) -> str:
    """Return how long ago something was, empty if that is not known."""
    return "" if seconds is None else f"{span(seconds)} ago"
