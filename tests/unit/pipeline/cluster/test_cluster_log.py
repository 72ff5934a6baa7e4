"""One log of all processes: JSON in the file, text on a terminal."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from vtox.pipeline.cluster.cluster_log import ClusterLog


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "cluster.log").read_text().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ClusterLog]:
    with ClusterLog(tmp_path, Console(file=io.StringIO(), width=80)) as opened:
        yield opened


def printed(log: ClusterLog) -> str:
    file = log.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_json_lines_keep_their_fields_under_the_name_of_the_process(
    log: ClusterLog, tmp_path: Path
) -> None:
    log.write_line_of("bearing", '{"event": "ready", "role": "worker", "port": 8002}\n')
    assert lines(tmp_path) == [{"event": "ready", "role": "bearing", "port": 8002}]


def test_plain_lines_become_events(log: ClusterLog, tmp_path: Path) -> None:
    log.write_line_of("flower", "hello\n")
    log.write_line_of("flower", "\n")
    log.write_line_of("flower", "[1, 2]\n")
    assert [e["event"] for e in lines(tmp_path)] == ["hello", "[1, 2]"]


def test_a_traceback_is_one_error(log: ClusterLog, tmp_path: Path) -> None:
    for line in ("Traceback (most recent call last):", '  File "x"', "    y()", "ValueError: z"):
        log.write_line_of("api", line + "\n")
    (entry,) = lines(tmp_path)
    assert entry["level"] == "error"
    assert entry["event"] == "ValueError: z"
    assert entry["exception"].count("\n") == 3
    assert log.problems[-1] == entry


def test_without_a_terminal_the_console_gets_json(log: ClusterLog, tmp_path: Path) -> None:
    log.write_own("up", page="http://x")
    assert json.loads(printed(log)) == lines(tmp_path)[0]


def test_with_a_terminal_the_console_gets_text(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system=None)
    with ClusterLog(tmp_path, console) as log:
        log.write_line_of(
            "api", '{"event": "[bold]odd[/bold]", "t": "2026-01-01T00:00:00Z", "n": 3}\n'
        )
    assert "api" in printed(log)
    assert "[bold]odd[/bold] n=3" in printed(log)


def test_a_quiet_log_writes_to_the_file_only(tmp_path: Path) -> None:
    with ClusterLog(tmp_path, Console(file=io.StringIO()), quiet=True) as log:
        log.write_own("hello")
    assert printed(log) == ""
    assert lines(tmp_path)[0]["event"] == "hello"


def test_the_size_of_the_file_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtox.pipeline.cluster.cluster_log.FILE_BYTES", 1000)
    with ClusterLog(tmp_path, Console(file=io.StringIO()), quiet=True) as log:
        for _ in range(100):
            log.write_own("x" * 100)
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) < 5000


def test_a_closed_console_does_not_stop_the_log(tmp_path: Path) -> None:
    file = io.StringIO()
    with ClusterLog(tmp_path, Console(file=file)) as log:
        file.close()
        log.write_own("one")
        log.write_own("two")
    assert [e["event"] for e in lines(tmp_path)] == ["one", "two"]
