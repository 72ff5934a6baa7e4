"""One log of all processes: JSON in the file, text on a terminal."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from vtox.cluster.cluster_log import Journal


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "cluster.log").read_text().splitlines()]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, Console(file=io.StringIO(), width=80)) as opened:
        yield opened


def printed(journal: Journal) -> str:
    file = journal.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_structured_lines_keep_their_fields_under_the_role_s_name(
    journal: Journal, tmp_path: Path
) -> None:
    journal.take("bearing", '{"event": "ready", "role": "worker", "port": 8002}\n')
    assert lines(tmp_path) == [{"event": "ready", "role": "bearing", "port": 8002}]


def test_plain_lines_become_events(journal: Journal, tmp_path: Path) -> None:
    journal.take("flower", "hello\n")
    journal.take("flower", "\n")
    journal.take("flower", "[1, 2]\n")
    assert [e["event"] for e in lines(tmp_path)] == ["hello", "[1, 2]"]


def test_a_traceback_is_one_error(journal: Journal, tmp_path: Path) -> None:
    for line in ("Traceback (most recent call last):", '  File "x"', "    y()", "ValueError: z"):
        journal.take("api", line + "\n")
    (entry,) = lines(tmp_path)
    assert entry["level"] == "error"
    assert entry["event"] == "ValueError: z"
    assert entry["exception"].count("\n") == 3
    assert journal.notable[-1] == entry


def test_without_a_terminal_the_console_gets_json(journal: Journal, tmp_path: Path) -> None:
    journal.say("up", page="http://x")
    assert json.loads(printed(journal)) == lines(tmp_path)[0]


def test_on_a_terminal_the_console_gets_text(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system=None)
    with Journal(tmp_path, console) as journal:
        journal.take("api", '{"event": "[bold]odd[/bold]", "t": "2026-01-01T00:00:00Z", "n": 3}\n')
    assert "api" in printed(journal)
    assert "[bold]odd[/bold] n=3" in printed(journal)


def test_quiet_writes_to_the_file_alone(tmp_path: Path) -> None:
    with Journal(tmp_path, Console(file=io.StringIO()), quiet=True) as journal:
        journal.say("hello")
    assert printed(journal) == ""
    assert lines(tmp_path)[0]["event"] == "hello"


def test_the_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtox.cluster.cluster_log.FILE_BYTES", 1000)
    with Journal(tmp_path, Console(file=io.StringIO()), quiet=True) as journal:
        for _ in range(100):
            journal.say("x" * 100)
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) < 5000


def test_a_console_that_is_gone_does_not_stop_the_log(tmp_path: Path) -> None:
    file = io.StringIO()
    with Journal(tmp_path, Console(file=file)) as journal:
        file.close()
        journal.say("one")
        journal.say("two")
    assert [e["event"] for e in lines(tmp_path)] == ["one", "two"]
