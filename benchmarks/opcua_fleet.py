"""Cost of a fleet to the OPC UA server: `python -m benchmarks.opcua_fleet 1000`.

Time until clients may connect, memory, CPU time while ten machines change each second, and how long
alarms take to reach a client of asyncua.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from asyncua import Client as UaClient
from asyncua import ua

from tests.cluster import free_ports
from tests.integration.api.test_energy import energy_of_an_hour
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect
from vtox.reporting.plant.opcua.nodes import FOLDER, NAMESPACE

SECONDS, CHANGES_A_SECOND, ALARMS = 20, 10, 10


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="vtox-opcua-") as folder:
        settings = load(data_dir=Path(folder))
        with EmbeddedServer(settings) as server, connect(server.url, "bench") as client:
            fill(client, n)
            (port,) = free_ports(1)
            given = {"VTOX_REDIS_URL": server.url, "VTOX_DATA_DIR": folder}
            environment = parent_watch.child_environment(given | {"VTOX_OPCUA_PORT": str(port)})
            command = parent_watch.command_watching_parent("vtox", "opcua")
            began = time.monotonic()
            with subprocess.Popen(command, env=environment) as process:
                while not accepts_connections("127.0.0.1", port):
                    assert process.poll() is None, "it has ended"
                    time.sleep(0.1)
                print(f"{n} machines: ready after {time.monotonic() - began:.1f} s")
                used = psutil.Process(process.pid)
                times = used.cpu_times()
                print(f"CPU until then {times.user + times.system:.1f} s")
                asyncio.run(look(client, port, used))
                process.terminate()


def fill(client: Client, n: int) -> None:
    """Register machines with a nameplate, a health and a meter."""
    for i in range(n):
        register(client, f"M{i}", Motor(site="Hall 2", rated_power_w=15e3, pole_pairs=2))
        change(client, f"M{i}", 90.0)


def change(client: Client, machine_id: str, health: float) -> None:
    """Write the fields of a machine that a commit writes."""
    assessed = {"t": time.time(), "health": health, "state": "normal", "faults": {}}
    energy = energy_of_an_hour(time.time(), 1000.0 + health)
    client.hset(keys.machine(machine_id), mapping={"health": json.dumps(assessed), **energy})
    number = client.hincrby(keys.FLEET, "change", 1)
    client.zadd(keys.FLEET_CHANGES, {machine_id: number})
    client.zadd(keys.MACHINES, {machine_id: time.time()})


class Arrivals:
    """The times at which events came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def event_notification(self, event: Any) -> None:
        """Note an event."""
        self.times.append(time.monotonic())


async def look(client: Client, port: int, used: psutil.Process) -> None:
    """Browse, subscribe, change machines, raise alarms; print the cost."""
    async with UaClient(f"opc.tcp://127.0.0.1:{port}/vtox", timeout=60) as opened:
        index = await opened.get_namespace_index(NAMESPACE)
        began = time.monotonic()
        children = await opened.get_node(ua.NodeId(FOLDER, index)).get_children()
        print(f"browsed {len(children)} in {time.monotonic() - began:.2f} s")
        arrivals = Arrivals()
        subscription = await opened.create_subscription(100, arrivals)
        await subscription.subscribe_events(opened.nodes.server)
        before, begin = sum(used.cpu_times()[:2]), time.monotonic()
        for second in range(SECONDS):
            for i in range(CHANGES_A_SECOND):
                change(client, f"M{(second * CHANGES_A_SECOND + i) % len(children)}", 80.0 + i)
            await asyncio.sleep(1)
        spent = sum(used.cpu_times()[:2]) - before
        print(f"CPU {100 * spent / (time.monotonic() - begin):.1f} % of a core")
        delays = []
        for i in range(ALARMS):
            fields = {"id": f"M{i}:bearing:1", "machine_id": f"M{i}", "fault": "bearing"}
            begin = time.monotonic()
            client.xadd(keys.ALERTS, fields | {"level": "fault", "event": "raised", "t": 1})
            while len(arrivals.times) <= i:
                await asyncio.sleep(0.01)
            delays.append(arrivals.times[i] - begin)
        print(f"event after {median(delays):.2f} s, at most {max(delays):.2f} s")
        print(f"memory {used.memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
