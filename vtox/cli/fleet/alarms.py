"""`vtox alarms`: which there are, and one with what was done. Operators act by page or HTTP."""

import json
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.fleet.alarm_table import (
    action_as_json,
    alarm_as_json,
    print_alarm,
    print_alarms,
    supply_alarm_as_json,
)
from vtox.cli.shared.options import Json
from vtox.cli.shared.server_access import running_server
from vtox.motor.alarms.life import STATES, Alarm
from vtox.motor.alarms.precedence import Precedence, precedence
from vtox.motor.alarms.priority import Priority
from vtox.motor.alarms.supplies import SupplyAlarm, group_ids, supply_alarms
from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.alarms.alarm_book import KeptBook
from vtox.pipeline.store.machines.fleet import (
    FleetState,
    all_machines,
    fleet_state,
    priorities_of,
    priority_among,
    supplied_machine,
)

alarms_command = typer.Typer(
    help="Alarms: list, show. Act on them on the page, or over HTTP.", no_args_is_help=True
)
Id = Annotated[str, typer.Argument(metavar="ID", help="Its id in `vtox alarms list`.")]


@alarms_command.command("list")
def list_alarms(
    machine: Annotated[str, typer.Option(metavar="ID", help="Only those of this machine.")] = "",
    fault: Annotated[str, typer.Option(metavar="NAME", help="Only those of this fault.")] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only those in this state; without it: open ones.")
    ] = "",
    supply: Annotated[
        str, typer.Option(metavar="ID", help="Only the members of this alarm of a supply.")
    ] = "",
    assignee: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only those assigned to this person; '': to nobody."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="In any state.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Number at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List open alarms by priority, then the latest; those of one supply or site are one row."""
    if state and state not in STATES:
        raise InputError(f"--state {state}: expected one of {', '.join(STATES)}")
    groups, alarms, fleet, urgent = _read()
    of = group_ids(groups)

    def matches(a: Alarm) -> bool:
        wanted = ((machine, a.machine_id), (fault, a.fault), (state, a.state))
        if any(text and text != own for text, own in wanted):
            return False
        if assignee not in (None, a.assignee):
            return False
        return (not supply or of.get(a.id) == supply) and (bool(state) or every or a.open)

    def key(a: Alarm | SupplyAlarm) -> Precedence:
        return precedence(a, urgent)

    found = sorted(filter(matches, alarms), key=key)
    apart = found if supply else [a for a in found if a.id not in of]
    matched = {of[a.id] for a in found if a.id in of}
    shown = sorted((g for g in groups if not supply and g.id in matched), key=key)
    if as_json:
        rows = [alarm_as_json(a, fleet, urgent.get(a.id), of.get(a.id, "")) for a in found[:limit]]
        typer.echo(json.dumps({"data": rows, "groups": [supply_alarm_as_json(g) for g in shown]}))
        return
    console = Console(highlight=False)
    if not found:
        console.print("No alarms of these.")
        return
    print_alarms(console, sorted([*shown, *apart[:limit]], key=key), fleet, urgent)
    if len(apart) > limit:
        console.print(f"{len(apart) - limit} more: --limit", style="dim")


@alarms_command.command("show")
def show_alarm(alarm_id: Id, as_json: Json = False) -> None:
    """Show one alarm with what operators did; older ones come from the history."""
    # Not at the top: SQLAlchemy is slow to load.
    from vtox.reporting.history.alarm_records import actions_of, alarm_of
    from vtox.reporting.history.database import reading

    settings = load()
    with running_server(settings) as client:
        book, _ = KeptBook().read(client)
        fleet = fleet_state(client, settings.silence_after_s)
        known = alarm_of(client, book, lambda: reading(settings), alarm_id)
        if known is None:
            raise InputError(f"no alarm {alarm_id}", remedy="`vtox alarms list --all` shows them")
        urgent = priority_among(known[0], all_machines(client)) if known[0].open else None
        done = actions_of(client, lambda: reading(settings), known[0])
    if as_json:
        table = alarm_as_json(known[0], fleet, urgent) | {
            "actions": [action_as_json(i, a) for i, a in done]
        }
        typer.echo(json.dumps(table))
        return
    print_alarm(Console(highlight=False), known[0], fleet, urgent, [a for _, a in done])


def _read() -> tuple[list[SupplyAlarm], list[Alarm], FleetState, dict[str, Priority]]:
    settings = load()
    with running_server(settings) as client:
        book, _ = KeptBook().read(client)
        machines = all_machines(client)
        fleet = fleet_state(client, settings.silence_after_s)
    alarms = list(book.alarms.values())
    groups = supply_alarms(alarms, map(supplied_machine, machines.values()))
    return groups, alarms, fleet, priorities_of(alarms, machines)
