import os
from pathlib import Path

import numpy as np
import pytest

from vtox.errors import RecordingError
from vtox.files.recordings import STANDARD_GRAVITY, find, options, read

NONE = options()


def write_csv(path: Path, header: str, rows: np.ndarray) -> Path:
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.9g")
    return path


@pytest.mark.parametrize(
    ("column", "channel", "factor"),
    [
        ("ia", "ia", 1.0),
        ("ia_a", "ia", 1.0),
        ("IB_mA", "ib", 1e-3),
        ("Ic [mA]", "ic", 1e-3),
        ("va_kV", "va", 1e3),
        ("vibration", "vibration", 1.0),
        ("vibration_g", "vibration", STANDARD_GRAVITY),
        ("vibration_y_mg", "vibration_y", STANDARD_GRAVITY * 1e-3),
        ("de_g", "vibration", STANDARD_GRAVITY),
        ("DE", "vibration", 1.0),
        ("vibration_m_s2", "vibration", 1.0),
        ("leakage_mA", "leakage", 1e-3),
    ],
)
def test_column_names_carry_channel_and_unit(
    tmp_path: Path, column: str, channel: str, factor: float
) -> None:
    path = write_csv(tmp_path / "x.csv", column, np.array([1.0, 2.0, -4.0]))
    recording = read(path, options(fs_hz=1000))
    assert set(recording.channels) == {channel}
    assert recording.channels[channel] == pytest.approx(np.array([1, 2, -4]) * factor)


def test_time_column_gives_the_rate_and_fs_overrides_it(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(50) / 2000, np.ones(50)])
    path = write_csv(tmp_path / "x.csv", "time_s,ia", rows)
    assert read(path).fs_hz == 2000.0
    assert read(path, options(fs_hz=1999.0)).fs_hz == 1999.0
    assert read(path).channels.keys() == {"ia"}


def test_npz_with_rate_speed_and_drive_end(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, de_g=np.ones(9, np.float32), fs_hz=12_000.0, rpm=1796.0)
    recording = read(path)
    assert recording.channels["vibration"] == pytest.approx(np.full(9, 9.80665))
    assert (recording.fs_hz, recording.speed_rpm) == (12_000.0, 1796.0)
    assert read(path, options(speed_rpm=1750.0)).speed_rpm == 1750.0


def test_a_speed_that_is_nan_is_no_speed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, de_g=np.ones(9), fs_hz=12_000.0, rpm=np.nan)
    assert read(path).speed_rpm is None


@pytest.mark.parametrize(("last", "speed"), [(1452.0, 1450.5), (1600.0, None)])
def test_a_speed_column_counts_while_it_is_steady(
    tmp_path: Path, last: float, speed: float | None
) -> None:
    rows = np.column_stack([np.ones(4), [1450.0, 1450.0, 1450.0, last]])
    path = write_csv(tmp_path / "x.csv", "ia,speed_rpm", rows)
    assert read(path, options(fs_hz=1000)).speed_rpm == speed


def test_table_of_three_currents(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, i=np.arange(12.0).reshape(4, 3), fs_claimed_hz=10_000.0)
    recording = read(path)
    assert list(recording.channels) == ["ia", "ib", "ic"]
    assert recording.channels["ib"].tolist() == [1, 4, 7, 10]


def test_mapping_by_name_by_number_and_with_units(tmp_path: Path) -> None:
    rows = np.column_stack([np.full(3, v) for v in (1.0, 2.0, 3.0)])
    path = write_csv(tmp_path / "x.csv", "left,right,acc_g", rows)
    opts = options(mapping=["ia=2,vibration=acc_g", "leakage=left"], unit=["leakage=mA"], fs_hz=1e3)
    first = {c: x[0] for c, x in read(path, opts).channels.items()}
    assert first == pytest.approx({"ia": 2.0, "vibration": 3 * STANDARD_GRAVITY, "leakage": 1e-3})


def test_mapping_beside_columns_that_explain_themselves(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "ia,ib,x", np.ones((3, 3)))
    assert set(read(path, options(mapping=["ic=x"], fs_hz=1e3)).channels) == {"ia", "ib", "ic"}
    # The column mapped elsewhere is no longer what its name says.
    assert set(read(path, options(mapping=["ic=ia"], fs_hz=1e3)).channels) == {"ib", "ic"}


@pytest.mark.parametrize(
    ("header", "opts", "message"),
    [
        ("a,b", NONE, r"no channel among the columns a, b; .*--map ia=COLUMN"),
        ("ia,b", NONE, r"no sampling rate: no column time_s; give --fs HZ"),
        ("ia,ia_ma", NONE, r"'ia' and 'ia_ma' could both be ia"),
        ("ia,b", options(mapping=["ib=c"]), r"no column 'c', expected one of ia, b"),
        ("ia,b", options(mapping=["ib=3"]), r"no column '3'"),
    ],
)
def test_errors_say_what_to_do(tmp_path: Path, header: str, opts: object, message: str) -> None:
    path = write_csv(tmp_path / "x.csv", header, np.ones((3, 2)))
    with pytest.raises(RecordingError, match=message) as raised:
        read(path, opts)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mapping": ["ix=a"]}, r"--map ix=a: expected CHANNEL=VALUE"),
        ({"mapping": ["ia"]}, r"--map ia: expected"),
        ({"unit": ["ia=g"]}, r"--unit ia=g: expected one of a, ma"),
        ({"fs_hz": 0.0}, r"--fs 0: expected a positive"),
        ({"speed_rpm": -1.0}, r"--speed-rpm -1"),
    ],
)
def test_impossible_options(given: dict[str, object], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        options(**given)


def test_folders_list_what_they_skip(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv", "ia", np.ones(3))
    write_csv(tmp_path / "a.csv", "ia", np.ones(3))
    (tmp_path / "labels.csv").write_text("recording,fault\nb,none\n")
    (tmp_path / "LICENSE").write_text("MIT\n")
    found, skipped = find([tmp_path], NONE)
    assert [p.name for p in found] == ["a.csv", "b.csv"]
    assert {p.name: why for p, why in skipped.items()} == {
        "LICENSE": "not .csv or .npz",
        "labels.csv": "no channel among its columns",
    }


def test_patterns_and_named_files(tmp_path: Path) -> None:
    for name in ("h_1.csv", "h_2.csv", "f_1.csv"):
        write_csv(tmp_path / name, "ia", np.ones(3))
    found, _ = find([tmp_path / "h_*.csv", tmp_path / "f_1.csv"], NONE)
    assert [p.name for p in found] == ["h_1.csv", "h_2.csv", "f_1.csv"]
    with pytest.raises(RecordingError, match="no recording there"):
        find([tmp_path / "x_*.csv"], NONE)


@pytest.mark.recordings
@pytest.mark.skipif("VTOX_RECORDINGS" not in os.environ, reason="VTOX_RECORDINGS is not set")
@pytest.mark.parametrize(("folder", "files"), [("itsc", 26), ("cwru", 62), ("stuck", 3)])
def test_real_recordings(folder: str, files: int) -> None:
    found, skipped = find([Path(os.environ["VTOX_RECORDINGS"]) / folder], NONE)
    assert len(found) == files
    assert all(p.name in ("LICENSE", "labels.csv") for p in skipped)
    rates = {read(path).fs_hz for path in found}
    assert rates == {{"itsc": 1000.0, "cwru": 12_000.0, "stuck": 10_000.0}[folder]}
