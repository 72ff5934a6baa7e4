"""`vtox alarms`: what operators do with alarms, and with machines out of service."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, Any

import typer

from vtox.alarms.book import SHELVED_AT_MOST_MS, Action, ActionName, Book, possible_actions
from vtox.alarms.life import OUTCOMES, Alarm
from vtox.alarms.supplies import supply_alarms
from vtox.alarms.work_orders import WorkOrder
from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import By, Json, MachineId, duration_s
from vtox.cli.shared.server_access import running_server
from vtox.configuration.settings import load
from vtox.errors import AlarmRefused, InputError, UnknownMachine
from vtox.store.alarms import alarm_book
from vtox.store.machines.fleet import supplied_machines
from vtox.store.machines.machines import is_listed
from vtox.store.system.deeds import change_service

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids in `vtox alarms list`.")]
Members = Annotated[
    bool,
    typer.Option("--supply", help="Each ID is an alarm of a supply: act on all of its members."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask after the count was shown.")]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="A comment, if any.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("acknowledge")(acknowledge)
    group.command("comment")(comment)
    group.command("shelve")(shelve)
    group.command("unshelve")(unshelve)
    group.command("close")(close)
    group.command("ungroup")(ungroup)
    group.command("assign")(assign)
    group.command("work-order")(add_work_order)
    group.command("out-of-service")(take_out_of_service)
    group.command("in-service")(return_to_service)


def acknowledge(
    ids: Ids,
    by: By = "",
    text: Comment = "",
    members: Members = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Say that somebody has seen alarms."""
    _act("acknowledge", ids, by, members, yes, as_json, text=text)


def comment(
    alarm_id: Annotated[str, typer.Argument(metavar="ID", help="In `vtox alarms list`.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The comment.")],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Comment on an alarm."""
    if not text.strip():
        raise InputError("TEXT is empty: expected a comment")
    _act("comment", [alarm_id], by, False, True, as_json, text=text)


def shelve(
    ids: Ids,
    time: Annotated[
        str, typer.Option("--for", metavar="TIME", help="For how long: 8h, 3d; 16d at most.")
    ],
    reason: Reason,
    by: By = "",
    members: Members = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take the faults of these alarms off the open alarms until a time."""
    for_ms = round(1000 * (duration_s(time, "--for") or 0.0))
    if not 0 < for_ms <= SHELVED_AT_MOST_MS:
        raise InputError(f"--for {time}: expected at most {SHELVED_AT_MOST_MS // 86_400_000}d")
    if not reason.strip():
        raise InputError("--reason is empty: expected why")
    _act("shelve", ids, by, members, yes, as_json, text=reason, for_ms=for_ms)


def unshelve(
    ids: Ids, by: By = "", text: Comment = "", yes: Yes = False, as_json: Json = False
) -> None:
    """End shelvings before their time."""
    _act("unshelve", ids, by, False, yes, as_json, text=text)


def close(
    ids: Ids,
    outcome: Annotated[
        str,
        typer.Option(
            "--outcome", metavar="OUTCOME", help=f"Required: one of {', '.join(OUTCOMES)}."
        ),
    ] = "",
    by: By = "",
    text: Comment = "",
    members: Members = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Say what was found."""
    if outcome not in OUTCOMES:
        given = f"--outcome {outcome}" if outcome else "--outcome is missing"
        raise InputError(f"{given}: expected one of {', '.join(OUTCOMES)}")
    _act("close", ids, by, members, yes, as_json, text=text, outcome=outcome)


def ungroup(
    ids: Ids,
    by: By = "",
    text: Comment = "",
    members: Members = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let alarms stand by themselves, whatever the other machines of their supply do."""
    _act("ungroup", ids, by, members, yes, as_json, text=text)


def assign(
    ids: Ids,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="The person; '': nobody.")],
    by: By = "",
    members: Members = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Say who sees to alarms."""
    _act("assign", ids, by, members, yes, as_json, text=to.strip())


def add_work_order(
    alarm_id: Annotated[str, typer.Argument(metavar="ID", help="In `vtox alarms list`.")],
    system: Annotated[str, typer.Option(metavar="NAME", help="Of the maintenance system.")],
    reference: Annotated[str, typer.Option(metavar="TEXT", help="Of the order there.")],
    url: Annotated[str, typer.Option(metavar="URL", help="Where it can be opened.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Name the work order that an alarm led to."""
    order = WorkOrder(system=system, reference=reference, url=url)
    _act("work_order", [alarm_id], by, False, True, as_json, work_order=order)


def take_out_of_service(machine: MachineId, reason: Reason, by: By = "") -> None:
    """From now on the alarms of a machine are not open."""
    if not reason.strip():
        raise InputError("--reason is empty: expected why")
    _change_service("take_out_of_service", machine, by, reason)
    typer.echo(f"{machine} is out of service")


def return_to_service(machine: MachineId, by: By = "", text: Comment = "") -> None:
    """From now on the alarms of a machine are open again."""
    _change_service("return_to_service", machine, by, text)
    typer.echo(f"{machine} is in service")


def _act(
    name: ActionName,
    ids: Sequence[str],
    by: str,
    members: bool,
    yes: bool,
    as_json: bool,
    *,
    for_ms: int | None = None,
    **details: Any,
) -> None:
    who = _operator_name(by)
    with running_server(load()) as client:
        machines = supplied_machines(client) if members else []
        count: int | None = None

        def actions(book: Book, now_ms: int) -> Iterator[Action]:
            nonlocal count
            alarms = book.at(now_ms).alarms
            if members:
                chosen = _members(alarms.values(), machines, ids)
            else:
                _require_known(alarms, ids)
                chosen = [alarms[i] for i in ids]
            every = [
                Action(
                    name=name,
                    machine_id=a.machine_id,
                    fault=a.fault,
                    alarm_id=a.id,
                    ms=now_ms,
                    by=who,
                    until_ms=None if for_ms is None else now_ms + for_ms,
                    **details,
                )
                for a in chosen
            ]
            if not members:
                yield from every
                return
            possible, _ = possible_actions(book, every)
            count = len(possible) if count is None else count
            if count != len(possible):
                now = f"{len(possible)} alarms would be changed now, not {count}"
                raise AlarmRefused("count_changed", f"{now}: count again")
            if yes:
                yield from possible

        done = alarm_book.act(client, actions)
        if members and not yes:
            typer.confirm(f"{name} {count} alarms?", abort=True, err=True)
            yes = True
            done = alarm_book.act(client, actions)
    if as_json:
        typer.echo(json.dumps({"action": name, "count": len(done), "ids": _ids(done)}))
        return
    for alarm_id in _ids(done):
        typer.echo(f"{alarm_id} {name}")
    if not done:
        typer.echo("nothing to change")


def _members(alarms: Iterable[Alarm], machines: Any, ids: Sequence[str]) -> list[Alarm]:
    groups = {g.id: g for g in supply_alarms(alarms, machines)}
    if unknown := [i for i in ids if i not in groups]:
        raise InputError(f"no alarm of a supply {unknown[0]}", remedy="`vtox alarms list`")
    return [a for i in ids for a in groups[i].alarms]


def _require_known(alarms: Collection[str], ids: Sequence[str]) -> None:
    if unknown := [i for i in ids if i not in alarms]:
        raise InputError(f"no alarm {unknown[0]}", remedy="`vtox alarms list --all` shows them")


def _change_service(name: ActionName, machine: str, by: str, text: str) -> None:
    who = _operator_name(by)
    with running_server(load()) as client:
        if not is_listed(client, machine):
            raise UnknownMachine(machine)

        def action(now_ms: int) -> Action:
            return Action(name=name, machine_id=machine, ms=now_ms, by=who, text=text)

        change_service(client, actor(who), action)


def _operator_name(by: str) -> str:
    if not by.strip():
        raise InputError("who acts is missing", remedy="--by NAME")
    return by.strip()


def _ids(done: Iterable[Action]) -> list[str]:
    return [a.alarm_id for a in done]
