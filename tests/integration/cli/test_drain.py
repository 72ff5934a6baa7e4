"""`vtox drain` finds the supervisor of this host, and knows the queues that others serve."""

import os
import time
from pathlib import Path

import pytest

from vtox.cli.processes.drain import exclusive_queues, supervisor_pid
from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster.file_lock import try_lock, write_holder
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.heartbeats import Worker, send
from vtox.pipeline.store.server.client import Client


def test_without_a_running_system_there_is_nothing_to_drain(tmp_path: Path) -> None:
    with pytest.raises(SystemStateError, match="no `vtox up` runs"):
        supervisor_pid(load(data_dir=tmp_path))
    (tmp_path / "cluster.lock").write_text("1")
    with pytest.raises(SystemStateError, match="no `vtox up` runs"):
        supervisor_pid(load(data_dir=tmp_path))


def test_the_supervisor_is_who_holds_the_lock(tmp_path: Path) -> None:
    lock = try_lock(tmp_path / "cluster.lock")
    assert lock is not None
    with pytest.raises(SystemStateError):  # one that does not say who it is is of before
        supervisor_pid(load(data_dir=tmp_path))
    write_holder(lock)
    assert supervisor_pid(load(data_dir=tmp_path)) == os.getpid()
    os.close(lock)


def test_queues_that_no_other_host_serves_are_named(client: Client, settings: Settings) -> None:
    queues = ("bearing", "turn_short")
    send(client, Worker(name="bearing@b", host="b", pid=7, queues=queues, last_seen_t=time.time()))
    assert exclusive_queues(settings) == ["broken_bar"]
