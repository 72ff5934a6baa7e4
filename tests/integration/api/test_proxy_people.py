"""People whom a proxy has signed in: named by headers, in their role, and no further."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.factory import create_app
from tests.cluster import free_ports
from tests.integration.api.test_nginx import NGINX
from tests.integration.conftest import serving_app
from tests.integration.helpers import eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

URL = "/api/v1/machines/M1"
HEADERS = "X-Remote-User X-Remote-Groups"


@pytest.fixture
def behind(settings: Settings, tmp_path: Path) -> Iterator[httpx.Client]:
    own = load(redis_url=settings.redis_url, data_dir=tmp_path, api_proxy_headers=HEADERS)
    with serving_app(create_app(own)) as http:
        yield http


def as_person(
    http: httpx.Client, client: Client, name: str, groups: str, *scopes: str
) -> dict[str, str]:
    key = apikeys.create(client, ["proxy", *(scopes or ("admin",))], "sso")[0]
    origin = f"http://{http.base_url.netloc.decode()}"
    named = {"X-Remote-User": name.encode(), "X-Remote-Groups": groups}
    return {"X-API-Key": key, "Origin": origin, **named}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("groups", "get", "put", "delete"),
    [
        ("staff, vtox-viewer", 200, 403, 403),
        ("vtox-operator", 200, 403, 403),
        ("vtox-engineer vtox-viewer", 200, 200, 403),
        ("vtox-admin", 200, 200, 403),
        ("staff", 403, 403, 403),
        ("", 403, 403, 403),
    ],
)
def test_a_person_may_what_the_role_of_its_group_may(
    behind: httpx.Client, client: Client, groups: str, get: int, put: int, delete: int
) -> None:
    headers = as_person(behind, client, "Zoë", groups)
    assert behind.get("/api/v1/machines", headers=headers).status_code == get
    assert behind.put(URL, headers=headers, json={"pole_pairs": 2}).status_code == put
    assert behind.delete(URL, headers=headers).status_code == delete
    if put == 200:
        (written,) = (e for _, e in client.xrange(keys.AUDIT) if e[b"code"] == b"nameplate_changed")
        assert written[b"by"].decode() == "Zoë"


def test_a_person_may_no_more_than_the_key_of_its_proxy(
    behind: httpx.Client, client: Client
) -> None:
    headers = as_person(behind, client, "Ada", "vtox-admin", "operate")
    access = behind.get("/api/v1/access", headers=headers).json()["data"]
    assert access == {
        "name": "Ada",
        "may_operate": True,
        "may_engineer": False,
        "name_needed": False,
    }
    assert behind.get("/api/v1/audit", headers=headers).status_code == 403


def test_what_a_browser_is_made_to_send_is_refused(behind: httpx.Client, client: Client) -> None:
    headers = as_person(behind, client, "Ada", "vtox-engineer")
    for origin in ("", "https://elsewhere.example"):
        sent = {k: v for k, v in {**headers, "Origin": origin}.items() if v}
        assert behind.put(URL, headers=sent, json={}).status_code == 403, origin


def test_only_the_key_of_a_proxy_names_people(behind: httpx.Client, client: Client) -> None:
    headers = as_person(behind, client, "Ada", "vtox-admin")
    headers["X-API-Key"] = apikeys.create(client, ["read"], "Bob")[0]
    assert behind.get("/api/v1/access", headers=headers).json()["data"]["name"] == "Bob"
    assert behind.get("/api/v1/audit", headers=headers).status_code == 403


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_proxy_that_names_nobody_gets_nothing(
    behind: httpx.Client, client: Client, name: str
) -> None:
    assert (
        behind.get(
            "/api/v1/machines", headers=as_person(behind, client, name, "vtox-admin")
        ).status_code
        == 401
    )


def test_without_the_setting_the_key_of_a_proxy_opens_nothing(
    http: httpx.Client, client: Client
) -> None:
    answer = http.get("/api/v1/machines", headers=as_person(http, client, "Ada", "vtox-admin"))
    assert answer.status_code == 401
    assert "VTOX_API_PROXY_HEADERS" in answer.json()["detail"]


CONF = """
user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 32; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $remote_user $groups {{ ada "vtox-engineer"; default ""; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_basic vtox; auth_basic_user_file {folder}/users;
      proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_set_header X-API-Key {key}; proxy_set_header Authorization "";
      proxy_set_header X-Remote-User $remote_user; proxy_set_header X-Remote-Groups $groups;
    }}
  }}
}}
"""


@pytest.mark.skipif(NGINX is None, reason="no nginx: on Debian and Ubuntu, apt-get install nginx")
def test_a_real_proxy_signs_people_in(behind: httpx.Client, client: Client, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    key = apikeys.create(client, ["proxy", "admin"], "sso")[0]
    folder = tmp_path / "nginx"
    folder.mkdir()
    (folder / "users").write_text("ada:{PLAIN}secret\n")
    conf = CONF.format(
        folder=f'"{folder}"'[1:-1], port=port, key=key, upstream=str(behind.base_url).rstrip("/")
    )
    (folder / "nginx.conf").write_text(conf)
    process = subprocess.Popen(
        [str(NGINX), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as proxy:
            eventually(lambda: answers(proxy))
            forged = {"X-Remote-User": "root", "X-Remote-Groups": "vtox-admin"}
            assert proxy.get("/api/v1/access", headers=forged).status_code == 401
            ada = httpx.BasicAuth("ada", "secret")
            access = proxy.get("/api/v1/access", headers=forged, auth=ada).json()["data"]
            assert (access["name"], access["may_engineer"]) == ("ada", True)
            assert proxy.put(URL, json={}, auth=ada).json()["code"] == "foreign_site"
            own = {"Origin": str(proxy.base_url).rstrip("/")}
            assert proxy.put(URL, json={"pole_pairs": 3}, auth=ada, headers=own).status_code == 200
    finally:
        process.terminate()
        process.wait(20)


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").status_code == 401
    except httpx.TransportError:
        return False
