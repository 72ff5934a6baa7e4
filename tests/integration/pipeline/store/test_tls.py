"""TLS with a real server: every client verifies it, and names the fault of a certificate."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis
from flower.utils.broker import Broker

from tests.cluster import free_ports
from tests.integration.helpers import add_window, bridging
from tests.tls_server import PASSWORD, Authority, authority, system_server, tls_server
from tests.waiting import eventually
from vtox.cli.main import main
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerNotTrusted
from vtox.pipeline.monitoring.doctor import inspect
from vtox.pipeline.queues import celery_app
from vtox.pipeline.store.server.client import check, connect

pytestmark = pytest.mark.skipif(
    system_server() is None,
    reason="no server with TLS here: apt-get install valkey-server or redis-server",
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def port(ours: Authority) -> Iterator[int]:
    with tls_server(ours.ca, ours.sign("server")) as opened:
        yield opened


def url(port: int, host: str = "localhost", **files: Path) -> str:
    return f"rediss://:{PASSWORD}@{host}:{port}/0?{urlencode(files)}"


def use(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    port: int,
    ca: Path | None = None,
    host: str = "localhost",
    **more: str,
) -> Settings:
    """Set the environment as an operator would, and return the settings."""
    files = {"ssl_ca_certs": ca} if ca else {}
    given = {"redis_url": url(port, host, **files), "data_dir": folder} | more
    for name, value in given.items():
        monkeypatch.setenv(f"VTOX_{name.upper()}", str(value))
    return load()


def send_by_celery() -> None:
    """Send a task; kombu would otherwise retry a failure for ever."""
    with celery_app.app.connection_for_write(connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        celery_app.app.send_task("t", queue="bearing", connection=connection, retry=False)


def waiting_by_flower() -> int:
    conf = celery_app.app.conf
    seen = Broker(
        celery_app.app.connection().as_uri(include_password=True),
        broker_options=conf.broker_transport_options,
        broker_use_ssl=conf.broker_use_ssl,
    )
    (queue,) = asyncio.run(seen.queues(["bearing"]))
    return int(queue["messages"])


def test_every_client_takes_the_right_certificate(
    ours: Authority, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = use(monkeypatch, tmp_path, port, ca=ours.ca)
    with connect(settings.samples_url(), "worker") as client:
        check(client)
        with bridging(settings) as sent:
            add_window(client)
            eventually(lambda: sent)
        send_by_celery()
        assert client.llen("vtox:bearing") == 1
        assert waiting_by_flower() == 1
        client.flushall()


def test_a_worker_and_the_bridge_work_by_tls(
    ours: Authority, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator, worker = free_ports(2)
    settings = use(
        monkeypatch,
        tmp_path,
        port,
        ca=ours.ca,
        coordinator_port=str(coordinator),
        worker_port=str(worker),
        batch_wait_ms="1",
    )
    queues = ("-Q", "turn_short,bearing,broken_bar")
    commands = (
        ["-m", "vtox", "bridge"],
        ["-m", "celery", "-A", "vtox", "worker", *queues],
    )
    log = (tmp_path / "log").open("wb")
    running = [subprocess.Popen([sys.executable, *c], stdout=log, stderr=log) for c in commands]
    try:
        with connect(settings.working_url(), "test") as client:
            add_window(client, fs_hz=100)  # ten seconds in one window: no family waits for more
            eventually(lambda: client.xlen(keys.RESULTS) == 5, 60, (tmp_path / "log").read_text)
            client.flushall()
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(20) for process in running] == [0, 0]
        log.close()


def refused(settings: Settings, *words: str) -> None:
    """Both clients refuse the server; the message names the problem, the place and the remedy."""
    with connect(settings.working_url(), "test", retries=0) as client:
        with pytest.raises(ServerNotTrusted) as raised:
            check(client)
    assert all(word in str(raised.value) for word in words), str(raised.value)
    with pytest.raises(Exception, match="certificate verify failed"):
        send_by_celery()
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        waiting_by_flower()
    (found,) = (c for c in inspect(settings) if c.name == "server")
    assert (found.status, found.remedy) == ("fail", raised.value.remedy)


def test_a_server_of_another_authority_is_refused(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = authority(tmp_path / "other")
    settings = use(monkeypatch, tmp_path, port, ca=other.ca)
    refused(settings, f"localhost:{port}", "ssl_ca_certs")


def test_without_a_file_only_the_authorities_of_the_system_are_trusted(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(use(monkeypatch, tmp_path, port), f"localhost:{port}", "ssl_ca_certs")


def test_a_certificate_for_another_host_is_refused(
    ours: Authority, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_number = use(monkeypatch, tmp_path, port, ca=ours.ca, host="127.0.0.1")
    refused(by_number, f"127.0.0.1:{port}", "VTOX_REDIS_URL")


def test_an_expired_certificate_is_refused(
    ours: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = ("-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
    with tls_server(ours.ca, ours.sign("expired", "localhost", *past)) as port:
        settings = use(monkeypatch, tmp_path, port, ca=ours.ca)
        refused(settings, f"localhost:{port}", "expired", "clocks")


def test_a_worker_and_a_command_say_why_and_end(
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(monkeypatch, tmp_path, port)
    worker = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "vtox", "worker", "-Q", "bearing"],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    monkeypatch.setattr("sys.argv", ["vtox", "machines", "export"])
    with pytest.raises(SystemExit):
        main()
    for said in (worker.stderr, capsys.readouterr().err):
        assert said.startswith("vtox: the certificate of the server at ")
        assert "ssl_ca_certs" in said
        assert PASSWORD not in said
    assert worker.returncode == 1


def test_a_server_may_ask_for_a_certificate_of_ours(
    ours: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(ours.ca, ours.sign("strict"), clients="yes") as port:
        settings = use(monkeypatch, tmp_path, port, ca=ours.ca)
        with connect(settings.working_url(), "test", retries=0) as client:
            with pytest.raises(ServerNotTrusted, match="ssl_certfile"):
                check(client)
        cert, key = ours.sign("client")
        whole = url(port, ssl_ca_certs=ours.ca, ssl_certfile=cert, ssl_keyfile=key)
        settings = use(monkeypatch, tmp_path, port, redis_url=whole)
        with connect(settings.working_url(), "test") as client:
            check(client)
        send_by_celery()
        assert waiting_by_flower() == 1
