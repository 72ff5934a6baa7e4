"""Ids of machines are ids of nodes: none meets another, and a broken machine hides no other."""

import asyncio
from typing import Any

import pytest

from tests.integration.api.test_machines import commit_health
from tests.integration.reporting.plant.conftest import read, serving
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client

pytest.importorskip("asyncua", reason="asyncua is not installed: pip install 'vtox[opcua]'")
from asyncua import Client as UaClient

pytestmark = pytest.mark.long

# Each was the id of a node of another machine, or of the folder.
NAMES = ("GOOD", "GOOD.State", "GOOD.Faults", "GOOD.Scalars.oil:bar", "Machines")


def test_every_id_of_a_machine_is_shown(client: Client, port: int, command: dict[str, Any]) -> None:
    for name in NAMES:
        register(client, name, Motor(site=f"hall of {name}"))

    async def work() -> None:
        async with UaClient(f"opc.tcp://127.0.0.1:{port}/vtox", timeout=10) as opened:
            found = await read(opened, *(f"{name}/Site" for name in NAMES))
            assert found == [f"hall of {name}" for name in NAMES]

    with serving(port, command):
        asyncio.run(work())


def test_a_machine_of_a_damaged_nameplate_hides_no_other(
    client: Client, port: int, command: dict[str, Any]
) -> None:
    for name in ("BAD", "M1"):
        register(client, name, Motor())
    # A later version may write a value of another type.
    client.hset(keys.machine("BAD"), "motor", b'{"site": {"hall": 2}}')

    async def work() -> None:
        async with UaClient(f"opc.tcp://127.0.0.1:{port}/vtox", timeout=10) as opened:
            commit_health(client, "M1", bearing="warning")

            async def state() -> Any:
                return (await read(opened, "M1/State"))[0]

            while await state() != "warning":
                await asyncio.sleep(0.05)
            assert await read(opened, "BAD/Site") == [""]

    with serving(port, command):
        asyncio.run(asyncio.wait_for(work(), 30))
