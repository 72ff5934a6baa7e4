"""The supervisor on small real processes: order, restart, giving up, and the end."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from tests.cluster import free_ports
from vtox.cli.demo_score import Score
from vtox.cli.demo_view import DemoView
from vtox.cluster import supervisor as module
from vtox.cluster.cluster_log import Journal
from vtox.cluster.ports import answers, pulse
from vtox.cluster.processes import Role
from vtox.cluster.supervisor import Supervisor
from vtox.errors import SettingsError, SystemStateError
from vtox.settings import load
from vtox.simulator.fleet import fleet

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


def role(
    name: str, statement: str = SLEEP, *, rank: int = 0, leave: int = 0, once: bool = False
) -> Role:
    """A process that runs one statement."""
    command = ("timeit", "-n1", "-r1", statement)
    return Role(name, command, rank, leave, psutil.pid_exists, once=once)


def run(
    folder: Path,
    plan: list[Role],
    script: Callable[[Supervisor], Awaitable[None]],
    admit: Callable[[], None] = lambda: None,
) -> Supervisor:
    """Run `plan`, and `script` beside it; then stop."""

    async def both() -> None:
        running = asyncio.create_task(supervised.run())
        await asyncio.sleep(0)
        try:
            await script(supervised)
        finally:
            if not running.done():
                supervised.request_stop()
            await running

    with Journal(folder, Console(file=io.StringIO()), quiet=True) as journal:
        supervised = Supervisor(plan, load(data_dir=folder), journal, admit=admit)
        asyncio.run(both())
    return supervised


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_ranks_start_in_order_and_leave_in_theirs(tmp_path: Path) -> None:
    note = f"open({str(tmp_path / 'order')!r}, 'a').write"
    tell = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: ({note}('-{n} '), sys.exit()))\n"
        "{note}('+{n} ')\ntime.sleep(60)"
    )
    plan = [
        role("a", tell.format(note=note, n="a"), rank=0, leave=2),
        role("b", tell.format(note=note, n="b"), rank=1, leave=0),
    ]

    async def script(s: Supervisor) -> None:
        # Readiness of these is only that they exist: wait for what they write.
        await until(lambda: (tmp_path / "order").exists())
        await until(lambda: "+a" in order() and "+b" in order())

    def order() -> str:
        return (tmp_path / "order").read_text()

    run(tmp_path, plan, script)
    assert order().endswith("-b -a ")


def test_a_killed_process_comes_back(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await until(lambda: state.status == "ready")
        first = state.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: state.pid != first and psutil.pid_exists(state.pid))
        assert state.restarts == 1
        await until(lambda: state.status == "ready")

    s = run(tmp_path, [role("a")], script)
    log = (tmp_path / "cluster.log").read_text()
    assert log.index("signal SIGKILL") < log.index("a serves again")
    assert s.states["a"].status == "stopped"


def test_the_view_does_not_leave_it_at_the_end_of_a_process(tmp_path: Path) -> None:
    def seen(s: Supervisor) -> str:
        console = Console(file=io.StringIO(), width=100, height=40)
        with console.capture() as capture:
            score = Score(fleet(1))
            console.print(DemoView(s.settings, console, s.journal, s, score, {}, "x").render())
        return capture.get()

    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await until(lambda: state.status == "ready")
        os.kill(state.pid, signal.SIGKILL)
        await until(lambda: state.status == "restarting")
        assert "a ended (signal SIGKILL), starts again in" in seen(s)
        assert "it serves again" not in seen(s)
        await until(lambda: state.status == "ready")
        assert "; it serves again" in seen(s)

    run(tmp_path, [role("a")], script)


def test_a_process_that_keeps_ending_is_started_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKOFF_S", 0.05)

    async def script(s: Supervisor) -> None:
        await until(lambda: s.states["a"].restarts >= 4)

    run(tmp_path, [role("a", "import os; os._exit(1)")], script)
    log = (tmp_path / "cluster.log").read_text()
    assert [f"starts again in {p} s" in log for p in ("0.05", "0.1", "0.2", "0.4")] == [True] * 4


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_what_has_a_pulse_no_longer_is_killed_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PULSE_S", 0.2)
    one, other = free_ports(2)
    plan = [listener("hangs", one), listener("well", other)]

    async def script(s: Supervisor) -> None:
        await until(lambda: all(x.status == "ready" for x in s.states.values()))
        first, well = s.states["hangs"].pid, s.states["well"].pid
        os.kill(first, signal.SIGSTOP)
        await until(lambda: s.states["hangs"].pid != first)
        await until(lambda: s.states["hangs"].status == "ready")
        assert s.states["well"].pid == well

    run(tmp_path, plan, script)
    log = (tmp_path / "cluster.log").read_text()
    assert "hangs or was stopped: 3 times in a row it did not answer" in log
    assert "hangs ended (signal SIGKILL)" in log


def test_no_pulse_is_missed_for_want_of_our_own_means() -> None:
    statement = """
import os, resource, socket
from vtox.cluster.ports import answers, pulse
unused = socket.socket(); unused.bind(("127.0.0.1", 0))
address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
assert not pulse(address, 1.0), "nobody answers there"
last = os.dup(0); os.close(last)
resource.setrlimit(resource.RLIMIT_NOFILE, (last, last))
assert pulse(address, 1.0)
assert not answers(address)
"""
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def listener(name: str, port: int) -> Role:
    """A process that serves HTTP, and has a pulse as long as it does."""
    address = f"http://127.0.0.1:{port}/"
    return Role(
        name,
        ("http.server", "--bind", "127.0.0.1", str(port)),
        0,
        0,
        lambda _: answers(address),
        lambda _: pulse(address, 1.0),
    )


def test_a_folder_that_went_away_stops_nothing_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKOFF_S", 0.05)
    home = tmp_path / "run"

    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await until(lambda: state.status == "ready")
        home.rename(tmp_path / "elsewhere")
        home.write_text("in the way")
        first = state.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: state.restarts >= 2)
        home.unlink()
        await until(lambda: state.status == "ready" and state.pid != first)

    run(tmp_path, [role("a")], script)
    assert "a cannot be started (" in (tmp_path / "cluster.log").read_text()


def test_what_cannot_start_as_told_ends_everything_with_its_words(tmp_path: Path) -> None:
    statement = "import os; print('vtox: no such port', flush=True); os._exit(2)"
    plan = [Role("a", ("timeit", "-n1", "-r1", statement), 0, 0, lambda _: False)]

    async def wait(s: Supervisor) -> None:
        await until(lambda: bool(s.failure))

    with pytest.raises(SystemStateError, match="a does not start: vtox: no such port"):
        run(tmp_path, plan, wait)


def test_what_never_serves_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_S", 0.02)
    statement = "import os; print('no module named x', flush=True); os._exit(1)"
    plan = [Role("a", ("timeit", "-n1", "-r1", statement), 0, 0, lambda _: False)]

    async def wait(s: Supervisor) -> None:
        await until(lambda: bool(s.failure))
        assert s.states["a"].restarts == module.STARTS_MAX - 1

    with pytest.raises(SystemStateError, match="a does not start: no module named x"):
        run(tmp_path, plan, wait)


def test_admission_is_asked_before_the_second_rank(tmp_path: Path) -> None:
    def refuse() -> None:
        raise SettingsError("no key")

    async def wait(s: Supervisor) -> None:
        await until(lambda: bool(s.failure))
        assert s.states["b"].pid == 0

    with pytest.raises(SystemStateError, match="no key"):
        run(tmp_path, [role("a"), role("b", rank=1)], wait, admit=refuse)


def test_what_has_an_end_is_not_started_again(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        await until(lambda: s.states["a"].status == "finished")
        await asyncio.sleep(0.7)
        assert s.states["a"].restarts == 0

    run(tmp_path, [role("a", "pass", once=True)], script)


def test_the_deaf_are_killed_in_time(tmp_path: Path) -> None:
    began = 0.0

    async def script(s: Supervisor) -> None:
        nonlocal began
        await until(lambda: all(x.status == "ready" for x in s.states.values()))
        await asyncio.sleep(1.0)
        began = time.monotonic()

    plan = [role("a", DEAF, leave=0), role("b", DEAF, leave=1), role("c", DEAF, leave=2)]
    s = run(tmp_path, plan, script)
    assert time.monotonic() - began < 10.0
    assert not any(psutil.pid_exists(x.pid) for x in s.states.values())


def test_asked_twice_everything_ends_at_once(tmp_path: Path) -> None:
    began = 0.0

    async def script(s: Supervisor) -> None:
        nonlocal began
        await until(lambda: s.states["a"].status == "ready")
        await asyncio.sleep(1.0)
        began = time.monotonic()
        s.request_stop()
        s.request_stop()

    run(tmp_path, [role("a", DEAF), role("b", DEAF, leave=1)], script)
    assert time.monotonic() - began < 1.0


def test_what_a_killed_leader_leaves_is_swept(tmp_path: Path) -> None:
    leave_child = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)"
    )

    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await until(lambda: state.last_line.isdigit())
        child = int(state.last_line)
        os.kill(state.pid, signal.SIGKILL)
        await until(
            lambda: (
                not psutil.pid_exists(child)
                or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
            )
        )

    run(tmp_path, [role("a", leave_child)], script)
