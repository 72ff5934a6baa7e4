"""Windows that a gateway loses or doubles without its line: `python -m benchmarks.spool_kills`.

Windows come by MQTT for half a minute, which represents two hours; the line is cut for half of it.
With `--thingsboard PROGRAM`, `thingsboard-gateway` does the same between two brokers.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.pipeline.client.test_spool import Line
from tests.mosquitto import Mosquitto, new_broker
from tests.small_disk import Disk
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect

MACHINES, WINDOWS, PER_S = 10, 600, 20.0
# Seconds from the beginning.
CUT, KILL, FULL, EMPTY, BACK = 7.0, 12.0, 15.0, 18.0, 22.0
PATIENCE_S = 90.0
MAPPING = '[[topics]]\ntopic = "plant/{machine_id}/window"\nformat = "entry"\n'
Start = Callable[[], "subprocess.Popen[bytes]"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thingsboard", metavar="PROGRAM", help="of another environment")
    program = parser.parse_args().thingsboard
    print("gateway | trouble | sent | lost | sent twice")
    for trouble in ("cut", "cut, kill", "cut, kill, full disk"):
        with tempfile.TemporaryDirectory(prefix="vtox-spool-") as name:
            print(f"vtox mqtt --spool | {trouble} | {of_vtox(Path(name), trouble)}", flush=True)
        if program:
            with tempfile.TemporaryDirectory(prefix="vtox-spool-") as name:
                told = of_thingsboard(Path(name), trouble, program)
                print(f"thingsboard-gateway | {trouble} | {told}", flush=True)


def of_vtox(folder: Path, trouble: str) -> str:
    """Run our gateway under a trouble; return the counts of windows sent, lost, and sent twice."""
    (folder / "mapping.toml").write_text(MAPPING)
    settings = load(data_dir=folder / "server")
    with (
        plant(folder) as (broker, disk),
        EmbeddedServer(settings) as server,
        connect(server.url, "bench") as client,
    ):
        line = Line(server.url)
        given = {
            "VTOX_REDIS_URL": line.url,
            "VTOX_MQTT_URL": broker.url,
            "VTOX_DATA_DIR": str(folder / "gateway"),
        }
        options = [str(folder / "mapping.toml"), "--spool", str(disk.folder / "spool")]
        command = [sys.executable, "-m", "vtox", "mqtt", *options]
        environment = parent_watch.child_environment(given)

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

        def arrived() -> list[str]:
            return [f"{f[b'machine_id'].decode()}:{f[b'seq'].decode()}" for f in entries(client)]

        ready = lambda: "Sending SUBACK to vtox" in broker.log()  # noqa: E731
        return trial(broker, disk, line, start, ready, arrived, trouble)


def entries(client: Client) -> Iterator[dict[bytes, bytes]]:
    """Yield the windows of the stream."""
    return (fields for _, fields in client.xrange(keys.RAW))


def of_thingsboard(folder: Path, trouble: str, program: str) -> str:
    """Run theirs. Its ThingsBoard is a second broker, whose messages are kept."""
    with plant(folder) as (broker, disk):
        far = new_broker(folder / "far")
        far.start()
        line = Line(f"redis://127.0.0.1:{far.port}/0")
        port = int(line.url.rpartition(":")[2].partition("/")[0])
        got: list[str] = []
        listener = paho.Client(CallbackAPIVersion.VERSION2)
        listener.on_message = lambda _, __, m: got.extend(of_telemetry(m.payload))
        listener.connect("127.0.0.1", far.port)
        listener.subscribe("v1/gateway/telemetry", qos=1)
        listener.loop_start()
        configure(folder, disk.folder / "spool", broker.port, port)
        environment = {**os.environ, "TB_GW_CONFIG_DIR": str(folder / "config")}

        def start() -> subprocess.Popen[bytes]:
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            return subprocess.Popen([program], env=environment, cwd=folder, **quiet)

        ready = lambda: "SUBSCRIBE" in broker.log()  # noqa: E731
        told = trial(broker, disk, line, start, ready, lambda: list(got), trouble)
        listener.loop_stop()
        far.stop()
        return told


def of_telemetry(payload: bytes) -> list[str]:
    """Return the identities of the windows in a message of the gateway."""
    rows = json.loads(payload)
    return [
        f"{machine}:{row.get('values', row)['seq']}"
        for machine, several in rows.items()
        for row in several
        if "seq" in row.get("values", row)
    ]


def configure(folder: Path, kept: Path, near: int, far: int) -> None:
    """Write the files of thingsboard-gateway: SQLite as its storage, QoS 1."""
    config = folder / "config"
    config.mkdir()
    kept.mkdir()
    (config / "tb_gateway.json").write_text(
        json.dumps(
            {
                "thingsboard": {
                    "host": "127.0.0.1",
                    "port": far,
                    "remoteShell": False,
                    "remoteConfiguration": False,
                    "statistics": {"enable": False},
                    "security": {"type": "accessToken", "accessToken": "token"},
                    "qos": 1,
                },
                "storage": {
                    "type": "sqlite",
                    "data_file_path": f"{kept}/",
                    "messages_ttl_in_days": 7,
                    "max_read_records_count": 100,
                },
                "grpc": {"enabled": False},
                "connectors": [{"name": "plant", "type": "mqtt", "configuration": "mqtt.json"}],
            }
        )
    )
    mapping = {
        "topicFilter": "plant/+/window",
        "subscriptionQos": 1,
        "converter": {
            "type": "json",
            "deviceInfo": {
                "deviceNameExpressionSource": "topic",
                "deviceNameExpression": "(?<=plant/)(.*?)(?=/window)",
                "deviceProfileExpressionSource": "constant",
                "deviceProfileExpression": "motor",
            },
            "sendDataOnlyOnChange": False,
            "timeout": 60000,
            "attributes": [],
            "timeseries": [{"type": "integer", "key": "seq", "value": "${seq}"}],
        },
    }
    session = {"clientId": "plant", "cleanSession": False, "version": 4}
    broker = {"host": "127.0.0.1", "port": near, "security": {"type": "anonymous"}} | session
    (config / "mqtt.json").write_text(json.dumps({"broker": broker, "mapping": [mapping]}))


@contextmanager
def plant(folder: Path) -> Iterator[tuple[Mosquitto, Disk]]:
    """Run a broker that keeps its sessions, next to a small disk."""
    broker = new_broker(folder / "near")
    broker.start()
    (folder / "disk").mkdir()
    disk = Disk(folder / "disk")
    disk.remount("size=8m")
    try:
        yield broker, disk
    finally:
        broker.stop()
        disk.unmount()


def trial(
    broker: Mosquitto,
    disk: Disk,
    line: Line,
    start: Start,
    ready: Callable[[], bool],
    arrived: Callable[[], list[str]],
    trouble: str,
) -> str:
    """Send windows while the trouble takes its course; count those arrived in the end."""
    gateway = [start()]
    until = time.monotonic() + PATIENCE_S
    while not ready() and time.monotonic() < until:
        time.sleep(0.2)
    began = time.monotonic()

    def course() -> None:
        def wait(t: float) -> None:
            time.sleep(max(0.0, began + t - time.monotonic()))

        wait(CUT)
        line.cut()
        if "kill" in trouble:
            wait(KILL)
            gateway[0].send_signal(signal.SIGKILL)
            gateway[0].wait()
            gateway[0] = start()
        if "full" in trouble:
            wait(FULL)
            disk.fill()
            wait(EMPTY)
            disk.empty()
        wait(BACK)
        line.down = False

    troubled = Thread(target=course)
    troubled.start()
    sender = paho.Client(CallbackAPIVersion.VERSION2)
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    sent = set()
    for i in range(WINDOWS):
        machine, seq = f"M{i % MACHINES}", i // MACHINES
        entry = {"seq": seq, "t0": 1.764e9 + seq, "fs_hz": 1000, "ia": [0.1] * 50}
        sender.publish(f"plant/{machine}/window", json.dumps(entry), qos=1).wait_for_publish(20)
        sent.add(f"{machine}:{seq}")
        time.sleep(max(0.0, began + i / PER_S - time.monotonic()))
    sender.loop_stop()
    troubled.join()
    until = time.monotonic() + PATIENCE_S
    while not set(arrived()) >= sent and time.monotonic() < until:
        time.sleep(0.5)
    time.sleep(2)
    found = arrived()
    gateway[0].kill()
    gateway[0].wait()
    return f"{len(sent)} | {len(sent - set(found))} | {len(found) - len(set(found))}"


if __name__ == "__main__":
    main()
