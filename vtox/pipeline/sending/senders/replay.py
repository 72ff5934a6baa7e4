"""Turns recordings into windows: each is a separate run, one after the other in time."""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vtox.motor.errors import RecordingError
from vtox.motor.values.domain import Recording, Window
from vtox.pipeline.sending.senders.pacing import Job

# Lengths of windows that are neither too short for a family nor too large for a server.
WINDOW_MIN_S, WINDOW_MAX_S = 0.05, 60.0
MAX_RUN_NAME = 64
# The recordings in a file, with their names.
Reader = Callable[[Path], list[tuple[str, Recording]]]


@dataclass(frozen=True, slots=True)
class ReplayedRecording:
    """One recording of a replay: it begins `start_s` after the first and is sent as `run`."""

    path: Path
    number: int  # of the recording in its file, from 0
    title: str
    run: str
    start_s: float
    duration_s: float
    windows: int

    @property
    def end_s(self) -> float:
        """The end of the recording, in seconds after the beginning of the first."""
        return self.start_s + self.duration_s


def plan(
    paths: Sequence[Path],
    read: Reader,
    *,
    machine_id: str,
    window_s: float,
) -> tuple[list[ReplayedRecording], Window]:
    """Read every file once, so that an error is reported before anything is sent.

    Returns the parts, and a window of the first for checking that the bridge would accept it.
    """
    if not WINDOW_MIN_S <= window_s <= WINDOW_MAX_S:
        raise RecordingError(
            f"--window {window_s:g}: expected {WINDOW_MIN_S:g} to {WINDOW_MAX_S:g} s"
        )
    parts: list[ReplayedRecording] = []
    start_s = 0.0
    suffix = secrets.token_hex(3)
    first: Window | None = None
    for path in paths:
        for number, (name, recording) in enumerate(read(path)):
            title = name.replace(path.name, path.stem, 1)
            cuts = edges(recording, window_s)
            run = run_name(title, suffix)
            duration_s = recording.duration_s
            parts.append(
                ReplayedRecording(path, number, title, run, start_s, duration_s, len(cuts) - 1)
            )
            start_s += duration_s
            first = first or cut(recording, cuts, 0, machine_id=machine_id, run=run, t0=1.0)
    assert first is not None
    return parts, first


def jobs(
    parts: Sequence[ReplayedRecording],
    read: Reader,
    *,
    machine_id: str,
    t0: float,
    window_s: float,
) -> Iterator[Job]:
    """Yield the windows of all parts, each due when its last sample has been taken."""
    of_file: list[tuple[str, Recording]] = []
    for part in parts:
        of_file = read(part.path) if part.number == 0 else of_file
        _, recording = of_file[part.number]
        cuts = edges(recording, window_s)
        make = partial(
            cut, recording, cuts, machine_id=machine_id, run=part.run, t0=t0 + part.start_s
        )
        for seq in range(len(cuts) - 1):
            yield Job(part.start_s + cuts[seq + 1] / recording.fs_hz, partial(make, seq))


def edges(recording: Recording, window_s: float) -> list[int]:
    """Return the sample numbers at which windows begin and the last one ends.

    A remainder shorter than half a window is added to the last window.
    """
    step = max(1, round(window_s * recording.fs_hz))
    count = max(1, int(recording.samples / step + 0.5))
    return [*(i * step for i in range(count)), recording.samples]


def cut(
    recording: Recording,
    cuts: Sequence[int],
    seq: int,
    *,
    machine_id: str,
    run: str,
    t0: float,
) -> Window:
    """Return window number `seq` of a recording that begins at `t0`."""
    first, last = cuts[seq], cuts[seq + 1]
    return Window(
        machine_id=machine_id,
        run=run,
        seq=seq,
        t0=t0 + first / recording.fs_hz,
        fs_hz=recording.fs_hz,
        channels={c: x[first:last] for c, x in recording.channels.items()},
        speed_rpm=recording.speed_rpm,
        temperature_c=recording.temperature_c,
    )


def run_name(title: str, suffix: str) -> str:
    """Return a name for the run of a recording, of the letters that names may have."""
    stem = re.sub(r"[^A-Za-z0-9._:-]+", "-", title).lstrip("._:-") or "file"
    return f"{stem[: MAX_RUN_NAME - len(suffix) - 1]}.{suffix}"
