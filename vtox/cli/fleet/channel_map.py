"""`vtox channel-map`: which channel of a machine is which."""

import json
import re
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import By, Json, MachineId
from vtox.cli.shared.server_access import running_server
from vtox.configuration.settings import load
from vtox.errors import InputError, UnknownMachine
from vtox.store.machines.channel_maps import CHANNEL_MAP
from vtox.store.machines.machine_settings import present_setting, setting_versions
from vtox.store.machines.machines import is_listed
from vtox.store.system.deeds import change_channel_map
from vtox.values.channel_map import ChannelMap, sources_from_dict, sources_table
from vtox.values.plain_data import digits

group = typer.Typer(help="Which channel of a machine is which: show, set.", no_args_is_help=True)
_SOURCE = re.compile(r"(\w+)=(-?)(\w+)(?:\*([0-9.e+-]+))?")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="channel-map")


@group.command("show")
def show(machine: MachineId, as_json: Json = False) -> None:
    """Show the channels that are not what they are sent as, and the versions of that."""
    with running_server(load()) as client:
        if not is_listed(client, machine):
            raise UnknownMachine(machine)
        present = present_setting(client, machine, CHANNEL_MAP)
        versions = setting_versions(client, machine, CHANNEL_MAP)
    if as_json:
        earlier = [_table(v) for v in versions]
        typer.echo(json.dumps({"machine_id": machine, **_table(present), "versions": earlier}))
        return
    _print(machine, present)


@group.command("set")
def change(
    machine: MachineId,
    channels: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHANNEL=SOURCE",
            help="Where each channel comes from: ia=ib, ib=-ia (turned), ic=ic*1.5 (ratio). "
            "Those not named stay as they are sent.",
        ),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="End the map.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Replace the channel map, as a new version; a baseline of other channels is not used then."""
    if bool(channels) == none:
        raise InputError("name the channels, or give --none")
    if not by.strip():
        raise InputError("who acts is missing", remedy="--by NAME")
    sources = sources_from_dict(dict(_source(text) for text in channels or ()))
    with running_server(load()) as client:
        change_channel_map(client, actor(by.strip()), machine, sources, by=by.strip())
        present = present_setting(client, machine, CHANNEL_MAP)
    if as_json:
        typer.echo(json.dumps(_table(present)))
        return
    _print(machine, present)


def _source(text: str) -> tuple[str, dict[str, Any]]:
    found = _SOURCE.fullmatch(text)
    if not found:
        raise InputError(f"{text}: expected CHANNEL=SOURCE, as in ia=-ib or ic=ic*1.5")
    name, minus, channel, ratio = found.groups()
    try:
        factor = float(ratio or 1)
    except ValueError:
        raise InputError(f"{text}: {ratio} is no number") from None
    return name, {"channel": channel, "sign": -1 if minus else 1, "ratio": factor}


def _print(machine: str, m: ChannelMap) -> None:
    console = Console(highlight=False)
    who = f", set by {m.by}" if m.version else ": nobody has set any"
    unchanged = "" if m.sources else "; every channel is what it is sent as"
    console.print(f"{machine}: version {m.version}{who}{unchanged}", soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("channel", "comes from", "sign", "ratio"):
        table.add_column(name)
    for name, s in m.sources.items():
        table.add_row(name, s.channel, f"{s.sign:+d}", digits(s.ratio))
    if m.sources:
        console.print(table)


def _table(m: ChannelMap) -> dict[str, Any]:
    return {"version": m.version, "t": m.t, "by": m.by, "channels": sources_table(m.sources)}
