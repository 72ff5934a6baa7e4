"""`format=csv`: a list of several pages is one table that spreadsheets read."""

import csv
import io

import httpx
import pytest

from api.http import tables
from tests.integration.api.conformance import document
from tests.integration.api.test_machines import SEEN, change_memory, commit_health
from vtox.motor.values.domain import Motor
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_all_pages_of_a_list_are_one_table(http: httpx.Client, client: Client) -> None:
    for i in range(7):
        machines.register(client, f"M{i}", Motor(pole_pairs=2))
    answer = http.get("/api/v1/machines?format=csv&limit=3").raise_for_status()
    assert [r["machine_id"] for r in rows(answer)] == [f"M{i}" for i in range(7)]
    assert answer.headers["content-disposition"] == 'attachment; filename="vtox-machines.csv"'


@pytest.mark.parametrize("site", ["=1+1", "-2+3", "+1", "@x"])
def test_a_site_like_a_formula_is_text(http: httpx.Client, client: Client, site: str) -> None:
    machines.register(client, "M1", Motor(site=site))
    (row,) = rows(http.get("/api/v1/fleet?format=csv").raise_for_status())
    assert row["site"] == f"'{site}"


@pytest.mark.parametrize("path", ["fleet", "machines"])
def test_tables_of_machines_have_a_column_of_what_is_seen(
    http: httpx.Client, client: Client, path: str
) -> None:
    for machine_id in ("M1", "M2"):
        commit_health(client, machine_id, bearing="normal")
    for fault in ("broken_bar", "eccentricity"):
        change_memory(client, "M2", fault, days=SEEN)
    found = rows(http.get(f"/api/v1/{path}?format=csv").raise_for_status())
    assert {r["machine_id"]: r["seen"] for r in found} == {
        "M1": "",
        "M2": "eccentricity; broken_bar",
    }


@pytest.mark.parametrize(
    "path",
    [
        *("alarms", "alerts", "diagnoses", "fleet", "alarms/figures", "machines/M1/history"),
        *("energy", "machines/M1/energy", "machines/M1/starts"),
    ],
)
def test_every_list_has_a_table(http: httpx.Client, client: Client, path: str) -> None:
    machines.register(client, "M1", Motor())
    rows(http.get(f"/api/v1/{path}?format=csv").raise_for_status())


def test_a_problem_stays_a_problem(http: httpx.Client) -> None:
    answer = http.get("/api/v1/alarms?format=csv&limit=0")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_columns_are_those_of_all_pages_and_no_row_is_left_out(
    http: httpx.Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i, motor in enumerate([Motor(), Motor(), Motor(pole_pairs=2)]):
        machines.register(client, f"M{i}", motor)
    columns = [{*r} for r in rows(http.get("/api/v1/machines?format=csv&limit=1"))]
    assert len(columns) == 3
    assert columns == [{*columns[0]}] * 3
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    refused = http.get("/api/v1/machines?format=csv&limit=1")
    assert (refused.status_code, refused.json()["code"]) == (422, "table_too_long")
    assert len(rows(http.get("/api/v1/machines?format=csv&limit=3"))) == 3


PARAMETERS = {"machine_id": "M1", "alarm_id": "M1:bearing:1", "letter_id": "1-1", "record": "1-1"}


def plain(http: httpx.Client, path: str) -> httpx.Response:
    """Ask for a table on a route that describes none."""
    return httpx.get(http.base_url.join(f"{path}?format=csv"), timeout=20)


def test_every_address_answers_with_a_table_or_a_problem(
    http: httpx.Client, client: Client
) -> None:
    machines.register(client, "M1", Motor())
    paths = [path for path, methods in document()["paths"].items() if "get" in methods]
    for path in [*paths, "/", "/docs", "/openapi.json", "/static/vtox.css"]:
        answer = plain(http, path.format_map(PARAMETERS))
        kind, status = answer.headers["content-type"], answer.status_code
        ours = status != 500 and "content-security-policy" in answer.headers
        assert (path, ours) == (path, True)
        assert kind.startswith(("text/csv", "application/problem+json")) or status == 503, path


@pytest.mark.parametrize("path", ["/health/live", "/static/vtox.css", "/metrics", "/api/v1/access"])
def test_what_is_no_list_has_no_table(http: httpx.Client, path: str) -> None:
    answer = plain(http, path)
    assert (answer.status_code, answer.json()["code"]) == (406, "no_table")
