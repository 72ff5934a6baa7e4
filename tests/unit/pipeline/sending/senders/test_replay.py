from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vtox.motor.errors import RecordingError
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Recording, State
from vtox.pipeline.sending.senders import replay
from vtox.pipeline.sending.senders.replay import Reader
from vtox.pipeline.sending.senders.results_reader import Answers
from vtox.pipeline.store.stream.entries import Result


def reader(**durations: float) -> Reader:
    def read(path: Path) -> list[tuple[str, Recording]]:
        samples = round(durations[path.stem] * 1000)
        x = np.arange(samples, dtype=float)
        return [(path.name, Recording(channels={"ia": x}, fs_hz=1000.0))]

    return read


@pytest.mark.parametrize(
    ("duration_s", "windows"),
    [(5.0, [1000] * 5), (5.2, [1000] * 4 + [1200]), (5.7, [1000] * 5 + [700]), (0.3, [300])],
)
def test_windows_hold_every_sample_once(duration_s: float, windows: list[int]) -> None:
    [(_, recording)] = reader(a=duration_s)(Path("a"))
    cuts = replay.edges(recording, 1.0)
    parts = [
        replay.cut(recording, cuts, i, machine_id="M", run="r", t0=100.0)
        for i in range(len(cuts) - 1)
    ]
    assert [p.samples for p in parts] == windows
    joined = np.concatenate([p.channels["ia"] for p in parts])
    assert np.array_equal(joined, recording.channels["ia"])
    for before, after in pairwise(parts):
        assert after.t0 == pytest.approx(before.t0 + before.duration_s)


def test_files_follow_each_other_each_as_its_own_run() -> None:
    read = reader(a=2.0, b=3.0)
    paths = [Path("a.csv"), Path("b.csv")]
    parts, first = replay.plan(paths, read, machine_id="M", window_s=1.0)
    assert first.machine_id == "M"
    assert [(p.start_s, p.end_s, p.windows) for p in parts] == [(0.0, 2.0, 2), (2.0, 5.0, 3)]
    sent = [
        (job.due_s, job.make())
        for job in replay.jobs(parts, read, machine_id="M", t0=50.0, window_s=1.0)
    ]
    assert [due for due, _ in sent] == [1, 2, 3, 4, 5]
    assert [w.t0 for _, w in sent] == [50, 51, 52, 53, 54]
    assert [w.seq for _, w in sent] == [0, 1, 0, 1, 2]
    assert len({w.run for _, w in sent}) == 2


def test_the_recordings_of_one_file_are_runs_of_their_own() -> None:
    def read(path: Path) -> list[tuple[str, Recording]]:
        return [
            (f"{path.name}:{name}", Recording(channels={"ia": np.full(1000, x)}, fs_hz=1000.0))
            for name, x in (("slow", 1.0), ("fast", 2.0))
        ]

    # The same file twice, as a pattern and a name may give it.
    parts, _ = replay.plan([Path("a.tdms")] * 2, read, machine_id="M", window_s=1.0)
    assert [p.title for p in parts] == ["a:slow", "a:fast"] * 2
    jobs = replay.jobs(parts, read, machine_id="M", t0=0.0, window_s=1.0)
    assert [job.make().channels["ia"][0] for job in jobs] == [1.0, 2.0, 1.0, 2.0]


def test_every_invocation_has_runs_of_its_own() -> None:
    names = {
        replay.plan([Path("a.csv")], reader(a=1.0), machine_id="M", window_s=1.0)[0][0].run
        for _ in range(5)
    }
    assert len(names) == 5


@pytest.mark.parametrize(
    ("stem", "run"),
    [
        ("SC_HLT_001", "SC_HLT_001.x"),
        ("OR007@6_0", "OR007-6_0.x"),
        ("1.1inner-100watt", "1.1inner-100watt.x"),
        ("_ä (1)", "1-.x"),
        ("é", "file.x"),
        ("n" * 99, "n" * 62 + ".x"),
    ],
)
def test_runs_are_named_after_files(stem: str, run: str) -> None:
    named = replay.run_name(stem, "x")
    assert named == run
    assert len(named) <= 64


def test_window_lengths_have_bounds() -> None:
    with pytest.raises(RecordingError, match=r"--window 0\.01"):
        replay.plan([Path("a.csv")], reader(a=1.0), machine_id="M", window_s=0.01)


def answer(run: str, family: str, first: int, last: int, state: State = "normal") -> Result:
    fault = FAMILIES[family].faults[0]
    return Result(
        machine_id="M",
        fault=fault,
        family=family,
        run=run,
        first_seq=first,
        last_seq=last,
        t_start=first,
        t_end=last + 1.0,
        state=state,
    )


def test_answers_are_complete_when_each_family_has_answered_every_window() -> None:
    answers = Answers({"r": 3})
    assert answers.missing() == 3 * len(FAMILIES)
    # The last record may be answered before an earlier one.
    answers.results += [answer("r", f, 2, 2) for f in FAMILIES]
    assert answers.missing() == 2 * len(FAMILIES)
    answers.results += [answer("r", f, 0, 1, state="fault") for f in FAMILIES]
    assert answers.missing() == 0
    assert answers.counts("r", "turn_short") == {"normal": 1, "fault": 1}
    assert [a.state for a in answers.of("r", "turn_short")] == ["fault", "normal"]
