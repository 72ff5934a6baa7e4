import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vtox.motor.errors import FileError
from vtox.motor.files.formats import tables_in
from vtox.motor.files.readers import npz
from vtox.motor.files.table import Table


def opened(path: Path) -> Table:
    [only] = tables_in(path)
    return only


def test_single_numbers_stand_apart_and_tables_are_split(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    i = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez(path, i=i, counts=np.array([7, 8]), fs_hz=1e4, note=np.array("text"))
    table = opened(path)
    assert table.names == ("i:1", "i:2", "i:3", "counts")
    assert table.scalars == {"fs_hz": 1e4}
    assert {n: x.tolist() for n, x in table.samples(["i:2", "counts"]).items()} == {
        "i:2": [1, 4],
        "counts": [7, 8],
    }


def test_one_array_in_a_file_of_its_own(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(8.0).reshape(4, 2))
    table = opened(tmp_path / "x.npy")
    assert table.names == ("x:1", "x:2")
    assert table.samples(["x:2"])["x:2"].tolist() == [1, 3, 5, 7]


def test_columns_of_different_length(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros(2), b=np.zeros(3))
    with pytest.raises(FileError, match="differ in length"):
        opened(path).samples(["a", "b"])


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_objects_are_refused(tmp_path: Path, name: str) -> None:
    objects = np.array([{}], dtype=object)
    if name.endswith("z"):
        np.savez(tmp_path / name, a=objects)
    else:
        np.save(tmp_path / name, objects)
    with pytest.raises(FileError, match="holds Python objects") as raised:
        opened(tmp_path / name)
    assert raised.value.code == "pickled"


def test_damaged_archives(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    for content in (b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00\x05"):
        path.write_bytes(content)
        with pytest.raises(FileError, match="not a readable") as raised:
            opened(path)
        assert raised.value.code == "damaged"


def test_an_archive_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(5000))
    monkeypatch.setattr(npz, "MAX_BYTES", 4000)
    with pytest.raises(FileError, match="unpacks to more") as raised:
        opened(path)
    assert raised.value.code == "too_large"


def test_an_array_that_claims_any_size(tmp_path: Path) -> None:
    path, header = tmp_path / "x.npz", io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ia.npy", header.getvalue() + bytes(80))
    with pytest.raises(FileError, match="not enough memory"):
        opened(path)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.pdf", "x")
    with pytest.raises(
        FileError, match=r"zip archive of a\.pdf, expected one text file: unpack it"
    ):
        opened(tmp_path / "x.zip")
