"""The content of a backup comes back into an empty system, and nothing else is touched."""

import json
import stat
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from tests.integration.conftest import serving
from tests.integration.reporting.backup.conftest import (
    Saved,
    fill,
    history_of,
    record_history,
    state_of,
)
from tests.integration.reporting.history.entries import add_alert
from vtox.cli.main import application
from vtox.motor.errors import InputError, SystemStateError
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.system import apikeys, audit, kept_state
from vtox.pipeline.store.system.agreement import require_agreement
from vtox.pipeline.store.system.audit import Actor
from vtox.reporting.backup import restoring
from vtox.reporting.backup.errors import NotEmpty, StillRunning
from vtox.reporting.backup.saving import save
from vtox.reporting.history import database


def restore(client: Client, settings: Settings, path: Path) -> list[str]:
    with restoring.checked(settings, path) as found:
        return restoring.restore(client, settings, found)


def run(settings: Settings, *arguments: str) -> Result:
    """Run the command as a user of these settings does."""
    environment = {"VTOX_DATA_DIR": str(settings.data_dir)}
    if settings.redis_url:
        environment["VTOX_REDIS_URL"] = settings.redis_url
    result = CliRunner().invoke(application(), arguments, env=environment | {"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_everything_comes_back(saved: Saved, empty: Settings, client: Client) -> None:
    assert not any(restoring.present(client, empty).values())
    parts: list[str] = []
    with restoring.checked(empty, saved.path) as found:
        assert restoring.restore(client, empty, found, parts.append) == []
    assert [p.name for p in empty.data_dir.iterdir()] == ["history.sqlite"]
    assert sorted(parts) == sorted(found.manifest.members), "each part was named once"
    again: list[str] = []
    save(client, empty, empty.data_dir / "again.tar.gz", again.append)
    assert sorted(again) == sorted([*parts, "again.tar.gz"])
    (empty.data_dir / "again.tar.gz").unlink()
    assert state_of(client, empty) == saved.state
    assert [a.id for a in saved.state["alerts"]] == ["M1:bearing:1"]
    assert saved.state["alarms"].alarms["M1:bearing:1"].acknowledged_by == "Ada"
    assert len(saved.state["actions"]) == 1
    assert saved.state["fields"][b"damaged"] == b"\xff\x00"
    assert len(saved.state["history"]["records"]) == 5


def test_into_an_empty_folder_without_a_server(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VTOX_REDIS_URL", raising=False)
    fresh = load(data_dir=tmp_path / "fresh")
    assert run(fresh, "restore", str(saved.path)).output.endswith("restored\n")
    # Another start of the embedded server, which reads the data of the first.
    with EmbeddedServer(fresh) as server, connect(server.url, "test") as client:
        found = state_of(client, fresh)
        *before, restored = found.pop("audit")
        assert before == saved.state.pop("audit")
        assert restored[1][b"code"] == b"state_restored"
        assert found == saved.state
        assert apikeys.verify(client, saved.key) is not None


def test_programs_find_it_again(saved: Saved, empty: Settings, client: Client) -> None:
    restore(client, empty, saved.path)
    key = apikeys.verify(client, saved.key)
    assert key is not None
    assert key.name == "Zoë"
    with serving(load(redis_url=empty.redis_url, data_dir=empty.data_dir)) as http:
        assert http.get("/api/v1/machines").status_code == 401
        http.headers["X-API-Key"] = saved.key
        listed = http.get("/api/v1/machines").json()["data"]
        assert [m["machine_id"] for m in listed] == ["M1", "M2"]
        (kept,) = http.get("/api/v1/machines/M1/evidence").json()["data"]
        assert http.get(kept["href"]).status_code == 200
        history = http.get("/api/v1/machines/M1/history?resolution=raw&fault=bearing")
        assert history.status_code == httpx.codes.OK
        assert "no_defect_lines" in history.text


def test_the_recorder_goes_on_in_what_was_restored(
    saved: Saved, empty: Settings, client: Client
) -> None:
    restore(client, empty, saved.path)
    record_history(client, empty)
    assert history_of(empty) == saved.state["history"]
    add_alert(client, server_time(client), "cleared")
    record_history(client, empty)
    assert len(history_of(empty)["alerts"]) == len(saved.state["history"]["alerts"]) + 1


def test_an_alert_that_was_not_recorded_yet_is_recorded_later(
    saved: Saved, settings: Settings, client: Client, tmp_path: Path, empty: Settings
) -> None:
    restore(client, settings, saved.path)
    add_alert(client, server_time(client), "cleared")
    save(client, settings, tmp_path / "second.tar.gz")
    restore(client, empty, tmp_path / "second.tar.gz")
    record_history(client, empty)
    assert len(history_of(empty)["alerts"]) == len(saved.state["history"]["alerts"]) + 1


def test_the_archive_is_private_and_new(saved: Saved, settings: Settings, client: Client) -> None:
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    assert sorted(p.name for p in saved.path.parent.glob(".vtox-*")) == []
    with pytest.raises(InputError, match="exists already"):
        save(client, settings, saved.path)
    with pytest.raises(InputError, match="cannot be written"):
        save(client, settings, saved.path.parent / "nowhere" / "b.tar.gz")


def test_a_backup_is_made_beside_a_writer(
    saved: Saved, settings: Settings, client: Client, tmp_path: Path
) -> None:
    engine = database.engine_to_write(settings)
    with engine.begin() as db:
        db.exec_driver_sql("DELETE FROM records")
        manifest = save(client, settings, tmp_path / "second.tar.gz")
        assert manifest.history_rows["records"] == 5
    engine.dispose()


def test_a_system_that_is_not_empty_is_replaced_on_request_alone(
    saved: Saved, settings: Settings, client: Client
) -> None:
    machines.register(client, "M3", machines.load_motors(client, ["M1"])[0])
    audit.write(client, Actor(by="Ada").deed("nameplate_changed", "M3"))
    with pytest.raises(NotEmpty, match="--replace"):
        run(settings, "restore", str(saved.path))
    assert sorted(machines.last_arrivals(client)) == ["M1", "M2", "M3"]
    output = run(settings, "restore", str(saved.path), "--replace").output
    assert "the system holds: machines 3, API keys 1, evidence windows 2" in output
    assert output.endswith("restored\n")
    found = state_of(client, settings)
    *before, later, restored = found.pop("audit")
    assert before == saved.state.pop("audit")
    assert later[1][b"machine_id"] == b"M3", "what people did is never lost"
    assert restored[1][b"code"] == b"state_restored"
    assert found == saved.state
    assert client.exists(keys.machine("M3")) == 0


@pytest.mark.parametrize("step", ["clear", "put_hashes", "put_machines", "put_stream"])
def test_nothing_starts_on_an_interrupted_restore(
    saved: Saved, empty: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(kept_state, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            restore(client, empty, saved.path)
    assert apikeys.any_exist(client), "or the API would ask for no key"
    with pytest.raises(SystemStateError, match="was interrupted: a part is missing"):
        require_agreement(client, empty)
    with pytest.raises(SystemStateError, match="interrupted"):
        save(client, empty, empty.data_dir / "part.tar.gz")
    restore(client, empty, saved.path)
    require_agreement(client, empty)
    assert state_of(client, empty) == saved.state


def test_a_history_alone_is_not_empty(saved: Saved, empty: Settings, client: Client) -> None:
    restore(client, empty, saved.path)
    for name in (keys.MACHINES, keys.API_KEYS, keys.EVIDENCE):
        client.unlink(name)
    assert restoring.present(client, empty)["machines_in_history"] == 1


def test_a_system_that_runs_is_refused(saved: Saved, empty: Settings, client: Client) -> None:
    with connect(empty.working_url(), "recorder") as recorder:
        recorder.ping()
        with pytest.raises(StillRunning, match="recorder"):
            run(empty, "restore", str(saved.path))
    lock = try_lock(empty.data_dir / "cluster.lock")
    assert lock is not None
    with pytest.raises(StillRunning):
        run(empty, "restore", str(saved.path))
    assert machines.last_arrivals(client) == {}


def test_a_backup_of_a_system_without_machines_warns(empty: Settings, tmp_path: Path) -> None:
    result = run(empty, "backup", str(tmp_path / "empty.tar.gz"))
    assert "no machines; it is that of VTOX_REDIS_URL" in result.stderr


def test_commands_say_what_is_in_it_and_print_no_secret(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    secret = fill(client, settings).split("_", 2)[2]
    path = tmp_path / "b.tar.gz"
    (hashed,) = [k.sha256 for k in apikeys.list_keys(client)]
    output = run(settings, "backup", str(path)).output
    assert "machines 2, nameplates 2, baselines 1, API keys 1" in output
    shown = json.loads(run(settings, "backup", str(tmp_path / "c.tar.gz"), "--json").output)
    assert shown["counts"]["evidence_windows"] == 2
    output += run(settings, "restore", str(path), "--replace").output + json.dumps(shown)
    assert secret not in output
    assert hashed not in output


def test_with_postgresql_the_history_is_left_out_and_said_to_be(
    saved: Saved, empty: Settings, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_DATABASE_URL", "postgresql://somebody@localhost:1/history")
    result = run(empty, "restore", str(saved.path))
    assert result.exit_code == 1
    assert "not restored: the history" in result.output
    assert sorted(machines.last_arrivals(client)) == ["M1", "M2"]
    output = run(empty, "backup", str(tmp_path / "second.tar.gz")).output
    assert "pg_dump" in output
    monkeypatch.delenv("VTOX_DATABASE_URL")
    result = run(empty, "restore", str(tmp_path / "second.tar.gz"), "--replace")
    assert (result.exit_code, "psql" in result.output) == (0, True)
