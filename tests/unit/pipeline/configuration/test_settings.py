"""Settings: sources, modes, and errors that name the setting."""

import json
import os
from pathlib import Path
from traceback import format_exception

import pytest
from typer.testing import CliRunner

from vtox.cli.main import application
from vtox.pipeline.cluster.server_config import Address
from vtox.pipeline.configuration.listing import setting_rows
from vtox.pipeline.configuration.settings import (
    Settings,
    UnknownSetting,
    each,
    files,
    given_settings,
    load,
    unknown_settings,
    variable,
)
from vtox.pipeline.errors import ServerUnavailable, SettingsError


def config_rows(*arguments: str) -> dict[str, dict[str, object]]:
    done = CliRunner().invoke(application(), ["config", "show", "--json", *arguments])
    assert done.exit_code == 0
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("mode", "workers", "host", "interval"),
    [
        ("development", 3, "127.0.0.1", 10.0),
        ("testing", 2, "127.0.0.1", 5.0),
        ("production", 6, "0.0.0.0", 15.0),
    ],
)
def test_the_mode_sets_defaults(mode: str, workers: int, host: str, interval: float) -> None:
    s = load(cluster_mode=mode)
    assert (s.cluster_workers.least, s.api_host, s.monitor_interval_s) == (workers, host, interval)
    assert s.probe_host == "127.0.0.1", "these ports need no key"


def test_a_given_value_wins_over_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_CLUSTER_MODE", "production")
    monkeypatch.setenv("VTOX_CLUSTER_WORKERS", "1")
    assert str(load().cluster_workers) == "1"


def test_an_error_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_API_PORT", "eighty")
    with pytest.raises(SettingsError, match=r"VTOX_API_PORT: .*'eighty'"):
        load()


def test_names_that_are_no_settings_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [n for n in os.environ if n.startswith("VTOX_")]:
        monkeypatch.delenv(name)
    assert unknown_settings() == []
    (tmp_path / "dot").write_text("VTOX_RESULTS_MB=5\nOTHER=1\n")
    (tmp_path / "my.toml").write_text("max_machines = 5\nqwertyuiop = 2\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "dot")
    monkeypatch.setenv("VTOX_CONFIG", str(tmp_path / "my.toml"))
    monkeypatch.setenv("VTOX_CLUSTER_WORKER", "1")
    unknown = unknown_settings()
    assert unknown == [
        UnknownSetting("VTOX_CLUSTER_WORKER", "the environment", "VTOX_CLUSTER_WORKERS"),
        UnknownSetting("VTOX_RESULTS_MB", ".env", "VTOX_KEEP__RESULTS"),
        UnknownSetting("VTOX_QWERTYUIOP", "a TOML file", ""),
    ]
    done = CliRunner().invoke(application(), ["config", "show"])
    assert str(unknown[0]) in done.stdout


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ("VTOX_API_PROT", "VTOX_API_PORT"),
        ("VTOX_REDISURL", "VTOX_REDIS_URL"),
        ("VTOX_BOGUS", ""),
        ("VTOX_DEBUG", ""),
        ("VTOX_LOG_LEVEL", ""),
        ("VTOX_BROKR_URL", "VTOX_BROKER_URL"),
    ],
)
def test_only_a_similar_name_is_suggested(
    given: str, suggestion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(given, "1")
    (unknown,) = unknown_settings()
    assert unknown.suggestion == suggestion


def test_without_a_server_the_remedy_is_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable) as raised:
        load(data_dir=tmp_path).working_url()
    assert "vtox up" in raised.value.remedy


def test_every_setting_is_shown_under_the_name_that_sets_it() -> None:
    assert config_rows().keys() == {variable(*name) for name, _ in each(load())}


def test_sources_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dot").write_text("VTOX_API_PORT=1234\nVTOX_FLOWER_PORT=1\n")
    (tmp_path / "my.toml").write_text('flower_port = 2\n[keep]\nresults = "5MB"\n')
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "dot")
    monkeypatch.setenv("VTOX_CONFIG", str(tmp_path / "my.toml"))
    monkeypatch.setenv("VTOX_FLOWER_PORT", "3")
    settings = load()
    source = {name: row.source for name, row in setting_rows(settings).items()}
    assert settings.flower_port == 3
    assert source["VTOX_FLOWER_PORT"] == "environment"
    assert source["VTOX_API_PORT"] == ".env"
    assert source["VTOX_KEEP__RESULTS"] == "TOML file"
    assert source["VTOX_CLUSTER_WORKERS"] == "mode"
    assert source["VTOX_REDIS_PORT"] == "default"


def test_secrets_are_masked_unless_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "rediss://fleet:s3cret@db.example:6380/0"
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    assert config_rows()["VTOX_REDIS_URL"]["value"] == "rediss://fleet:***@db.example:6380/0"
    assert config_rows("--reveal")["VTOX_REDIS_URL"]["value"] == url
    assert str(config_rows("--reveal")["working_url"]["value"]).startswith(url)


@pytest.mark.parametrize(
    "url", ["redis://h/0?password=s3cret", "unix:///s?password=s3cret", "redis://:s3cr#et@h/0"]
)
def test_no_form_of_a_url_shows_its_secret(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    assert "s3cr" not in json.dumps(config_rows())


def test_neither_settings_nor_address_show_a_secret_in_a_traceback() -> None:
    url = "redis://:s3cret@h"
    assert "s3cret" not in repr(load(redis_url=url, broker_url=url))
    assert "s3cret" not in repr(Address(1, "s3cret"))


def test_an_error_shows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('redis_url = ["redis://:s3cret@h"]\n')
    monkeypatch.setenv("VTOX_CONFIG", str(tmp_path / "my.toml"))
    with pytest.raises(SettingsError, match="VTOX_REDIS_URL") as raised:
        load()
    assert "s3cret" not in "".join(format_exception(raised.value))


def test_the_files_that_settings_come_from_are_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert files() == []
    (tmp_path / "dot").write_text("")
    (tmp_path / "my.toml").write_text("")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "dot")
    monkeypatch.setenv("VTOX_CONFIG", str(tmp_path / "my.toml"))
    assert files() == [tmp_path / "dot", tmp_path / "my.toml"]


def test_reveal_shows_the_embedded_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text('{"port": 21000, "password": "pw", "pid": 1}')
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    assert config_rows("--reveal")["working_url"]["value"] == "redis://default:pw@127.0.0.1:21000/0"
    assert "working_url" not in config_rows()


def test_a_pipe_gets_each_url_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"redis://default:{'p' * 300}@127.0.0.1:1/0"
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    done = CliRunner().invoke(application(), ["config", "show", "--reveal"])
    assert url in done.stdout


def test_a_narrow_terminal_still_shows_names_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = {"COLUMNS": "60", "LINES": "25", "TTY_COMPATIBLE": "1", "TERM": "dumb"}
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(application(), ["config", "show"])
    assert "VTOX_OPEN_RECORD_BYTES" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 60


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("KEEP__RESULTS", "90d, 1GB", "90d, 1000MB"),
        ("KEEP__RESULTS", "2MB", "1d, 2MB"),
        ("KEEP__WINDOWS", "1.5s", "1.5s"),
        ("QUOTA__API_KEY", "0.5/s", "0.5/s"),
        ("QUOTA__API_MACHINE", "none", "none"),
        ("CLUSTER_WORKERS", "1-8", "1-8"),
        ("ACK", "1 replica", "1 replica"),
        ("ENERGY_PRICE__PERIODS", "0.16 22:00-06:00;0.2 sat", "0.16 22:00-06:00; 0.2 sat"),
    ],
)
def test_a_value_is_shown_as_it_is_written(
    name: str, given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"VTOX_{name}", given)
    assert config_rows()[f"VTOX_{name}"] | {"about": ""} == {
        "value": expected,
        "source": "environment",
        "about": "",
    }


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("KEEP__RESULTS", "ninety days"),
        ("KEEP__RESULTS", "0s"),
        ("KEEP__WINDOWS", "40MB"),
        ("KEEP__RESULT", "1d"),
        ("QUOTA__API_KEY", "5"),
        ("CLUSTER_WORKERS", "8-1"),
        ("ACK", "soon"),
    ],
)
def test_a_value_that_is_none_is_named_with_what_was_expected(
    name: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"VTOX_{name}", given)
    with pytest.raises(SettingsError, match=rf"VTOX_{name}: .*expected .*{given}"):
        load()


def test_the_secret_of_oidc_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ISSUER", "https://sso.example/"), ("CLIENT_ID", "vtox")):
        monkeypatch.setenv(f"VTOX_OIDC__{name}", value)
    monkeypatch.setenv("VTOX_OIDC__CLIENT_SECRET", "hunter2")
    settings = load()
    assert settings.oidc.issuer == "https://sso.example"
    assert given_settings(settings)["VTOX_OIDC__CLIENT_ID"] == "vtox"
    assert "hunter2" not in f"{settings!r} {given_settings(settings)} {settings.oidc}"
    assert config_rows()["VTOX_OIDC__CLIENT_SECRET"]["value"] == "***"
    assert config_rows("--reveal")["VTOX_OIDC__CLIENT_SECRET"]["value"] == "hunter2"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ISSUER": "https://sso.example"}, "both issuer and client_id"),
        ({"CLIENT_ID": "vtox"}, "both issuer and client_id"),
        ({"ISSUER": "http://sso.example", "CLIENT_ID": "vtox"}, "expected https://"),
        ({"ISSUER": "sso.example", "CLIENT_ID": "vtox"}, "expected https://"),
    ],
)
def test_a_provider_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in (given | {"CLIENT_SECRET": "hunter2"}).items():
        monkeypatch.setenv(f"VTOX_OIDC__{name}", value)
    with pytest.raises(SettingsError, match=told) as error:
        load()
    assert "VTOX_OIDC" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("password", ["x" * 7, "Flower-2026!", "myVTOXbox 7", "passWORD1234"])
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(SettingsError, match="FLOWER_PASSWORD"):
        load(flower_password=password)
    # Any other composition and length will do.
    assert load(flower_password="aaaaaaaa").flower_password == "aaaaaaaa"
    assert load(flower_password="é " * 64).flower_password == "é " * 64
