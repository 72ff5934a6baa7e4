"""Operation outside its profile: learnt from results, said once, and learnt by a person's word."""

from collections.abc import Callable, Iterable
from threading import Event

import pytest

from tests.integration.conftest import serving
from tests.integration.reporting.history.entries import RESULT
from tests.naive_entries import counts_text, encode_result
from vtox.motor.alarms.profile.values import DAY_MIN, LEARNING_DAYS
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import MeterCounts
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.open_alerts import events_after
from vtox.pipeline.store.machines.machines import register, retire
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system.audit import Actor
from vtox.pipeline.store.system.deeds import change_baseline
from vtox.reporting.history.recorder import Recorder

USUAL_W, LOW_W = 10_000, 6_000
# A sensor that sends a record in ten minutes, while the profile is learnt.
EVERY_MIN = 10
END_MIN = (LEARNING_DAYS + 1) * DAY_MIN


def send(client: Client, base_min: int, minutes: Iterable[int], watts: int) -> None:
    """Add the result of one record in each of these minutes."""
    pipe = client.pipeline(transaction=False)
    for k in minutes:
        t = 60.0 * (base_min + k) + 2
        fields = {n: getattr(RESULT, n) for n in RESULT.__dataclass_fields__}
        fields |= {"fault": "turn_short", "family": "turn_short", "code": "balanced"}
        fields |= {"t_start": t - 1, "t_end": t, "first_seq": k, "last_seq": k}
        texts, _ = encode_result(type(RESULT)(**fields))
        counts = MeterCounts(1000, 1000, 1000, 0, watts)
        texts = [*texts, "energy", counts_text(counts), "operation", "50 20 400 0.005 0.01"]
        pipe.execute_command("XADD", keys.RESULTS, "*", *texts)
    pipe.execute()


@pytest.fixture
def base_min(client: Client) -> int:
    """The minute at which all begins: a day after the profile is learnt is now."""
    register(client, "M1", Motor(supply_hz=50.0))
    return int(server_time(client) // 60) - END_MIN - 400


@pytest.fixture
def learnt(client: Client, recorder: Recorder, base_min: int) -> int:
    """A machine with a profile."""
    send(client, base_min, range(0, END_MIN, EVERY_MIN), USUAL_W)
    recorder.record(Event())
    return base_min + END_MIN


def events(client: Client) -> list[tuple[str, str, str]]:
    return [(a.fault, a.event, a.code) for a in events_after(client, "0-0")[0]]


RAISED = ("load_low", "raised", "load_below_profile")
NORMAL = ("load_low", "cleared", "profile_accepted")


@pytest.mark.parametrize("portions", [[20], [3, 8, 9, 20], list(range(1, 21))])
def test_a_load_that_falls_is_one_alarm(
    client: Client, learnt: int, new_recorder: Callable[[], Recorder], portions: list[int]
) -> None:
    """However it is recorded: at once, over restarts, each record again, and the past after it."""
    begin = 0
    for end in portions:
        for _ in range(2):  # dispatched again, or diagnosed again after the server lost it
            send(client, learnt, range(begin, end), LOW_W)
        new_recorder().record(Event())
        begin = end
    send(client, learnt, range(-500, 0), LOW_W // 2)
    new_recorder().record(Event())
    assert events(client) == [RAISED]
    (alert,) = events_after(client, "0-0")[0]
    (why,) = alert.doubts
    assert why.code == "load_difference_below"
    assert why.values["percent"] == pytest.approx(40, abs=2)


def test_a_new_level_stays_one_alarm_until_a_person_speaks(
    client: Client, learnt: int, recorder: Recorder, settings: Settings
) -> None:
    send(client, learnt, range(100), LOW_W)
    recorder.record(Event())
    with serving(settings) as http:
        (alarm,) = http.get("/api/v1/alarms").raise_for_status().json()["data"]
        assert (alarm["fault"], alarm["code"]) == ("load_low", "load_below_profile")
        body = {"by": "Ada", "outcome": "false_alarm"}
        http.post(f"/api/v1/alarms/{alarm['id']}/close", json=body).raise_for_status()
    send(client, learnt, range(100, 300), LOW_W)
    recorder.record(Event())
    assert events(client) == [RAISED, NORMAL]


@pytest.mark.parametrize("outcome", ["confirmed", "other_cause", "not_inspected"])
def test_another_outcome_teaches_nothing(
    client: Client, learnt: int, recorder: Recorder, settings: Settings, outcome: str
) -> None:
    send(client, learnt, range(20), LOW_W)
    recorder.record(Event())
    with serving(settings) as http:
        (alarm,) = http.get("/api/v1/alarms").raise_for_status().json()["data"]
        body = {"by": "Ada", "outcome": outcome}
        http.post(f"/api/v1/alarms/{alarm['id']}/close", json=body).raise_for_status()
        send(client, learnt, range(20, 60), LOW_W)
        recorder.record(Event())
        after = http.get("/api/v1/machines/M1/profile").raise_for_status().json()["data"]
    assert NORMAL not in events(client)
    assert after["open"] == ["load_low"]
    usual = after["profile"]["hours"][after["profile"]["now"]["hour"]]
    assert usual["low"] > LOW_W


def test_a_reset_baseline_resets_the_profile(
    client: Client, learnt: int, recorder: Recorder, settings: Settings
) -> None:
    with serving(settings) as http:
        read = "/api/v1/machines/M1/profile"
        before = http.get(read).raise_for_status().json()["data"]
        change_baseline(client, Actor(by="Ada"), "M1", None)
        send(client, learnt, range(5), LOW_W)
        recorder.record(Event())
        after = http.get(read).raise_for_status().json()["data"]
        retire(client, "M1")
        recorder.record(Event())
        assert http.get(read).status_code == 404
    assert (before["no_profile"], before["profile"]["learnt"]) == (None, True)
    assert before["profile"]["now"]["load"] == pytest.approx(USUAL_W)
    hour = before["profile"]["hours"][before["profile"]["now"]["hour"]]
    assert USUAL_W * 0.97 < hour["low"] < USUAL_W < hour["high"] < USUAL_W * 1.03
    assert after["no_profile"]["code"] == "profile_learning"
