"""docs/howto/send-by-mqtt.md as it is printed: from `mosquitto_pub` to the verdict."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster import Cluster, cluster
from tests.integration.pipeline.sending.mqtt.conftest import MAPPING
from tests.integration.pipeline.sending.mqtt.test_gateway import ENTRY
from tests.mosquitto import SUBSCRIBED, Mosquitto, needs_mosquitto
from tests.mosquitto import broker as broker
from tests.paths import ROOT
from tests.system.test_notification import FEW
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.file_lock import holder_pid
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration import keys

pytestmark = needs_mosquitto


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, "--without", "flower", "--without", "recorder") as started:
        started.wait_for_workers(len(FAMILIES))
        eventually(lambda: accepts_connections("127.0.0.1", started.settings.api_port))
        yield started


def block(language: str, word: str) -> str:
    """Return the code block of the page that contains a word."""
    page = (ROOT / "docs/howto/send-by-mqtt.md").read_text()
    (found,) = (b for b in re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL) if word in b)
    return str(found)


def test_vtox_up_runs_the_gateway_and_starts_it_again(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MAPPING)
    given = {"VTOX_MQTT_URL": broker.url, "VTOX_MQTT_MAPPING": "mapping.toml"}
    with cluster(tmp_path, *FEW, **given) as running:
        held = running.settings.data_dir / "mqtt-vtox.lock"
        eventually(lambda: "VTOX is up" in running.log.read_text())
        first = holder_pid(held)
        assert first
        with running.client() as client:
            broker.publish("plant/M1/window", json.dumps(ENTRY).encode())
            eventually(lambda: client.xlen(keys.RAW) == 1)
            os.kill(first, signal.SIGKILL)
            broker.publish("plant/M1/window", json.dumps(ENTRY | {"seq": 8}).encode())
            # The first may come again, if the broker has not seen that it was taken.
            eventually(lambda: b"8" in {e[b"seq"] for _, e in client.xrange(keys.RAW)})
        eventually(lambda: holder_pid(held) not in (None, first))
        last = holder_pid(held)
    assert last
    assert not psutil.pid_exists(last)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_from_mosquitto_pub_to_the_verdict(
    running: Cluster, broker: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "mapping.toml").write_text(block("toml", "plant/"))
    (tmp_path / "window.py").write_text(block("python", "stdout"))
    assert block("sh", "vtox mqtt").split()[1:] == [".venv/bin/vtox", "mqtt", "mapping.toml"]
    told = {"VTOX_MQTT_URL": broker.url, "VTOX_DATA_DIR": str(running.settings.data_dir)}
    with subprocess.Popen(
        parent_watch.command_watching_parent("vtox", "mqtt", "mapping.toml"),
        cwd=tmp_path,
        env=parent_watch.child_environment(told),
    ) as gateway:
        try:
            eventually(lambda: SUBSCRIBED in broker.log())
            ports = {"localhost:8000": f"127.0.0.1:{running.settings.api_port}"}
            ports |= {"-p 1883": f"-p {broker.port}", "python3": shlex.quote(sys.executable)}
            *sending, reading = re.split(r"\n(?=\w)", block("sh", "mosquitto_pub").strip())
            for text, here in ports.items():
                sending = [line.replace(text, here) for line in sending]
                reading = reading.replace(text, here)
            subprocess.run(["sh", "-ec", "\n".join(sending)], cwd=tmp_path, check=True)
            eventually(lambda: "turn_short_found" in subprocess.getoutput(reading))
        finally:
            gateway.terminate()
            assert gateway.wait(timeout=20) == 0
