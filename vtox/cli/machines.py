"""`vtox machines` and `vtox baseline`: what the system knows of each machine."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli import options
from vtox.cli.diagnosis_table import STYLES, number, show
from vtox.domain import Window
from vtox.errors import InputError
from vtox.files.recordings import options as reader_options
from vtox.health import Assessment
from vtox.nameplate import read_fleet
from vtox.senders.pacing import check as check_window
from vtox.settings import load
from vtox.store import machines as store
from vtox.store.baselines import set_baseline
from vtox.store.client import Client, check, connect
from vtox.wire import Limits

NO_HEALTH = Assessment(0.0, None, "unknown", {})
MachineId = Annotated[str, typer.Argument(metavar="ID", help="The machine.")]

machines = typer.Typer(help="List, register and retire machines.", no_args_is_help=True)
baseline = typer.Typer(help="What a machine looks like when healthy.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add both groups of commands to the command line."""
    app.add_typer(machines, name="machines")
    app.add_typer(baseline, name="baseline")


@machines.command("list")
def list_machines(as_json: options.Json = False) -> None:
    """List all machines with their health."""
    client = _client()
    known = store.overview(client, sorted(store.last_arrivals(client)))
    if as_json:
        typer.echo(json.dumps([_plain(m) for m in known]))
        return
    console = Console(highlight=False)
    if not known:
        console.print("No machine yet: one appears with its first window, or by `import`.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("machine", "state", "health", "faults", "last window"):
        table.add_column(name, no_wrap=name != "faults")
    for machine in known:
        health = machine.health or NO_HEALTH
        faults = [f for f, x in health.faults.items() if x.state in ("warning", "fault")]
        table.add_row(
            machine.machine_id,
            _state(health.state, _silent(machine)),
            "" if health.health is None else f"{health.health:.0f}",
            ", ".join(faults),
            _ago(machine.last_window_t) or "never",
        )
    console.print(table)


@machines.command("show")
def show_machine(machine: MachineId, as_json: options.Json = False) -> None:
    """Show one machine: nameplate, health and its latest diagnoses."""
    found = _known(_client(), machine)
    if as_json:
        typer.echo(json.dumps(_plain(found)))
        return
    console = Console(highlight=False)
    health = found.health or NO_HEALTH
    title = Text(machine, style="bold").append(" · ").append(_state(health.state, _silent(found)))
    if health.health is not None:
        title.append(f" · health {health.health:.0f}", style="not bold")
    console.print(
        title.append(f" · last window {_ago(found.last_window_t) or 'never'}", "not bold dim")
    )
    console.print(f"nameplate: {_nameplate(found.nameplate)}", markup=False)
    console.print(f"baseline: {_baseline_state(found.baseline_state)}")
    if found.diagnoses:
        console.print()
        show(console, [r.diagnosis() for r in found.diagnoses.values()])


@machines.command("import")
def import_fleet(
    file: Annotated[
        Path, typer.Argument(metavar="FLEET.TOML", help=r"Tables \[machines.ID] of nameplates.")
    ],
) -> None:
    """Register the machines of a fleet.toml with their nameplates."""
    fleet = read_fleet(file)
    for machine_id in fleet:
        _check_id(machine_id)
    client = _client()
    for machine_id, motor in fleet.items():
        store.register(client, machine_id, motor)
    typer.echo(f"{len(fleet)} machines registered")


@machines.command("retire")
def retire(machine: MachineId) -> None:
    """Forget a machine. If it sends again, it is a new one."""
    if not store.retire(_client(), machine):
        raise InputError(f"no machine {machine}: `vtox machines list` shows those known")
    typer.echo(f"{machine} retired")


@baseline.command("show")
def show_baseline(machine: MachineId, as_json: options.Json = False) -> None:
    """Show the baseline of a machine: levels by load band."""
    data = _baseline(machine)
    found = _known(_client(), machine)
    if as_json:
        typer.echo(json.dumps({**data, "baseline_state": found.baseline_state}))
        return
    console = Console(highlight=False)
    about = _baseline_state(found.baseline_state)
    console.print(f"{machine}: {about}")
    console.print(f"{data['records']} records, {data['seconds']:.0f} s of healthy data")
    if own := data.get("asymmetry"):
        loads = f"{number(own['low_a'])}-{number(own['high_a'])} A"
        console.print(f"own asymmetry of currents: known at {loads}")
    for line in _loads(found.baseline_state):
        console.print(line)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("load", "measurement", "mean", "deviation", "records"):
        table.add_column(name, no_wrap=name != "measurement")
    for band in data["bands"]:
        load_a = f"{number(band['low_a'])}-{number(band['high_a'])} A" if band["high_a"] else "any"
        for name, level in band["levels"].items():
            cells = (number(level["mean"]), number(level["std"]), str(level["n"]))
            table.add_row(load_a, name, *cells)
            load_a = ""
    if table.row_count:
        console.print(table)


@baseline.command("export")
def export_baseline(machine: MachineId) -> None:
    """Print the baseline of a machine as JSON."""
    typer.echo(json.dumps(_baseline(machine)))


@baseline.command("learn")
def learn(
    machine: MachineId,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Healthy recordings or folders, or one baseline exported as .json."
        ),
    ],
    fs: options.Rate = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    speed_rpm: options.Speed = None,
) -> None:
    """Learn the baseline of a machine from healthy recordings, or take one that was exported."""
    opts = reader_options(mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm)
    _check_id(machine)
    client = _client()
    known = store.load_states(client, [machine])[0]
    learnt = options.baseline_from(files, opts, known.motor)
    assert learnt is not None
    set_baseline(client, machine, learnt.to_json())
    typer.echo(
        f"{machine}: baseline of {learnt.records} records, {learnt.seconds:.0f} s"
        + _instead(known.baseline)
    )


@baseline.command("reset")
def reset_baseline(machine: MachineId) -> None:
    """Forget the baseline of a machine, for instance after a repair."""
    client = _client()
    _known(client, machine)
    set_baseline(client, machine, None)
    typer.echo(f"{machine}: no baseline now")


def _instead(before: str | None) -> str:
    """Return what a new baseline takes the place of; that one may be damaged."""
    if before is None:
        return ""
    try:
        return f", instead of one of {json.loads(before)['records']} records"
    except (ValueError, KeyError, TypeError):
        return ", instead of one that cannot be read"


def _client() -> Client:
    client = connect(load().working_url(), "cli")
    check(client)
    return client


def _silent(machine: store.MachineOverview) -> bool:
    return machine.silent(time.time(), load().silence_after_s)


def _plain(machine: store.MachineOverview) -> dict[str, Any]:
    return machine.table() | {"silent": _silent(machine)}


def _state(state: str, silent: bool) -> Text:
    text = Text(state, style=STYLES[state])
    return text.append(", silent", STYLES["warning"]) if silent else text


def _known(client: Client, machine: str) -> store.MachineOverview:
    found = store.overview(client, [machine])
    if not found:
        raise InputError(f"no machine {machine}: `vtox machines list` shows those known")
    return found[0]


def _baseline(machine: str) -> dict[str, Any]:
    client = _client()
    _known(client, machine)
    text = store.load_states(client, [machine])[0].baseline
    if text is None:
        raise InputError(f"{machine} has no baseline: `vtox baseline learn` makes one")
    data: dict[str, Any] = json.loads(text)
    return data


def _check_id(machine: str) -> None:
    """Raise unless a window could carry this machine id: the wire format has the one rule."""
    one = {"ia": np.zeros(1)}
    check_window(Window(machine_id=machine, seq=0, t0=1.0, fs_hz=1e3, channels=one), Limits())


def _nameplate(plate: dict[str, Any] | None) -> str:
    if not plate:
        return "none"
    parts = [f"{k} {number(v)}" for k, v in plate.items() if k != "bearing"]
    if bearing := plate.get("bearing"):
        orders = bearing.get("orders") or {k: v for k, v in bearing.items() if k != "orders"}
        parts.append("bearing " + " ".join(f"{k} {number(v)}" for k, v in orders.items()))
    return " · ".join(parts)


def _baseline_state(state: dict[str, Any]) -> str:
    if state["state"] == "learning":
        return f"learning on the stream, {state['records']} records so far"
    how = {"given": "from recordings given", "stream": "learnt on the stream"}
    source = how.get(state.get("source", ""), "")
    version = f"version {state['version']}" if "version" in state else ""
    ago = _ago(state.get("learnt_t"))
    return ", ".join(p for p in (state["state"], version, source, ago) if p)


def _loads(state: dict[str, Any]) -> list[str]:
    """Return a line for each load: known, being learnt, or refused and why."""
    lines = []
    for x in state.get("loads", []):
        ago = _ago(x.get("learnt_t"))
        told = {
            "learning": f"learning, {x.get('records')} records so far",
            "refused": f"not learnt as healthy {ago}: {x.get('reason')}",
        }
        words = told.get(x["state"], f"{x['state']}, learnt {ago}")
        lines.append(f"load {number(x['low_a'])}-{number(x['high_a'])} A: {words}")
    return lines


def _ago(t: float | None) -> str:
    if not t:
        return ""
    seconds = max(0.0, time.time() - t)
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
