from pathlib import Path

import numpy as np
import pytest

from vtox.motor.errors import FileError
from vtox.motor.files import csv_table, table, text_encoding
from vtox.motor.files.csv_table import open_csv
from vtox.motor.files.recordings import read


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def columns(path: Path, *names: str) -> dict[str, list[float]]:
    [opened] = open_csv(path)
    return {n: x.tolist() for n, x in opened.samples(names).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a;b\n1,5;2\n3;4,25\n", {"a": [1.5, 3], "b": [2, 4.25]}),
        ("a\tb\n1,5\t2e3\n", {"a": [1.5], "b": [2000]}),
        ("a  b\n 1.5   2\n-3.5  4\n", {"a": [1.5, -3.5], "b": [2, 4]}),
        ('# exported\n\n"a","b"\n"1",2\n', {"a": [1], "b": [2]}),
        ("\ufeffa,b\r\n1,2\r\n\r\n", {"a": [1], "b": [2]}),
        ("a,note,b\n1,on,2\n", {"a": [1], "b": [2]}),
        ("# a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\n(s),(mV)\n\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("Device;X7\nChannels;2\n\na;b;\n1;2;\n3;4;\n5;6;\n", {"a": [1, 3, 5], "b": [2, 4, 6]}),
        ("Model,9\nRate,1000\na,b\n1,2\n3,4\n5,6\n", {"a": [1, 3, 5], "b": [2, 4, 6]}),
    ],
    ids=[
        "comma",
        "decimal comma",
        "tab",
        "blanks",
        "comment and quotes",
        "bom and crlf",
        "text column",
        "header in a comment",
        "line of units",
        "preamble and last delimiter",
        "preamble of as many cells",
    ],
)
def test_layouts(tmp_path: Path, text: str, expected: dict[str, list[float]]) -> None:
    assert columns(write(tmp_path / "x.csv", text), "a", "b") == expected


def test_one_column_with_decimal_comma(tmp_path: Path) -> None:
    assert columns(write(tmp_path / "x.csv", "Ia\n1,5\n-2,5\n"), "Ia") == {"Ia": [1.5, -2.5]}


def test_without_header_columns_bear_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "0.0,1.5\n0.1,2.5\n")
    assert open_csv(path)[0].names == ("1", "2")
    assert columns(path, "2") == {"2": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("gbk", "gb18030"),
    ],
)
def test_a_chinese_file_in_any_encoding(tmp_path: Path, encoding: str, found: str) -> None:
    rows = "".join(f"{i / 1000:.3f},{i % 7},{i % 5},{i % 3},1480\n" for i in range(200))
    header = "设备:一号泵\n时间(秒),A相电流(mA),B相电流(A),C相电流(A),转速(rpm)\n"
    path = write(tmp_path / "泵.csv", header + rows, encoding)
    [opened] = open_csv(path)
    assert opened.remarks[0].value == found
    [recording] = read(path)
    assert list(recording.channels) == ["ia", "ib", "ic"]
    assert recording.channels["ia"][:4] == pytest.approx([0, 1e-3, 2e-3, 3e-3])
    assert (recording.fs_hz, recording.speed_rpm) == (1000.0, 1480.0)


def test_a_western_file_in_windows_encoding(tmp_path: Path) -> None:
    text = "Zeit [s];Temperatur [°C];acc_x [m/s²]\n" + "0,001;20,5;1,5\n0,002;20,5;2\n0,003;20,5;3"
    path = write(tmp_path / "x.csv", text, "cp1252")
    [opened] = open_csv(path)
    assert (opened.remarks[0].value, opened.remarks[0].certainty) == ("cp1252", "guess")
    [recording] = read(path)
    assert recording.channels["vibration"].tolist() == [1.5, 2, 3]


@pytest.mark.parametrize(
    ("stamp", "started"),
    [
        ("2026-03-01 09:00:00.00{}", "2026-03-01T09:00:00.001000"),
        ("1.3.2026 12:00:00,00{}", "2026-03-01T12:00:00.001000"),
        ("2026/3/1 9:00:00.00{}", "2026-03-01T09:00:00.001000"),
        ("03/31/2026 01:00:00.00{} PM", "2026-03-31T13:00:00.001000"),
        ("12:30:00.00{}", "12:30:00.001000"),
        ("2026年3月1日 9时00分00.00{}秒", "2026-03-01T09:00:00.001000"),
        ("2026-03-01T09:00:00.00{}Z", "2026-03-01T09:00:00.001000+00:00"),
    ],
    ids=["iso", "german", "slashes", "american", "no date", "chinese", "zone"],
)
def test_written_times(tmp_path: Path, stamp: str, started: str) -> None:
    text = "when;Ia\n" + "".join(f"{stamp.format(i)};{i}\n" for i in range(1, 6))
    path = write(tmp_path / "x.csv", text)
    assert open_csv(path)[0].started == started
    assert read(path)[0].fs_hz == pytest.approx(1000.0)


def test_times_pass_midnight(tmp_path: Path) -> None:
    stamps = ("23:59:59.998", "23:59:59.999", "00:00:00.000", "00:00:00.001")
    text = "t,ia\n" + "".join(f"{t},1\n" for t in stamps)
    assert read(write(tmp_path / "x.csv", text))[0].fs_hz == pytest.approx(1000.0)


def test_date_and_time_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01,12:00:00.{i:03},{i}\n" for i in range(5))
    path = write(tmp_path / "x.csv", f"Date,Time,Ia\n{rows}")
    assert open_csv(path)[0].started == "2026-03-01T12:00:00"
    assert read(path)[0].fs_hz == 1000.0


@pytest.mark.parametrize(
    ("line", "fs_hz"),
    [
        ("Sampling rate: 25.6 kHz", 25_600.0),
        ("Sample Rate,5000", 5000.0),
        ("采样频率:12000 Hz", 12_000.0),
        ("Sample interval;0.1 ms", 10_000.0),
        ("Delta_X\t0.0005", 2000.0),
    ],
)
def test_a_rate_above_the_columns_is_taken_and_called_likely(
    tmp_path: Path, line: str, fs_hz: float
) -> None:
    path = write(tmp_path / "x.csv", f"{line}\nIa,Ib,Ic\n" + "1,2,3\n" * 20)
    [opened] = open_csv(path)
    assert opened.rate_certainty == "likely"
    assert read(path)[0].fs_hz == pytest.approx(fs_hz)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a,b\n1,2\n3,oops\n", "not_a_number", r"column 'b', line 3: 'oops', expected a number"),
        ("a,b\n1,2\n\n3\n", "not_a_number", r"column 'b', line 4: missing"),
        ("a,b\n1,2\n3,\n", "not_a_number", r"column 'b', line 3: '', expected a number"),
        ("a,b\n1,nan\n", "not_finite", r"column 'b', sample 1: nan"),
        ("a,b\n", "no_samples", r"no samples"),
        ("\n\n", "no_samples", r"empty"),
        ("a,a\n1,2\n", "ambiguous_channel", r"line 1: column 'a' is there twice"),
        ('a,b\n1,"2\n3,4\n', "damaged", "lines 2 to 3: |line 2 and below: quot"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, code: str, message: str) -> None:
    path = write(tmp_path / "x.csv", text)
    with pytest.raises(FileError, match=message) as raised:
        columns(path, "a", "b")
    assert str(path) in str(raised.value)
    assert raised.value.code == code


def test_a_clock_that_breaks_off_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "t,ia\n12:00:00.1,1\n12:00:00.2,2\noff,3\n")
    with pytest.raises(FileError, match=r"column 't', line 4: 'off', expected a time"):
        read(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n\x01\x02\x03,5\n")
    with pytest.raises(FileError, match=r"no text either \(byte 1 at position 4\)") as raised:
        open_csv(path)
    assert raised.value.code == "wrong_content"


def test_a_bad_byte_far_below_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("ia,电流\n".encode() + b"1,2\n" * 20_000 + b"\xff,2\n")
    with pytest.raises(FileError, match=r"after line \d+: expected text in utf-8"):
        columns(path, "ia")


def test_limits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.csv", "a,b\n" + "1,2\n" * 100)
    monkeypatch.setattr(table, "MAX_VALUES", 150)
    monkeypatch.setattr(csv_table, "CHUNK", 20)
    assert len(columns(path, "a")["a"]) == 100
    with pytest.raises(FileError, match="values, expected at most 150"):
        columns(path, "a", "b")
    monkeypatch.setattr(text_encoding, "MAX_LINE", 50)
    with pytest.raises(FileError, match="line 1: longer than 50 characters"):
        open_csv(write(tmp_path / "y.csv", "1 " * 100))


def test_chunks_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "CHUNK", 7)
    rows = "".join(f"12:00:00.{i:03},{i}\n" for i in range(50))
    [recording] = read(write(tmp_path / "x.csv", f"t,ia\n{rows}"))
    assert np.array_equal(recording.channels["ia"], np.arange(50.0))
    assert recording.fs_hz == 1000.0
