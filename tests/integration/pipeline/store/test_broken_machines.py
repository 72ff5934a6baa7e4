"""No field of a machine, from any writer, keeps a reader from the others."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from tests.integration.pipeline.store.broken_machines import add_broken_machines, add_full_machine
from vtox.pipeline.configuration import keys
from vtox.pipeline.store import machines as room
from vtox.pipeline.store.alarms import flags, open_alerts
from vtox.pipeline.store.machines import (
    baselines,
    energy,
    fleet,
    learning_notes,
    machine_states,
    machines,
    rhythms,
)
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.dismissals import DISMISSALS
from vtox.pipeline.store.machines.followed_fleet import FollowedFleet
from vtox.pipeline.store.machines.machine_settings import (
    MOTOR,
    SENSITIVITY,
    SettingKind,
    present_setting,
    setting_versions,
)
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import admissions, scalars
from vtox.pipeline.store.system import kept_state

pytestmark = pytest.mark.long

Ids = Sequence[str]
# Each gives something of every machine, in their order.
READERS: dict[str, Callable[[Client, Ids], Sequence[Any]]] = {
    "fleet": fleet.read_machines,
    "supplies": lambda c, ids: [fleet.supplied_machine(m) for m in fleet.read_machines(c, ids)],
    "followed": lambda c, ids: _looked(FollowedFleet(c, 30.0), ids),
    "assessments": fleet.assessments,
    "overview": machines.overview,
    "motors": machines.load_motors,
    "states": machine_states.load_states,
    "meters": lambda c, ids: energy.meters(c, list(ids)),
    "departures": flags.departures,
    "intervals": lambda c, ids: list(
        rhythms.read_intervals(c, ids, rhythms.Intervals()).of.values()
    ),
    "admissions": admissions.known_machines,
    "backup": lambda c, ids: list(kept_state.machine_rows(c)),
    "plates": lambda c, ids: [present_setting(c, m, MOTOR) for m in ids],
    "sensitivities": lambda c, ids: [present_setting(c, m, SENSITIVITY) for m in ids],
    "channel_maps": lambda c, ids: [present_setting(c, m, CHANNEL_MAP) for m in ids],
    "dismissals": lambda c, ids: [present_setting(c, m, DISMISSALS).at(5.5) for m in ids],
    "setting_versions": lambda c, ids: [
        setting_versions(c, m, kind) for m in ids for kind in (SENSITIVITY, DISMISSALS, CHANNEL_MAP)
    ],
    "baselines": lambda c, ids: [baselines.stored_baseline(c, m) for m in ids],
    "notes": lambda c, ids: [learning_notes.read(c, m) for m in ids],
    "velocities": lambda c, ids: [scalars.why_no_velocity(c, m) for m in ids],
    "refused_loads": lambda c, ids: [_refused(c, m) for m in ids],
}


def _looked(followed: FollowedFleet, ids: Ids) -> Sequence[Any]:
    followed.look()
    return [followed.machines[m] for m in ids]


def _refused(client: Client, machine_id: str) -> bool:
    baselines.refuse_load(client, machine_id, [5.0], "x")
    return True


@pytest.fixture
def ids(client: Client) -> list[str]:
    """Broken machines without large fields, and GOOD behind them."""
    add_full_machine(client, "GOOD")
    return [*add_broken_machines(client, "GOOD", 100_000), "GOOD"]


def test_no_field_of_a_machine_stops_a_reader(client: Client) -> None:
    add_full_machine(client, "GOOD")
    ids = [*add_broken_machines(client, "GOOD"), "GOOD"]
    wrong = {}
    for name, reader in READERS.items():
        try:
            assert len(reader(client, ids)) >= len(ids)
        except Exception as error:
            wrong[name] = repr(error)[:300]
    assert wrong == {}


def test_the_good_machine_is_shown_as_it_is(client: Client, ids: list[str]) -> None:
    good = fleet.read_machines(client, ids)[-1]
    assert (good.vehicle_id, good.site, good.importance.criticality) == ("V1", "Hall 2", 4)
    found = {a.fault for a in open_alerts.open_alerts(client) if a.machine_id == "GOOD"}
    assert found == {"bearing", "silent", "clock", "limit:oil_bar:fault"}
    assert baselines.versions(client, ids)["GOOD"] == 1
    assert energy.power_by_site(client, ids, 6.0)["Hall 2"].power_kw >= 2.0
    assert machines.overview(client, ["GOOD"])[0].baseline_state["loads"]


def test_each_machine_can_be_retired(client: Client, ids: list[str]) -> None:
    machines.forget_silent(client, 1.0)
    for m in ids:
        assert machines.retire(client, m), m
    assert client.zcard(keys.MACHINES) == 0


def test_a_machine_with_all_fields_has_every_setting(client: Client) -> None:
    """So that a setting which is added later is damaged here too."""
    add_full_machine(client, "GOOD")
    modules = [import_module(m.name) for m in iter_modules(room.__path__, f"{room.__name__}.")]
    kinds = {v.field for m in modules for v in vars(m).values() if isinstance(v, SettingKind)}
    assert kinds >= {"motor", "sensitivity"}
    fields = {name.decode() for name in client.hkeys(keys.machine("GOOD"))}
    assert kinds - fields == set()
