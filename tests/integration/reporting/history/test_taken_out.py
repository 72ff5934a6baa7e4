"""Tables for others: views in SQL, files that DuckDB and polars read, DataFrames."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

import vtox
from tests.integration.conftest import serving
from tests.integration.pipeline.store.test_alarm_book import action
from tests.integration.reporting.history.entries import add_alert, add_assessment, add_result
from tests.integration.reporting.history.test_energy import SECOND, STOP, add_second, read_history
from tests.paths import ROOT
from tests.postgresql import needs_postgresql
from vtox.cli.main import application
from vtox.motor.errors import InputError
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import MeterCounts
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.views import TABLES, VIEWS
from vtox.reporting.tables import export
from vtox.reporting.tables.export import Written

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
START = {"on_s": 0.25, "duration_s": 0.5, "inrush_a": 40.0, "dip_ratio": 0.02, "energy_j": 900.0}


@pytest.fixture
def now(recorder: Recorder, client: Client) -> float:
    """Diagnoses, an alarm, energy and a start of two machines; return the time of the last."""
    advance(client)
    now = server_time(client)
    machines.register(client, "M1", Motor())
    for k, state in enumerate(("normal", "warning", "fault")):
        add_result(client, now - 7200 + k, state=state, statistic=float(k), threshold=1.5)
    add_result(client, now - 1, machine_id="M2", state="unknown", code="no_current")
    add_assessment(client, now - 1, 63.0, "fault")
    for k in range(4):
        add_second(client, now - 1800 * k - 10, k, SECOND, "M2" if k == 3 else "M1")
    add_second(client, now - 60, 9, SECOND, "M1", start=START)
    add_alert(client, now - 1)
    act(client, action(text="seen"))
    add_alert(client, now, "escalated", level="fault")
    add_alert(client, now, "cleared")
    act(client, action("close", by="Bob", outcome="confirmed", text="pitted, replaced"))
    recorder.record(STOP)
    return now


def taken_out(settings: Settings, folder: Path, **options: Any) -> dict[str, Written]:
    found = read_history(settings, lambda db: list(export.export(db, folder, **options)))
    return {w.table: w for w in found}


@on_sqlite
def test_a_link_that_waits_for_a_draft_is_not_written_through(
    settings: Settings, now: float, tmp_path: Path
) -> None:
    folder, other = tmp_path / "tables", tmp_path / "other"
    folder.mkdir()
    other.write_text("mine")
    for name in TABLES:
        for file in (
            f".{name}.csv.part",
            f"{name}.csv",
            f".{name}.parquet.part",
            f"{name}.parquet",
        ):
            (folder / file).symlink_to(other)
    taken_out(settings, folder, parquet=True)
    assert other.read_text() == "mine"
    assert not (folder / "alarms.csv").is_symlink()
    assert list(folder.glob(".export-*")) == []


def query_duckdb(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        return db.execute(query).fetchall()


def test_files_hold_what_views_and_api_say(now: float, settings: Settings, tmp_path: Path) -> None:
    written = taken_out(settings, tmp_path)
    assert set(written) == set(TABLES)
    assert {p.suffix for w in written.values() for p in w.files} == {".csv", ".parquet"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    counts = {
        name: read_history(settings, lambda db, n=name: [*db.execute(text(f"SELECT * FROM {n}"))])
        for name in VIEWS
    }
    assert {n: len(found) for n, found in counts.items()} == {n: written[n].rows for n in VIEWS}
    sums = query_duckdb(
        f"SELECT sum(energy_j), sum(powered_ms) FROM '{tmp_path}/energy.parquet' "
        f"WHERE machine_id = 'M1'"
    )
    by_text = query_duckdb(
        f"SELECT sum(energy_j), sum(powered_ms) FROM '{tmp_path}/energy.csv' "
        f"WHERE machine_id = 'M1'"
    )
    n_starts, inrush_a = query_duckdb(
        f"SELECT count(*), max(inrush_a) FROM '{tmp_path}/starts.parquet'"
    )[0]
    energy, starts = told_by_the_api(settings, now)
    assert sums == by_text == [(round(3_600_000 * energy["energy_kwh"]), 4000)]
    assert sums == [(4 * SECOND.energy_j, round(3_600_000 * energy["measured_h"]))]
    assert (n_starts, inrush_a) == (1, 40.0) == (len(starts), starts[0]["inrush_a"])


def test_energy_that_is_not_measured_is_null_in_view_and_files(
    recorder: Recorder, client: Client, settings: Settings, tmp_path: Path
) -> None:
    add_second(client, server_time(client) - 60, 0, MeterCounts(observed_ms=1000, running_ms=1000))
    recorder.record(STOP)
    query = "SELECT running_ms, energy_j, reactive_vars, harmonic_j, shaft_j, lost_j FROM "
    shown = read_history(
        settings, lambda db: [tuple(r) for r in db.execute(text(query + "energy"))]
    )
    taken_out(settings, tmp_path)
    assert shown == query_duckdb(f"{query} '{tmp_path}/energy.parquet'")
    assert shown == [(1000, None, None, None, None, None)]


def told_by_the_api(settings: Settings, now: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Energy and starts of M1 in the last day."""
    with serving(settings) as http:
        span = {"from_t": now - 86_400, "to_t": now}
        energy = http.get("/api/v1/machines/M1/energy", params=span).json()["data"]["total"]
        starts = http.get("/api/v1/machines/M1/starts", params=span).json()["data"]["starts"]
    return energy, starts


def test_views_have_the_last_state_the_hours_and_whole_alarms(
    now: float, settings: Settings
) -> None:
    def answer_of(query: str) -> list[Any]:
        return read_history(settings, lambda db: [tuple(r) for r in db.execute(text(query))])

    assert answer_of(
        "SELECT state, value FROM machine_state WHERE quantity = 'bearing' ORDER BY 1"
    ) == [
        ("fault", 2.0),
        ("unknown", 1.0),
    ]
    assert answer_of(
        "SELECT state, n, mean, maximum FROM trend_hours "
        "WHERE machine_id = 'M1' AND quantity = 'bearing' ORDER BY maximum"
    ) == [("normal", 1, 0, 0), ("warning", 1, 1, 1), ("fault", 1, 2, 2)]
    assert answer_of(
        "SELECT level, outcome, round(raised_t) <= round(cleared_t), "
        "acknowledged_t IS NOT NULL FROM alarms"
    ) == [("fault", "confirmed", 1, 1)]


@on_sqlite
def test_a_machine_and_a_time_can_be_chosen(now: float, settings: Settings, tmp_path: Path) -> None:
    written = taken_out(settings, tmp_path, machines=["M1"], from_t=now - 600, parquet=False)
    assert [p.name for p in written["energy"].files] == ["energy.csv"]
    assert written["diagnoses"].rows == 3
    content = (tmp_path / "energy.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfmachine_id,t,observed_ms,")


@on_sqlite
def test_polars_reads_what_the_api_says(now: float, settings: Settings, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    taken_out(settings, tmp_path)
    energy, starts = told_by_the_api(settings, now)
    by_text = polars.read_csv(tmp_path / "energy.csv", try_parse_dates=True)
    by_column = polars.read_parquet(tmp_path / "energy.parquet")
    for found in (by_column, by_text):
        of_machine = found.filter(found["machine_id"] == "M1")
        assert of_machine["energy_j"].sum() == round(3_600_000 * energy["energy_kwh"])
        assert of_machine["powered_ms"].sum() == 4000
        assert found.schema["t"].is_temporal()
    assert str(by_column.schema["t"]) == "Datetime(time_unit='us', time_zone='UTC')"
    found = polars.read_parquet(tmp_path / "starts.parquet")
    assert found["inrush_a"].to_list() == [s["inrush_a"] for s in starts]
    assert polars.read_csv(tmp_path / "starts.csv")["inrush_a"].to_list() == [40.0]


@on_sqlite
def test_the_history_is_a_data_frame(now: float, settings: Settings) -> None:
    found = vtox.history("M1", table="diagnoses", settings=settings)
    assert list(found.columns) == list(TABLES["diagnoses"].columns)
    bearing = found[found["quantity"] == "bearing"]
    assert list(bearing["state"]) == ["normal", "warning", "fault"]
    assert bearing["t"].iloc[-1].timestamp() == pytest.approx(now - 7198, abs=0.01)
    assert len(vtox.history(days=0.01, table="alarms", settings=settings)) == 1
    with pytest.raises(InputError, match="no table 'hours', expected one of machine_state"):
        vtox.history(table="hours", settings=settings)


@on_sqlite
def test_the_command_names_rows_and_files(now: float, settings: Settings, tmp_path: Path) -> None:
    environment = {"VTOX_DATA_DIR": str(settings.data_dir), "COLUMNS": "120"}
    if settings.database_url:
        environment["VTOX_DATABASE_URL"] = settings.database_url
    command = ["export", "--to", str(tmp_path / "out"), "--machine", "M1", "--last", "1d"]
    done = CliRunner().invoke(application(), command, env=environment)
    assert done.exit_code == 0, done.output
    lines = {line.split()[0]: line.split()[1:] for line in done.output.splitlines()}
    assert lines["alarms"] == ["1", "rows", "alarms.csv,", "alarms.parquet"]


@needs_postgresql
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_a_reader_of_the_views_alone_sees_every_panel(now: float, settings: Settings) -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/machines.json").read_text())
    queries = [t["rawSql"] for panel in dashboard["panels"] for t in panel["targets"]]
    queries.append(dashboard["templating"]["list"][1]["query"])
    grants = re.findall(
        "```sql\n(.*?)```", (ROOT / "docs/reference/tables.md").read_text(), re.DOTALL
    )
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url, autocommit=True) as db:
        for statement in "".join(grants).split(";"):
            db.execute(statement.encode())
        db.execute("SET ROLE grafana")
        for query in queries:
            for macro in re.findall(r"\$__unixEpochFilter\((\w+)\)", query):
                span = f"{macro} >= {now - 86_400} AND {macro} <= {now + 60}"
                query = query.replace(f"$__unixEpochFilter({macro})", span)
            query = query.replace("${machine:sqlstring}", "'M1','M2'")
            assert db.execute(query.encode()).fetchall(), query
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("SELECT * FROM records")
        db.execute("RESET ROLE; DROP OWNED BY grafana; DROP ROLE grafana")


@on_sqlite
def test_the_notebook_runs(now: float, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_DATA_DIR", str(settings.data_dir))
    notebook = json.loads((ROOT / "docs/tutorial/tables.ipynb").read_text())
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    shown: dict[str, Any] = {}
    for cell in cells:
        exec("".join(cell["source"]), shown)
        assert cell["outputs"] == []
    assert "<td>missing_channel</td>" not in shown["found"]._repr_html_()
    assert "<td>insulation</td><td>unknown</td>" in shown["found"]._repr_html_()
    assert shown["indicators"].loc["insulation", "code"] == "missing_channel"
    assert list(shown["alarms"]["outcome"]) == ["confirmed"]
    assert shown["kwh"]["M1"] == pytest.approx(4 * SECOND.energy_j / 3.6e6)


def test_without_a_history_there_is_an_empty_frame(tmp_path: Path) -> None:
    found = vtox.history(settings=load(data_dir=tmp_path))
    assert list(found.columns) == list(TABLES["trend_hours"].columns)
    assert len(found) == 0
