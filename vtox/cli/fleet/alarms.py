"""`vtox alarms`: the list, and one alarm with its actions. Operators act by page or HTTP."""

import json
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.fleet.alarm_table import print_alarm, print_alarms
from vtox.cli.shared.api_access import local_api
from vtox.cli.shared.options import Json

alarms_command = typer.Typer(
    help="Alarms: list, show. Act on them on the page, or over HTTP.", no_args_is_help=True
)
Id = Annotated[str, typer.Argument(metavar="ID", help="Its id in `vtox alarms list`.")]


@alarms_command.command("list")
def list_alarms(
    machine: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of this machine.")
    ] = None,
    fault: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those of this fault.")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(metavar="STATE", help="Only those in this state; without it: open ones."),
    ] = None,
    supply: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only the members of this alarm of a supply."),
    ] = None,
    assignee: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only those assigned to this person; '': to none."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="In any state.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="Number at most, up to 500.")] = 100,
    as_json: Json = False,
) -> None:
    """List open alarms by priority, then the latest; those of one supply or site are one row."""
    query = {"machine_id": machine, "fault": fault, "state": state, "group": supply}
    query |= {"assignee": assignee, "open": None if state or every else "true"}
    grouped = not as_json and supply is None
    with local_api() as api:
        found = api.get("alarms", **query, grouped=grouped, limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    console, groups = Console(highlight=False), found["groups"] if grouped else []
    if not found["data"] and not groups:
        console.print("No alarms of these.")
        return
    print_alarms(console, [*groups, *found["data"]])
    if found["next"]:
        console.print("There are more: --limit", style="dim")


@alarms_command.command("show")
def show_alarm(alarm_id: Id, as_json: Json = False) -> None:
    """Show one alarm with the actions of operators; older alarms come from the history."""
    with local_api() as api:
        found = api.get("alarms/{}", alarm_id)
    if as_json:
        typer.echo(json.dumps(found))
        return
    print_alarm(Console(highlight=False), found["data"])
