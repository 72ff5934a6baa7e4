"""The effect of old windows: a replay, a back-fill, a late window, a clock that was wrong."""

import time
from collections.abc import Iterator, Sequence

import pytest

from api.state.fleet_index import FleetIndex
from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.alarms.health.sensitivity import rules_from_dict
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.machines.machine_states import load_states
from vtox.pipeline.store.machines.machines import overview
from vtox.pipeline.store.server.client import Client
from workers import batch
from workers.celery_signals import process

HOUR_S = 3600.0
FAULTY_SCALE, SOUND_SCALE = 1.0, 0.01


def diagnose_by_size(
    cases: Sequence[DiagnosisInput], faults: Sequence[str]
) -> list[list[Diagnosis]]:
    """A fault in every large signal, so that the diagnosers' own limits play no part."""
    faulty = [max(c.recording.channels["ia"]) > 100 for c in cases]
    return [
        [
            Diagnosis(fault=f, state="fault" if bad else "normal", severity=float(bad))
            for f in faults
        ]
        for bad in faulty
    ]


@pytest.fixture
def system(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A bridge whose tasks are executed at once, by the code of the workers."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", diagnose_by_size)
    process.cache_clear()
    hasty = load(redis_url=settings.redis_url, batch_wait_ms=1)
    with bridging(hasty, batch.work):
        yield hasty
    process.cache_clear()


def send(client: Client, t0: float, n: int, *, faulty: bool, run: str, **changes: object) -> None:
    """Send windows one after the other in time, and wait for their results."""
    before = counters(client).get("windows:turn_short", 0)
    scale = FAULTY_SCALE if faulty else SOUND_SCALE
    for k in range(n):
        add_window(client, "M", k, t0=t0 + k, run=run, scale_ia=scale, **changes)
    eventually(lambda: counters(client).get("windows:turn_short", 0) == before + n)


def alerts(client: Client) -> list[tuple[str, str]]:
    entries = [e for _, e in client.xrange(keys.ALERTS)]
    return [(e[b"fault"].decode(), e[b"event"].decode()) for e in entries]


def present(client: Client) -> tuple[object, ...]:
    """Return the stored diagnosis, history and health of the machine for turn shorts."""
    (machine,) = overview(client, ["M"])
    assert machine.health is not None
    history = load_states(client, ["M"])[0].history.faults["turn_short"]
    return machine.diagnoses["turn_short"], history, machine.health.faults["turn_short"]


def test_old_windows_have_results_and_change_nothing_of_the_present(
    client: Client, system: Settings
) -> None:
    now = time.time() - 20
    send(client, now, 6, faulty=False, run="live")
    before = present(client)
    send(client, now - HOUR_S, 12, faulty=True, run="back-fill")
    send(
        client,
        now - HOUR_S,
        6,
        faulty=True,
        run="live",
        replay_of="1-0",
        replay_family="turn_short",
    )
    results = [e for _, e in client.xrange(keys.RESULTS) if e[b"state"] == b"fault"]
    assert len([e for e in results if e[b"fault"] == b"turn_short"]) == 18
    assert present(client) == before
    assert alerts(client) == []
    send(client, now + 6, 3, faulty=True, run="live")
    assert ("turn_short", "raised") in alerts(client)


def test_a_machine_whose_clock_was_ahead_is_diagnosed_at_once_when_it_is_right(
    client: Client, system: Settings
) -> None:
    now = time.time() - 20
    send(client, now + 24 * HOUR_S, 3, faulty=False, run="ahead")
    send(client, now, 3, faulty=True, run="right")
    eventually(lambda: ("clock", "cleared") in alerts(client))
    assert ("turn_short", "raised") in alerts(client)
    (machine,) = overview(client, ["M"])
    assert machine.diagnoses["turn_short"].t_end == pytest.approx(now + 3)


def test_recordings_of_years_ago_are_diagnosed_as_any_others(
    client: Client, system: Settings
) -> None:
    send(client, 1e9, 3, faulty=False, run="a")
    send(client, 1e9 + 100, 6, faulty=True, run="b")
    assert ("turn_short", "raised") in alerts(client)


def test_workers_alert_by_the_sensitivity_of_the_machine(client: Client, system: Settings) -> None:
    now = time.time() - 60
    send(client, now, 1, faulty=False, run="a")
    rules = rules_from_dict({"turn_short": {"k": 5, "n": 5, "clear": 10}})
    store_setting(client, "M", SENSITIVITY, {"faults": rules}, by="Ada")
    send(client, now + 1, 2, faulty=True, run="b")
    assert alerts(client) == [("turn_short", "raised")]
    send(client, now + 3, 1, faulty=False, run="c")
    assert ("turn_short", "cleared") not in alerts(client)
    send(client, now + 4, 1, faulty=False, run="d")
    assert ("turn_short", "cleared") in alerts(client)


def test_the_list_of_the_fleet_follows_the_present_alone(client: Client, system: Settings) -> None:
    index = FleetIndex()

    def row() -> tuple[str, list[str]]:
        shown = index.view(client, silence_after_s=60).rows["M"]
        return shown.state, shown.detected

    now = time.time()
    send(client, now - 60, 12, faulty=False, run="a", vehicle_id="V7")
    eventually(lambda: row() == ("normal", []))
    send(client, now - 40, 12, faulty=True, run="b")
    # The longest records end by silence, and change the list too.
    eventually(lambda: row()[0] == "fault" and not client.exists(keys.PROGRESS))
    change = client.hget(keys.FLEET, "change")
    send(client, now - 3600, 3, faulty=False, run="c")
    eventually(lambda: not client.exists(keys.PROGRESS))
    assert client.hget(keys.FLEET, "change") == change, "a replay changes nothing of the list"
    assert row()[0] == "fault"
    assert index.view(client, silence_after_s=60).rows["M"].vehicle_id == "V7"
