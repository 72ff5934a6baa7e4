"""The table of `vtox replay`, and why some diagnoses are unknown."""

import io

from rich.console import Console

from vtox.cli.recordings.replay_table import show
from vtox.motor.values.domain import State
from vtox.pipeline.sending.senders.results_reader import Answers
from vtox.pipeline.store.stream.entries import Result


def result(seq: int, state: State, code: str, reason: str) -> Result:
    return Result(
        machine_id="M1",
        fault="bearing",
        family="bearing",
        run="r",
        first_seq=seq,
        last_seq=seq,
        t_start=float(seq),
        t_end=seq + 1.0,
        state=state,
        code=code,
        reason=reason,
    )


def printed(*results: Result) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    show(console, {"r": "file"}, Answers({"r": len(results)}, list(results)))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_unknowns_of_one_code_are_one_line_with_the_first_reason() -> None:
    reasons = ("speed of 20 Hz", "speed of 30 Hz")
    lines = printed(*(result(i, "unknown", "speed_low", r) for i, r in enumerate(reasons)))
    assert lines == ["bearing unknown (2): speed of 20 Hz"]


def test_without_codes_equal_reasons_are_one_line() -> None:
    reasons = ("speed of 20 Hz", "no speed", "no speed")
    lines = printed(*(result(i, "unknown", "", r) for i, r in enumerate(reasons)))
    assert lines == ["bearing unknown (2): no speed", "bearing unknown (1): speed of 20 Hz"]


def test_each_record_has_a_mark() -> None:
    head, row, *_ = printed(result(0, "normal", "x", ""), result(1, "fault", "y", ""))
    assert head.split() == ["recording", "bearing"]
    assert row.split()[0] == "file"
    assert len(row.split()[1]) == 2
