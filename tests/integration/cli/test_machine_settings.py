"""`vtox sensitivity` and `vtox channel-map` against a real server."""

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from tests.integration.api.test_backtest import add_marks
from vtox.cli.fleet import channel_map, sensitivity
from vtox.configuration.settings import Settings, load
from vtox.errors import ChannelMapError, InputError, SensitivityError, UnknownMachine
from vtox.records.history.recorder import Recorder
from vtox.store.machines import machines
from vtox.store.server.client import Client, server_time
from vtox.values.domain import Motor

ADA = ("--by", "Ada")


@pytest.fixture(autouse=True)
def on_the_test_server(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    machines.register(client, "M1", Motor())


def run(*arguments: str) -> Result:
    app = Typer()
    sensitivity.register(app)
    channel_map.register(app)
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_sensitivity_is_set_by_fault_and_shown_with_its_versions() -> None:
    assert "version 0: the defaults" in run("sensitivity", "show", "M1").stdout
    run("sensitivity", "set", "M1", "bearing", "--k", "4", "--n", "6", *ADA)
    run("sensitivity", "set", "M1", "insulation", "--min-severity", "0.2", "--by", "Bob")
    found = printed_json("sensitivity", "show", "M1")
    assert (found["version"], found["by"], set(found["faults"])) == (
        2,
        "Bob",
        {"bearing", "insulation"},
    )
    assert found["in_force"]["bearing"]["k"] == 4
    assert [v["by"] for v in found["versions"]] == ["Bob", "Ada"]
    left = printed_json("sensitivity", "set", "M1", "bearing", "--default", *ADA)
    assert set(left["faults"]) == {"insulation"}
    text = run("sensitivity", "show", "M1").stdout
    assert "version 3, set by Ada" in text
    assert "k of the last n records" in text


def test_a_channel_map_is_set_shown_and_ended() -> None:
    text = run("channel-map", "show", "M1").stdout
    assert "nobody has set any; every channel is what it is sent as" in text
    text = run("channel-map", "set", "M1", "ia=ib", "ib=-ia", "ic=ic*1.5", *ADA).stdout
    assert "version 1, set by Ada" in text
    found = printed_json("channel-map", "show", "M1")
    assert found["channels"] == {
        "ia": {"channel": "ib", "sign": 1, "ratio": 1.0},
        "ib": {"channel": "ia", "sign": -1, "ratio": 1.0},
        "ic": {"channel": "ic", "sign": 1, "ratio": 1.5},
    }
    assert printed_json("channel-map", "set", "M1", "--none", *ADA)["channels"] == {}
    assert "Ada; every channel is what it is sent as" in run("channel-map", "show", "M1").stdout
    assert [v["version"] for v in printed_json("channel-map", "show", "M1")["versions"]] == [2, 1]


def test_an_unknown_source_is_answered_with_the_channels() -> None:
    with pytest.raises(ChannelMapError, match="'ix' is no channel, expected one of ia, ib, ic"):
        run("channel-map", "set", "M1", "ia=ix", *ADA)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("sensitivity", "show", "M9"), UnknownMachine),
        (("sensitivity", "set", "M1", "bearing", "-k", "2"), InputError),
        (("sensitivity", "set", "M1", "bearing", *ADA), InputError),
        (("sensitivity", "set", "M1", "bearing", "-k", "9", "-n", "3", *ADA), SensitivityError),
        (("sensitivity", "set", "M1", "noise", "-k", "1", *ADA), SensitivityError),
        (("channel-map", "set", "M1", *ADA), InputError),
        (("channel-map", "set", "M1", "ia:ib", *ADA), InputError),
        (("channel-map", "set", "M1", "ia=ib", *ADA), ChannelMapError),
        (("channel-map", "set", "M9", "--none", *ADA), UnknownMachine),
    ],
)
def test_what_is_missing_or_impossible_is_said(
    arguments: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(*arguments)


def test_a_setting_is_tried_on_the_recorded_diagnoses(client: Client, tmp_path: Path) -> None:
    add_marks(client, server_time(client) - 60, "nnwwwwwwnnnnnn")
    recorder = Recorder(client, load(data_dir=tmp_path))
    recorder.record(Event())
    recorder.close()
    found = printed_json("sensitivity", "backtest", "M1", "bearing", "-k", "8", "-n", "8")
    assert (found["in_force"]["raised"], found["proposed"]["raised"]) == (1, 0)
    assert "in force" in run("sensitivity", "backtest", "M1", "bearing", "-k", "8").stdout
