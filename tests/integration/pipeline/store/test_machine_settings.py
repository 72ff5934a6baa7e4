"""Versions of a machine's settings, on a real server."""

from dataclasses import dataclass

import pytest

from tests.integration.pipeline.store.broken_machines import BASELINE
from tests.integration.pipeline.store.test_retire import with_open_alert
from vtox.motor.alarms.health.sensitivity import DEFAULT, rules_from_dict
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import SettingChanged, UnknownMachine
from vtox.pipeline.store.machines import machine_states, machines
from vtox.pipeline.store.machines.baselines import set_baseline, versions
from vtox.pipeline.store.machines.machine_settings import (
    SENSITIVITY,
    VERSIONS_KEPT,
    SettingKind,
    present_setting,
    setting_versions,
    store_setting,
)
from vtox.pipeline.store.server.client import Client, server_time


@dataclass(frozen=True)
class Dial:
    """A setting with one number."""

    n: int = 0


RULES = rules_from_dict({"bearing": {"k": 2, "min_severity": 0.25}})


def test_each_version_says_who_and_when(client: Client) -> None:
    machines.register(client, "M1", Motor())
    assert present_setting(client, "M1", SENSITIVITY) == DEFAULT
    assert setting_versions(client, "M1", SENSITIVITY) == []
    before = server_time(client)
    assert store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="Ada") == 1
    assert store_setting(client, "M1", SENSITIVITY, {"faults": {}}, by="Bob") == 2
    newest, first = setting_versions(client, "M1", SENSITIVITY)
    assert present_setting(client, "M1", SENSITIVITY) == newest
    assert (newest.version, newest.by, newest.faults) == (2, "Bob", {})
    assert (first.version, first.by, first.faults) == (1, "Ada", RULES)
    assert before - 0.001 <= first.t <= newest.t <= server_time(client)


def test_the_last_versions_are_kept(client: Client) -> None:
    machines.register(client, "M1", Motor())
    kind = SettingKind("dial", Dial, Dial())
    for n in range(VERSIONS_KEPT + 3):
        store_setting(client, "M1", kind, {"n": n}, by="")
    found = setting_versions(client, "M1", kind)
    assert [d.n for d in found] == list(range(VERSIONS_KEPT + 2, 2, -1))
    kept = [f for f in client.hkeys(keys.machine("M1")) if f.startswith(b"dial:")]
    assert len(kept) == VERSIONS_KEPT


def test_two_who_change_a_setting_do_not_overwrite_each_other(client: Client) -> None:
    machines.register(client, "M1", Motor())
    store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="Ada", expected_version=0)
    with pytest.raises(SettingChanged) as raised:
        store_setting(client, "M1", SENSITIVITY, {"faults": {}}, by="Bob", expected_version=0)
    assert raised.value.version == 1
    assert present_setting(client, "M1", SENSITIVITY).by == "Ada"


def test_only_a_known_machine_has_settings_and_they_go_with_it(client: Client) -> None:
    with pytest.raises(UnknownMachine):
        store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="")
    machines.register(client, "M1", Motor())
    store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="")
    assert machines.retire(client, "M1")
    assert not client.exists(keys.machine("M1"))


def test_a_machine_whose_sensitivity_was_set_is_not_forgotten(client: Client) -> None:
    for machine_id in ("M1", "M2"):
        with_open_alert(client, machine_id, "bearing")
        client.hdel(keys.machine(machine_id), "memory")
        client.zadd(keys.MACHINES, {machine_id: 1.0})
    store_setting(client, "M1", SENSITIVITY, {"faults": {}}, by="")
    assert machines.forget_silent(client, 2.0) == 1
    assert machines.is_listed(client, "M1")


def test_workers_have_it_with_the_machine_and_a_damaged_one_is_the_default(client: Client) -> None:
    for machine_id in ("M1", "M2", "M3"):
        machines.register(client, machine_id, Motor())
    store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="")
    client.hset(keys.machine("M2"), "sensitivity", '{"version": 7, "faults": {"bearing": 3}}')
    states = machine_states.load_states(client, ["M1", "M2", "M3"])
    assert states[0].sensitivity.rules["bearing"] == RULES["bearing"]
    assert [s.sensitivity for s in states[1:]] == [DEFAULT, DEFAULT]


@pytest.mark.parametrize("version", [b"x", b"", b"1.5", b"-3", b"nan", b"9" * 400, b"\xff"])
def test_a_version_that_is_no_number_stops_no_baseline_and_no_setting(
    client: Client, version: bytes
) -> None:
    machines.register(client, "M1", Motor())
    for _ in range(2):
        set_baseline(client, "M1", BASELINE)
        store_setting(client, "M1", SENSITIVITY, {"faults": RULES}, by="Ada")
    damage = {"baseline_version": version, "sensitivity_version": version}
    client.hset(keys.machine("M1"), mapping=damage)
    set_baseline(client, "M1", BASELINE)
    assert versions(client, ["M1"]) == {"M1": 3}, "no version names two baselines"
    assert store_setting(client, "M1", SENSITIVITY, {"faults": {}}, by="Ada") == 3
