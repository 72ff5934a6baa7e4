"""`vtox up` with rules: one process more, which sends, and is started again when it is killed."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.cluster import Cluster, cluster
from tests.integration.reporting.notification.conftest import SECRET
from tests.integration.reporting.notification.receiver import receiving
from tests.integration.reporting.notification.test_delivery import raise_alarms
from tests.integration.reporting.notification.test_processes import RULES
from tests.waiting import eventually
from vtox.pipeline.store.ledger import heartbeats

FEW = [a for role in ("workers", "recorder", "api", "flower") for a in ("--without", role)]


def notifier_pid(running: Cluster) -> int:
    beat = heartbeats.notifier(running.client())
    return beat.pid if beat else 0


def test_alarms_go_out_while_the_system_runs_and_nothing_is_left_of_it_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    rules = tmp_path / "notify.toml"
    with receiving() as receiver:
        rules.write_text(RULES.format(url=receiver.url))
        with cluster(tmp_path, *FEW, VTOX_NOTIFY_FILE=str(rules)) as running:
            eventually(lambda: "VTOX is up" in running.log.read_text())
            first = notifier_pid(running)
            with running.client() as client:
                expected = raise_alarms(client, 3)
                eventually(lambda: set(receiver.taken) >= set(expected))
                os.kill(first, signal.SIGKILL)
                eventually(lambda: notifier_pid(running) not in (0, first))
                expected += raise_alarms(client, 3, 10)
                eventually(lambda: set(receiver.taken) >= set(expected))
            last = notifier_pid(running)
    assert not psutil.pid_exists(last)
    assert SECRET not in running.log.read_text()
