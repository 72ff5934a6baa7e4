"""`vtox energy` against a real API: `--json` is its answer."""

import re
from dataclasses import replace
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.api.test_energy import HOUR, RECORD, kept_numbers
from tests.integration.cli.commands import printed_json, run
from tests.integration.reporting.history.test_energy import add_second
from vtox.motor.errors import InputError
from vtox.motor.values.energy import MeterCounts, MeterRow
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.energy import ENERGY, metered
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.plant.errors import StatusApiError


@pytest.fixture(autouse=True)
def fleet(api_of_commands: httpx.Client, client: Client, settings: Settings) -> httpx.Client:
    """The API over two machines that ran an hour two hours ago, M2 without voltages."""
    began = server_time(client) - 7200
    add_second(client, began, 0, HOUR)
    currents_alone = MeterCounts(observed_ms=3_600_000, running_ms=3_600_000)
    add_second(client, began, 1, currents_alone, "M2")
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    row = MeterRow(
        kept_numbers(np.nan), power_code="phase_orders_differ", load_code="rated_power_unknown"
    )
    own = metered(b"", row, replace(RECORD, t_end=began + 3600))
    client.hset(keys.machine("M1"), items=[ENERGY, own.reading])
    return api_of_commands


def counted(answer: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer without its time."""
    return {n: v for n, v in answer["data"].items() if n not in ("from_t", "to_t", "hours")}


def test_the_fleet_is_a_row_for_each_machine() -> None:
    head, names, *rows = run("energy").splitlines()
    assert head == "1 of 2 machines measured: 2 kWh in 1 h of measurement"
    assert names.split()[:2] == ["machine", "kWh"]
    m1, m2 = (row.split() for row in rows)
    assert m1 == ["M1", "2.000", "2", "1.00", "1.00", "-", "0", "-"]
    assert m2 == ["M2", "-", "-", "0.00", "1.00", "-", "0", "-"]


def test_a_machine_has_its_reading_and_its_steps() -> None:
    found = run("energy M1")
    assert re.match(r"M1  2 kWh, measured for 1 of 24(\.\d+)? h\n", found)
    assert "power not measured: " in found
    assert "load not estimated: " in found
    assert "saving by a better class not told" in found
    assert "2.000" in found.splitlines()[-2]
    chinese = run("energy M1 --lang zh")
    assert "measured" not in chinese
    assert "class" not in chinese


def test_json_is_the_answer_of_the_api(fleet: httpx.Client) -> None:
    by_http = fleet.get("/api/v1/machines/M1/energy").json()
    assert counted(printed_json("energy M1")) == counted(by_http)
    assert counted(printed_json("energy")) == counted(fleet.get("/api/v1/energy").json())


@pytest.mark.parametrize(("days", "step_s"), [(2, 3600), (30, 86_400), (3660, 604_800)])
def test_the_longer_the_time_the_longer_its_steps(days: int, step_s: int) -> None:
    assert printed_json(f"energy M1 --days {days}")["data"]["step_s"] == step_s


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(InputError, match="at most 3660"):
        run("energy --days 3661")
    with pytest.raises(StatusApiError, match="'NOBODY' is not known"):
        run("energy NOBODY")
    with pytest.raises(StatusApiError, match="lang"):
        run("energy --lang xx")
