"""Whole files of each format, small, as the beginning of damage; and what reading one ends in."""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import nptdms
import numpy as np
import scipy.io
import soundfile

from tests.unit.motor.files import test_plant_layouts as plant
from tests.unit.motor.files.comtrade_bytes import Analog, Record
from tests.unit.motor.files.test_matlab import hdf5
from tests.unit.motor.files.uff_bytes import data_set_58
from vtox.motor.errors import FileError, RecordingError
from vtox.motor.files.inspection import file_facts
from vtox.motor.files.matching import ReadOptions, options
from vtox.motor.files.recordings import read

COUNT = 60
X = 3 * np.sin(0.1 * np.arange(COUNT))
T = np.arange(COUNT) / 5000


def csv(folder: Path) -> bytes:
    rows = "".join(
        f"{t:.4f};{x:.3f};{x:.2f}\n".replace(".", ",") for t, x in zip(T, X, strict=True)
    )
    return f"# 泵\n时间;A相电流(mA);Ib [A]\n{rows}".encode("gbk")


def clock_csv(folder: Path) -> bytes:
    rows = "".join(f"2026-01-01 12:00:00.{i:04},{x:.3f},on\n" for i, x in enumerate(X))
    return f"Rate: 5 kHz\nTime,Ia,note\n{rows}".encode()


def npz(folder: Path) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ia=X, ib=X, fs_hz=5000.0)
    return buffer.getvalue()


def npy(folder: Path) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X.reshape(-1, 3))
    return buffer.getvalue()


def matlab_5(folder: Path) -> bytes:
    buffer = io.BytesIO()
    cell = np.array(["a", 1.0], dtype=object)
    scipy.io.savemat(buffer, {"Ia": X, "d": {"Ib": X, "c": cell}, "fs": 5000.0})
    return buffer.getvalue()


def matlab_73(folder: Path) -> bytes:
    return hdf5(folder / "seed.mat", {"run.Ia": X, "Ib": X, "fs_hz": 5000.0}).read_bytes()


def comtrade(form: str) -> Callable[[Path], bytes]:
    channels = [Analog(f"I{p}", p, "A", [round(100 * x) for x in X]) for p in "ABC"]
    return lambda folder: Record(channels, revision="2013", form=form).cff()


def audio(form: str) -> Callable[[Path], bytes]:
    def written(folder: Path) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, X / 4, 8000, format=form)
        return buffer.getvalue()

    return written


def tdms(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with nptdms.TdmsWriter(buffer) as writer:
        properties = {"wf_increment": 1e-4, "unit_string": "A"}
        writer.write_segment([nptdms.ChannelObject("G", n, X, properties) for n in ("Ia", "Ib")])
    return buffer.getvalue()


def parquet(folder: Path) -> bytes:
    import pyarrow as pa  # 150 MB, in few environments
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({"t": T, "ia": X, "ib": X}), buffer)
    return buffer.getvalue()


def mdf(folder: Path) -> bytes:
    import asammdf  # 150 MB, in few environments

    with asammdf.MDF(version="4.10") as file:
        file.append([asammdf.Signal(X, T, name=n, unit="A") for n in ("Ia", "Ib")])
        file.start_time = datetime(2026, 2, 14, 8, 30, tzinfo=UTC)
        return file.save(folder / "seed.mf4", overwrite=True).read_bytes()


# Formats that VTOX reads itself, then those of libraries, which a child reads.
OURS: dict[str, Callable[[Path], bytes]] = {
    "x.csv": csv,
    "clock.csv": clock_csv,
    "x.npz": npz,
    "x.npy": npy,
    "x.zip": lambda folder: plant.zipped(folder).read_bytes(),
    "x.cev": lambda folder: plant.sel(folder).read_bytes(),
}
OF_LIBRARIES: dict[str, Callable[[Path], bytes]] = {
    "5.mat": matlab_5,
    "73.mat": matlab_73,
    "ascii.cff": comtrade("ASCII"),
    "binary.cff": comtrade("BINARY"),
    "x.wav": audio("WAV"),
    "x.flac": audio("FLAC"),
    "x.tdms": tdms,
    "x.uff": lambda folder: data_set_58(X, 1e-4),
    "binary.uff": lambda folder: data_set_58(X, 1e-4, binary=True),
    "x.lvm": lambda folder: plant.labview(folder).read_bytes(),
    "x.xlsx": lambda folder: plant.excel(folder, rows=20).read_bytes(),
}
# Their libraries are in few environments.
LARGE: dict[str, Callable[[Path], bytes]] = {"x.parquet": parquet, "x.mf4": mdf}


def options_for(name: str) -> ReadOptions:
    """Return what the user must state for the whole file to be read."""
    if name == "x.npy":
        return options(mapping=["ia=1"], fs_hz=1e3)
    return options(mapping=["vibration=1"]) if name.endswith(("wav", "flac")) else options()


def outcome(path: Path, opts: ReadOptions) -> str:
    """Return `read` or the code of the error; any other error is a failure."""
    try:
        found = read(path, opts)
    except FileError as error:
        return error.code
    except RecordingError:
        return "inconsistent"
    finally:
        with suppress(FileError):
            file_facts(path, opts)
    return "read" if found else "nothing"
