from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from vtox.motor.errors import FileError
from vtox.motor.files.matching import options
from vtox.motor.files.readers import matlab
from vtox.motor.files.recordings import read

T = np.arange(500) / 5000
IA = 3 * np.sin(2 * np.pi * 50 * T)


def hdf5(path: Path, variables: dict[str, object]) -> Path:
    """Return a MAT-file of version 7.3 as MATLAB lays it out, written by h5py: columns as rows."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            parent = file
            for part in name.split(".")[:-1]:
                parent = parent.require_group(part)
                parent.attrs["MATLAB_class"] = np.bytes_("struct")
            data = np.atleast_2d(np.asarray(value, dtype=float))
            parent.create_dataset(name.rpartition(".")[2], data=data).attrs["MATLAB_class"] = (
                np.bytes_("double")
            )
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    whole = path.read_bytes()
    path.write_bytes(text + whole[len(text) :])
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_version_5_of_scipy(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "x.mat"
    content = {"t": T[:, None], "Ia": IA, "Ib": IA * 2, "Fs": 5000.0, "rpm": 1480, "note": "pump"}
    scipy.io.savemat(path, content, do_compression=compressed)
    [recording] = read(path)
    assert (recording.fs_hz, recording.speed_rpm) == (5000.0, 1480.0)
    assert recording.channels["ib"] == pytest.approx(IA * 2)


def test_structures_and_matrices(tmp_path: Path) -> None:
    data = {"i": np.column_stack([IA, IA * 2, IA * 3]), "info": {"site": "north"}, "fs": 5000}
    scipy.io.savemat(tmp_path / "x.mat", {"run": data})
    [recording] = read(tmp_path / "x.mat")
    assert recording.fs_hz == 5000.0
    assert recording.channels["ic"] == pytest.approx(IA * 3)


def test_version_73_of_h5py(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.mat", {"run.Ia": IA, "run.Ub": IA * 100, "fs_hz": 5000.0})
    [recording] = read(path)
    assert recording.fs_hz == 5000.0
    assert recording.channels["vb"] == pytest.approx(IA * 100)


def test_references_of_version_73_are_not_followed(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.mat", {"Ia": IA, "fs_hz": 5000.0})
    with h5py.File(path, "r+") as file:
        cell = file.create_dataset("cells", (1, 10**5), dtype=h5py.ref_dtype)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
        cell[...] = file["Ia"].ref
    assert read(path)[0].samples == 500


def test_the_names_of_a_well_known_data_set(tmp_path: Path) -> None:
    path = tmp_path / "97.mat"
    names = {"X097_DE_time": IA[:, None], "X097_FE_time": IA[:, None], "X097RPM": [[1796]]}
    scipy.io.savemat(path, names)
    [recording] = read(path, options(unit=["vibration=g"], fs_hz=12_000.0))
    assert list(recording.channels) == ["vibration"]
    assert recording.speed_rpm == 1796.0


def test_variables_of_two_rates_are_two_tables(tmp_path: Path) -> None:
    content = {"Ia": IA, "vibration": np.tile(IA, 4), "fs": 5000.0}
    scipy.io.savemat(tmp_path / "x.mat", content)
    both = read(tmp_path / "x.mat")
    assert [list(r.channels) for r in both] == [["vibration"], ["ia"]]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_that_breaks_off(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"Ia": IA, "fs": 5000.0}, do_compression=compressed)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="breaks off") as raised:
        read(path)
    assert raised.value.code == "damaged"


def test_a_broken_version_73(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.mat", {"Ia": IA})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(FileError, match="not a readable MATLAB file"):
        read(path)


def test_what_unpacks_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"Ia": np.zeros(10**6), "fs": 5000.0}, do_compression=True)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(matlab, "MAX_BYTES", 10**6)
    with pytest.raises(FileError, match="unpacks to more than") as raised:
        matlab.open_matlab(path)
    assert raised.value.code == "too_large"


def test_an_array_that_claims_any_size(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.mat", {"Ia": IA})
    with h5py.File(path, "r+") as file:
        file.create_dataset("Ib", (10**12,), dtype="f8", chunks=(10**4,))
    with pytest.raises(FileError, match="values, expected at most") as raised:
        read(path)
    assert raised.value.code == "too_large"
