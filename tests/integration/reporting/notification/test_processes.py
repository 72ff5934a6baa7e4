"""`vtox notify` as users run it: killed, stopped and woken, checked, tried, and its output."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.reporting.notification.conftest import SECRET, on_each_database
from tests.integration.reporting.notification.receiver import Receiver
from tests.integration.reporting.notification.test_delivery import raise_alarms
from tests.waiting import eventually
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import NotifierHeartbeat, TargetState
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.status import Snapshot, snapshot

pytestmark = pytest.mark.long

Start = Callable[..., subprocess.Popen[bytes]]
RULES = """
[targets.hook]
kind = "webhook"
url = "{url}"
secret_env = "HOOK_SECRET"
networks = ["127.0.0.0/8"]
timeout_s = 2
retry_first_s = 0.1
retry_max_s = 0.5

[[rules]]
targets = ["hook"]
"""


@pytest.fixture
def environment(settings: Settings, receiver: Receiver, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "notify.toml"
    file.write_text(RULES.format(url=f"{receiver.url}?token=hush-hush"))
    given = {
        "VTOX_REDIS_URL": str(settings.redis_url),
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_DATABASE_URL": settings.database_url or "",
        "VTOX_NOTIFY_FILE": str(file),
        "HOOK_SECRET": SECRET,
    }
    return parent_watch.child_environment(given)


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts `vtox notify run`."""
    started: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        with (tmp_path / "notifier.log").open("ab") as log:
            command = [sys.executable, "-m", "vtox", "notify", "run"]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield run
    for p in started:
        if p.poll() is None:
            p.send_signal(signal.SIGCONT)
            p.kill()
        p.wait(10)


def vtox(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vtox", "notify", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def reports(client: Client, process: subprocess.Popen[bytes]) -> bool:
    beat = heartbeats.notifier(client)
    return beat is not None and beat.pid == process.pid and "hook" in beat.targets


@pytest.mark.long
@on_each_database
def test_a_notifier_killed_stopped_and_woken_loses_nothing(
    start: Start, client: Client, receiver: Receiver, tmp_path: Path
) -> None:
    first = start()
    eventually(lambda: reports(client, first))
    expected: list[str] = []
    receiver.answer = lambda _: time.sleep(0.02) or (200, {})  # type: ignore[func-returns-value]
    expected += raise_alarms(client, 10)
    eventually(lambda: len(receiver.requests) >= 2)
    first.kill()
    first.wait(10)
    running = start()
    eventually(lambda: reports(client, running))
    running.send_signal(signal.SIGSTOP)
    expected += raise_alarms(client, 5, 90)
    second = start()
    eventually(lambda: reports(client, second))
    running.send_signal(signal.SIGCONT)
    eventually(lambda: set(receiver.taken) == set(expected), 60)
    for p in (running, second):
        p.terminate()
        assert p.wait(30) == 0
    log = (tmp_path / "notifier.log").read_text()
    twice = [i for i, n in Counter(receiver.taken).items() if n > 1]
    # A kill, or a stop, may fall between the answer and the note of it: of one message each. And an
    # answer that a busy host gives too late is no answer.
    assert len(twice) <= 2 + log.count("timeout")
    assert heartbeats.notifier(client) is None
    assert "hush" not in log
    assert SECRET not in log


def test_a_missing_secret_stops_its_target_alone(
    environment: dict[str, str], start: Start, client: Client, receiver: Receiver
) -> None:
    rules = Path(environment["VTOX_NOTIFY_FILE"])
    broken = RULES.format(url=receiver.url).split("[[rules]]")[0]
    broken = broken.replace("targets.hook", "targets.other").replace("HOOK_SECRET", "NO_SECRET")
    both = rules.read_text().replace('["hook"]', '["hook", "other"]')
    rules.write_text(broken + both)
    notifier = start()
    eventually(lambda: reports(client, notifier))
    states = eventually(lambda: (b := heartbeats.notifier(client)) and b.targets)
    assert "NO_SECRET" in states["other"].unusable
    assert states["hook"].unusable == ""
    expected = raise_alarms(client, 1, 0)
    eventually(lambda: set(receiver.taken) == set(expected))


def test_targets_are_checked_tried_and_shown(
    environment: dict[str, str], start: Start, client: Client, receiver: Receiver
) -> None:
    checked = vtox(environment, "check")
    assert (checked.returncode, "hook: webhook: ok" in checked.stdout) == (0, True)
    tried = vtox(environment, "test", "hook")
    assert (tried.returncode, tried.stdout) == (0, "hook: taken\n")
    assert re.fullmatch("vtox_test_[0-9a-f]{16}", receiver.taken[0])
    assert "expected one of hook" in vtox(environment, "test", "hock").stderr
    assert json.loads(vtox(environment, "status", "--json").stdout)["dead_letters"] == []
    receiver.answer = lambda _: (410, {})
    assert vtox(environment, "test", "hook").returncode == 1
    notifier = start()
    eventually(lambda: reports(client, notifier))
    raise_alarms(client, 2)
    eventually(lambda: (b := heartbeats.notifier(client)) and b.dead == 2)
    (check,) = (c for c in checks(snapshot(client)) if c.name == "notifier")
    assert (check.status, check.code) == ("warn", "messages_given_up")
    shown = vtox(environment, "status")
    assert "2 dead" in shown.stdout
    assert "http_status 410" in shown.stdout
    receiver.answer = lambda _: (503, {})
    raise_alarms(client, 1, first=2)
    # To ask the command again and again would take the core that the notifier needs.
    eventually(lambda: (b := heartbeats.notifier(client)) and b.targets["hook"].next_t)
    eventually(lambda: "next attempt at 2" in vtox(environment, "status").stdout)
    assert "; the oldest waits since 2" in vtox(environment, "status").stdout
    receiver.answer = lambda _: (200, {})
    assert vtox(environment, "retry").stdout == "waiting again: 2 dead letters\n"
    eventually(lambda: len(receiver.taken) == 4)
    for said in (checked, tried, shown):
        assert "hush" not in said.stdout + said.stderr


def test_what_is_wrong_is_said_before_anything_is_sent(
    environment: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    without = {n: v for n, v in environment.items() if n != "HOOK_SECRET"}
    ended = vtox(without, "check")
    assert ended.returncode == 2
    assert "the environment has no HOOK_SECRET" in ended.stderr
    (tmp_path / "notify.toml").write_text(RULES.format(url=receiver.url).replace("0.0.0/8", "1/8"))
    assert "networks.0" in vtox(environment, "check").stderr
    public = RULES.format(url=receiver.url.replace("http", "https")).replace('"127.0', '"10.0')
    (tmp_path / "notify.toml").write_text(public)
    refused = vtox(environment, "check")
    assert (refused.returncode, "is not public" in refused.stdout) == (1, True)
    nothing = {n: v for n, v in environment.items() if n != "VTOX_NOTIFY_FILE"}
    assert "VTOX_NOTIFY_FILE is not set" in vtox(nothing, "check").stderr
    assert receiver.requests == []


def test_the_check_says_why_nobody_is_notified(client: Client) -> None:
    def code(beat: NotifierHeartbeat | None, age_s: float = 0.0) -> str:
        snap = snapshot(client)
        found = [c for c in checks(replace_notifier(snap, beat, age_s)) if c.name == "notifier"]
        return found[0].code if found else ""

    assert code(None) == ""
    well = {"hook": TargetState(waiting=1)}
    assert code(beat_of(well)) == "notifier_works"
    assert code(beat_of(well), 60.0) == "notifier_is_away"
    assert code(beat_of(well, problem="x")) == "notifier_cannot_work"
    bad = {"hook": TargetState(failures=6, problem="timeout", dead=3)}
    assert code(beat_of(well | bad)) == "target_fails"


def beat_of(targets: dict[str, TargetState], problem: str = "") -> NotifierHeartbeat:
    return NotifierHeartbeat(
        pid=os.getpid(), host="here", last_seen_t=time.time(), problem=problem, targets=targets
    )


def replace_notifier(snap: Snapshot, beat: NotifierHeartbeat | None, age_s: float) -> Snapshot:
    t = beat.last_seen_t + age_s if beat else time.time()
    return replace(snap, notifier=beat, t=t)
