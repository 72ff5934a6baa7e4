"""Figures of benchmarks that are kept for the plots, and what a server did for a window."""

from pathlib import Path

from benchmarks.results import Run, load
from benchmarks.server_commands import Commands, Use, comparison, per_window


def test_runs_are_added_to_those_of_a_file_with_their_conditions(tmp_path: Path) -> None:
    run, file = Run(), tmp_path / "runs.json"
    run.keep(None, {"a": 1})
    run.keep(file, {"a": 1})
    run.keep(file, {"a": 2})
    assert [r["figures"]["a"] for r in load(file)] == [1, 2]
    assert {"machine", "versions", "load_before", "load_after", "command", "commit"} == {
        *load(file)[0]["conditions"]
    }
    assert "load" in str(run)


def test_commands_of_two_servers_are_compared_by_the_window() -> None:
    before = Commands({"get": Use(10, 100.0)}, 1000.0)
    few = per_window(before, Commands({"get": Use(20, 200.0)}, 2000.0), 10)
    many = per_window(before, Commands({"get": Use(30, 500.0), "del": Use(1, 1.0)}, 4000.0), 10)
    assert few["get"] == Use(1.0, 10.0)
    *_, largest, second = comparison(few, many)
    assert largest == "| main thread | 0.00 | 100.0 | 0.00 | 300.0 |"
    assert second == "| get | 1.00 | 10.0 | 2.00 | 40.0 |"
