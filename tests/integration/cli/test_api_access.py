"""The commands find the API and their key, or say that they do not."""

from pathlib import Path

import httpx
import pytest

from tests.integration.cli.commands import run
from vtox.motor.errors import InputError
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.reporting.plant.errors import StatusApiError


@pytest.fixture
def key_file(api_of_commands: httpx.Client, client: Client, tmp_path: Path) -> Path:
    """The file with the key of the commands, over an API that asks for keys."""
    apikeys.create(client, ["admin"], "another")
    return tmp_path / "api-key"


def refusal(match: str) -> str:
    with pytest.raises((StatusApiError, InputError), match=match) as raised:
        run("alarms list")
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_without_a_key_none_is_needed_while_none_exists(api_of_commands: httpx.Client) -> None:
    assert run("alarms list") == "No alarms of these.\n"


def test_the_key_is_that_of_the_data_folder_or_of_the_setting(
    key_file: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal("asked with no key: send an API key")
    assert str(key_file) in said
    assert "vtox keys create" in said
    key_file.write_text(f"{apikeys.create(client, ['read'], 'commands')[0]}\n")
    assert run("alarms list") == "No alarms of these.\n"
    monkeypatch.setenv("VTOX_API_KEY", "vtox_wrong")
    refusal("asked with VTOX_API_KEY: this API key is unknown")


def test_a_key_that_may_not_read_is_named(key_file: Path, client: Client) -> None:
    key_file.write_text(apikeys.create(client, ["ingest"], "sender")[0])
    refusal(f"asked with {key_file}: this needs scope 'read', the key has ingest")


def test_a_file_that_holds_no_key_is_named(key_file: Path) -> None:
    key_file.write_text("\N{SNOWMAN}")
    refusal(f"{key_file}: .*expected an API key")
    key_file.unlink()
    key_file.mkdir()
    refusal(f"{key_file}.*: expected an API key")


def test_an_api_that_is_away_is_named(
    api_of_commands: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_API_PORT", "1")
    refusal(r"http://127\.0\.0\.1:1 does not answer \(ConnectError\).*`vtox up` runs there")
