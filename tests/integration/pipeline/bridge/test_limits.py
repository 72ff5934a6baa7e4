"""Limits of one sender: machines, windows and dead letters are bounded, and are said to be."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.values.domain import Motor, reason
from vtox.motor.values.rhythm import SendingInterval
from vtox.pipeline.bridge import loop
from vtox.pipeline.bridge.intake import Intake
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep, SendLimits
from vtox.pipeline.errors import TooManyMachines
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.ledger import refusals
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.ledger.refusals import summarise
from vtox.pipeline.store.machines.machines import forget_silent, is_listed, overview, register
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.server.partition_table import set_number
from vtox.pipeline.store.stream import admissions, deadletters
from vtox.pipeline.store.stream.admissions import MARKS_LIFE_S
from vtox.pipeline.store.stream.window_log import (
    create_group,
    deleted_unread,
    read_new,
    read_pending,
)
from vtox.pipeline.windows.partitions import FIRST, partition_of

TOKEN = "me"


@contextmanager
def intake(client: Client, settings: Settings) -> Iterator[Intake]:
    """The intake of a bridge that owns the stream."""
    create_group(client, keys.RAW)
    ledger = Ledger(client, settings)
    assert ledger.take_lease(TOKEN, "", 60_000)
    yield Intake(client, settings, TOKEN)
    ledger.release(TOKEN)


def admit(intake: Intake) -> list[str]:
    """Read on, and return the machines whose windows the intake admitted."""
    entries = read_new(intake.client, 1000, 1)
    return [p.header.machine_id for p in intake.admit(entries)] if entries else []


def letters(client: Client) -> list[deadletters.DeadLetter]:
    return list(deadletters.newest_first(client))[::-1]


def test_how_often_a_machine_sends_is_kept(client: Client, settings: Settings) -> None:
    with intake(client, settings) as reading:
        for k in range(95):
            add_window(client, "S1", seq=k, entry_id=f"{1_000_000 + 900_000 * k}-0")
        assert len(admit(reading)) == 95
        (seen,) = overview(client, ["S1"])
        assert seen.interval == SendingInterval(None, "learning")
        reading.forget_silent()
        reading.forget_silent()
        for k in (95, 96):
            add_window(client, "S1", seq=k, entry_id=f"{1_000_000 + 900_000 * k}-0")
        admit(reading)
        (seen,) = overview(client, ["S1"])
        assert seen.interval == SendingInterval(900.0, "learned")


def test_a_machine_more_than_allowed_is_refused_and_the_others_go_on(
    client: Client, settings: Settings
) -> None:
    few = load(redis_url=settings.redis_url, max_machines=3)
    register(client, "R1", Motor(), limit=3)
    with intake(client, few) as reading:
        for machine in ("V1", "V2", "V3", "V4"):
            add_window(client, machine)
        assert admit(reading) == ["V1", "V2"]
        assert [(x.machine_id, x.code) for x in letters(client)] == [
            ("V3", "too_many_machines"),
            ("V4", "too_many_machines"),
        ]
        for machine in ("V1", "R1", "V4"):
            add_window(client, machine, seq=1)
        assert admit(reading) == ["V1", "R1"]
        with pytest.raises(TooManyMachines, match="VTOX_MAX_MACHINES"):
            register(client, "R2", Motor(), limit=3)
        register(client, "V1", Motor(pole_pairs=2), limit=3)
    with intake(client, few) as reading:  # another bridge, that remembers nothing
        for machine in ("V2", "V5"):
            add_window(client, machine, seq=2)
        assert admit(reading) == ["V2"]
    assert not client.exists(keys.machine("V5"), keys.known_windows("V5"))


def test_silent_machines_leave_the_memory_and_come_back_with_what_was_known(
    client: Client, settings: Settings
) -> None:
    with intake(client, settings) as reading:
        add_window(client, "V1", seq=0, vehicle_id="bus")
        add_window(client, "V2", seq=0)
        add_window(client, "V1", seq=0, t0=2_000_000.0)  # it restarted
        admit(reading)
        reading.forget_silent()
        add_window(client, "V2", seq=1)
        admit(reading)
        reading.forget_silent()
        assert [*reading.filters] == [*reading.clock_off] == [*reading.motors] == ["V2"]
        add_window(client, "V1", seq=0, t0=2_000_000.0)
        assert admit(reading) == []
        assert counters(client)["windows_duplicate"] == 1
        add_window(client, "V1", seq=1, t0=2_000_001.0)
        (piece,) = reading.admit(read_new(client, 10, 1))
    assert piece.run == "#1", "the run keeps its name"
    assert reading.vehicles["V1"] == "bus"


def test_the_marks_of_a_silent_machine_have_a_life_time(client: Client, settings: Settings) -> None:
    with intake(client, settings) as reading:
        add_window(client, "V1")
        admit(reading)
        assert MARKS_LIFE_S - 10 < client.ttl(keys.known_windows("V1")) <= MARKS_LIFE_S
        client.expire(keys.known_windows("V1"), MARKS_LIFE_S - 2 * 3600)
        add_window(client, "V1", seq=1)
        admit(reading)
        assert client.ttl(keys.known_windows("V1")) > MARKS_LIFE_S - 10


def test_unregistered_machines_that_are_gone_leave_nothing(
    client: Client, settings: Settings
) -> None:
    register(client, "R1", Motor())
    ids = {m: add_window(client, m) for m in ("R1", "V1", "V2", "V3")}
    with intake(client, settings) as reading:
        admit(reading)
    arrived = {m: int(i.partition("-")[0]) / 1000 for m, i in ids.items()}
    set_flag(client, "V1", "silent", True, reason("machine_silent"))
    client.hset(keys.machine("V2"), "memory", '{"faults": {"bearing": {"alert": "V2:bearing:1"}}}')
    client.zadd(keys.MACHINES, {"V3": arrived["V3"] + 100})
    assert forget_silent(client, max(arrived.values())) == 1
    assert [is_listed(client, m) for m in ("R1", "V1", "V2", "V3")] == [True, False, True, True]
    assert not client.exists(keys.machine("V1"))
    last = client.xrevrange(keys.ALERTS, count=1)[0][1]
    assert (last[b"machine_id"], last[b"event"]) == (b"V1", b"cleared")
    assert last[b"code"] == b"machine_forgotten"
    assert client.ttl(keys.known_windows("V1")) > 0


def test_a_sender_over_its_quota_is_refused_and_its_neighbour_is_not(
    client: Client, settings: Settings
) -> None:
    narrow = load(redis_url=settings.redis_url, quota=SendLimits(stream_machine="0.5/s"))
    with intake(client, narrow) as reading:
        ids = [add_window(client, "MAD", seq=seq) for seq in range(100)]
        first_ms, last_ms = (int(i.partition("-")[0]) for i in (ids[0], ids[-1]))
        add_window(client, "V1")
        admitted = admit(reading)
        assert admitted.count("V1") == 1
        more = (last_ms - first_ms) / 1000  # one a second, while they came
        assert 6 <= admitted.count("MAD") <= 7 + more
        assert {x.code for x in letters(client)} == {"quota_exceeded"}
        assert counters(client)["windows_refused"] == 101 - len(admitted)


def test_a_sender_cannot_say_when_its_windows_came(client: Client, settings: Settings) -> None:
    narrow = load(redis_url=settings.redis_url, quota=SendLimits(stream_machine="0.5/s"))
    now_ms = server_time_ms(client)
    claims: dict[str, Callable[[int], int]] = {
        "EARLIER": lambda seq: 1000 * seq,
        "LATER": lambda seq: now_ms + 1000 * seq,
    }
    with intake(client, narrow) as reading:
        for machine, claim in claims.items():
            for seq in range(100):
                forged = {"arrived_ms": claim(seq), "signature": "00"}
                add_window(client, machine, seq=seq, **forged)
        admitted = Counter(admit(reading))
        took = (server_time_ms(client) - now_ms) / 1000
        assert all(6 <= admitted[machine] <= 7 + took for machine in claims)


def test_one_window_that_claims_the_future_locks_no_machine_out(
    client: Client, settings: Settings
) -> None:
    narrow = load(redis_url=settings.redis_url, quota=SendLimits(stream_machine="0.5/s"))
    with intake(client, narrow) as reading:
        add_window(client, "V1", seq=0, arrived_ms=server_time_ms(client) + 1_200_000)
        for seq in range(1, 5):
            add_window(client, "V1", seq=seq)
        assert admit(reading) == ["V1"] * 5


def test_one_id_of_the_future_locks_no_machine_out(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = load(redis_url=settings.redis_url, quota=SendLimits(stream_machine="1/s"))
    now_ms = server_time_ms(client)
    with intake(client, narrow) as reading:
        add_window(client, "V1", seq=0, entry_id=f"{now_ms + 1_200_000}-0")
        for seq in range(1, 20):  # one a second; their ids stay at that time
            monkeypatch.setattr(
                "vtox.pipeline.bridge.intake.server_time", lambda _, t=now_ms / 1000 + seq: t
            )
            add_window(client, "V1", seq=seq)
            assert "V1" in admit(reading), seq


def test_a_window_that_was_moved_keeps_when_it_came(client: Client, settings: Settings) -> None:
    set_number(client, 4)
    home = partition_of("V002", 4)
    assert home != FIRST
    with intake(client, settings) as reading:
        reading.partitions = 4
        came = add_window(client, "V002")
        assert admit(reading) == []
    ((moved_id, moved),) = client.xrange(home.raw)
    assert moved[b"arrived_ms"].decode() == came.partition("-")[0]
    at_home = Intake(client, settings, TOKEN, home, 4)
    forged = moved | {b"arrived_ms": b"1"}
    headers = at_home._headers([(moved_id, moved), (moved_id, forged)], [])
    assert [h and h.arrived_ms for h in headers] == [int(moved[b"arrived_ms"]), 0]


def test_a_sender_that_is_refused_again_and_again_leaves_the_letters_of_others(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = load(redis_url=settings.redis_url, keep=Keep(dead_letters="1MB"))
    with intake(client, small) as reading:
        add_window(client, "MAD")
        add_window(client, "V1")
        admit(reading)
        ids = [add_window(client, "MAD", seq=k, fs_hz=1) for k in range(1, 101)]
        other = add_window(client, "V1", seq=1, fs_hz=1)
        strange = [add_window(client, f"no name {k}") for k in range(50)]
        assert admit(reading) == []
        own = letters(client)
        mad = [x.stream_id for x in own if x.machine_id == "MAD"]
        assert mad == ids[: len(mad)]
        assert 5 <= len(mad) <= 10, "a sixty-fourth of a megabyte"
        assert other in [x.stream_id for x in own]
        assert client.hlen(keys.REFUSALS) == 3, "strange names share one"
        assert summarise(client) == 2
        assert summarise(client) == 0
        (many,) = [x for x in letters(client) if x.machine_id == "MAD" and x.windows > 1]
        assert (many.code, many.windows) == ("bad_rate", 100 - len(mad))
        assert (many.stream_id, many.last_stream_id) == (ids[len(mad)], ids[-1])
        total = sum(x.windows for x in letters(client))
        assert total == counters(client)["windows_refused"] == 101 + len(strange)
        monkeypatch.setattr(refusals, "PERIOD_MS", 0)
        eventually(lambda: summarise(client) == 0 and not client.exists(keys.REFUSALS))


def test_the_bridge_sums_refusals_up_by_itself(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "BUDGET_SHARE", 0)
    monkeypatch.setattr(loop, "SUMMARISE_EVERY_S", 0.1)
    for seq in range(3):
        add_window(client, seq=seq, fs_hz=1)
    with bridging(settings):
        eventually(lambda: counters(client).get("windows_refused") == 3)
        eventually(lambda: sum(x.windows for x in letters(client)) == 3)
    assert not any(x.entry for x in letters(client))


def test_a_bridge_that_dies_between_refusing_and_admitting_does_neither_twice(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = load(redis_url=settings.redis_url, max_machines=1)
    for machine, changes in (("V1", {}), ("V1", {"fs_hz": 1}), ("V2", {}), ("V1", {})):
        add_window(client, machine, **changes)

    def cut(*_: object, **__: object) -> None:
        raise redis.ConnectionError

    with intake(client, few) as reading, monkeypatch.context() as patch:
        patch.setattr(admissions, "record", cut)
        with pytest.raises(redis.ConnectionError):
            admit(reading)
    with intake(client, few) as reading:
        entries = read_pending(client, b"0", 100)
        progress = reading.client.hmget(keys.PROGRESS, [i for i, _ in entries])
        assert [p.header.machine_id for p in reading.admit(entries, progress)] == ["V1"]
    assert sorted(x.code for x in letters(client)) == ["bad_rate", "too_many_machines"]
    expected = {"windows_in": 1, "windows_refused": 2, "windows_duplicate": 1}
    assert expected.items() <= counters(client).items()
    assert deleted_unread(client) == 0
