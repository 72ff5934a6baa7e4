"""`vtox machines`: the known data of each machine."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.fleet.baseline import MachineId, ago, baseline_line, check_id
from vtox.cli.shared import options
from vtox.cli.shared.actor import actor
from vtox.cli.shared.api_access import local_api
from vtox.cli.shared.columns import columns
from vtox.cli.shared.diagnosis_table import DETECTED, STYLES, show
from vtox.cli.shared.server_access import running_server
from vtox.cli.shared.status_table import span
from vtox.motor.errors import InputError, NameplateError
from vtox.motor.files.fleet_files import fleet_csv, read_fleet_file, read_scalars_file
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate_ranges import RANGES
from vtox.motor.values.plain_data import digits
from vtox.motor.values.plate_checks import contradictions
from vtox.motor.values.scalars import ScalarReading
from vtox.motor.words.rendering import advice, join, name_of, render
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines import machines as store
from vtox.pipeline.store.machines.points import AHEAD_MS
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.server.client import server_time
from vtox.pipeline.store.stream.entries import Result
from vtox.pipeline.store.system.deeds import register_machine, retire_machine

_SOURCES = {"nameplate": "its nameplate says", "learned": "it has so far"}

machines = typer.Typer(help="List, register and retire machines.", no_args_is_help=True)


@machines.command("list")
def list_machines(as_json: options.Json = False) -> None:
    """List all machines with their health."""
    with local_api() as api:
        rows = [m for page in api.pages("machines", limit=500) for m in page["data"]]
        now_s = api.days_ago(0)
    if as_json:
        typer.echo(json.dumps({"data": rows, "next": None}))
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No machines yet: the first window of a machine adds it, or `import`.")
        return
    names = ("machine", "state", "health", "faults", "seen", "last record", "last window")
    table = columns(*names, wrapped=("faults", "seen"))
    for m in rows:
        table.add_row(
            m["machine_id"],
            _state(m),
            "" if m["health"] is None else f"{m['health']:.0f}",
            ", ".join(f for f, state in m["faults"].items() if state in DETECTED),
            ", ".join(m["seen"]),
            _since(m["last_diagnosis"], now_s),
            ago(m["last_window_age_s"]) or "never",
        )
    console.print(table)


@machines.command("show")
def show_machine(machine: MachineId, as_json: options.Json = False) -> None:
    """Show one machine: nameplate, health, latest diagnoses and scalars, faults over time."""
    with local_api() as api:
        found = api.get("machines/{}", machine)
        if as_json:
            typer.echo(json.dumps(found))
            return
        pages = api.pages("machines/{}/scalars", machine)
        scalars = [s for page in pages for s in page["data"]["scalars"]]
        growth = api.get("machines/{}/growth", machine)["data"]["faults"]
        now_s = api.days_ago(0)
    console = Console(highlight=False)
    _print_machine(console, found["data"], now_s)
    if scalars:
        console.print()
        console.print(_latest_scalars(scalars, now_s))
    recorded = [f for f in growth if f["since"]]
    if recorded:
        console.print()
        console.print(_over_time(recorded))


@machines.command("import")
def import_fleet(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=r"CSV or Excel with a row for each machine (`vtox machines export` makes one), "
            r"TOML with a table \[machines.ID], or CSV of scalars (machine_id, t, name, value, "
            "unit).",
        ),
    ],
    accept_warnings: Annotated[
        bool,
        typer.Option("--accept-warnings", help="Store nameplates that contradict themselves too."),
    ] = False,
) -> None:
    """Register the machines of a file with their nameplates, or send its scalars: all, or none."""
    readings = read_scalars_file(file)
    if readings is not None:
        _send_scalars(readings)
        return
    fleet = read_fleet_file(file)
    for machine_id in fleet:
        check_id(machine_id)
    _warn(fleet, accepted=accept_warnings)
    settings = load()
    with running_server(settings) as client:
        for machine_id, motor in fleet.items():
            register_machine(client, actor(), machine_id, motor, limit=settings.max_machines)
    typer.echo(f"{len(fleet)} machines registered")


def _warn(fleet: Mapping[str, Motor], *, accepted: bool) -> None:
    """Print the contradictions of the nameplates.

    Raises `NameplateError`: they do, and that was not accepted.
    """
    found = [(m, r) for m, motor in fleet.items() for r in contradictions(motor)]
    for machine_id, said in found:
        typer.echo(f"{machine_id}: {render(said.code, said.values)}", err=True)
        typer.echo(f"  {advice(said.code, said.values)}", err=True)
    if found and not accepted:
        count = len({machine_id for machine_id, _ in found})
        raise NameplateError(
            f"{count} of {len(fleet)} nameplates contradict themselves, none is stored: correct "
            "them, or repeat with --accept-warnings"
        )


def _send_scalars(readings: Sequence[ScalarReading]) -> None:
    settings = load()
    with running_server(settings) as client:
        now_s = server_time(client)
        oldest_s, latest_s = now_s - settings.keep.history_hours.s, now_s + AHEAD_MS / 1000
        if wrong := next((r for r in readings if not oldest_s <= r.t <= latest_s), None):
            raise InputError(
                f"{wrong.machine_id} {wrong.name}: t {wrong.t}, expected {oldest_s:.0f} to "
                f"{latest_s:.0f}: VTOX_KEEP__HISTORY_HOURS to an hour from now"
            )
        admit_readings(client, readings, settings.max_machines)
    typer.echo(f"{len(readings)} readings sent")


@machines.command("export")
def export_fleet(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.CSV]", help="Without it: printed.")
    ] = None,
) -> None:
    """Write the nameplates as a table; without a machine it is a template for `import`."""
    with running_server(load()) as client:
        ids = sorted(store.last_arrivals(client))
        motors = zip(ids, store.load_motors(client, ids), strict=True)
        table = fleet_csv(dict(motors))
    if file is None:
        typer.echo(table.decode("utf-8-sig"), nl=False)
        return
    file.write_bytes(table)
    typer.echo(f"{len(ids)} machines written to {file}")


@machines.command("retire")
def retire(
    machines: Annotated[list[str], typer.Argument(metavar="ID", help="The machines.")],
) -> None:
    """Delete machines with their baselines. One that sends again is a new one."""
    with running_server(load()) as client:
        for machine in machines:
            retire_machine(client, actor(), machine)
            typer.echo(f"{machine} retired")


def _print_machine(console: Console, m: dict[str, Any], now_s: float) -> None:
    title = Text(m["machine_id"], style="bold").append(" · ").append(_state(m))
    if m["health"] is not None:
        title.append(f" · health {m['health']:.0f}", style="not bold")
    last = ago(m["last_window_age_s"]) or "never"
    console.print(title.append(f" · last window {last}", "not bold dim"))
    console.print(f"sends: {_sending(m['sending'], now_s)}")
    console.print(f"nameplate: {_nameplate(m['nameplate'])}", markup=False)
    for warning in m["nameplate_warnings"]:
        console.print(f"  check: {warning['sentence']}", markup=False)
    console.print(f"baseline: {baseline_line(m['baseline_state'], now_s)}")
    for fault in m["seen"]:
        needs = m["assessment"]["faults"][fault]["seen"]["needs"]
        said = f"{name_of('fault', fault)}: {join(n['sentence'] for n in needs)}"
        console.print(f"seen, no alarm yet: {said}", markup=False)
    if m["diagnoses"]:
        console.print()
        show(console, [codec.from_plain(Result, d) for d in m["diagnoses"].values()])


def _latest_scalars(scalars: Sequence[dict[str, Any]], now_s: float) -> Table:
    table = columns("scalar", "value", "state", "measured")
    for r in scalars:
        state = r["state"] or ""
        value, age = f"{digits(r['value'])} {r['unit']}", _since(r["time"], now_s)
        table.add_row(r["name"], value, Text(state, STYLES.get(state, "")), age)
    return table


def _over_time(faults: Sequence[dict[str, Any]]) -> Table:
    table = columns("fault", "over time", wrapped=("over time",))
    for f in faults:
        over_time = join(f[part]["sentence"] for part in ("held", "growth"))
        table.add_row(name_of("fault", f["fault"]), over_time)
    return table


def _state(m: dict[str, Any]) -> Text:
    text = Text(m["state"], style=STYLES[m["state"]])
    return text.append(", silent", STYLES["warning"]) if m["silent"] else text


def _nameplate(plate: dict[str, Any] | None) -> str:
    if not plate:
        return "none"
    parts = [_plate_value(k, v) for k, v in plate.items() if not isinstance(v, dict)]
    if bearing := plate.get("bearing"):
        orders = bearing.get("orders") or {k: v for k, v in bearing.items() if k != "orders"}
        parts.append("bearing " + " ".join(f"{k} {digits(v)}" for k, v in orders.items()))
    return " · ".join(parts)


def _plate_value(name: str, value: Any) -> str:
    if name not in RANGES or not RANGES[name].kilo:
        return f"{name} {digits(value)}"
    shown, prefix = RANGES[name].scale_unit(value)
    return f"{name.rpartition('_')[0]} {digits(shown)} {prefix}{RANGES[name].unit}"


def _sending(sending: dict[str, Any], now_s: float) -> str:
    """Return how often a machine sends, and when its next window is due."""
    if sending["every_s"] is None:
        return "how often is not known yet" if sending["source"] else "nothing yet"
    words = f"every {span(sending['every_s'])}, as {_SOURCES[sending['source']]}"
    if sending["next_window"] is None:
        return words
    wait_s = _seconds(sending["next_window"]) - now_s
    return f"{words} · next " + (
        f"due in {span(wait_s)}" if wait_s >= 0 else f"was due {span(-wait_s)} ago"
    )


def _since(moment: str | None, now_s: float) -> str:
    return ago(max(now_s - _seconds(moment), 0.0) if moment else None)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
