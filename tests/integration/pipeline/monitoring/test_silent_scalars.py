"""A machine that sends scalars alone arrives with them, and is silent without them, everywhere."""

import pytest

from vtox.motor.values.domain import Motor
from vtox.motor.values.rhythm import DAY_S, UNKNOWN_SILENCE_S
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.silence import SilenceWatch
from vtox.pipeline.store.alarms.open_alerts import open_alerts
from vtox.pipeline.store.machines.fleet import fleet_state
from vtox.pipeline.store.machines.machines import last_arrivals, overview, register
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.server.client import Client, server_time

HOUR_S = 3600.0


def send(client: Client, settings: Settings) -> float:
    """Send one scalar; return the arrival that counts."""
    reading = ScalarReading("M1", server_time(client), "oil_pressure", 2.1, "bar")
    admit_readings(client, [reading], settings.max_machines)
    return last_arrivals(client)["M1"]


def arrive(client: Client, t: float) -> None:
    """Write the arrival of a scalar at a time as the server does."""
    client.zadd(keys.MACHINES, {"M1": round(t, 3)})
    client.hset(keys.machine("M1"), "scalars_ms", f"{1000 * t:.0f}")


def is_alarmed(client: Client) -> bool:
    return any(a.machine_id == "M1" and a.fault == "silent" for a in open_alerts(client))


def test_the_arrival_of_a_scalar_counts(client: Client, settings: Settings) -> None:
    before = server_time(client)
    assert before - 0.01 <= send(client, settings) <= server_time(client)
    (seen,) = overview(client, ["M1"])
    assert seen.last_window_t is None
    assert seen.last_arrival_age_s is not None
    assert not seen.silent(settings.silence_after_s)


def test_of_a_machine_with_windows_scalars_do_not_count(client: Client, settings: Settings) -> None:
    client.zadd(keys.MACHINES, {"M1": 1_764_000_000.25})
    assert send(client, settings) == 1_764_000_000.25


@pytest.mark.parametrize(("ago_s", "silent"), [(10.0, False), (2 * UNKNOWN_SILENCE_S, True)])
def test_all_places_say_the_same(
    client: Client, settings: Settings, ago_s: float, *, silent: bool
) -> None:
    send(client, settings)
    now = server_time(client)
    arrive(client, now - ago_s)
    assert ("M1" in fleet_state(client, settings.silence_after_s).silent) == silent
    (seen,) = overview(client, ["M1"])
    assert seen.silent(settings.silence_after_s) == silent
    # Silence begins no earlier than the server.
    SilenceWatch(client, settings).look(now - ago_s + 1.0)
    assert not is_alarmed(client)
    SilenceWatch(client, settings).look(now + ago_s)
    assert is_alarmed(client) == silent


def test_the_interval_of_scalars_is_learned(client: Client, settings: Settings) -> None:
    begun_t = server_time(client)
    send(client, settings)
    watch = SilenceWatch(client, settings)
    for n in range(27):
        arrive(client, begun_t + n * HOUR_S)
        watch.look(begun_t + n * HOUR_S + 60.0)
        if n == 13:
            watch = SilenceWatch(client, settings)  # a restart forgets no rhythm
    (seen,) = overview(client, ["M1"])
    assert (seen.interval.every_s, seen.interval.source) == (HOUR_S, "learned")
    last_t = begun_t + 26 * HOUR_S
    watch.look(last_t + 2.3 * HOUR_S)
    assert not is_alarmed(client)
    watch.look(last_t + 2.6 * HOUR_S)
    assert is_alarmed(client)
    arrive(client, last_t + 3 * HOUR_S)
    watch.look(last_t + 3 * HOUR_S + 60.0)
    assert not is_alarmed(client)


def test_a_stated_interval_counts_for_scalars(client: Client, settings: Settings) -> None:
    send(client, settings)
    register(client, "M1", Motor(expected_every_s=DAY_S))
    now = server_time(client)
    SilenceWatch(client, settings).look(now + 2.4 * DAY_S)
    assert not is_alarmed(client)
    SilenceWatch(client, settings).look(now + 2.6 * DAY_S)
    assert is_alarmed(client)
