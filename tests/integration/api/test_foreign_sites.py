"""Pages of other sites can neither read nor write through the browser of a user."""

from pathlib import Path

import httpx
import pytest

from tests.integration.conftest import serving
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

MOTOR = {"pole_pairs": 2, "supply_hz": 50}
PATH = "/api/v1/machines/M1"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_foreign_name_of_this_host_is_refused(
    http: httpx.Client, client: Client, host: str, method: str
) -> None:
    machines.register(client, "M1", Motor())
    answer = http.request(method, PATH, headers={"Host": host}, json=MOTOR)
    assert answer.status_code == 403
    assert method == "HEAD" or answer.json()["code"] == "foreign_host"
    assert machines.is_listed(client, "M1")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "192.168.1.20:8000", "[::1]:8000"])
def test_localhost_and_addresses_by_number_are_ours(http: httpx.Client, host: str) -> None:
    assert http.get("/api/v1/machines", headers={"Host": host}).status_code == 200


def test_further_names_are_a_setting(settings: Settings, tmp_path: Path) -> None:
    named = load(redis_url=settings.redis_url, data_dir=tmp_path, api_allowed_hosts="Pumps.lan, b")
    with serving(named) as http:
        for host, status in (("pumps.lan:80", 200), ("B", 200), ("c", 403)):
            assert http.get("/api/v1/machines", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_cannot_write(
    http: httpx.Client, client: Client, headers: dict[str, str]
) -> None:
    answer = http.put(PATH, headers=headers, json=MOTOR)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_site")
    assert not machines.is_listed(client, "M1")


def test_our_own_pages_and_programs_write(http: httpx.Client, client: Client) -> None:
    own = f"http://{http.base_url.netloc.decode()}"
    for headers in ({}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}):
        assert http.put(PATH, headers=headers, json=MOTOR).is_success
