"""`vtox sensitivity`: when the faults of a machine alert, and what another setting would raise."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vtox.alarms.health.alerts import CHANGES_OF_LEVEL
from vtox.alarms.health.backtest import Backtest
from vtox.alarms.health.sensitivity import FIELDS, Sensitivity, persistence_table, rule_from_dict
from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import By, Json, MachineId
from vtox.cli.shared.server_access import running_server
from vtox.configuration.settings import load
from vtox.errors import InputError, UnknownMachine
from vtox.faults import FAULTS
from vtox.store.machines.machine_settings import present_setting, setting_versions
from vtox.store.machines.machines import is_listed
from vtox.store.machines.sensitivities import SENSITIVITY
from vtox.store.server.client import Client, server_time
from vtox.store.system.deeds import change_sensitivity
from vtox.values.plain_data import digits

group = typer.Typer(
    help="When the faults of a machine alert: show, set, back-test.", no_args_is_help=True
)
Fault = Annotated[str, typer.Argument(metavar="FAULT", help=f"One of {', '.join(FAULTS)}.")]
K = Annotated[int | None, typer.Option("-k", "--k", help="So many of the last n raise.")]
N = Annotated[int | None, typer.Option("-n", "--n", help="Of so many.")]
Clear = Annotated[int | None, typer.Option("--clear", help="So many with nothing found clear.")]
MinSeverity = Annotated[float | None, typer.Option(help="Least severity that counts, 0 to 1.")]
MinConfidence = Annotated[float | None, typer.Option(help="Least confidence that counts, 0 to 1.")]
DAY_S = 86_400.0


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="sensitivity")


@group.command("show")
def show(machine: MachineId, as_json: Json = False) -> None:
    """Show the setting in force, and its versions."""
    with running_server(load()) as client:
        _require(client, machine)
        present = present_setting(client, machine, SENSITIVITY)
        versions = setting_versions(client, machine, SENSITIVITY)
    if as_json:
        in_force = {f: persistence_table(rule) for f, rule in present.rules.items()}
        told = {"in_force": in_force, "versions": [_table(v) for v in versions]}
        typer.echo(json.dumps({"machine_id": machine, **_table(present), **told}))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("fault", *FIELDS, "set"):
        table.add_column(name)
    for fault, rule in present.rules.items():
        values = [digits(v) for v in persistence_table(rule).values()]
        table.add_row(fault, *values, "yes" if fault in present.faults else "default")
    console = Console(highlight=False)
    console.print(_title(machine, present))
    console.print(table)
    meaning = "k of the last n records with the fault raise its alert, clear without it clear it"
    console.print(meaning, style="dim")


@group.command("set")
def change(
    machine: MachineId,
    fault: Fault,
    by: By = "",
    k: K = None,
    n: N = None,
    clear: Clear = None,
    min_severity: MinSeverity = None,
    min_confidence: MinConfidence = None,
    default: Annotated[bool, typer.Option("--default", help="Back to the default.")] = False,
    as_json: Json = False,
) -> None:
    """Set when one fault alerts, as a new version; what is not given is its default."""
    given = _table_of(k, n, clear, min_severity, min_confidence)
    if default == bool(given):
        raise InputError("give what to set, or --default")
    if not by.strip():
        raise InputError("who acts is missing", remedy="--by NAME")
    rule = rule_from_dict(fault, given)
    with running_server(load()) as client:
        before = present_setting(client, machine, SENSITIVITY)
        faults = {f: r for f, r in before.faults.items() if f != fault}
        if given:
            faults[fault] = rule
        expected = before.version
        who = actor(by.strip())
        change_sensitivity(client, who, machine, faults, by=by.strip(), expected_version=expected)
        present = present_setting(client, machine, SENSITIVITY)
    typer.echo(json.dumps(_table(present)) if as_json else _title(machine, present))


@group.command("backtest")
def backtest(
    machine: MachineId,
    fault: Fault,
    k: K = None,
    n: N = None,
    clear: Clear = None,
    min_severity: MinSeverity = None,
    min_confidence: MinConfidence = None,
    days: Annotated[float, typer.Option(min=0.01, max=366, help="Up to now.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Try a setting, and the one in force, on the diagnoses that the history has."""
    # Not at the top: SQLAlchemy is slow to load.
    from vtox.records.history.database import reading
    from vtox.records.history.recorded_slots import nothing_recorded, recorded_slots

    rule = rule_from_dict(fault, _table_of(k, n, clear, min_severity, min_confidence))
    settings = load()
    with running_server(settings) as client, reading(settings) as db:
        _require(client, machine)
        to_s = server_time(client)
        in_force = present_setting(client, machine, SENSITIVITY).rules[fault]
        between = max(to_s - DAY_S * days, 0.0), to_s
        nothing = nothing_recorded(*between)
        found = nothing if db is None else recorded_slots(db, machine, fault, *between)
    outcomes = {
        "in_force": _outcome(found.tried(in_force, to_s)),
        "proposed": _outcome(found.tried(rule, to_s)),
    }
    hours = found.hours._asdict()
    if as_json:
        typer.echo(json.dumps({"diagnoses": len(found.slots), "hours": hours, **outcomes}))
        return
    console = Console(highlight=False)
    console.print(f"{machine} {fault}: {len(found.slots)} diagnoses in {hours['raw']:.1f} h")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", *CHANGES_OF_LEVEL, "open"):
        table.add_column(name)
    for name, o in outcomes.items():
        counts = [str(o[event]) for event in CHANGES_OF_LEVEL]
        table.add_row(name.replace("_", " "), *counts, f"{o['open_s'] / 3600:.2f} h")
    console.print(table)
    if undecided := hours["undecidable"]:
        why = f"{undecided:.1f} h before cannot be decided: only sums are left"
        console.print(why, style="dim")


def _outcome(tried: Backtest) -> dict[str, Any]:
    names = [e.name for e in tried.events]
    counts: dict[str, Any] = {name: names.count(name) for name in CHANGES_OF_LEVEL}
    return {**counts, "open_s": round(tried.open_s, 3), "level_at_end": tried.level}


def _table_of(*values: float | None) -> dict[str, Any]:
    return {name: v for name, v in zip(FIELDS, values, strict=True) if v is not None}


def _require(client: Client, machine: str) -> None:
    if not is_listed(client, machine):
        raise UnknownMachine(machine)


def _title(machine: str, s: Sensitivity) -> str:
    who = f", set by {s.by}" if s.version else ": the defaults"
    return f"{machine}: version {s.version}{who}"


def _table(s: Sensitivity) -> dict[str, Any]:
    faults = {f: persistence_table(rule) for f, rule in s.faults.items()}
    return {"version": s.version, "t": s.t, "by": s.by, "faults": faults}
