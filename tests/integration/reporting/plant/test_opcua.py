"""The OPC UA server as control rooms read it, by the client of asyncua: kill -9 in between."""

import asyncio
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import gethostname
from threading import Event, Thread
from typing import Any

import pytest

from tests.integration.api.test_energy import energy_of_an_hour
from tests.integration.api.test_machines import commit_health
from tests.integration.reporting.plant.conftest import read
from tests.waiting import eventually, eventually_async
from vtox.motor.values.domain import Motor
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machines import register, retire
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.scalars import add_readings
from vtox.pipeline.store.system import apikeys
from vtox.reporting.history.recorder import Recorder

pytest.importorskip("asyncua", reason="asyncua is not installed: make setup EXTRAS=opcua")
from asyncua import Client as UaClient
from asyncua import ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from cryptography.x509.oid import ExtendedKeyUsageOID

from vtox.reporting.plant.opcua.nodes import FOLDER, NAMESPACE


@pytest.fixture
def machine(client: Client, settings: Settings) -> None:
    """A machine with nameplate, health, meter and a scalar."""
    register(client, "M1", Motor(site="Hall 2", rated_power_w=15_000.0))
    add_readings(client, [ScalarReading("M1", round(server_time(client)), "oil", 2.5, "bar")])
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    commit_health(client, "M1", bearing="warning")
    client.hset(keys.machine("M1"), mapping=energy_of_an_hour(1764000001.0))


def raise_alarm(client: Client, machine_id: str, level: str) -> None:
    fields = {"id": f"{machine_id}:bearing:1", "machine_id": machine_id, "fault": "bearing"}
    client.xadd(keys.ALERTS, fields | {"level": level, "event": "raised", "t": 5.0, "code": "x"})


class Seen:
    """The values and events that a subscription has brought."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.events: list[Any] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        self.values.append(value)

    def event_notification(self, event: Any) -> None:
        self.events.append(event)


async def has_machines(folder: Any, n: int) -> None:
    """Wait until so many are there: on a busy box its watchdog makes the client reconnect."""
    while True:
        with suppress(ConnectionError):
            if len(await folder.get_children()) == n:
                return
        await asyncio.sleep(0.05)


async def state_by(port: int, password: str, folder: Path) -> str:
    """Return the state of M1 as an encrypted client reads it, empty where it is refused."""
    own = folder / "client-key.pem", folder / "client.der"
    await setup_self_signed_certificate(
        *own, "urn:client", gethostname(), [ExtendedKeyUsageOID.CLIENT_AUTH], {"commonName": "it"}
    )
    opened = UaClient(f"opc.tcp://127.0.0.1:{port}/vtox", timeout=10)
    opened.application_uri = "urn:client"
    if password:
        opened.set_user("operator")
        opened.set_password(password)
    try:
        await opened.set_security(SecurityPolicyBasic256Sha256, own[1], own[0])
        async with opened:
            (state,) = await read(opened, "M1/State")
            return str(state)
    except ua.UaStatusCodeError:
        return ""


@pytest.mark.long
def test_a_client_browses_subscribes_and_comes_back(
    client: Client, port: int, command: dict[str, Any], machine: None, tmp_path: Path
) -> None:
    async def work(first: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        address = f"opc.tcp://127.0.0.1:{port}/vtox"
        opened = UaClient(address, timeout=10, auto_reconnect=True, reconnect_max_delay=0.5)
        async with opened:
            index = await opened.get_namespace_index(NAMESPACE)
            folder = opened.get_node(ua.NodeId(FOLDER, index))
            assert [(await n.read_browse_name()).Name for n in await folder.get_children()] == [
                "M1"
            ]
            names = ["NE107", "DeviceHealth", "Health", "Nameplate/rated_power_w"]
            names += ["Energy_kWh", "ActivePower_W", "Scalars/oil:bar"]
            found = await read(opened, *(f"M1/{n}" for n in names))
            assert found == ["maintenance_required", 4, 60.0, 15_000.0, 2.0, 2000.0, 2.5]
            with pytest.raises(ua.UaStatusCodeError):
                await opened.get_node(ua.NodeId("M1/State", index)).write_value("normal")
            seen = Seen()
            subscription = await opened.create_subscription(100, seen)
            await subscription.subscribe_data_change(opened.get_node(ua.NodeId("M1/State", index)))
            await subscription.subscribe_events(opened.nodes.server)
            # node-opcua-client asks for the next message until the server has none.
            asked = ua.RepublishRequest()
            asked.Parameters = ua.RepublishParameters(subscription.subscription_id, 1000)
            with pytest.raises(ua.uaerrors.BadMessageNotAvailable):
                await opened.uaclient.protocol.send_request(asked)
            commit_health(client, "M1", bearing="fault")
            raise_alarm(client, "M1", "fault")
            await eventually_async(lambda: seen.events and "fault" in seen.values, 20)
            (event,) = seen.events
            assert (event.SourceName, event.Severity) == ("M1", 800)
            assert event.Message.Text.startswith("M1: bearing, raised")
            first.kill()
            await asyncio.to_thread(first.wait)
            register(client, "M2", Motor())
            again = subprocess.Popen(**command)
            await eventually_async(lambda: accepts_connections("127.0.0.1", port))
            commit_health(client, "M1", bearing="normal")
            # An asyncua client that asks there by its old channel waits 10 s, up to three times.
            await eventually_async(lambda: "normal" in seen.values, 90)
            await has_machines(folder, 2)
            retire(client, "M2")
            await has_machines(folder, 1)
        key, _ = apikeys.create(client, ["read"], "control room")
        ingest, _ = apikeys.create(client, ["ingest"], "sender")
        told = [await state_by(port, password, tmp_path) for password in (key, ingest, "wrong", "")]
        assert told == ["normal", "", "", ""]
        return again

    with subprocess.Popen(**command) as first:
        eventually(lambda: accepts_connections("127.0.0.1", port))
        again = asyncio.run(work(first))
        again.terminate()
        assert again.wait(20) == 0


@pytest.fixture
def node_client() -> list[str]:
    """The command of a client by node-opcua-client; skips by name where it is not installed."""
    asked = "require('node-opcua-client')"
    node = shutil.which("node")
    if not node or subprocess.run([node, "-e", asked], capture_output=True).returncode:
        pytest.skip("node-opcua-client is not installed (npm install, NODE_PATH)")
    return [node, str(Path(__file__).with_name("node_client.js"))]


def test_node_opcua_client_gets_its_subscription_back(
    client: Client, port: int, command: dict[str, Any], machine: None, node_client: list[str]
) -> None:
    lines: list[str] = []
    endpoint = [f"opc.tcp://127.0.0.1:{port}/vtox", "ns=2;s=M1/State"]
    with ExitStack() as opened:
        first = opened.enter_context(subprocess.Popen(**command))
        eventually(lambda: accepts_connections("127.0.0.1", port))
        node = subprocess.Popen([*node_client, *endpoint], stdout=subprocess.PIPE, text=True)
        reader = Thread(target=lambda: lines.extend(x.strip() for x in node.stdout or ()))
        reader.start()
        try:
            eventually(lambda: "value warning" in lines)
            first.kill()
            first.wait()
            again = opened.enter_context(subprocess.Popen(**command))
            eventually(lambda: accepts_connections("127.0.0.1", port))
            commit_health(client, "M1", bearing="fault")
            eventually(lambda: "value fault" in lines, 40)
            raise_alarm(client, "M1", "fault")
            eventually(lambda: "event M1 800" in lines, 20)
        finally:
            node.kill()
            node.wait()
            reader.join()
            node.stdout and node.stdout.close()
        again.terminate()
        assert again.wait(20) == 0
