"""`vtox replay`: sends recordings through the stream as if their machine ran now."""

import json
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vtox.cli.recordings.replay_table import show
from vtox.cli.shared import options
from vtox.cli.shared.actor import actor
from vtox.cli.shared.server_access import running_server
from vtox.motor.faults import FAULTS
from vtox.motor.files.matching import options as reader_options
from vtox.motor.files.recordings import find, named_recordings
from vtox.motor.values.domain import Recording
from vtox.pipeline.client.reader import Reader as ResultsReader
from vtox.pipeline.cluster.ports import base_url
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.sending.senders import pacing, replay
from vtox.pipeline.sending.senders.replay import Reader, ReplayedRecording
from vtox.pipeline.sending.senders.results_reader import Answers, follow
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.deeds import change_baseline, register_machine
from vtox.pipeline.windows.wire import Limits, encode, entry_header

# Give up after so long without a diagnosis. Records of turn short and bearing end every second or
# two, so that only the last long record can take this long.
QUIET_S = 20.0
MISSING_DIAGNOSES = 1  # exit status


def replay_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings or folders.")],
    machine: Annotated[str, typer.Option(metavar="ID", help="Machine id to send them as.")],
    motor: options.MotorFile = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    fs: options.Rate = None,
    speed_rpm: options.Speed = None,
    part: options.Part = None,
    baseline: options.Healthy = None,
    speed: Annotated[
        str,
        typer.Option(
            metavar="1|10|max",
            help="Speed as a multiple of real time, or max: as fast as possible.",
        ),
    ] = "1",
    window: Annotated[
        float, typer.Option(metavar="S", help="Length of a window in seconds.")
    ] = 1.0,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the diagnoses and show them.")
    ] = True,
    as_json: options.Json = False,
) -> None:
    """Send recordings through the system as if their machine ran now.

    Each file is a separate run. Exit status: 0, or 1 if some windows were not diagnosed.
    """
    console = Console(highlight=False, stderr=as_json)
    opts = reader_options(
        mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm, part=part
    )
    factor = pacing.parse_speed(speed)
    paths, skipped = find(files, opts)
    for path, reason in skipped.items():
        console.print(f"skipped {path.name}: {reason}", style="dim", markup=False)
    nameplate = options.motor_from(motor)
    reader = partial(named_recordings, opts=opts)
    with _bar(console, transient=True) as bar:
        each = bar.add_task("reading", total=len(paths), note="")

        def counted(path: Path) -> list[tuple[str, Recording]]:
            bar.update(each, note=path.name)
            found = reader(path)
            bar.advance(each)
            return found

        parts, first = replay.plan(paths, counted, machine_id=machine, window_s=window)
    settings = load()
    entry_header(encode(first), _limits(settings))
    healthy = options.baseline_from(baseline, opts, nameplate)
    with running_server(settings, "replay") as client:
        if nameplate:
            register_machine(client, actor(), machine, nameplate, limit=settings.max_machines)
        if healthy:
            change_baseline(client, actor(), machine, healthy.to_json())
        last_result = ResultsReader(client).newest_id()
        t0 = pacing.first_t0(time.time(), parts[-1].end_s, factor)
        answers = Answers({p.run: p.windows for p in parts})
        _send(console, client, parts, reader, (machine, t0, window, factor))
        if wait:
            _wait(console, client, answers, machine, last_result)
    if as_json:
        typer.echo(json.dumps(_summary(machine, t0, parts, answers), allow_nan=False))
    else:
        _report(console, settings, machine, parts, answers, waited=wait)
    if wait and answers.missing():
        raise typer.Exit(MISSING_DIAGNOSES)


def _limits(settings: Settings) -> Limits:
    return Limits(settings.max_window_bytes)


def _bar(console: Console, *, transient: bool = False) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        expand=True,
        transient=transient,
        disable=transient and not console.is_terminal,
    )


def _send(
    console: Console,
    client: Client,
    parts: list[ReplayedRecording],
    reader: Reader,
    target: tuple[str, float, float, float | None],
) -> None:
    machine, t0, window_s, factor = target
    jobs = replay.jobs(parts, reader, machine_id=machine, t0=t0, window_s=window_s)
    with _bar(console) as bar:
        task = bar.add_task("sending", total=sum(p.windows for p in parts), note="")
        # Windows of a recording are never too late: none is dropped.
        reported = False
        for progress in pacing.send(client, jobs, factor, late_s=float("inf")):
            note = "waiting for the workers" if progress.behind else ""
            if progress.full:
                note = "the server is out of memory: waiting"
                if not reported and not console.is_terminal:
                    bar.console.print(f"{note} until the workers have finished other windows")
                    reported = True
            bar.update(task, completed=progress.sent, note=note)


def _wait(
    console: Console, client: Client, answers: Answers, machine: str, last_result: str
) -> None:
    total = answers.missing()
    with _bar(console) as bar:
        task = bar.add_task("diagnosed", total=total, note="")
        for _ in follow(ResultsReader(client), answers, machine, last_result, QUIET_S):
            bar.update(task, completed=total - answers.missing())


def _report(
    console: Console,
    settings: Settings,
    machine: str,
    parts: list[ReplayedRecording],
    answers: Answers,
    *,
    waited: bool,
) -> None:
    if waited:
        console.print()
        show(console, {p.run: p.title for p in parts}, answers)
    windows = sum(p.windows for p in parts)
    files = f"{len(parts)} recordings" if len(parts) > 1 else "1 recording"
    console.print(f"\n{windows} windows of {files} sent as {machine}.")
    if waited and answers.missing():
        console.print(
            f"No diagnosis came for {QUIET_S:.0f} s; {answers.missing()} windows of some fault "
            "family have none. `vtox status` shows the queues, `vtox dead-letters list` what was "
            "refused.",
            style="yellow",
        )
    console.print(f"More: vtox machines show {machine}", style="dim")
    page = f"{base_url(settings.api_host, settings.api_port)}/machines/{machine}"
    console.print(f"      {page}", style="dim")


def _summary(
    machine: str, t0: float, parts: Iterable[ReplayedRecording], answers: Answers
) -> dict[str, Any]:
    return {
        "machine_id": machine,
        "missing": answers.missing(),
        "files": [
            {
                "file": str(p.path),
                "recording": p.title,
                "run": p.run,
                "t_start": t0 + p.start_s,
                "t_end": t0 + p.end_s,
                "windows": p.windows,
                "states": {fault: answers.counts(p.run, fault) for fault in FAULTS},
            }
            for p in parts
        ],
    }
