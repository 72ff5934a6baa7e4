"""A history of SQLite that is deleted, replaced or damaged: noticed, stated, and recorded on."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.integration.reporting.history.entries import add_result
from tests.integration.reporting.history.test_recorder import STOP, count, rows
from vtox.cli.main import add
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.monitoring.monitor import watch_system
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.stream_reader import BEGIN
from vtox.pipeline.store.system.status import snapshot
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import hours, minutes, missed, records, series

NewRecorder = Callable[[], Recorder]
# SQLite's format: the size of a page, and the first byte of one with rows of `records`.
PAGE_BYTES, LEAF_OF_KEYS = 4096, 0x0A

# PostgreSQL keeps its files itself.
pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One that no service of other tests is connected to: a running system is not repaired."""
    with EmbeddedServer(load(data_dir=tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture
def file(settings: Settings) -> Path:
    """The file of the history."""
    return settings.history_file


def add_and_record(client: Client, recorder: Recorder, n: int, ago_s: float = 0.0) -> list[str]:
    now = server_time(client) - ago_s
    ids = [add_result(client, now + k) for k in range(n)]
    assert recorder.try_once(STOP), recorder.problem
    return ids


def alarm(client: Client, settings: Settings) -> str:
    """Return the code of the alarm of the recorder that is raised, empty for none."""
    watch_system(client, settings)
    raised = [a for a in snapshot(client).alarms if a.fault == "recorder"]
    return raised[0].code if raised else ""


def test_a_file_deleted_under_the_recorder_is_noticed(
    file: Path, recorder: Recorder, client: Client, settings: Settings
) -> None:
    ids = add_and_record(client, recorder, 10)
    client.xtrim(keys.RESULTS, minid=ids[6], approximate=False)
    file.unlink()
    add_result(client, server_time(client))
    assert not recorder.try_once(STOP)
    assert recorder.try_once(STOP), recorder.problem
    assert count(settings, records) == 5, "what the stream still held, and the new one"
    assert rows(settings, missed) == [
        {"stream": keys.RESULTS, "after_id": BEGIN, "before_id": ids[6], "entries": None}
    ]
    assert alarm(client, settings) == "history_lost"
    (check,) = (c for c in checks(snapshot(client)) if c.name == "recorder")
    assert (check.status, check.code) == ("warn", "recorder_lost_history")
    assert f"all of {keys.RESULTS} before" in check.observed


def test_a_file_deleted_while_no_recorder_runs_is_noticed(
    file: Path, new_recorder: NewRecorder, client: Client, settings: Settings
) -> None:
    first = new_recorder()
    ids = add_and_record(client, first, 5)
    first.close()
    client.xtrim(keys.RESULTS, minid=ids[3], approximate=False)
    file.unlink()
    assert new_recorder().try_once(STOP)
    assert new_recorder().try_once(STOP)
    assert [r["before_id"] for r in rows(settings, missed)] == [ids[3]]
    assert alarm(client, settings) == "history_lost"


def test_a_file_replaced_by_an_older_one_is_recorded_on(
    file: Path, recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    old_ms = round(1000 * (now - 300))
    for k in range(3):
        add_result(client, now - 300, entry_id=f"{old_ms + k}-0")
    assert recorder.try_once(STOP)
    recorder.close()
    older = file.with_name("older")
    shutil.copy(file, older)
    add_and_record(client, recorder, 4)
    assert Path(f"{file}-wal").exists()
    os.replace(older, file)
    add_and_record(client, recorder, 1)
    assert count(settings, records) == 8
    assert alarm(client, settings) == "history_lost"


def test_a_new_history_is_no_lost_one(
    file: Path, new_recorder: NewRecorder, client: Client, settings: Settings
) -> None:
    assert new_recorder().try_once(STOP)
    add_and_record(client, new_recorder(), 3)
    assert new_recorder().try_once(STOP)
    assert count(settings, missed) == 0
    assert alarm(client, settings) == ""


@pytest.fixture
def damaged(file: Path, recorder: Recorder, client: Client) -> Path:
    """A history of 8 machines and some MB, with one page of its records overwritten."""
    now = server_time(client)
    pipe = client.pipeline(transaction=False)
    for k in range(8000):
        fields = {"machine_id": f"M{k % 8}", "fault": "bearing", "t_end": now - k / 100}
        pipe.xadd(keys.RESULTS, fields | {"t_start": now - k / 100 - 1, "state": "normal"})
    pipe.execute()
    assert recorder.try_once(STOP), recorder.problem
    recorder.close()
    content = bytearray(file.read_bytes())
    # Nearly all of them are of the largest table.
    leaves = [p for p in range(0, len(content), PAGE_BYTES) if content[p] == LEAF_OF_KEYS]
    middle = leaves[len(leaves) // 2]
    content[middle : middle + PAGE_BYTES] = b"\xff" * PAGE_BYTES
    file.write_bytes(content)
    return file


def test_a_damaged_history_names_its_repair(
    damaged: Path, recorder: Recorder, client: Client
) -> None:
    for k in range(8 * 80):
        add_result(client, server_time(client) - k // 8, machine_id=f"M{k % 8}")
    assert not recorder.try_once(STOP)
    assert "vtox recorder --repair" in recorder.problem
    damaged.write_bytes(b"no database" * 1000)
    assert not recorder.try_once(STOP)
    assert "vtox recorder --repair" in recorder.problem


def test_repair_keeps_a_copy_and_recovers_what_can_be_read(
    damaged: Path, new_recorder: NewRecorder, client: Client, settings: Settings
) -> None:
    app = typer.Typer()
    add(app, "recorder")
    environment = {"VTOX_DATA_DIR": str(settings.data_dir), "VTOX_REDIS_URL": settings.redis_url}
    done = CliRunner().invoke(app, ["--repair"], env=environment)
    assert done.exit_code == 0, done.output
    (kept,) = damaged.parent.glob("history-damaged-*.sqlite")
    assert str(kept) in done.output.replace("\n", "")
    assert kept.stat().st_size > 8000 * 40
    assert count(settings, series) == 8
    assert 8000 - 200 < count(settings, records) < 8000
    assert count(settings, hours) > 0
    assert count(settings, minutes) > 0
    assert new_recorder().try_once(STOP)
    assert count(settings, records) < 8000, "positions are kept: nothing is recorded twice"
    again = CliRunner().invoke(app, ["--repair"], env=environment)
    assert "nothing was changed" in again.output
