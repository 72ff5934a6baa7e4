"""Sequence numbers: one for each window, kept over restarts and kills."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vtox.pipeline.client.numbers import KEPT, SequenceNumbers
from vtox.pipeline.errors import SettingsError


def test_a_window_keeps_its_number_and_machines_count_by_themselves(tmp_path: Path) -> None:
    first = SequenceNumbers(tmp_path / "numbers")
    windows = [("M1", "a", 5.0), ("M1", "b", 6.0), ("M2", "a", 7.0), ("M1", "a", 8.0)]
    assert first.assign(windows) == [(0, 5.0), (1, 6.0), (0, 7.0), (0, 5.0)]
    first.close()
    with closing(SequenceNumbers(tmp_path / "numbers")) as second:
        assert second.assign([("M1", "b", 9.0), ("M1", "c", 10.0)]) == [(1, 6.0), (2, 10.0)]
    with closing(SequenceNumbers(tmp_path / "another")) as another:
        assert second.run == first.run != another.run


def test_the_file_keeps_as_many_as_the_bridge_remembers(tmp_path: Path) -> None:
    windows = [("M1", str(i), float(i)) for i in range(KEPT + 3)]
    with closing(SequenceNumbers(tmp_path / "numbers")) as numbers:
        assert numbers.assign(windows) == [(i, float(i)) for i in range(KEPT + 3)]
        assert numbers.assign(windows[3:]) == [(i, float(i)) for i in range(3, KEPT + 3)]
        assert numbers.assign(windows[:1]) == [(KEPT + 3, 0.0)], "forgotten"


def test_the_last_name_with_a_beginning(tmp_path: Path) -> None:
    with closing(SequenceNumbers(tmp_path / "numbers")) as numbers:
        numbers.assign([("M1", "ab", 1.0), ("M1", "ab.2", 2.0), ("M2", "ab.3", 3.0)])
        assert numbers.last_name("M1", "ab") == "ab.2"
        assert numbers.last_name("M1", "b") is None


def test_two_processes_never_give_one_number_twice(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from vtox.pipeline.client.numbers import SequenceNumbers\n"
        "numbers = SequenceNumbers(Path(sys.argv[1]))\n"
        "print(*(numbers.assign([('M1', sys.argv[2] + str(i), 1.0)])[0][0] for i in range(100)))"
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
