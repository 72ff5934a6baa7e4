"""TDMS, MDF, Parquet: written by the library that reads them; UFF: by the test."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nptdms
import numpy as np
import pytest

from tests.unit.motor.files.uff_bytes import data_set_58
from vtox.motor.errors import FileError, remedy_of_extra
from vtox.motor.files.child import Reader
from vtox.motor.files.formats import tables_in
from vtox.motor.files.inspection import file_facts
from vtox.motor.files.matching import options
from vtox.motor.files.readers.mdf import open_mdf
from vtox.motor.files.readers.parquet import open_parquet
from vtox.motor.files.recordings import named_recordings, read

N = 1200
X = np.sin(0.1 * np.arange(N))


def tdms(path: Path, *channels: tuple[str, str, np.ndarray, dict[str, Any]]) -> Path:
    with nptdms.TdmsWriter(path) as writer:
        writer.write_segment([nptdms.ChannelObject(g, n, x, p) for g, n, x, p in channels])
    return path


def wave_properties(step_s: float, unit: str) -> dict[str, Any]:
    start = np.datetime64("2026-02-14T08:30:00")
    return {"wf_increment": step_s, "wf_start_time": start, "unit_string": unit}


def test_tdms_says_rate_unit_and_start(tmp_path: Path) -> None:
    path = tdms(
        tmp_path / "x.tdms",
        ("M", "A相电流", X, wave_properties(1e-4, "mA")),
        ("M", "Ib", X.astype(np.float32), wave_properties(1e-4, "A")),
        ("M", "text", np.array(["a", "b"]), {}),
    )
    [recording] = read(path)
    assert recording.fs_hz == 10_000.0
    assert recording.channels["ia"] == pytest.approx(X * 1e-3)
    assert tables_in(path)[0].started.startswith("2026-02-14T08:30:00")


def test_tdms_of_two_rates_is_two_recordings(tmp_path: Path) -> None:
    path = tdms(
        tmp_path / "x.tdms",
        ("currents", "Ia", X, wave_properties(1e-3, "A")),
        ("vibration", "Acc X", np.tile(X, 3), wave_properties(4e-5, "g")),
    )
    named = named_recordings(path)
    assert [(n, round(r.fs_hz), list(r.channels)) for n, r in named] == [
        ("x.tdms:currents", 1000, ["ia"]),
        ("x.tdms:vibration", 25_000, ["vibration"]),
    ]


def test_tdms_columns_of_one_group_can_be_mapped(tmp_path: Path) -> None:
    path = tdms(
        tmp_path / "x.tdms",
        ("slow", "Dev1/ai7", X[:50], wave_properties(1.0, "V")),
        ("fast", "Dev1/ai0", X, wave_properties(1e-4, "V")),
    )
    [recording] = read(path, options(mapping=["ia=Dev1/ai0"], unit=["ia=20"]))
    assert recording.channels["ia"] == pytest.approx(X * 20)


def test_tdms_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tdms(tmp_path / "x.tdms", ("M", "Ia", X, wave_properties(1e-4, "A")))
    whole = path.read_bytes()
    path.write_bytes(whole[:-80])
    assert read(path)[0].samples == N - 10
    assert file_facts(path, options()).remarks[0].value == "early, read as far as it goes"
    two = [("M", n, X, wave_properties(1e-4, "A")) for n in ("Ia", "Ib")]
    whole = tdms(path, *two).read_bytes()
    path.write_bytes(whole[:-80])
    assert [r.samples for r in read(path)] == [N - 10]
    path.write_bytes(whole[: -9 * N])
    with pytest.raises(FileError, match="breaks off before the samples of some of 'M'"):
        read(path)
    path.write_bytes(whole[:60])
    with pytest.raises(FileError) as raised:
        read(path)
    assert raised.value.code in ("damaged", "no_channel")


@pytest.mark.parametrize("binary", [False, True])
def test_uff_says_axis_unit_and_rate(tmp_path: Path, binary: bool) -> None:
    path = tmp_path / "x.uff"
    path.write_bytes(
        data_set_58(X, 1 / 25_600, binary=binary, direction=1, unit="g")
        + data_set_58(X * 2, 1 / 25_600, binary=binary, direction=-2, name="NONE")
        + data_set_58(X[:100], 1.0, function=4, name="a spectrum")
    )
    [recording] = read(path)
    assert recording.fs_hz == pytest.approx(25_600, rel=1e-5)
    assert list(recording.channels) == ["vibration", "vibration_y"]
    assert recording.channels["vibration"] == pytest.approx(X * 9.80665, abs=1e-9)


def test_uff_with_two_sensors_in_one_direction(tmp_path: Path) -> None:
    path = tmp_path / "x.unv"
    path.write_bytes(data_set_58(X, 1e-4) + data_set_58(X, 1e-4, name="fan end"))
    with pytest.raises(FileError, match="'drive end' and 'fan end' could both be vibration"):
        read(path)
    assert read(path, options(mapping=["vibration=fan end"]))[0].samples == N


@pytest.mark.parametrize("binary", [False, True])
def test_uff_that_breaks_off(tmp_path: Path, binary: bool) -> None:
    path = tmp_path / "x.uff"
    whole = data_set_58(X, 1e-4, binary=binary)
    path.write_bytes(whole + whole[:-2000])
    with pytest.raises(FileError, match="breaks off, expected -1 in its last line"):
        read(path)
    path.write_bytes(whole[:5000])
    with pytest.raises(FileError) as raised:
        read(path)
    assert raised.value.code in ("damaged", "no_samples")


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow: make setup EXTRAS=files")
    pq = pytest.importorskip("pyarrow.parquet")
    fields = [
        pa.field("时间", pa.timestamp("us")),
        pa.field("Ia", pa.float32(), metadata={"unit": "mA"}),
        pa.field("Ib", pa.int32()),
        pa.field("note", pa.string()),
    ]
    columns = [
        pa.array(np.arange(N) * 200, pa.timestamp("us")),
        X.astype("f4"),
        range(N),
        ["x"] * N,
    ]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), tmp_path / "x.parquet")
    [recording] = read(tmp_path / "x.parquet")
    assert recording.fs_hz == pytest.approx(5000.0)
    assert recording.channels["ia"] == pytest.approx(X * 1e-3, rel=1e-5)
    assert recording.channels["ib"][5] == 5
    rate = pa.schema([pa.field("ia", pa.float64())], metadata={"fs_hz": "2000"})
    pq.write_table(pa.table([X], schema=rate), tmp_path / "y.parquet")
    assert read(tmp_path / "y.parquet")[0].fs_hz == 2000.0
    (tmp_path / "y.parquet").write_bytes((tmp_path / "y.parquet").read_bytes()[:-100])
    with pytest.raises(FileError, match="not a readable Parquet file"):
        read(tmp_path / "y.parquet")


READS = """
import sys
from pathlib import Path
from vtox.motor.files.readers.parquet import open_parquet
open_parquet(Path(sys.argv[1]))[0].load(["t", "ia", "ib"])
print("pandas" in sys.modules)
"""


def test_parquet_is_read_without_pandas(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow: make setup EXTRAS=files")
    pq = pytest.importorskip("pyarrow.parquet")
    times = pa.array([0, 1000, 2000, None], pa.timestamp("us"))
    table = pa.table({"t": times, "ia": [1.0, 2.0, 3.0, None], "ib": [1, 2, 3, 4]})
    pq.write_table(table, tmp_path / "x.parquet")
    command = [sys.executable, "-c", READS, str(tmp_path / "x.parquet")]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "False\n"
    with pytest.raises(FileError) as raised:
        read(tmp_path / "x.parquet")
    assert raised.value.code in ("not_finite", "uneven_time")


def test_mdf(tmp_path: Path) -> None:
    asammdf = pytest.importorskip("asammdf", reason="needs asammdf: make setup EXTRAS=files")
    path, t = tmp_path / "x.mf4", np.arange(N) / 10_000
    with asammdf.MDF(version="4.10") as file:
        file.append(
            [asammdf.Signal(X, t, name="Ia", unit="A"), asammdf.Signal(X, t, name="IL2", unit="mA")]
        )
        file.append([asammdf.Signal(X[:50], t[:50] * 1000, name="Oil", unit="bar")])
        file.start_time = datetime(2026, 2, 14, 8, 30, tzinfo=UTC)
        file.save(path)
    [recording] = read(path)
    assert recording.fs_hz == 10_000.0
    assert recording.channels["ib"] == pytest.approx(X * 1e-3)
    assert file_facts(path, options()).tables[0].started == "2026-02-14T08:30:00+00:00"
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(FileError):
        read(path)


@pytest.mark.parametrize(("reader", "package"), [(open_parquet, "pyarrow"), (open_mdf, "asammdf")])
def test_a_missing_library_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    command = re.escape(remedy_of_extra("files"))
    with pytest.raises(FileError, match=f"{package}.*: {command}") as raised:
        reader(tmp_path / "x")
    assert raised.value.code == "reader_missing"
