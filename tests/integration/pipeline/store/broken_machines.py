"""A machine with every field that VTOX writes, and machines with one of them broken."""

from collections.abc import Iterator

from tests.broken_entries import Fields, broken
from tests.integration.api.test_energy import energy_of_an_hour
from tests.integration.api.test_machines import change_memory, commit_health
from vtox.motor.alarms.health.dismissals import Dismissal, Dismissals
from vtox.motor.alarms.health.sensitivity import Sensitivity
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, reason
from vtox.motor.values.rhythm import Rhythm
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.flags import note_departure, set_flag
from vtox.pipeline.store.machines.baselines import refuse_load, set_baseline
from vtox.pipeline.store.machines.channel_maps import set_channel_map
from vtox.pipeline.store.machines.dismissals import DISMISSALS
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.machines.machines import list_senders, register
from vtox.pipeline.store.machines.rhythms import keep_rhythms
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.scalars import note_no_velocity

PLATE = Motor(
    site="Hall 2",
    asset_path="Line 1/Pump",
    criticality=4,
    rated_power_w=15e3,
    expected_every_s=60.0,
)
CLOSED = Dismissal(
    alarm_id="1", fault="bearing", codes=("impacts_at_bearing_order",), t=5.0, until_t=6.0
)
LIMIT = reason("limit_crossed", scalar="oil_bar")
BASELINE = '{"bands": [{"low_a": 4.0, "high_a": 5.0}], "records": 3}'


def add_full_machine(client: Client, machine_id: str) -> None:
    """Add a machine that has all fields."""
    register(client, machine_id, PLATE)
    list_senders(client, [machine_id], limit=0)
    set_channel_map(client, machine_id, {"ia": "ib", "ib": "ia"}, by="Ada")
    store_setting(client, machine_id, SENSITIVITY, codec.plain(Sensitivity()), by="Ada")
    table = codec.plain(Dismissals(alarms=(CLOSED,)))
    store_setting(client, machine_id, DISMISSALS, table, by="Ada")
    set_baseline(client, machine_id, BASELINE)
    refuse_load(client, machine_id, [6.0], "too_few")
    keep_rhythms(client, {machine_id: (Rhythm(every_s=60.0), True)})
    commit_health(client, machine_id, bearing="warning", rotor_bar="normal")
    change_memory(client, machine_id, "bearing", alert=f"{machine_id}:bearing:5")
    note_departure(client, machine_id)
    set_flag(client, machine_id, "clock", True, reason("clock_off"))
    set_flag(client, machine_id, "limit:oil_bar:fault", True, LIMIT)
    note_no_velocity(client, {machine_id: reason("no_baseline")})
    more = {"vehicle_id": "V1", "version": "3", "learning": "[]", "fingerprint": "x"}
    client.hset(keys.machine(machine_id), mapping=more | energy_of_an_hour(5.0))


def add_broken_machines(client: Client, good: str, largest: int = 1 << 30) -> list[str]:
    """Add machines that are as a good one but for one field; return their ids."""
    fields = client.hgetall(keys.machine(good))
    hashes = {f"F{n}": x for n, x in enumerate(_broken(fields, largest))}
    now, change = server_time(client), int(client.hincrby(keys.FLEET, "change", 1))
    pipe = client.pipeline(transaction=False)
    for machine_id, mapping in hashes.items():
        pipe.hset(keys.machine(machine_id), mapping=mapping)
        pipe.zadd(keys.MACHINES, {machine_id: now})
        pipe.zadd(keys.FLEET_CHANGES, {machine_id: change})
        pipe.sadd(keys.OPEN_ALERTS, f"{machine_id}|bearing")
    pipe.execute()
    return list(hashes)


def _broken(good: Fields, largest: int) -> Iterator[Fields]:
    return (x for x in broken(good) if sum(map(len, x.values())) < largest)
