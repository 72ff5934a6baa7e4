"""How `vtox up` ends: asked to, killed, or before it has begun."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cluster import cluster, free_ports
from tests.system.test_up import family, ready
from tests.waiting import eventually, is_alive
from vtox.pipeline.cluster.supervisor import STOP_TIMEOUTS_S


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(tmp_path: Path, how: signal.Signals) -> None:
    with cluster(tmp_path, "--without", "flower") as started:
        eventually(lambda: ready(started), 120)
        everyone = [psutil.Process(started.pid), *family(started.pid)]
        assert len(everyone) >= 10
        os.kill(started.pid, how)
        eventually(lambda: not any(map(is_alive, everyone)), sum(STOP_TIMEOUTS_S))


def test_production_does_not_start_without_a_key(tmp_path: Path) -> None:
    api_port, coordinator = free_ports(2)
    done = subprocess.run(
        [sys.executable, "-m", "vtox", "up", "--without", "flower"],
        env=os.environ
        | {
            "VTOX_DATA_DIR": str(tmp_path),
            "VTOX_CLUSTER_MODE": "production",
            "VTOX_API_HOST": "127.0.0.1",
            "VTOX_API_PORT": str(api_port),
            "VTOX_COORDINATOR_PORT": str(coordinator),
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 2
    assert "vtox keys create" in done.stderr
