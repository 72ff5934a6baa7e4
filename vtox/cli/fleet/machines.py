"""`vtox machines` and `vtox baseline`: what is stored of each machine."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.shared import options
from vtox.cli.shared.actor import actor
from vtox.cli.shared.columns import columns
from vtox.cli.shared.diagnosis_table import DETECTED, STYLES, show
from vtox.cli.shared.server_access import running_server
from vtox.cli.shared.status_table import span
from vtox.motor.alarms.health.assessment import Assessment, present_state
from vtox.motor.alarms.health.growth import FaultGrowth
from vtox.motor.errors import InputError, NameplateError
from vtox.motor.files.fleet_files import fleet_csv, read_fleet_file, read_scalars_file
from vtox.motor.files.matching import options as reader_options
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, Window
from vtox.motor.values.nameplate_ranges import RANGES
from vtox.motor.values.plain_data import digits
from vtox.motor.values.plate_checks import contradictions, plate_contradictions
from vtox.motor.values.scalars import ScalarReading
from vtox.motor.words.rendering import advice, name_of, render, render_all
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines import machine_states
from vtox.pipeline.store.machines import machines as store
from vtox.pipeline.store.machines.baselines import stored_baseline
from vtox.pipeline.store.machines.points import AHEAD_MS
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system.deeds import change_baseline, register_machine, retire_machine
from vtox.pipeline.windows.wire import Limits, encode, entry_header

SOURCES = {"nameplate": "its nameplate says", "learned": "it has so far"}
NO_HEALTH = Assessment(0.0, None, "unknown", {})
MachineId = Annotated[str, typer.Argument(metavar="ID", help="The machine.")]
MachineIds = Annotated[list[str], typer.Argument(metavar="ID", help="The machines.")]

machines = typer.Typer(help="List, register and retire machines.", no_args_is_help=True)
baseline = typer.Typer(help="Show, learn, export and reset baselines.", no_args_is_help=True)


@machines.command("list")
def list_machines(as_json: options.Json = False) -> None:
    """List all machines with their health."""
    with running_server(load()) as client:
        rows = store.overview(client, sorted(store.last_arrivals(client)))
    if as_json:
        typer.echo(json.dumps([_as_json(m) for m in rows]))
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No machines yet: the first window of a machine adds it, or `import`.")
        return
    names = ("machine", "state", "health", "faults", "seen", "last record", "last window")
    table = columns(*names, wrapped=("faults", "seen"))
    for machine in rows:
        health = machine.health or NO_HEALTH
        faults = [f for f, x in health.faults.items() if x.state in DETECTED]
        table.add_row(
            machine.machine_id,
            _state(machine, _silent(machine)),
            "" if health.health is None else f"{health.health:.0f}",
            ", ".join(faults),
            ", ".join(health.seen_faults),
            _verdict_age(machine),
            _ago(machine.last_window_age_s) or "never",
        )
    console.print(table)


@machines.command("show")
def show_machine(machine: MachineId, as_json: options.Json = False) -> None:
    """Show one machine: nameplate, health, latest diagnoses and scalars, faults over time."""
    settings = load()
    with running_server(settings) as client:
        row = _require_machine(client, machine)
        grown, scalars = _of_history(settings, machine, server_time(client))
    if as_json:
        more = {"growth": codec.plain(grown), "scalars": [r._asdict() for r, _ in scalars]}
        typer.echo(json.dumps({**_as_json(row), **more}))
        return
    console = Console(highlight=False)
    health = row.health or NO_HEALTH
    title = Text(machine, style="bold").append(" · ").append(_state(row, _silent(row)))
    if health.health is not None:
        title.append(f" · health {health.health:.0f}", style="not bold")
    console.print(
        title.append(f" · last window {_ago(row.last_window_age_s) or 'never'}", "not bold dim")
    )
    console.print(f"sends: {_sending(row)}")
    console.print(f"nameplate: {_nameplate(row.nameplate)}", markup=False)
    for said in plate_contradictions(row.nameplate):
        console.print(f"  check: {render(said.code, said.values)}", markup=False)
    console.print(f"baseline: {_baseline_state(row)}")
    for fault in health.seen_faults:
        console.print(f"seen, no alarm yet: {_seen_line(fault, health)}", markup=False)
    if row.diagnoses:
        console.print()
        show(console, row.diagnoses.values())
    if scalars:
        console.print()
        console.print(_latest_scalars(scalars, row.as_of_t))
    table = columns("fault", "over time", wrapped=("over time",))
    for f in grown:
        over_time = ((r.code, r.values) for r in (f.held, f.growth.why))
        table.add_row(name_of("fault", f.fault), render_all(over_time))
    if table.row_count:
        console.print()
        console.print(table)


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
        _check_id(machine_id)
    _warn(fleet, accepted=accept_warnings)
    settings = load()
    with running_server(settings) as client:
        for machine_id, motor in fleet.items():
            register_machine(client, actor(), machine_id, motor, limit=settings.max_machines)
    typer.echo(f"{len(fleet)} machines registered")


def _warn(fleet: Mapping[str, Motor], *, accepted: bool) -> None:
    """Print what the nameplates contradict.

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
def retire(machines: MachineIds) -> None:
    """Delete machines with their baselines. One that sends again is a new one."""
    with running_server(load()) as client:
        for machine in machines:
            retire_machine(client, actor(), machine)
            typer.echo(f"{machine} retired")


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
    console.print(f"{machine}: {_baseline_state(row)}")
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
    _check_id(machine)
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


def _of_history(
    settings: Settings, machine: str, now_s: float
) -> tuple[list[FaultGrowth], list[tuple[ScalarReading, str]]]:
    """Return the faults of a machine over time, and its latest scalars with their states."""
    # Not at the top: SQL takes a quarter of a second to import.
    from vtox.reporting.history.database import reading
    from vtox.reporting.history.growth import machine_growth
    from vtox.reporting.history.retention import oldest_kept
    from vtox.reporting.history.scalars import latest

    with reading(settings) as db:
        if db is None:
            return [], []
        oldest = oldest_kept(settings, round(1000 * now_s))
        return machine_growth(db, machine, now_s, oldest), list(latest(db, machine))


def _latest_scalars(scalars: Sequence[tuple[ScalarReading, str]], now_s: float) -> Table:
    table = columns("scalar", "value", "state", "measured")
    for r, state in scalars:
        age = f"{span(max(now_s - r.t, 0.0))} ago"
        table.add_row(
            r.name, f"{digits(r.value)} {r.unit}", Text(state, STYLES.get(state, "")), age
        )
    return table


def _silent(machine: store.MachineOverview) -> bool:
    return machine.silent(load().silence_after_s)


def _as_json(machine: store.MachineOverview) -> dict[str, Any]:
    health = machine.health or NO_HEALTH
    return {**codec.plain(machine), "silent": _silent(machine), "seen": health.seen_faults}


def _seen_line(fault: str, health: Assessment) -> str:
    """Return a fault that is seen, with the conditions that an alarm still needs."""
    seen = health.faults[fault].seen
    needs = ((n.code, n.values) for n in seen.needs) if seen else ()
    return f"{name_of('fault', fault)}: {render_all(needs)}"


def _state(machine: store.MachineOverview, silent: bool) -> Text:
    state = present_state(machine.health, silent=silent)
    text = Text(state, style=STYLES[state])
    return text.append(", silent", STYLES["warning"]) if silent else text


def _verdict_age(machine: store.MachineOverview) -> str:
    return _since(machine, machine.health.last_diagnosis_t if machine.health else None)


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


def _check_id(machine: str) -> None:
    """Raise `WireError` unless a window could carry this machine id."""
    channels = {"ia": np.zeros(1)}
    window = Window(machine_id=machine, seq=0, t0=1.0, fs_hz=1e3, channels=channels)
    entry_header(encode(window), Limits())


def _nameplate(plate: dict[str, Any] | None) -> str:
    if not plate:
        return "none"
    parts = [_plate_value(k, v) for k, v in plate.items() if k != "bearing"]
    if bearing := plate.get("bearing"):
        orders = bearing.get("orders") or {k: v for k, v in bearing.items() if k != "orders"}
        parts.append("bearing " + " ".join(f"{k} {digits(v)}" for k, v in orders.items()))
    return " · ".join(parts)


def _plate_value(name: str, value: Any) -> str:
    if name not in RANGES or not RANGES[name].kilo:
        return f"{name} {digits(value)}"
    shown, prefix = RANGES[name].for_people(value)
    return f"{name.rpartition('_')[0]} {digits(shown)} {prefix}{RANGES[name].unit}"


def _sending(machine: store.MachineOverview) -> str:
    """Return how often a machine sends, and when its next window is due."""
    interval, next_t = machine.interval, machine.next_window_t
    if interval.every_s is None:
        return "how often is not known yet" if interval.source else "nothing yet"
    words = f"every {span(interval.every_s)}, as {SOURCES[interval.source]}"
    if next_t is None:
        return words
    wait_s = next_t - machine.as_of_t
    return f"{words} · next " + (
        f"due in {span(wait_s)}" if wait_s >= 0 else f"was due {span(-wait_s)} ago"
    )


def _baseline_state(machine: store.MachineOverview) -> str:
    state = machine.baseline_state
    if state["state"] == "learning":
        return f"learning from the stream, {state['records']} records so far"
    sources = {"given": "learnt from recordings", "stream": "learnt from the stream"}
    source = sources.get(state.get("source", ""), "")
    version = f"version {state['version']}" if "version" in state else ""
    ago = _since(machine, state.get("learnt_t"))
    why = render(state["code"], {}) if "code" in state else ""
    return ", ".join(p for p in (state["state"], version, source, ago, why) if p)


def _loads(machine: store.MachineOverview) -> list[str]:
    """Return a line for each load: ready, being learnt, or refused and why."""
    lines = []
    for x in machine.baseline_state.get("loads", []):
        ago = _since(machine, x.get("learnt_t"))
        texts = {
            "learning": f"learning, {x.get('records')} records so far",
            "refused": f"not accepted as healthy {ago}: {x.get('reason')}",
        }
        text = texts.get(x["state"], f"{x['state']}, learnt {ago}")
        lines.append(f"load {digits(x['low_a'])}-{digits(x['high_a'])} A: {text}")
    return lines


def _since(machine: store.MachineOverview, t: float | None) -> str:
    """Return how long ago a time of the server was when the machine was read."""
    return _ago(max(machine.as_of_t - t, 0.0) if t else None)


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f"{span(seconds)} ago"
