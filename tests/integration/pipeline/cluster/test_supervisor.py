"""The supervisor on small real processes: order, restart, giving up, stopping."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from rich.console import Console

import celeryconfig
from tests.cluster import free_ports
from tests.waiting import eventually_async, is_alive
from vtox.cli.simulation.demo_score import Score
from vtox.cli.simulation.demo_view import DemoView
from vtox.motor.errors import SystemStateError
from vtox.motor.simulator.fleet import fleet
from vtox.pipeline.cluster import api_owned, embedded_server, probing
from vtox.pipeline.cluster import supervisor as module
from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.ports import is_live, responds
from vtox.pipeline.cluster.probing import ProcessState
from vtox.pipeline.cluster.processes import ProcessSpec
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import SettingsError
from workers.time_limit import limit_s

BATCH_WINDOWS = load().batch_windows
BATCH_BYTES = BATCH_WINDOWS * 80_000  # a full batch of the usual windows
SLEEP = "import time; time.sleep(60)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
IGNORES_SIGTERM += "print('ignores SIGTERM', flush=True); " + SLEEP


def spec(
    name: str,
    statement: str = SLEEP,
    *,
    start_order: int = 0,
    stop_order: int = 0,
    is_ready: Callable[[int], bool] = psutil.pid_exists,
    one_shot: bool = False,
) -> ProcessSpec:
    """A process that runs one statement."""
    command = ("timeit", "-n1", "-r1", statement)
    return ProcessSpec(name, command, start_order, stop_order, is_ready, one_shot=one_shot)


def run(
    folder: Path,
    specs: list[ProcessSpec],
    script: Callable[[Supervisor], Awaitable[None]],
    **given: Any,
) -> Supervisor:
    """Run `specs` together with `script`; then stop."""

    async def both() -> None:
        running = asyncio.create_task(supervised.run())
        await asyncio.sleep(0)
        try:
            await script(supervised)
        finally:
            if not running.done():
                supervised.request_stop()
            await running

    with ClusterLog(folder, Console(file=io.StringIO()), quiet=True) as log:
        supervised = Supervisor(specs, load(data_dir=folder), log, **given)
        asyncio.run(both())
    return supervised


def test_processes_start_and_stop_in_their_orders(tmp_path: Path) -> None:
    note = f"open({str(tmp_path / 'order')!r}, 'a').write"
    write = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: ({note}('-{n} '), sys.exit()))\n"
        "{note}('+{n} ')\ntime.sleep(60)"
    )
    specs = [
        spec("a", write.format(note=note, n="a"), start_order=0, stop_order=2),
        spec("b", write.format(note=note, n="b"), start_order=1, stop_order=0),
    ]

    async def script(s: Supervisor) -> None:
        # These are ready as soon as they exist: wait for their output.
        await eventually_async(lambda: (tmp_path / "order").exists())
        await eventually_async(lambda: "+a" in order() and "+b" in order())

    def order() -> str:
        return (tmp_path / "order").read_text()

    run(tmp_path, specs, script)
    assert order().endswith("-b -a ")


def test_a_killed_process_comes_back(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await eventually_async(lambda: state.status == "ready")
        first = state.pid
        os.kill(first, signal.SIGKILL)
        await eventually_async(lambda: state.pid != first and psutil.pid_exists(state.pid))
        assert state.restarts == 1
        await eventually_async(lambda: state.status == "ready")

    s = run(tmp_path, [spec("a")], script)
    log = (tmp_path / "cluster.log").read_text()
    assert log.index("signal SIGKILL") < log.index("a is ready again")
    assert s.states["a"].status == "stopped"


def view(s: Supervisor, **addresses: str) -> str:
    console = Console(file=io.StringIO(), width=100, height=40)
    with console.capture() as capture:
        score = Score(fleet(1))
        console.print(DemoView(s.settings, console, s.log, s, score, addresses, "x").render())
    return capture.get()


def test_the_demo_shows_an_address_once_it_is_answered(tmp_path: Path) -> None:
    answers = tmp_path / "answers"

    async def script(s: Supervisor) -> None:
        assert "here" not in view(s, page="here")
        answers.touch()
        await eventually_async(lambda: s.states["api"].status == "ready")
        assert "here" in view(s, page="here")

    run(tmp_path, [spec("api", is_ready=lambda _: answers.exists())], script)


def test_the_demo_says_how_far_its_start_is_on_a_terminal(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        assert "starting: 0 of 1 processes ready" in view(s)
        await eventually_async(lambda: s.states["api"].status == "ready")
        assert "starting: 1 of 1 processes ready" in view(s)

    run(tmp_path, [spec("api")], script)


def test_the_demo_view_shows_that_a_process_is_ready_again(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await eventually_async(lambda: state.status == "ready")
        os.kill(state.pid, signal.SIGKILL)
        await eventually_async(lambda: state.status == "restarting")
        assert "a ended (signal SIGKILL), starts again in" in view(s)
        assert "it is ready again" not in view(s)
        await eventually_async(lambda: state.status == "ready")
        assert "; it is ready again" in view(s)

    run(tmp_path, [spec("a")], script)


def test_after_service_each_kill_is_followed_by_a_restart_within_a_second(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        for restarts in range(1, 7):
            await eventually_async(lambda: state.status == "ready")
            before = state.pid
            os.kill(before, signal.SIGKILL)
            await eventually_async(lambda before=before: state.pid != before)
            assert state.restarts == restarts

    run(tmp_path, [spec("a")], script)
    assert module.FIRST_PAUSE_S < 1.0
    log = (tmp_path / "cluster.log").read_text()
    assert log.count(f"starts again in {module.FIRST_PAUSE_S:g} s") == 6


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_process_that_is_not_live_is_killed_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "LIVENESS_INTERVAL_S", 0.2)
    one, other = free_ports(2)
    specs = [listener("hangs", one), listener("well", other)]

    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: all(x.status == "ready" for x in s.states.values()))
        first, well = s.states["hangs"].pid, s.states["well"].pid
        os.kill(first, signal.SIGSTOP)
        await eventually_async(lambda: s.states["hangs"].pid != first)
        await eventually_async(lambda: s.states["hangs"].status == "ready")
        assert s.states["well"].pid == well

    run(tmp_path, specs, script)
    log = (tmp_path / "cluster.log").read_text()
    assert "hangs or was stopped: 3 liveness probes in a row failed" in log
    assert "hangs ended (signal SIGKILL)" in log


def test_without_free_descriptors_processes_count_as_live() -> None:
    statement = """
import os, resource, socket
from vtox.pipeline.cluster.ports import is_live, responds
unused = socket.socket(); unused.bind(("127.0.0.1", 0))
address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
assert not is_live(address, 1.0), "nothing listens there"
last = os.dup(0); os.close(last)
resource.setrlimit(resource.RLIMIT_NOFILE, (last, last))
assert is_live(address, 1.0)
assert not responds(address)
"""
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def listener(name: str, port: int) -> ProcessSpec:
    """A process that serves HTTP, and is live as long as it does."""
    address = f"http://127.0.0.1:{port}/"
    return ProcessSpec(
        name,
        ("http.server", "--bind", "127.0.0.1", str(port)),
        0,
        0,
        lambda _: responds(address),
        lambda _: is_live(address, 1.0),
    )


def test_a_process_restarts_once_its_folder_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
    home = tmp_path / "run"

    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await eventually_async(lambda: state.status == "ready")
        home.rename(tmp_path / "elsewhere")
        home.write_text("in the way")
        first = state.pid
        os.kill(first, signal.SIGKILL)
        await eventually_async(lambda: state.restarts >= 2)
        home.unlink()
        await eventually_async(lambda: state.status == "ready" and state.pid != first)

    run(tmp_path, [spec("a")], script)
    assert "a cannot be started (" in (tmp_path / "cluster.log").read_text()


def test_a_process_that_cannot_start_ends_the_run_with_its_last_line(tmp_path: Path) -> None:
    statement = "import os; print('vtox: no such port', flush=True); os._exit(2)"
    specs = [spec("a", statement, is_ready=lambda _: False)]

    async def wait(s: Supervisor) -> None:
        await eventually_async(lambda: bool(s.failure))

    with pytest.raises(SystemStateError, match="a does not start: vtox: no such port"):
        run(tmp_path, specs, wait)


def test_a_process_that_is_never_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.02)
    statement = "import os; print('no module named x', flush=True); os._exit(1)"
    specs = [spec("a", statement, is_ready=lambda _: False)]

    async def wait(s: Supervisor) -> None:
        await eventually_async(lambda: bool(s.failure))
        assert s.states["a"].restarts == module.STARTS_MAX - 1

    with pytest.raises(SystemStateError, match="a does not start: no module named x"):
        run(tmp_path, specs, wait)
    log = (tmp_path / "cluster.log").read_text()
    assert [f"starts again in {p} s" in log for p in ("0.02", "0.04", "0.08", "0.16")] == [True] * 4


def test_the_others_go_on_without_an_optional_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ABSENT_PAUSE_S", 0.1)
    secret = tmp_path / "secret"
    statement = (
        f"import os, pathlib, time; there = pathlib.Path({str(secret)!r}).exists(); "
        "there or print('no secret', flush=True) or os._exit(2); time.sleep(60)"
    )
    ready: list[bool] = []
    optional = replace(
        spec("b", statement, start_order=1, is_ready=lambda _: secret.exists()), optional=True
    )

    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: ready)
        assert s.problems() == {"b": "no secret"}
        await eventually_async(lambda: s.states["b"].restarts > 2)
        assert (s.failure, s.states["a"].status) == ("", "ready")
        secret.touch()
        await eventually_async(lambda: s.states["b"].status == "ready")
        assert s.problems() == {}

    run(tmp_path, [spec("a"), optional], script, on_ready=lambda: ready.append(True))
    log = (tmp_path / "cluster.log").read_text()
    assert log.count("b does not start: no secret; the others go on without it") == 1
    assert "b is ready again" in log


def test_what_fails_beside_the_processes_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKGROUND_PAUSE_S", 0.01)
    tries: list[bool] = []

    async def work() -> None:
        tries.append(True)
        if len(tries) == 1:
            raise ValueError("too few")
        await asyncio.sleep(60)

    async def script(s: Supervisor) -> None:
        s.run_background("scaler", work)
        await eventually_async(lambda: len(tries) == 2)
        assert s.problems() == {"scaler": "ValueError('too few')"}

    run(tmp_path, [spec("a")], script)
    assert "scaler failed, and begins again" in (tmp_path / "cluster.log").read_text()


def lacks_the_server_once(folder: Path) -> ProcessSpec:
    """A process whose first start waits for the file `go`, and then cannot go on."""
    began, go = folder / "began", folder / "go"
    statement = (
        "import os, pathlib, time\n"
        f"began, go = pathlib.Path({str(began)!r}), pathlib.Path({str(go)!r})\n"
        "again = began.exists(); began.touch()\n"
        "while not go.exists(): time.sleep(0.01)\n"
        "again or os._exit(2)\ntime.sleep(60)"
    )
    second = folder / "second"
    return spec("b", statement, start_order=1, is_ready=lambda _: second.exists())


def test_what_cannot_start_while_the_server_restarts_is_started_again(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        server, b = s.states["server"], s.states["b"]
        await eventually_async(lambda: (tmp_path / "began").exists())
        first = server.pid
        os.kill(first, signal.SIGKILL)
        await eventually_async(lambda: server.pid != first and server.status == "ready")
        (tmp_path / "go").touch()
        await eventually_async(lambda: b.restarts == 1 or bool(s.failure))
        (tmp_path / "second").touch()
        await eventually_async(lambda: b.status == "ready" or bool(s.failure))
        assert s.failure == ""

    run(tmp_path, [spec("server"), lacks_the_server_once(tmp_path)], script)


def test_what_cannot_start_while_no_server_responds_is_started_again(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        (tmp_path / "go").touch()
        await eventually_async(lambda: s.states["b"].restarts == 1 or bool(s.failure))
        (tmp_path / "second").touch()
        await eventually_async(lambda: s.states["b"].status == "ready" or bool(s.failure))
        assert s.failure == ""

    run(tmp_path, [lacks_the_server_once(tmp_path)], script, server_responds=lambda: False)


def test_a_preflight_that_lacks_the_server_is_made_again(tmp_path: Path) -> None:
    tries: list[bool] = []

    def preflight() -> None:
        tries.append(True)
        if len(tries) == 1:
            raise redis.ConnectionError("connection refused")

    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: s.states["b"].status == "ready")

    specs = [spec("server"), spec("b", start_order=1)]
    answers = iter([False])
    run(tmp_path, specs, script, preflight=preflight, server_responds=lambda: next(answers, True))
    assert len(tries) == 2


def test_a_failed_preflight_starts_no_further_process(tmp_path: Path) -> None:
    def refuse() -> None:
        raise SettingsError("no key")

    async def wait(s: Supervisor) -> None:
        await eventually_async(lambda: bool(s.failure))
        assert s.states["b"].pid == 0

    with pytest.raises(SystemStateError, match="no key"):
        run(tmp_path, [spec("a"), spec("b", start_order=1)], wait, preflight=refuse)


def test_a_finished_one_shot_is_not_started_again(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: s.states["a"].status == "finished")
        await asyncio.sleep(0.7)
        assert s.states["a"].restarts == 0

    run(tmp_path, [spec("a", "pass", one_shot=True)], script)


def test_all_are_killed_within_half_a_minute_and_a_worker_may_finish_its_batch() -> None:
    assert sum(module.STOP_TIMEOUTS_S) < 30
    assert module.STOP_TIMEOUTS_S[1] > limit_s(BATCH_BYTES, BATCH_WINDOWS)
    assert module.STOP_TIMEOUTS_S[1] > celeryconfig.worker_soft_shutdown_timeout
    assert module.STOP_TIMEOUTS_S[2] > embedded_server.STOP_TIMEOUT_S
    assert api_owned.STOP_TIMEOUT_S > sum(module.STOP_TIMEOUTS_S)


def ignores_sigterm(state: ProcessState) -> bool:
    return state.status == "ready" and state.last_line == "ignores SIGTERM"


def test_processes_that_ignore_sigterm_are_killed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_TIMEOUTS_S", (1.0, 1.0, 1.0))
    stopped_t = 0.0

    async def script(s: Supervisor) -> None:
        nonlocal stopped_t
        await eventually_async(lambda: all(map(ignores_sigterm, s.states.values())))
        stopped_t = time.monotonic()

    specs = [
        spec("a", IGNORES_SIGTERM, stop_order=0),
        spec("b", IGNORES_SIGTERM, stop_order=1),
        spec("c", IGNORES_SIGTERM, stop_order=2),
    ]
    s = run(tmp_path, specs, script)
    assert 3.0 < time.monotonic() - stopped_t < 50.0, "they would sleep for a minute"
    assert not any(psutil.pid_exists(x.pid) for x in s.states.values())


def test_a_second_stop_request_kills_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_TIMEOUTS_S", (30.0, 30.0, 30.0))
    stopped_t = 0.0

    async def script(s: Supervisor) -> None:
        nonlocal stopped_t
        await eventually_async(lambda: all(map(ignores_sigterm, s.states.values())))
        stopped_t = time.monotonic()
        s.request_stop()
        s.request_stop()

    run(tmp_path, [spec("a", IGNORES_SIGTERM), spec("b", IGNORES_SIGTERM, stop_order=1)], script)
    assert time.monotonic() - stopped_t < module.STOP_TIMEOUTS_S[0]


def test_the_group_of_a_killed_process_is_killed(tmp_path: Path) -> None:
    leave_child = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)"
    )

    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await eventually_async(lambda: state.last_line.isdigit())
        child = int(state.last_line)
        os.kill(state.pid, signal.SIGKILL)
        await eventually_async(lambda: not is_alive(child))

    run(tmp_path, [spec("a", leave_child)], script)


def test_a_process_is_added_and_one_retired_while_the_others_run(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: s.states["a"].status == "ready")
        first = s.states["a"].pid
        s.add(spec("b"))
        await eventually_async(lambda: s.states["b"].status == "ready")
        await s.retire("a", timeout_s=10.0)
        assert set(s.states) == {"b"}
        assert not psutil.pid_exists(first)
        assert s.states["b"].restarts == 0

    run(tmp_path, [spec("a")], script)


def test_a_retired_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    async def script(s: Supervisor) -> None:
        state = s.states["a"]
        await eventually_async(lambda: "ignores" in state.last_line)
        await s.retire("a", timeout_s=0.2)
        assert not psutil.pid_exists(state.pid)

    run(tmp_path, [spec("a", IGNORES_SIGTERM)], script)


def test_a_process_retired_while_it_is_started_again_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = asyncio.create_subprocess_exec
    pids: list[int] = []
    retirements: list[asyncio.Task[None]] = []

    async def script(s: Supervisor) -> None:
        async def start_slowly(*command: str, **options: Any) -> asyncio.subprocess.Process:
            process = await start(*command, **options)
            pids.append(process.pid)
            retirements.append(s.retire("a", timeout_s=10.0))
            await asyncio.sleep(0.2)
            return process

        await eventually_async(lambda: s.states["a"].status == "ready")
        monkeypatch.setattr(asyncio, "create_subprocess_exec", start_slowly)
        os.kill(s.states["a"].pid, signal.SIGKILL)
        await eventually_async(lambda: retirements and retirements[0].done(), timeout_s=10.0)
        assert not s.states
        assert not is_alive(pids[0])

    run(tmp_path, [spec("a")], script)
    assert len(pids) == 1, "it is not started again"


def test_a_drained_host_lets_its_bridge_end_first_and_then_all_the_others(tmp_path: Path) -> None:
    ends = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); " + SLEEP
    )

    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: all(p.status == "ready" for p in s.states.values()))
        os.kill(os.getpid(), signal.SIGUSR1)
        await eventually_async(lambda: s.stopping)
        assert set(s.states) == {"api"}
        assert not s.failure

    run(tmp_path, [spec("bridge", ends), spec("api", ends)], script)
    text = (tmp_path / "cluster.log").read_text()
    assert "draining: bridge may finish" in text
    assert "bridge has handed over after" in text


def test_a_host_that_is_drained_while_it_starts_starts_no_more_and_ends(tmp_path: Path) -> None:
    ready: list[str] = []

    async def script(s: Supervisor) -> None:
        await eventually_async(lambda: s.states["bridge"].status == "starting")
        assert s.states["worker"].status == "waiting"
        s.drain()
        await eventually_async(lambda: s.stopping, timeout_s=10.0)

    never = [spec("bridge", is_ready=lambda _: False), spec("worker", start_order=1)]
    supervised = run(tmp_path, never, script, on_ready=lambda: ready.append("ready"))
    assert not supervised.states["worker"].pid
    assert not ready
