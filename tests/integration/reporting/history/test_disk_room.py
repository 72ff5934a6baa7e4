"""A disk that is nearly full: the history waits, and goes on with the entries in the streams."""

import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from tests.integration.reporting.history.entries import add_result
from tests.integration.reporting.history.test_recorder import STOP
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import RecorderHeartbeat
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import records

SetFree = Callable[[float], None]


@pytest.fixture
def set_free(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SetFree:
    """Sets the recorder's limit so that the free space of the disk is a share of it."""
    if settings.database_url:
        pytest.skip("of PostgreSQL's disk nothing is known")

    def set_share(share: float) -> None:
        free_mb = shutil.disk_usage(settings.data_dir).free / 1e6
        monkeypatch.setattr("vtox.reporting.history.disk_room.MIN_FREE_MB", free_mb / share)

    return set_share


def recorded(settings: Settings) -> int:
    engine = engine_to_read(settings)
    try:
        with engine.begin() as db:
            return int(db.execute(select(func.count()).select_from(records)).scalar_one())
    finally:
        engine.dispose()


def last_heartbeat(client: Client) -> RecorderHeartbeat:
    beat = heartbeats.recorder(client)
    assert beat is not None
    return beat


def test_without_room_nothing_is_written_and_nothing_lost(
    recorder: Recorder, client: Client, settings: Settings, set_free: SetFree
) -> None:
    now = server_time(client)
    set_free(0.9)
    for k in range(3):
        add_result(client, now + 2 * k)
        assert not recorder.try_once(STOP)
    assert not settings.history_file.exists()
    beat = last_heartbeat(client)
    # The second time more is asked for. Other programs write to the disk meanwhile.
    assert beat.free_mb / beat.needed_mb == pytest.approx(0.9 / 1.1, rel=0.02)
    assert "goes on by itself" in beat.problem
    set_free(1.2)
    assert recorder.try_once(STOP)
    assert recorded(settings) == 3
    beat = last_heartbeat(client)
    assert (beat.problem, beat.needed_mb) == ("", 0.0)


def test_at_the_limit_it_does_not_stop_and_go(
    recorder: Recorder, client: Client, set_free: SetFree
) -> None:
    # 1.05 of the limit: enough to go on with, too little to begin again with.
    went_on = []
    for share in (1.05, 0.95, 1.05, 1.15, 1.05):
        set_free(share)
        went_on.append(recorder.try_once(STOP))
    assert went_on == [True, False, False, True, True]


def test_a_long_backlog_stops_where_the_room_ends(
    recorder: Recorder,
    client: Client,
    settings: Settings,
    set_free: SetFree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vtox.reporting.history.recorder.ENTRIES_PER_READ", 10)
    monkeypatch.setattr("vtox.reporting.history.recorder.POINTS_PER_TRANSACTION", 10)
    now = server_time(client)
    for k in range(25):
        add_result(client, now + 2 * k)
    set_free(1.2)
    write = recorder._record_portion

    def record_and_fill(*args: object) -> tuple[int, bool]:
        found = write(*args)  # type: ignore[arg-type]
        set_free(0.5)
        return found

    monkeypatch.setattr(recorder, "_record_portion", record_and_fill)
    assert not recorder.try_once(STOP)
    assert recorded(settings) == 10
    monkeypatch.setattr(recorder, "_record_portion", write)
    set_free(1.2)
    assert recorder.try_once(STOP)
    assert recorded(settings) == 25
