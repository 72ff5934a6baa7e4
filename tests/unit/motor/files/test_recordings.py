import os
from pathlib import Path

import numpy as np
import pytest

import vtox
from vtox.motor.errors import FileError
from vtox.motor.files.matching import options
from vtox.motor.files.recordings import find, read
from vtox.motor.files.units import STANDARD_GRAVITY

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
    [recording] = read(path, options(fs_hz=1000))
    assert set(recording.channels) == {channel}
    assert recording.channels[channel] == pytest.approx(np.array([1, 2, -4]) * factor)


def test_time_column_gives_the_rate_and_fs_overrides_it(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(50) / 2000, np.ones(50)])
    path = write_csv(tmp_path / "x.csv", "time_s,ia", rows)
    assert read(path)[0].fs_hz == 2000.0
    assert read(path, options(fs_hz=1999.0))[0].fs_hz == 1999.0
    assert read(path)[0].channels.keys() == {"ia"}


def test_npz_with_rate_speed_and_drive_end(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, de_g=np.ones(9, np.float32), fs_hz=12_000.0, rpm=1796.0)
    [recording] = read(path)
    assert recording.channels["vibration"] == pytest.approx(np.full(9, 9.80665))
    assert (recording.fs_hz, recording.speed_rpm) == (12_000.0, 1796.0)
    assert read(path, options(speed_rpm=1750.0))[0].speed_rpm == 1750.0


def test_a_speed_that_is_nan_is_no_speed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, de_g=np.ones(9), fs_hz=12_000.0, rpm=np.nan)
    assert read(path)[0].speed_rpm is None


@pytest.mark.parametrize(("last", "speed"), [(1452.0, 1450.5), (1600.0, None)])
def test_a_speed_column_counts_while_it_is_steady(
    tmp_path: Path, last: float, speed: float | None
) -> None:
    rows = np.column_stack([np.ones(4), [1450.0, 1450.0, 1450.0, last]])
    path = write_csv(tmp_path / "x.csv", "ia,speed_rpm", rows)
    assert read(path, options(fs_hz=1000))[0].speed_rpm == speed


def test_table_of_three_currents(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, i=np.arange(12.0).reshape(4, 3), fs_claimed_hz=10_000.0)
    [recording] = read(path)
    assert list(recording.channels) == ["ia", "ib", "ic"]
    assert recording.channels["ib"].tolist() == [1, 4, 7, 10]


def test_mapping_by_name_by_number_and_with_units(tmp_path: Path) -> None:
    rows = np.column_stack([np.full(3, v) for v in (1.0, 2.0, 3.0)])
    path = write_csv(tmp_path / "x.csv", "left,right,acc_g", rows)
    opts = options(mapping=["ia=2,vibration=acc_g", "leakage=left"], unit=["leakage=mA"], fs_hz=1e3)
    first = {c: x[0] for c, x in read(path, opts)[0].channels.items()}
    assert first == pytest.approx({"ia": 2.0, "vibration": 3 * STANDARD_GRAVITY, "leakage": 1e-3})


def test_mapping_beside_columns_that_explain_themselves(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "ia,ib,x", np.ones((3, 3)))
    assert set(read(path, options(mapping=["ic=x"], fs_hz=1e3))[0].channels) == {"ia", "ib", "ic"}
    # The column mapped elsewhere is no longer the channel of its name.
    assert set(read(path, options(mapping=["ic=ia"], fs_hz=1e3))[0].channels) == {"ib", "ic"}


@pytest.mark.parametrize(
    ("header", "opts", "message"),
    [
        ("a,b", NONE, r"no channel among the columns a, b; .*--map ia=COLUMN"),
        ("ia,b", NONE, r"no sampling rate: no column of times: give --rate HZ"),
        ("ia,ia_ma", NONE, r"'ia' and 'ia_ma' could both be ia"),
        ("ia,b", options(mapping=["ib=c"]), r"no column 'c', expected one of ia, b"),
        (
            "Ia [V],b",
            NONE,
            r"'Ia \[V\]': ia in v, expected A or a part of it: give --unit ia=NUMBER",
        ),
        ("ia,b", options(mapping=["ib=3"]), r"no column '3'"),
    ],
)
def test_errors_say_what_to_do(tmp_path: Path, header: str, opts: object, message: str) -> None:
    path = write_csv(tmp_path / "x.csv", header, np.ones((3, 2)))
    with pytest.raises(FileError, match=message) as raised:
        read(path, opts)
    assert str(path) in str(raised.value)


def test_a_clamp_in_volts_is_read_with_its_ratio(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "Ia [V]", np.array([0.1, 0.2]))
    [recording] = read(path, options(unit=["ia=20"], fs_hz=1e3))
    assert recording.channels["ia"] == pytest.approx([2.0, 4.0])


def test_a_velocity_beside_currents_is_left_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "ia,vibration_mm/s", np.ones((3, 2)))
    assert set(read(path, options(fs_hz=1e3))[0].channels) == {"ia"}


def test_what_stands_beside_channels_can_be_mapped_too(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(5) * 0.5, np.ones(5), np.full(5, 25.0)])
    path = write_csv(tmp_path / "x.csv", "x,y,z", rows)
    opts = options(mapping=["time=x,ia=2,speed=z"], unit=["time=ms,speed=Hz"])
    [recording] = read(path, opts)
    assert (recording.fs_hz, recording.speed_rpm) == (2000.0, 1500.0)


def test_times_since_1970_need_no_unit(tmp_path: Path) -> None:
    rows = np.column_stack([1.7e12 + np.arange(5), np.ones(5)])
    np.savetxt(tmp_path / "x.csv", rows, delimiter=",", header="time,ia", comments="", fmt="%.1f")
    assert read(tmp_path / "x.csv")[0].fs_hz == 1000.0


def test_the_public_name_takes_text(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "time_s,ia", np.column_stack([np.arange(9), np.ones(9)]))
    assert vtox.read(str(path))[0].samples == 9
    opts = vtox.ReadOptions(columns={"ib": "ia"}, fs_hz=5.0)
    assert list(vtox.read(path, opts)[0].channels) == ["ib"]


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("x.npz", b"ia\n1\n", "wrong_content", "expected NumPy, which its content is not"),
        ("x.csv", b"\x1f\x8b\x08", "unknown_format", "compressed with gzip: unpack it"),
        ("x.xls", b"\xd0\xcf\x11\xe0", "damaged", "not a readable Excel file"),
        ("none.csv", None, "no_such_file", "no such file"),
        ("", None, "no_such_file", "not a file"),
    ],
)
def test_files_that_are_none(
    tmp_path: Path, name: str, content: bytes | None, code: str, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=message) as raised:
        read(path)
    assert raised.value.code == code


def test_content_goes_before_the_ending(tmp_path: Path) -> None:
    with (tmp_path / "x.csv").open("wb") as file:
        np.savez(file, ia=np.ones(5), fs_hz=100.0)
    assert read(tmp_path / "x.csv")[0].fs_hz == 100.0
    write_csv(tmp_path / "x.log", "time_s,ia", np.column_stack([np.arange(9), np.ones(9)]))
    assert read(tmp_path / "x.log")[0].samples == 9


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "x.csv").open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(FileError, match="1024 MiB, expected at most 1024 MiB") as raised:
        read(tmp_path / "x.csv")
    assert raised.value.code == "too_large"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unit": ["ia=0"]}, r"--unit ia=0: expected a number"),
        ({"mapping": ["ix=a"]}, r"--map ix=a: expected CHANNEL=VALUE"),
        ({"mapping": ["ia"]}, r"--map ia: expected"),
        ({"unit": ["ia=g"]}, r"--unit ia=g: expected a number to multiply by, or one of a, ma"),
        ({"fs_hz": 0.0}, r"--rate 0: expected a positive"),
        ({"speed_rpm": -1.0}, r"--speed-rpm -1"),
    ],
)
def test_impossible_options(given: dict[str, object], message: str) -> None:
    with pytest.raises(FileError, match=message):
        options(**given)


def test_folders_list_what_they_skip(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv", "ia", np.ones(3))
    write_csv(tmp_path / "a.csv", "ia", np.ones(3))
    (tmp_path / "labels.csv").write_text("recording,fault\nb,none\n")
    (tmp_path / "LICENSE").write_text("MIT\n")
    found, skipped = find([tmp_path], NONE)
    assert [p.name for p in found] == ["a.csv", "b.csv"]
    assert {p.name: why for p, why in skipped.items()} == {
        "LICENSE": "no ending of a recording",
        "labels.csv": "no samples, expected lines of numbers",
    }


def test_patterns_and_named_files(tmp_path: Path) -> None:
    for name in ("h_1.csv", "h_2.csv", "f_1.csv"):
        write_csv(tmp_path / name, "ia", np.ones(3))
    found, _ = find([tmp_path / "h_*.csv", tmp_path / "f_1.csv"], NONE)
    assert [p.name for p in found] == ["h_1.csv", "h_2.csv", "f_1.csv"]
    with pytest.raises(FileError, match="no recording there"):
        find([tmp_path / "x_*.csv"], NONE)


@pytest.mark.recordings
@pytest.mark.skipif("VTOX_RECORDINGS" not in os.environ, reason="VTOX_RECORDINGS is not set")
@pytest.mark.parametrize(("folder", "files"), [("itsc", 26), ("cwru", 62), ("stuck", 3)])
def test_real_recordings(folder: str, files: int) -> None:
    found, skipped = find([Path(os.environ["VTOX_RECORDINGS"]) / folder], NONE)
    assert len(found) == files
    assert all(p.name in ("LICENSE", "labels.csv") for p in skipped)
    rates = {recording.fs_hz for path in found for recording in read(path)}
    assert rates == {{"itsc": 1000.0, "cwru": 12_000.0, "stuck": 10_000.0}[folder]}
