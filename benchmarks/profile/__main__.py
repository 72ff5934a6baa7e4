"""Where the time of a window goes, function by function, in each process of a running cluster.

    python -m benchmarks.profile [--machines 300] [--seconds 60] [--to docs/img/profile]

`vtox up` with all that it starts, and a sender of its own. After a minute py-spy samples the stacks
of every Python process a hundred times a second, of those moments in which it works. A table by
process, and with `--to` a flame graph of each.

A process that waits for a core counts as working: on an otherwise idle box the seconds of the
samples are those of the CPU time, and only then do the shares mean anything.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from benchmarks import soak
from benchmarks.bench import live
from benchmarks.profile.flames import draw
from benchmarks.profile.stacks import Stacks, read_stacks, shares
from benchmarks.results import Run
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system.status import snapshot

SAMPLES_PER_S = 100
ROWS = 12
# Sampled by their parent, whose pool processes come and go.
PYTHON_ROLES = ("turn_short", "bearing", "broken_bar", "bridge", "recorder", "uvicorn", "vtox up")


def main() -> None:
    """Run, print the tables, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--machines", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--to", type=Path, help="a folder for the flame graphs")
    options = parser.parse_args()
    if not sampler():
        parser.error("py-spy is not installed: make setup EXTRAS=profile")
    print(Run(), flush=True)
    with tempfile.TemporaryDirectory(prefix="vtox-profile-") as name:
        folder = Path(name)
        up = live.start(folder, None)
        try:
            soak.wait_for_server(folder)
            url = soak.server_url(folder)
            client = connect(url, "profile")
            live.register_machines(client, options.machines)
            with live.sending(url, options.machines, live.WARM_UP_S + options.seconds + 10, None):
                time.sleep(live.WARM_UP_S)
                report(client, psutil.Process(up.pid), options.seconds, folder, options.to)
        finally:
            up.terminate()
            up.wait(timeout=60)


def sampler() -> str | None:
    """Return the path of py-spy, None where there is none."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


def report(client: Client, up: psutil.Process, seconds: int, folder: Path, to: Path | None) -> None:
    """Sample for some seconds; print the table of each process."""
    before, cpu = snapshot(client), live.cpu_by_role(up)
    files = sample(up, seconds, folder)
    after, used = snapshot(client), live.cpu_by_role(up)
    windows = after.counters["windows_done"] - before.counters.get("windows_done", 0)
    print(f"{windows / (after.t - before.t):.0f} windows/s finished")
    for role, stacks in files.items():
        worked_s = used[role] - cpu.get(role, 0.0)
        ms, sampled_s = 1e3 * worked_s / windows, sum(stacks.values()) / SAMPLES_PER_S
        print(f"\n**{role}**: {ms:.3f} ms of CPU a window; worked {worked_s:.1f} s,", end=" ")
        print(f"{sampled_s:.1f} s of samples\n")
        print("\n".join(table(stacks, ms)), flush=True)
        if to:
            to.mkdir(parents=True, exist_ok=True)
            title = f"{role}: {ms:.3f} ms of CPU a window"
            draw(stacks, title, to / f"{role.replace(' ', '_')}.svg")


def sample(up: psutil.Process, seconds: int, folder: Path) -> Mapping[str, Stacks]:
    """Sample all processes at once; return the stacks by role, without those that never worked."""
    runs = []
    for role, process in parents_by_role(up):
        file = folder / f"{process.pid}.txt"
        runs.append((role, file, subprocess.Popen(_command(role, process.pid, seconds, file))))
    found = {}
    for role, file, run in runs:
        run.wait(timeout=seconds + 60)
        if file.exists() and (stacks := read_stacks(file.read_text().splitlines())):
            found[role] = stacks
    return found


def _command(role: str, pid: int, seconds: int, file: Path) -> list[str]:
    # A supervisor is sampled alone, its children have samplers of their own.
    family = [] if role == "vtox up" else ["--subprocesses"]
    options = [
        "-d",
        str(seconds),
        "-r",
        str(SAMPLES_PER_S),
        "-f",
        "raw",
        "-o",
        str(file),
        "--nonblocking",
        *family,
    ]
    return [str(sampler()), "record", "-p", str(pid), *options]


def parents_by_role(up: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the outermost Python process of each role."""
    seen: set[str] = set()
    for process in (up, *up.children(recursive=True)):
        role = soak.role(process.cmdline())
        if role in PYTHON_ROLES and role not in seen:
            seen.add(role)
            yield role, process


def table(stacks: Stacks, ms: float) -> list[str]:
    """Return the functions that take most, as the lines of a table."""
    lines = ["| function | itself, µs a window | with what it calls |", "|---|---:|---:|"]
    for s in shares(stacks)[:ROWS]:
        lines.append(f"| `{s.function}` | {1e3 * ms * s.own:.0f} | {1e3 * ms * s.whole:.0f} |")
    return lines


if __name__ == "__main__":
    main()
