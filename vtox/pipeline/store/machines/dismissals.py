"""The alarms of a machine that people closed as false: field `dismissals` of its hash."""

from vtox.motor.alarms.health.dismissals import NO_DISMISSALS, Dismissals, dismissal_of
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.alarms.life import Alarm
from vtox.motor.alarms.profile.values import CONDITIONS
from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import SettingChanged, TooBusy, UnknownMachine
from vtox.pipeline.store.machines.machine_settings import (
    SettingKind,
    present_setting,
    store_setting,
)
from vtox.pipeline.store.machines.profile_words import call_normal
from vtox.pipeline.store.server.client import Client

DISMISSALS = SettingKind("dismissals", Dismissals, NO_DISMISSALS)
# Two people who close alarms of one machine at the same moment.
_TRIES = 10


def dismiss(client: Client, alarm: Alarm) -> None:
    """Keep that an alarm was closed as false, once; nothing if it may come again at once.

    Of a condition outside the profile it says that this is normal.

    Raises `TooBusy`: others change the same all the time.
    """
    machine_id = alarm.machine_id
    if alarm.fault in CONDITIONS:
        call_normal(client, machine_id, alarm.fault)
        return
    memory = client.hget(keys.machine(machine_id), "memory")
    history = codec.decode_or_none(MachineHistory, memory) or MachineHistory()
    closed_t = (alarm.closed_ms or 0) / 1000
    found = dismissal_of(alarm, history.faults.get(alarm.fault), closed_t, alarm.closed_by)
    if found is None:
        return
    for _ in range(_TRIES):
        present = present_setting(client, machine_id, DISMISSALS)
        if any(d.alarm_id == alarm.id for d in present.alarms):
            return
        try:
            table = {"alarms": present.with_one(found)}
            expected = {"expected_version": present.version}
            store_setting(client, machine_id, DISMISSALS, table, by=alarm.closed_by, **expected)
        except SettingChanged:
            continue
        except UnknownMachine:
            pass
        return
    raise TooBusy("others close alarms of this machine all the time", remedy="try again")


def end_dismissal(client: Client, machine_id: str, alarm_id: str, *, by: str) -> bool:
    """Let the alarm come again; False if none of this id is dismissed.

    Raises `UnknownMachine`; `SettingChanged`: another one was closed or ended meanwhile.
    """
    present = present_setting(client, machine_id, DISMISSALS)
    left = present.without(alarm_id)
    if len(left) == len(present.alarms):
        return False
    expected = {"expected_version": present.version}
    store_setting(client, machine_id, DISMISSALS, {"alarms": left}, by=by, **expected)
    return True
