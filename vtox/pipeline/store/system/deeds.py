"""Changes made by people, by HTTP or on a command line, each with its entry in the audit."""

import json
from collections.abc import Callable, Mapping, Sequence

from vtox.motor.alarms.book import Action
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.motor.values import codec
from vtox.motor.values.channel_map import Sources
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.values.plain_data import changes
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import UnknownMachine
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP, set_channel_map
from vtox.pipeline.store.machines.dismissals import DISMISSALS, end_dismissal
from vtox.pipeline.store.machines.machine_settings import (
    SENSITIVITY,
    present_setting,
    store_setting,
)
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.stream.deadletters import DeadLetter
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.apikeys import ApiKey
from vtox.pipeline.store.system.audit import Actor, audited, write


def register_machine(
    client: Client, actor: Actor, machine_id: str, motor: Motor, *, limit: int = 0
) -> None:
    """Store the nameplate of a machine, as `machines.register`; the same one again is no deed."""
    (before,) = machines.load_motors(client, [machine_id])
    if before == motor:
        return
    changed = changes(motor_to_dict(before) if before else {}, motor_to_dict(motor))
    with audited(client, actor.deed("nameplate_changed", machine_id, changes=changed)):
        machines.register(client, machine_id, motor, limit=limit)


def retire_machine(client: Client, actor: Actor, machine_id: str) -> None:
    """Forget a machine, as `machines.retire`.

    Raises `UnknownMachine`: the machine is not known.
    """
    with audited(client, actor.deed("machine_deleted", machine_id)):
        if not machines.retire(client, machine_id):
            raise UnknownMachine(machine_id)


def change_baseline(client: Client, actor: Actor, machine_id: str, baseline: str | None) -> None:
    """Store a machine's baseline as given by a person, or remove it with None."""
    deed = actor.deed("baseline_deleted", machine_id)
    if baseline is not None:
        records = int(json.loads(baseline)["records"])
        deed = actor.deed("baseline_given", machine_id, records=records)
    with audited(client, deed):
        set_baseline(client, machine_id, baseline)


def change_sensitivity(
    client: Client,
    actor: Actor,
    machine_id: str,
    faults: Mapping[str, Persistence],
    *,
    by: str,
    expected_version: int | None = None,
) -> None:
    """Set when the faults of a machine alert, as `store_setting`; others have their defaults."""
    before = present_setting(client, machine_id, SENSITIVITY).rules
    changed = changes(codec.plain(dict(before)), codec.plain({**PERSISTENCE, **faults}))
    table, expected = {"faults": faults}, {"expected_version": expected_version}
    with audited(client, actor.deed("sensitivity_changed", machine_id, changes=changed)):
        store_setting(client, machine_id, SENSITIVITY, table, by=by, **expected)


def let_alarm_come_again(client: Client, actor: Actor, machine_id: str, alarm_id: str) -> bool:
    """Let an alarm come again that was closed as false, as `end_dismissal`."""
    present = present_setting(client, machine_id, DISMISSALS)
    if all(d.alarm_id != alarm_id for d in present.alarms):
        return False
    with audited(client, actor.deed("dismissal_ended", machine_id, alarm=alarm_id)):
        return end_dismissal(client, machine_id, alarm_id, by=actor.by)


def change_channel_map(
    client: Client,
    actor: Actor,
    machine_id: str,
    sources: Sources,
    *,
    by: str,
    expected_version: int | None = None,
) -> None:
    """Set which channel of a machine is which, as `set_channel_map`."""
    before = present_setting(client, machine_id, CHANNEL_MAP).channels
    changed = changes(codec.plain(before), codec.plain(sources))
    with audited(client, actor.deed("channel_map_changed", machine_id, changes=changed)):
        set_channel_map(client, machine_id, sources, by=by, expected_version=expected_version)


def change_service(client: Client, actor: Actor, action: Callable[[int], Action]) -> list[Action]:
    """Take a machine out of service, or return it; `action` gets the time (ms, server clock).

    Raises `AlarmRefused`: it is out of service, or in service, already.
    """
    present = action(0)
    code = "taken_out_of_service"
    if present.name == "return_to_service":
        code = "returned_to_service"
    with audited(client, actor.deed(code, present.machine_id, text=present.text)):
        return alarm_book.act(client, lambda _, now_ms: [action(now_ms)])


def resend_letter(client: Client, actor: Actor, letter: DeadLetter) -> str:
    """Send a dead letter again, as `deadletters.resend`."""
    with audited(client, actor.deed("dead_letter_replayed", letter.machine_id, letter=letter.id)):
        return deadletters.resend(client, letter)


def create_key(
    client: Client,
    actor: Actor,
    scopes: Sequence[str],
    name: str,
    *,
    lifetime_s: float | None = None,
) -> tuple[str, ApiKey]:
    """Make an API key, as `apikeys.create`."""
    key_id = apikeys.new_id()
    deed = actor.deed("key_created", key=key_id, name=name, scopes=tuple(scopes))
    with audited(client, deed):
        return apikeys.create(client, scopes, name, lifetime_s=lifetime_s, key_id=key_id)


def revoke_key(client: Client, actor: Actor, key_id: str) -> bool:
    """Revoke an API key, as `apikeys.revoke`; False if there is none of that id."""
    names = {k.id: k.name for k in apikeys.list_keys(client)}
    if key_id not in {*names, *apikeys.unreadable(client)}:
        return False
    deed = actor.deed("key_revoked", key=key_id, name=names.get(key_id, ""))
    with audited(client, deed):
        return apikeys.revoke(client, key_id)


def note_settings(client: Client, actor: Actor, given: Mapping[str, str]) -> None:
    """Record the differences from the settings of the last start on this host (`actor.address`)."""
    stored = client.hget(keys.SETTINGS, actor.address)
    before = given if stored is None else json.loads(stored)
    if changed := changes(before, given):
        write(client, actor.deed("settings_changed", changes=changed))
    client.hset(keys.SETTINGS, actor.address, json.dumps(dict(given)))
