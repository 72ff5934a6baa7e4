"""Counts of meters in SQL: exact sums, each record once, in its own quarter-hour."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select

from tests.integration.reporting.history.entries import RESULT, add
from tests.naive_entries import counts_text, encode_result
from vtox.motor.values.energy import QUARTER_S, MeterCounts
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import EnergyPrice
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.entries import Result
from vtox.reporting.history import energy
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.history.energy import DAY_S
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import energy_days, energy_quarters

STOP = threading.Event()
T = TypeVar("T")
SECOND = MeterCounts(observed_ms=1000, running_ms=1000, powered_ms=1000, energy_j=1234)
MANY = 400


def add_second(
    client: Client,
    t_start: float,
    seq: int,
    counts: MeterCounts | bytes = SECOND,
    machine_id: str = "M1",
    start: dict[str, float] | None = None,
) -> None:
    fields = {n: getattr(RESULT, n) for n in RESULT.__dataclass_fields__}
    of_record = {"fault": "turn_short", "family": "turn_short", "machine_id": machine_id}
    times = {"t_start": t_start, "t_end": t_start + 1, "first_seq": seq, "last_seq": seq}
    code = {"state": "unknown", "code": "motor_starts", "values": start} if start else {}
    texts, _ = encode_result(Result(**(fields | of_record | times | code)))
    text = counts if isinstance(counts, bytes) else MeterCounts.pack(counts)
    add(client, keys.RESULTS, [*texts, "energy", text])


def read_history(settings: Settings, what: Callable[[Connection], list[T]]) -> list[T]:
    engine = engine_to_read(settings)
    try:
        with engine.connect() as db:
            return what(db)
    finally:
        engine.dispose()


def test_seconds_add_up_in_their_own_quarter_hour(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = int(server_time(client))
    quarter = now // QUARTER_S * QUARTER_S - QUARTER_S
    for k in range(MANY):
        add_second(client, quarter + k, k)
    assert recorder.record(STOP) == MANY
    before = _rows(settings)
    # Yesterday's come today.
    yesterday = quarter - DAY_S
    for k in range(10):
        add_second(client, yesterday + k, MANY + k)
    recorder.record(STOP)
    found = read_history(settings, lambda db: energy.quarters(db, "M1", yesterday, now, QUARTER_S))
    assert [(s.t, s.counts.energy_j, s.counts.powered_ms) for s in found] == [
        (yesterday, 10 * 1234, 10_000),
        (quarter, MANY * 1234, 1000 * MANY),
    ]
    # No other row has changed, and a second replay changes none.
    after = _rows(settings)
    assert before <= after
    assert {t for _, t, *_ in after - before} == {yesterday, yesterday // DAY_S * DAY_S}
    for k in range(10):
        add_second(client, yesterday + k, MANY + k)
    recorder.record(STOP)
    assert _rows(settings) == after


def _rows(settings: Settings) -> set[tuple[int, ...]]:
    """Return every row of quarter-hours and days."""
    tables = (energy_quarters, energy_days)
    return set(
        read_history(settings, lambda db: [tuple(r) for t in tables for r in db.execute(select(t))])
    )


def test_counts_of_other_versions_count_and_damaged_ones_do_not(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = int(server_time(client)) // QUARTER_S * QUARTER_S - QUARTER_S
    usual, as_text = MeterCounts.pack(SECOND), counts_text(SECOND)
    counted = [as_text, MeterCounts.pack([*SECOND, 9]), b"1000 1000", b"0 0 0 0 -1234" + 12 * b" 0"]
    others = [
        b"",
        usual[:-1],
        b"x",
        b"-",
        b"1-2",
        b"1 - 2",
        b"9" * 30,
        b"-" + b"9" * 30,
        b"1  2" + 14 * b" 0",
    ]
    for texts in ([usual, usual], counted + others[:-1], [usual, others[-1]], [usual, others[4]]):
        for text in texts:
            add_second(client, now, client.xlen(keys.RESULTS), text)
        recorder.record(STOP)
    (found,) = read_history(settings, lambda db: energy.quarters(db, "M1", now, now + 1, QUARTER_S))
    # Two spaces between numbers are one: that text begins with 1 ms.
    assert found.counts.energy_j == (2 + 2 - 1 + 2) * 1234
    assert found.counts.observed_ms == (2 + 3 + 2) * 1000 + 1


def test_results_made_again_count_once(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = int(server_time(client)) - 100
    for k in range(5):
        add_second(client, now + k, k)
    new_recorder().record(STOP)
    # The server lost its last second: workers diagnose the same windows again.
    for k in range(5):
        add_second(client, now + k, k)
    new_recorder().record(STOP)
    (found,) = read_history(settings, lambda db: energy.fleet(db, now - QUARTER_S, now + QUARTER_S))
    assert found.counts.energy_j == 5 * 1234


def test_a_fleet_over_days_is_the_sum_of_its_quarter_hours(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    today = int(server_time(client)) // DAY_S * DAY_S
    times = [today - d * DAY_S - 1800 * h for d in range(4) for h in range(1, 4)]
    for k, t in enumerate(times):
        add_second(client, t, k, SECOND._replace(energy_j=k + 1), f"M{k % 2}")
    recorder.record(STOP)
    begin, end = today - 3 * DAY_S + 7200, today - 3600
    expected: dict[str, int] = {}
    for k, t in enumerate(times):
        if begin <= t // QUARTER_S * QUARTER_S < end:
            expected[f"M{k % 2}"] = expected.get(f"M{k % 2}", 0) + k + 1
    found = read_history(settings, lambda db: energy.fleet(db, begin, end))
    assert {s.machine_id: s.counts.energy_j for s in found} == expected


def test_what_another_program_wrote_counts_nothing(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client) - 10
    fields = {n: getattr(RESULT, n) for n in RESULT.__dataclass_fields__} | {
        "t_start": now,
        "t_end": now + 1,
    }
    for k, text in enumerate(("kWh", "1 2 x", "9" * 40, "")):
        texts, _ = encode_result(Result(**(fields | {"first_seq": k, "last_seq": k})))
        add(client, keys.RESULTS, [*texts, "energy", text])
    assert recorder.record(STOP) == 4
    assert read_history(settings, lambda db: energy.fleet(db, 0, int(now) + DAY_S)) == []


def test_costs_follow_the_clock_of_the_price_also_where_it_changes(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = int(datetime(2026, 10, 23, tzinfo=zone).timestamp())
    end = begin + 4 * DAY_S
    times = range(begin, end, 5400)
    for k, t in enumerate(times):
        add_second(client, t, k, SECOND._replace(energy_j=3_600_000, lost_j=360_000), f"M{k % 2}")
    recorder.record(STOP)
    price = EnergyPrice(
        per_kwh=0.3, time_zone="Europe/Berlin", periods="0.1 sat,sun; 0.2 22:00-06:00"
    )
    expected = {"M0": 0.0, "M1": 0.0}
    for k, t in enumerate(times):
        local = datetime.fromtimestamp(t, zone)
        night = local.hour >= 22 or local.hour < 6
        expected[f"M{k % 2}"] += 0.1 if local.weekday() >= 5 else 0.2 if night else 0.3
    engine = engine_to_read(settings)
    with engine.connect() as db:
        found = energy.fleet(db, begin, end)
        costs = energy.costs(db, found, begin, end, price)
        (alone,) = energy.costs(db, found[:1], begin, end, price)
        unpriced = energy.costs(db, found, begin, end, EnergyPrice())
    engine.dispose()
    assert {s.machine_id: c.energy for s, c in zip(found, costs, strict=True) if c} == (
        pytest.approx(expected)
    )
    assert [c.lost for c in costs if c] == pytest.approx([c.energy / 10 for c in costs if c])
    assert alone == costs[0]
    assert unpriced == [None, None]
