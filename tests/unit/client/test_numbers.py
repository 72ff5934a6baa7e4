"""Sequence numbers: one for each window, kept over restarts and kills."""

import subprocess
import sys
from pathlib import Path

import pytest

from vtox.client.numbers import KEPT, SequenceNumbers
from vtox.errors import SettingsError


def test_a_window_keeps_its_number_and_machines_count_by_themselves(tmp_path: Path) -> None:
    first = SequenceNumbers(tmp_path / "numbers")
    assert first.assign([("M1", "a"), ("M1", "b"), ("M2", "a"), ("M1", "a")]) == [0, 1, 0, 0]
    first.close()
    second = SequenceNumbers(tmp_path / "numbers")
    assert second.assign([("M1", "b"), ("M1", "c")]) == [1, 2]
    assert second.run == first.run != SequenceNumbers(tmp_path / "another").run


def test_the_file_keeps_as_many_as_the_bridge_remembers(tmp_path: Path) -> None:
    numbers = SequenceNumbers(tmp_path / "numbers")
    windows = [("M1", str(i)) for i in range(KEPT + 3)]
    assert numbers.assign(windows) == list(range(KEPT + 3))
    assert numbers.assign(windows[3:]) == list(range(3, KEPT + 3))
    assert numbers.assign(windows[:1]) == [KEPT + 3], "forgotten"


def test_two_processes_never_give_one_number_twice(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vtox.client.numbers import SequenceNumbers\n"
        "numbers = SequenceNumbers(Path(sys.argv[1]))\n"
        "print(*(numbers.assign([('M1', sys.argv[2] + str(i))])[0] for i in range(100)))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "numbers"), name],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    given = [int(n) for process in started for n in process.communicate()[0].split()]
    assert sorted(given) == list(range(200))


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but as long as the head of one would be" * 20)
    for path in (tmp_path / "text", tmp_path / "none" / "numbers"):
        with pytest.raises(SettingsError, match=str(path)):
            SequenceNumbers(path)
