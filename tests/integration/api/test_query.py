"""Unknown query parameters are refused on all routes for programs."""

import json

import httpx
import pytest

from vtox.motor.values.domain import Motor
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

# Pages and probes are addressed by others, who may add their own parameters.
LENIENT = ("/", "/health/live", "/health/ready")


def test_every_route_refuses_what_it_does_not_know(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M1", Motor())
    asked = 0
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        for method in operations:
            address = path.replace("{machine_id}", "M1").replace("{record}", "x")
            answer = http.request(method, f"{address}?nonsense=1", json={"pole_pairs": 2})
            if path in LENIENT:
                assert answer.status_code in (200, 503), path
                continue
            assert answer.status_code == 422, f"{method} {path}"
            (wrong,) = [e for e in answer.json()["errors"] if e["field"] == "nonsense"]
            assert wrong["message"] == "there is no such parameter"
            asked += 1
    assert asked >= 13
    assert http.get("/api/v1/machines/M1").status_code == 200, "nothing was done"
    assert http.get("/openapi.json?nonsense=1").status_code == 422


def test_a_value_that_is_none_of_several_kinds_is_one_error_of_its_parameter(
    http: httpx.Client,
) -> None:
    answer = http.get("/api/v1/fleet?state=broken")
    (wrong,) = answer.json()["errors"]
    assert (answer.status_code, wrong["field"], wrong["got"]) == (422, "state", "'broken'")
    assert "'warning'" in wrong["message"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fleet?fault=rust", "'broken_bar'"),
        ("fleet?blind=rust", "'any'"),
        ("machines/M1/diagnoses?fault=rust", "'broken_bar'"),
        ("machines/M1/spectrum?family=rust", "'broken_bar'"),
        ("diagnoses?code=Rust!", "1 to 64 of a to z"),
    ],
)
def test_a_parameter_says_in_words_what_it_takes(
    http: httpx.Client, path: str, expected: str
) -> None:
    answer = http.get(f"/api/v1/{path}")
    (wrong,) = answer.json()["errors"]
    assert answer.status_code == 422
    assert expected in wrong["message"]
    assert "pattern" not in wrong["message"]


@pytest.mark.parametrize("path", ["/docs", "/machines/M1", "/static/vtox.css"])
def test_pages_take_what_others_add(http: httpx.Client, path: str) -> None:
    assert http.get(f"{path}?utm_source=mail").status_code == 200


def test_a_route_without_parameters_describes_the_language_alone(http: httpx.Client) -> None:
    described = http.get("/openapi.json").json()["paths"]["/api/v1/cluster/status"]["get"]
    assert [p["name"] for p in described["parameters"] if p["in"] == "query"] == ["lang"]
    assert "nonsense" not in json.dumps(described)
