"""Readers of OPC UA keep their sessions and subscriptions; silent clients keep no others out."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

import pytest

from tests.integration.api.test_machines import commit_health
from tests.integration.reporting.plant.conftest import read, serving
from tests.waiting import eventually_async
from vtox.motor.values.domain import Motor
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

pytest.importorskip("asyncua", reason="asyncua is not installed: pip install 'vtox[opcua]'")
from asyncua import Client as UaClient
from asyncua import ua

from tests.integration.reporting.plant.test_opcua import Seen
from vtox.reporting.plant.opcua.connections import HELLO_S, WAITING_PER_ADDRESS
from vtox.reporting.plant.opcua.nodes import NAMESPACE

pytestmark = pytest.mark.long

# More than asyncua takes at all.
SILENT = 1500
INVALID, DENIED = "BadSubscriptionIdInvalid", "BadUserAccessDenied"


@pytest.fixture
def machine(client: Client) -> None:
    register(client, "M1", Motor())
    commit_health(client, "M1", bearing="warning")


def reader(port: int, password: str = "") -> UaClient:
    opened = UaClient(f"opc.tcp://127.0.0.1:{port}/vtox", timeout=20)
    if password:
        opened.set_user("operator")
        opened.set_password(password)
    return opened


async def ask(opened: UaClient, request: Any, parameters: Any) -> Any:
    request.Parameters = parameters
    return await opened.uaclient.protocol.send_request(request)


async def statuses(opened: UaClient, subscription_id: int) -> list[str]:
    """The status of each service for a subscription of another client."""
    ids = [subscription_id]
    transfer = ua.TransferSubscriptionsParameters(SubscriptionIds=ids)
    moved = await opened.uaclient.transfer_subscriptions(transfer)
    deleted = await opened.uaclient.delete_subscriptions(ids)
    quiet = ua.SetPublishingModeParameters(PublishingEnabled=False, SubscriptionIds=ids)
    paused = await opened.uaclient.set_publishing_mode(quiet)
    found = [moved[0].StatusCode.name, deleted[0].name, paused[0].name]
    items = ua.CreateMonitoredItemsParameters(SubscriptionId=subscription_id)
    again = ua.RepublishParameters(subscription_id, 1)
    for service, parameters in (
        (ua.CreateMonitoredItemsRequest(), items),
        (ua.RepublishRequest(), again),
    ):
        with pytest.raises(ua.UaStatusCodeError) as refused:
            await ask(opened, service, parameters)
        found.append(type(refused.value).__name__)
    return found


def test_no_reader_reaches_the_subscription_of_another_key(
    client: Client, port: int, command: dict[str, Any], machine: None
) -> None:
    owner, other = (apikeys.create(client, ["read"], name)[0] for name in ("owner", "other"))

    async def work() -> None:
        async with reader(port, owner) as first, reader(port, other) as second:
            index = await first.get_namespace_index(NAMESPACE)
            seen = Seen()
            subscription = await first.create_subscription(100, seen)
            await subscription.subscribe_data_change(first.get_node(ua.NodeId("M1/State", index)))
            await eventually_async(lambda: "warning" in seen.values, 20)
            one = subscription.subscription_id
            assert await statuses(second, one) == [DENIED, INVALID, INVALID, INVALID, INVALID]
            own = await second.create_subscription(100, Seen())
            assert abs(own.subscription_id - one) > 100  # else the next one would be guessed
            commit_health(client, "M1", bearing="fault")
            await eventually_async(lambda: "fault" in seen.values, 20)
            # Another session of the same key, as after a lost connection.
            async with reader(port, owner) as again:
                transfer = ua.TransferSubscriptionsParameters(SubscriptionIds=[one])
                (moved,) = await again.uaclient.transfer_subscriptions(transfer)
                assert moved.StatusCode.is_good()

    with serving(port, command):
        asyncio.run(asyncio.wait_for(work(), 60))


def test_nobody_continues_the_session_of_another(
    client: Client, port: int, command: dict[str, Any], machine: None
) -> None:
    key, _ = apikeys.create(client, ["read"], "owner")

    async def work() -> None:
        async with reader(port, key) as owner:
            token = owner.uaclient.protocol.authentication_token
            assert isinstance(token.Identifier, bytes)
            assert len(token.Identifier) >= 32
            thief = reader(port)
            await thief.connect_socket()
            await thief.send_hello()
            await thief.open_secure_channel()
            for guessed in range(1000, 1050):
                thief.uaclient.protocol.authentication_token = ua.NodeId(guessed)
                with pytest.raises(ua.UaStatusCodeError):
                    await ask(thief, ua.ActivateSessionRequest(), ua.ActivateSessionParameters())
            with pytest.raises(ua.UaStatusCodeError):
                await thief.nodes.server.read_browse_name()
            thief.disconnect_socket()

    with serving(port, command):
        asyncio.run(asyncio.wait_for(work(), 60))


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (max(soft, min(hard, 2 * SILENT)), hard))
    yield
    setrlimit(RLIMIT_NOFILE, (soft, hard))


def test_silent_clients_keep_no_reader_out(
    client: Client, port: int, command: dict[str, Any], machine: None, many_files: None
) -> None:
    async def state() -> Any:
        async with reader(port) as opened:
            return (await read(opened, "M1/State"))[0]

    with serving(port, command), ExitStack() as opened:
        silent = [opened.enter_context(socket.socket()) for _ in range(SILENT)]
        for s in silent:
            s.connect(("127.0.0.1", port))
        began = time.monotonic()
        assert asyncio.run(asyncio.wait_for(state(), 15)) == "warning"
        took_s = time.monotonic() - began
        assert took_s < HELLO_S, took_s
        # The last ones are waited for as long as a HELLO may take.
        silent[-1].settimeout(2 * HELLO_S)
        assert silent[-1].recv(1) == b""
        assert 0 < WAITING_PER_ADDRESS < SILENT
