"""Baselines learnt on the stream: the first, another load later, and records not learnt."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import diagnose, learn_baseline
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import LEAST_PERIODS
from vtox.motor.diagnosis.learning.extension import PERIOD_S, covers_load
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.channel_map import ChannelMap, Source
from vtox.motor.values.domain import (
    Diagnosis,
    Reason,
    Record,
    Recording,
    State,
    Window,
    abstain,
    reason,
)
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.store.machines.baselines import (
    STALE_DAYS,
    baseline_state,
    set_baseline,
    store_extended_baseline,
)
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP, set_channel_map
from vtox.pipeline.store.machines.machine_settings import store_setting
from vtox.pipeline.store.machines.machine_states import load_states
from vtox.pipeline.store.machines.machines import overview, register, retire
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.windows import fetch
from vtox.pipeline.windows.wire import encode
from workers import baseline_learning, time_limit
from workers.baseline_learning import LearningTime, learn

LOW, HIGH = 0.5, 0.9
LOW_A, HIGH_A = (10 * abs(x * 0.85 - 0.5j) for x in (LOW, HIGH))
FS_HZ, RECORD_S = 2000.0, 10.0
STANDSTILL = reason("motor_stands_still", current_a=0.01, rated_a=10.0)
SWAPPED = {"ia": Source("ib"), "ib": Source("ia")}


@pytest.fixture
def machine(client: Client) -> Client:
    register(client, "M", MOTOR)
    return client


def run(
    client: Client,
    settings: Settings,
    load: float,
    first: int,
    records: int = 4,
    *,
    short_a: float = 0.0,
    state: State = "normal",
    history: dict[str, FaultHistory] | None = None,
    closed: Reason | None = None,
    load_a: float | None = None,
    why: Reason | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    own: LearningTime | None = None,
) -> None:
    """Let a machine send records at a load, each diagnosed with `state` and learnt from.

    `meanwhile` happens between the one and the other. Without `own` account nothing waits.
    """
    for seq in range(first, first + records):
        m = Machine(load=load, gains=(1.01, 1.0, 1.0), short_a=short_a)
        x = recording(m, RECORD_S, FS_HZ, seed=seq)
        w = Window(machine_id="M", seq=seq, t0=seq * RECORD_S, fs_hz=FS_HZ, channels=x.channels)
        entry = client.xadd(keys.RAW, encode(w)).decode()
        record = Record(
            machine_id="M",
            run="",
            first_seq=seq,
            last_seq=seq,
            t_start=seq * RECORD_S,
            t_end=(seq + 1) * RECORD_S,
            ids=entry,
            windows=1,
            bytes=1,
            closed=closed,
        )
        told = load_a or 10 * abs(load * 0.85 - 0.5j)
        d = Diagnosis(fault="broken_bar", state=state, indicators={"load_a": told})
        d = abstain("broken_bar", why) if why else d
        now = load_states(client, ["M"])[0]
        faults = {**now.history.faults, **(history or {})}
        now = now._replace(history=replace(now.history, faults=faults))
        meanwhile()
        learn(client, settings, [(record, [d], now)], own or LearningTime())


def stored_baseline(client: Client) -> dict[str, Any]:
    return overview(client, ["M"])[0].baseline_state


def loads(client: Client) -> list[str]:
    return [x["state"] for x in stored_baseline(client)["loads"]]


def stored(client: Client) -> Baseline:
    text = load_states(client, ["M"])[0].baseline
    assert text is not None
    return Baseline.from_json(text)


def test_a_later_load_is_learnt_beside_the_first(machine: Client, settings: Settings) -> None:
    run(machine, settings, LOW, 0, 3)
    assert stored_baseline(machine) == {"state": "learning", "records": 3}
    run(machine, settings, LOW, 3, 1)
    assert (stored_baseline(machine)["version"], loads(machine)) == (1, ["ready"])
    assert not covers_load(stored(machine), HIGH_A)
    run(machine, settings, HIGH, 4, 3)
    assert loads(machine) == ["ready", "learning"]
    run(machine, settings, HIGH, 7, 1)
    assert (stored_baseline(machine)["version"], loads(machine)) == (2, ["ready", "ready"])
    assert covers_load(stored(machine), LOW_A)
    assert covers_load(stored(machine), HIGH_A)
    before = stored(machine)
    run(machine, settings, HIGH, 8, 5)
    assert stored(machine) == before


def test_currents_alone_learn_the_supply_of_further_days(
    machine: Client, settings: Settings
) -> None:
    run(machine, settings, LOW, 0)
    notice = FaultHistory(last_state="warning", last_doubts=(reason("few_periods_learnt"),))
    for day in range(1, LEAST_PERIODS + 2):
        first = round(1.5 * day * PERIOD_S / RECORD_S)
        run(machine, settings, LOW, first, 8, history={"turn_short": notice})
    known = stored(machine).asymmetry
    assert known is not None
    assert known.recordings == LEAST_PERIODS
    assert (stored_baseline(machine)["version"], loads(machine)) == (LEAST_PERIODS, ["ready"])


def test_under_another_channel_map_a_baseline_is_not_used_and_another_is_learnt(
    machine: Client, settings: Settings
) -> None:
    run(machine, settings, LOW, 0, 6)
    first = stored(machine)
    set_channel_map(machine, "M", SWAPPED, by="Ada")
    (state,) = load_states(machine, ["M"])
    assert (state.baseline, state.baseline_refused) == (None, True)
    assert not overview(machine, ["M"])[0].baseline
    told = stored_baseline(machine)
    assert (told["state"], told["code"]) == ("refused", "baseline_of_other_channels")
    set_channel_map(machine, "M", {}, by="Ada")
    assert stored(machine) == first, "under the map that it was learnt under it is used again"
    set_channel_map(machine, "M", SWAPPED, by="Ada")
    run(machine, settings, LOW, 6, 3)
    assert stored_baseline(machine) == {"state": "learning", "records": 3}
    run(machine, settings, LOW, 9, 1)
    assert (stored_baseline(machine)["state"], stored_baseline(machine)["version"]) == ("ready", 2)
    asymmetries = first.asymmetry, stored(machine).asymmetry
    assert asymmetries[0] != asymmetries[1]


def test_what_was_learnt_while_the_channel_map_changed_is_of_the_earlier_one(
    machine: Client, settings: Settings
) -> None:
    run(machine, settings, LOW, 0, 3)
    set_channel_map(machine, "M", SWAPPED, by="Ada")
    assert stored_baseline(machine)["state"] == "none", "what was noted is forgotten"
    set_channel_map(machine, "M", {}, by="Ada")
    run(machine, settings, LOW, 3, 3)

    def change() -> None:
        store_setting(machine, "M", CHANNEL_MAP, {"channels": SWAPPED}, by="Ada")

    run(machine, settings, LOW, 6, 1, meanwhile=change)
    assert stored_baseline(machine)["state"] == "refused"


def test_a_short_that_came_with_the_load_is_refused_by_name(
    machine: Client, settings: Settings
) -> None:
    run(machine, settings, LOW, 0)
    before = stored(machine)
    run(machine, settings, HIGH, 4, short_a=2.0)
    assert stored(machine) == before
    assert loads(machine) == ["ready", "refused"]
    assert "negative-sequence current" in stored_baseline(machine)["loads"][-1]["reason"]
    run(machine, settings, HIGH, 8)
    assert loads(machine) == ["ready", "ready"], "repaired, it is learnt after all"


@pytest.mark.parametrize(
    "disturbed",
    [
        {"state": "warning"},
        {"closed": reason("ended_by_gap", gap_s=2.0)},
        {"history": {"bearing": FaultHistory("normal", level="warning")}},
        {"history": {"turn_short": FaultHistory("fault")}},
        {"why": STANDSTILL},
    ],
)
def test_what_is_not_quiet_teaches_nothing(
    machine: Client, settings: Settings, disturbed: dict[str, Any]
) -> None:
    run(machine, settings, LOW, 0)
    run(machine, settings, HIGH, 4, 3)
    run(machine, settings, HIGH, 7, 1, **disturbed)
    assert loads(machine) == ["ready"]
    run(machine, settings, HIGH, 8, 3)
    assert loads(machine) == ["ready", "learning"]


def test_a_load_that_moves_is_not_one_load(machine: Client, settings: Settings) -> None:
    run(machine, settings, LOW, 0)
    for seq, load in enumerate((HIGH, 1.3, HIGH, 1.3, HIGH, 1.3), start=4):
        run(machine, settings, load, seq, 1)
    assert stored_baseline(machine)["version"] == 1
    run(machine, settings, LOW, 10, 1)
    assert loads(machine) == ["ready"], "back at a known load, nothing is being learnt"


def test_what_another_family_told_of_the_load_is_not_believed(
    machine: Client, settings: Settings
) -> None:
    """Families run at their own pace: the samples decide which load it was."""
    run(machine, settings, LOW, 0)
    run(machine, settings, LOW, 4, load_a=HIGH_A)
    assert (stored_baseline(machine)["version"], loads(machine)) == (1, ["ready"])


def test_a_baseline_changed_meanwhile_is_left_alone(machine: Client, settings: Settings) -> None:
    run(machine, settings, LOW, 0)
    old = stored(machine).to_json()
    set_baseline(machine, "M", Baseline(seconds=1.0).to_json())
    assert not store_extended_baseline(machine, "M", old, Baseline(seconds=2.0).to_json(), [HIGH_A])
    assert stored(machine).seconds == 1.0
    assert stored_baseline(machine)["version"] == 2


def test_a_baseline_that_a_person_sets_meanwhile_is_kept(
    machine: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learnt(*args: Any, **options: Any) -> Baseline:
        set_baseline(machine, "M", Baseline(seconds=1.0).to_json())
        return learn_baseline(*args, **options)

    monkeypatch.setattr(baseline_learning, "learn_baseline", learnt)
    run(machine, settings, LOW, 0)
    assert stored(machine).seconds == 1.0
    assert (stored_baseline(machine)["version"], stored_baseline(machine)["source"]) == (1, "given")


def test_a_damaged_baseline_waits_for_its_reset(machine: Client, settings: Settings) -> None:
    machine.hset(keys.machine("M"), "baseline", "{")
    run(machine, settings, LOW, 0)
    assert machine.hget(keys.machine("M"), "baseline") == b"{"
    set_baseline(machine, "M", None)
    run(machine, settings, LOW, 4)
    assert stored_baseline(machine)["state"] == "ready"


def test_a_machine_retired_meanwhile_stays_retired(
    machine: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave() -> None:
        assert retire(machine, "M")

    def learnt(*args: Any, **options: Any) -> Baseline:
        leave()
        return learn_baseline(*args, **options)

    run(machine, settings, LOW, 0, 1, meanwhile=leave)
    assert not machine.exists(keys.MACHINES, keys.machine("M"))
    register(machine, "M", MOTOR)
    monkeypatch.setattr(baseline_learning, "learn_baseline", learnt)
    run(machine, settings, LOW, 1)
    assert not machine.exists(keys.MACHINES, keys.machine("M"))


def test_a_baseline_that_takes_too_long_to_learn_is_given_up(
    machine: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*args: Any, **options: Any) -> Baseline:
        while True:
            pass

    monkeypatch.setattr(time_limit, "BASE_S", 0.05)
    monkeypatch.setattr(baseline_learning, "learn_baseline", hang)
    run(machine, settings, LOW, 0)
    assert stored_baseline(machine)["state"] == "none"


def test_long_records_are_learnt_before_their_windows_are_trimmed(
    machine: Client, settings: Settings
) -> None:
    """Two records of 30 s would outlast a retention of 60 s: one has to do."""
    brief = settings.model_copy(update={"keep": Keep(windows=f"{2 * RECORD_S}s")})
    run(machine, brief, LOW, 0, 1)
    assert stored(machine).seconds == RECORD_S


def test_whose_turn_does_not_come_learns_after_a_later_record_from_the_latest(
    machine: Client, settings: Settings
) -> None:
    own = LearningTime(due_t=inf)
    run(machine, settings, LOW, 0, 6, own=own)
    assert stored_baseline(machine) == {"state": "learning", "records": 4}
    own.due_t = 0.0
    run(machine, settings, LOW, 6, 1, own=own)
    late = stored(machine)
    set_baseline(machine, "M", None)
    run(machine, settings, LOW, 3)
    assert stored(machine) == late, "as if the earlier records had never been"


def test_a_machine_that_stands_still_keeps_learning_for_when_it_runs(
    machine: Client, settings: Settings
) -> None:
    run(machine, settings, LOW, 0, 5, why=STANDSTILL)
    assert stored_baseline(machine) == {"state": "none", "records": 0}
    run(machine, settings, LOW, 5)
    assert stored_baseline(machine)["state"] == "ready"


def test_each_load_goes_stale_by_itself() -> None:
    day = 86_400.0
    info = {
        "learnt_t": 0.0,
        "loads": [
            {"low_a": 4.0, "high_a": 5.0, "learnt_t": 0.0},
            {"low_a": 8.0, "high_a": 9.0, "learnt_t": 100 * day},
        ],
    }
    now = (STALE_DAYS + 1) * day
    found = baseline_state(json.dumps(info).encode(), None, True, now)
    assert found["state"] == "stale"
    assert [x["state"] for x in found["loads"]] == ["stale", "ready"]


def test_a_baseline_of_other_channels_has_no_loads() -> None:
    load = {"low_a": 4.0, "high_a": 5.0, "learnt_t": 0.0}
    info = {"version": 1, "learnt_t": 0.0, "loads": [load], "refused": load, "channels": {}}
    present = ChannelMap(version=1, channels={"ia": Source("ib"), "ib": Source("ia")})
    found = baseline_state(json.dumps(info).encode(), None, True, 1.0, present)
    assert found == {
        "state": "refused",
        "version": 1,
        "learnt_t": 0.0,
        "code": "baseline_of_other_channels",
    }


def test_of_windows_that_are_gone_nothing_is_learnt_and_nothing_more_is_read(
    machine: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def fetched(*args: Any) -> list[Recording | None]:
        read.append(args[2][0].first_seq)
        return fetch(*args)

    monkeypatch.setattr(baseline_learning, "fetch", fetched)
    run(machine, settings, LOW, 0, 3)
    run(machine, settings, LOW, 3, 1, meanwhile=lambda: machine.xtrim(keys.RAW, maxlen=3))
    assert read == [0]
    assert load_states(machine, ["M"])[0].baseline is None


@pytest.mark.parametrize("wired", ["to noise", "to phase a too", "at a thousandth"])
def test_a_wrong_clamp_teaches_nothing_until_it_is_mended(
    machine: Client, settings: Settings, wired: str
) -> None:
    x = recording(Machine(load=LOW), RECORD_S, FS_HZ, seed=0)
    noise = np.random.default_rng(0).normal(scale=0.02, size=x.samples)
    by_wiring = {"to noise": noise, "to phase a too": x.channels["ia"]}
    ic = by_wiring.get(wired, x.channels["ic"] / 1000)
    (d,) = diagnose(Recording({**x.channels, "ic": ic}, FS_HZ), MOTOR, faults=["turn_short"])
    wrong = {"turn_short": FaultHistory(last_state=d.state, last_code=d.code)}
    run(machine, settings, LOW, 0, 5, history=wrong)
    assert load_states(machine, ["M"])[0].baseline is None
    run(machine, settings, LOW, 5, 4)
    assert stored(machine).asymmetry is not None
