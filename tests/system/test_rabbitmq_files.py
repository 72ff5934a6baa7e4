"""RabbitMQ by the files of `deploy/rabbitmq`: TLS alone, virtual host, and policy of the queues."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue

from tests.paths import ROOT
from tests.rabbitmq import RabbitMQ, needs_rabbitmq, rabbitmq
from tests.tls_server import authority
from vtox.motor.faults import FAMILIES

pytestmark = [needs_rabbitmq, pytest.mark.alone]
FILES = ROOT / "deploy/rabbitmq"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RabbitMQ, Path]]:
    """A node that reads these files from another folder, on another port; and its CA."""
    folder = tmp_path_factory.mktemp("rabbitmq-files")
    ours = authority(folder / "ca")
    certificate, key = ours.sign("rabbit")
    for name, source in (("ca", ours.ca), ("cert", certificate), ("key", key)):
        (folder / f"{name}.pem").write_bytes(source.read_bytes())
    (folder / "definitions.json").write_bytes((FILES / "definitions.json").read_bytes())
    text = (FILES / "rabbitmq.conf").read_text().replace("/etc/rabbitmq", str(folder))
    with rabbitmq(folder, text, ours.ca) as running:
        yield running, ours.ca


@pytest.mark.timeout(180)
def test_the_files_make_virtual_host_and_policy_of_the_queues(node: tuple[RabbitMQ, Path]) -> None:
    running, ca = node
    running.control("add_user", "vtox", "a-long-password")
    running.control("set_permissions", "-p", "vtox", "vtox", ".*", ".*", ".*")
    url = f"amqps://vtox:a-long-password@localhost:{running.port}/vtox"
    with Connection(url, ssl={"ca_certs": os.fspath(ca)}) as connection:
        for family in FAMILIES:
            arguments = {"x-queue-type": "quorum"}
            queue = Queue(family, Exchange(family), family, queue_arguments=arguments)
            queue(connection.default_channel).declare()
    listed = running.control(
        "-q", "--formatter", "json", "list_queues", "-p", "vtox", "name", "policy"
    )
    assert {q["name"]: q["policy"] for q in json.loads(listed)} == dict.fromkeys(
        FAMILIES, "vtox-queues"
    )
