"""Formats of foreign libraries are read in a child: its failure ends in a `FileError`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from tests.paths import ROOT
from tests.unit.motor.files import test_plant_layouts as plant
from vtox.motor.errors import FileError
from vtox.motor.files import child, child_process
from vtox.motor.files.recordings import read

_hoard: list[bytearray] = []
# In a process that has no other child: the error's code, and the resident memory of the reader.
READ_ALONE = """
import resource, sys
from vtox import read
from vtox.motor.files import child
try:
    read(sys.argv[1])
except ValueError as error:
    child.stop()
    print(error.code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def end_by_signal(path: Path, number: int) -> None:
    os.kill(os.getpid(), number)


def loop(path: Path) -> None:
    while True:
        pass


def keep_megabytes(path: Path, count: int) -> int:
    _hoard.append(bytearray(count << 20))
    return os.getpid()


def a_file(folder: Path) -> Path:
    path = folder / "x"
    path.write_bytes(b"x")
    return path


def test_a_workbook_of_two_far_cells_is_too_large(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    sheet["A1"], sheet["XFD1048576"] = 1, 2
    book.save(tmp_path / "x.xlsx")
    command = [sys.executable, "-c", READ_ALONE, tmp_path / "x.xlsx"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    code, resident_kib = found.stdout.split()
    assert code == "too_large"
    assert int(resident_kib) < 500 << 10


@pytest.mark.parametrize(("number", "code"), [(11, "damaged"), (6, "too_large")])
def test_a_library_that_ends_the_child_is_an_error(tmp_path: Path, number: int, code: str) -> None:
    with pytest.raises(FileError) as raised:
        child.call("sys", end_by_signal, a_file(tmp_path), number)
    assert raised.value.code == code
    assert read(plant.excel(tmp_path))


@pytest.mark.long
def test_a_library_without_an_end_is_too_slow(tmp_path: Path) -> None:
    child.stop()
    with pytest.raises(FileError) as raised:
        child.call("sys", loop, a_file(tmp_path))
    assert raised.value.code == "too_large"


@pytest.mark.long
def test_memory_of_earlier_files_is_not_counted(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    first = child.call("sys", keep_megabytes, path, 250)
    assert child.call("sys", keep_megabytes, path, 250) != first
    with pytest.raises(FileError) as raised:
        child.call("sys", keep_megabytes, path, 500)
    assert raised.value.code == "too_large"


def test_one_child_serves_many_files(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    assert child.call("sys", keep_megabytes, path, 1) == child.call("sys", keep_megabytes, path, 1)


def test_a_fork_has_a_child_of_its_own(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    ours = child.call("sys", keep_megabytes, path, 1)
    forked = os.fork()
    if not forked:
        os._exit(child.call("sys", keep_megabytes, path, 1) == ours)
    assert os.waitpid(forked, 0)[1] == 0
    assert child.call("sys", keep_megabytes, path, 1) == ours


def test_paths_count_from_the_folder_of_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child.call("sys", keep_megabytes, a_file(tmp_path), 1)
    plant.excel(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert read("x.xlsx")


def test_samples_come_as_they_are_and_can_be_changed(tmp_path: Path) -> None:
    [recording] = read(plant.matlab(tmp_path))
    assert np.array_equal(recording.channels["ia"], plant.CURRENT_A[:, 0])
    assert recording.channels["ia"].flags.writeable


def test_size_is_limited_where_memory_is_not(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    child_process._check_size(path, limited=False)
    os.truncate(path, child_process._UNLIMITED_BYTES + 1)
    child_process._check_size(path, limited=True)
    with pytest.raises(FileError) as raised:
        child_process._check_size(path, limited=False)
    assert raised.value.code == "too_large"
