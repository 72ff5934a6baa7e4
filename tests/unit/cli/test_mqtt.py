"""`vtox mqtt` names a missing requirement: the packages, the broker, a usable URL."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vtox.cli.main import application
from vtox.motor.errors import SystemStateError
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.sending.mqtt.connection import Connection, parse_url


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    file = tmp_path / "mapping.toml"
    file.write_text('[[topics]]\ntopic = "{machine_id}"\nformat = "entry"')
    return file


def test_missing_packages_are_named_with_the_command_that_installs_them(
    mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "vtox.pipeline.sending.mqtt.connection")
    for name in [m for m in sys.modules if m.startswith("paho")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemStateError, match=re.escape(install_command("mqtt"))):
        CliRunner().invoke(application(), ["mqtt", str(mapping)], catch_exceptions=False)


def test_without_a_broker_it_says_which_setting_names_it(mapping: Path) -> None:
    with pytest.raises(SettingsError, match="VTOX_MQTT_URL"):
        CliRunner().invoke(application(), ["mqtt", str(mapping)], catch_exceptions=False)


@pytest.mark.parametrize(
    "url",
    [
        "host",
        "http://u:s3cret@h",
        "mqtt://u:s3cret@h:x",
        "mqtt://",
        "mqtt://h?ssl_ca_certs=/s3cret",
    ],
)
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="VTOX_MQTT_URL") as raised:
        parse_url(url)
    assert "s3cret" not in str(raised.value)


def test_a_missing_certificate_stops_the_gateway_alone(tmp_path: Path) -> None:
    url = f"mqtts://broker.example?ssl_ca_certs={tmp_path / 'ca.pem'}"
    assert load(mqtt_url=url).mqtt_url == url, "other processes do not open it"
    with pytest.raises(SettingsError, match=r"ca\.pem is no file"):
        Connection(url, ["a"], client_id="v", receive_maximum=1)
