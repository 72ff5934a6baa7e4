import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vtox.errors import RecordingError
from vtox.files import columns as tables
from vtox.files.columns import read_columns, read_header


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def columns(path: Path, *names: str) -> dict[str, list[float]]:
    return {n: x.tolist() for n, x in read_columns(read_header(path), names).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a;b\n1,5;2\n3;4,25\n", {"a": [1.5, 3], "b": [2, 4.25]}),
        ("a\tb\n1\t2e3\n", {"a": [1], "b": [2000]}),
        ('# exported\n\n"a","b"\n"1",2\n', {"a": [1], "b": [2]}),
        ("\ufeffa,b\r\n1,2\r\n\r\n", {"a": [1], "b": [2]}),
        ("a,note,b\n1,on,2\n", {"a": [1], "b": [2]}),
    ],
    ids=["comma", "decimal comma", "tab", "comment and quotes", "bom and crlf", "text column"],
)
def test_csv(tmp_path: Path, text: str, expected: dict[str, list[float]]) -> None:
    assert columns(write(tmp_path / "x.csv", text), "a", "b") == expected


def test_csv_without_header_counts_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "0.0,1.5\n0.1,2.5\n")
    assert read_header(path).names == ("1", "2")
    assert columns(path, "2") == {"2": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,oops\n", r"column 'b', line 3: 'oops', expected a number"),
        ("a,b\n1,2\n\n3\n", r"column 'b', line 4: missing"),
        ("a,b\n1,2\n3,\n", r"column 'b', line 3: '', expected a number"),
        ("a,b\n1,nan\n", r"column 'b', sample 1: nan"),
        ("a,b\n", r"no samples"),
        ("\n\n", r"empty"),
        ("a,a\n1,2\n", r"line 1: column 'a' is there twice"),
    ],
)
def test_csv_errors_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "x.csv", text)
    with pytest.raises(RecordingError, match=message) as raised:
        columns(path, "a", "b")
    assert str(path) in str(raised.value)


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="UTF-8"):
        read_header(write(tmp_path / "x.csv", "\xff\xfe\x00", "latin-1"))


def test_npz_keeps_single_numbers_apart_and_splits_tables(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    i = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez(path, i=i, counts=np.array([7, 8]), fs_hz=1e4, note=np.array("text"))
    header = read_header(path)
    assert header.names == ("i:1", "i:2", "i:3", "counts")
    assert header.scalars == {"fs_hz": 1e4}
    assert columns(path, "i:2", "counts") == {"i:2": [1, 4], "counts": [7, 8]}


def test_npz_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros(2), b=np.zeros(3))
    with pytest.raises(RecordingError, match="differ in length"):
        columns(path, "a", "b")
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(RecordingError, match=r"not a readable \.npz"):
        read_header(path)
    path.write_bytes(b"PK broken")
    with pytest.raises(RecordingError, match=r"not a readable \.npz"):
        read_header(path)


def test_npz_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(5000))
    monkeypatch.setattr(tables, "MAX_BYTES", 4000)
    with pytest.raises(RecordingError, match="unpacks to more"):
        read_header(path)


def test_npz_that_claims_an_array_of_any_size(tmp_path: Path) -> None:
    path, header = tmp_path / "x.npz", io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ia.npy", header.getvalue() + bytes(80))
    with pytest.raises(RecordingError, match=r"not a readable \.npz"):
        read_header(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, message in [
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "not a file"),
        (write(tmp_path / "x.txt", "a\n1\n"), "expected a file ending in"),
    ]:
        with pytest.raises(RecordingError, match=message):
            read_header(path)
