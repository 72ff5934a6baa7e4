"""Layouts of files that plants have, each written here as its program writes it."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import scipy.io

from tests.unit.motor.files.comtrade_bytes import Analog, Record
from vtox.motor.errors import FileError
from vtox.motor.files.inspection import file_facts
from vtox.motor.files.matching import ReadOptions
from vtox.motor.files.recordings import named_recordings, read
from vtox.motor.values.domain import CURRENTS

FS_HZ = 1000.0
N = 400
T = np.arange(N) / FS_HZ
CURRENT_A = 10 * np.sin(2 * np.pi * 50 * T[:, None] - 2 * np.pi / 3 * np.arange(3))
RECORD = Record(
    [
        Analog(f"I{p}", p, "A", [round(300 * np.sin(k + i)) for i in range(40)])
        for k, p in enumerate("ABC")
    ]
)
Write = Callable[[Path], Path]


def rows(*, time: bool = True, sep: str = ",", decimal: str = ".") -> str:
    """The samples as text, one line each."""
    columns = np.column_stack([T, CURRENT_A]) if time else CURRENT_A
    lines = [sep.join(f"{x:.6f}".replace(".", decimal) for x in row) for row in columns]
    return "\n".join(lines) + "\n"


def text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def excel(path: Path, rows: int = N) -> Path:
    book = openpyxl.Workbook()
    first = book.create_sheet("Messung", 0)
    book.remove(book["Sheet"])
    first.append(["Zeit [s]", "Strom L1 [A]", "Strom L2 [A]", "Strom L3 [A]"])
    for t, x in zip(T[:rows], CURRENT_A[:rows], strict=True):
        first.append([float(t), *map(float, x)])
    other = book.create_sheet("Later")
    other.append(["time_s", "ia", "ib", "ic"])
    for t, x in zip(T[:rows], CURRENT_A[:rows], strict=True):
        other.append([float(t), *(2 * float(y) for y in x)])
    book.create_sheet("Notes").append(["written by hand"])
    book.save(path / "x.xlsx")
    return path / "x.xlsx"


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path / "x.zip", "w") as archive:
        archive.writestr("folder/x.csv", "time_s,ia,ib,ic\n" + rows())
    return path / "x.zip"


def sel(path: Path) -> Path:
    def line(*cells: str) -> str:
        return ",".join([*cells, '"0A2B"']) + "\r\n"

    head = [
        "\x02" + line('"FID"'),
        line('"FID=SEL-751-R100"'),
        line(*(f'"{n}"' for n in ("MONTH", "DAY", "YEAR", "HOUR", "MIN", "SEC", "MSEC"))),
        line("11", "28", "2026", "10", "15", "3", "125"),
        line('"FREQ"', '"SAM/CYC_A"', '"SAM/CYC_D"', '"NUM_OF_CYC"', '"EVENT"', '"IA"'),
        line("50.00", "20", "4", "20", '"AB T"', "100"),
        line(*(f'"{n}"' for n in ("IA", "IB", "IC", "VA(kV)", "FREQ", "TRIG", "TRIP * 51P"))),
    ]
    samples = [
        line(*(f"{x:.4f}" for x in row), "0.2", "50.0", '">"' if i == 99 else "", '"00A0"')
        for i, row in enumerate(CURRENT_A)
    ]
    end = [line('"SETTINGS"'), '"Group 1\r\nCTR := 120,PTR := 35\r\n","1F"\r\n\x03']
    (path / "x.cev").write_text("".join([*head, *samples, *end]), encoding="latin-1", newline="")
    return path / "x.cev"


def labview(path: Path) -> Path:
    head = (
        "LabVIEW Measurement\t\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\n"
        "Decimal_Separator\t,\nMulti_Headings\tNo\nX_Columns\tOne\nTime_Pref\tAbsolute\n"
        "Date\t2026/11/28\nTime\t10:15:03,125\n***End_of_Header***\t\n\t\n"
        "Channels\t3\t\t\t\nSamples\t400\t400\t400\t\nY_Unit_Label\tA\tA\tA\t\n"
        "X_Dimension\tTime\tTime\tTime\t\nX0\t0\t0\t0\t\n"
        "Delta_X\t0,001\t0,001\t0,001\t\n***End_of_Header***\t\t\t\t\n"
        "X_Value\tIa\tIb\tIc\tComment\n"
    )
    return text(path / "x.lvm", head + rows(sep="\t", decimal=","))


def matlab(path: Path) -> Path:
    current = {n: CURRENT_A[:, k] for k, n in enumerate(CURRENTS)}
    scipy.io.savemat(path / "x.mat", current | {"sr": FS_HZ})
    return path / "x.mat"


def nested(path: Path) -> Path:
    current = {n: CURRENT_A[:, k] for k, n in enumerate(CURRENTS)}
    runs = {f"run{k:02d}": current | {"fs": FS_HZ} for k in range(39)}
    scipy.io.savemat(path / "runs.mat", {"data": runs})
    return path / "runs.mat"


def structures(path: Path) -> Path:
    runs = np.zeros(3, dtype=[(n, object) for n in (*CURRENTS, "fs")])
    for k in range(3):
        runs[k] = (*CURRENT_A.T, FS_HZ)
    scipy.io.savemat(path / "array.mat", {"runs": runs})
    return path / "array.mat"


SCOPE = (
    "Model,MSO44\nLabel,Ia,Ib,Ic\nHorizontal Units,s\nSample Interval,0.001\n"
    "Vertical Units,A,A,A\nRecord Length,400\nTIME,CH1,CH2,CH3\n"
)
TEXTS = {
    "zip": zipped,
    "excel": excel,
    "SEL event report": sel,
    "LabVIEW": labview,
    "short name of the rate": matlab,
    "rate in kHz": lambda p: text(
        p / "x.txt", "Input Rate In kHz: 1\nia,ib,ic\n" + rows(time=False)
    ),
    "line of units": lambda p: text(p / "x.csv", "Time,Ia,Ib,Ic\n(s),(A),(A),(A)\n" + rows()),
    "labels above the header": lambda p: text(p / "x.csv", SCOPE + rows()),
    "French": lambda p: text(
        p / "x.csv",
        "Temps (s);Courant phase 1 (A);Intensité L2 (A);Courant L3\n" + rows(sep=";", decimal=","),
    ),
    "Spanish": lambda p: text(
        p / "x.csv",
        "Tiempo (s);Corriente fase A;Corriente S [A];Intensidad L3 (A)\n"
        + rows(sep=";", decimal=","),
    ),
    "German": lambda p: text(
        p / "x.csv",
        "Zeit [s];Phasenstrom L1 [A];Stromstärke L2;Strom W (A)\n" + rows(sep=";", decimal=","),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_three_currents_are_read(tmp_path: Path, name: str) -> None:
    write: Write = TEXTS[name]
    path = write(tmp_path)
    [recording] = read(path)
    assert recording.fs_hz == pytest.approx(FS_HZ)
    assert [c for c in recording.channels if c in CURRENTS] == list(CURRENTS)
    x = np.column_stack([recording.channels[c] for c in CURRENTS])
    np.testing.assert_allclose(x, CURRENT_A, atol=1e-4)


def test_start_of_reports_is_read(tmp_path: Path) -> None:
    assert (
        file_facts(sel(tmp_path), ReadOptions()).tables[0].started == "2026-11-28T10:15:03.125000"
    )
    assert (
        file_facts(labview(tmp_path), ReadOptions()).tables[0].started
        == "2026-11-28T10:15:03.125000"
    )


def test_guessed_rates_are_named_so(tmp_path: Path) -> None:
    for write in (TEXTS["short name of the rate"], TEXTS["rate in kHz"]):
        rate = file_facts(write(tmp_path), ReadOptions()).tables[0].rate
        assert rate is not None
        assert rate.certainty == "guess"


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    [recording] = read(excel(tmp_path), ReadOptions(part="Later"))
    np.testing.assert_allclose(recording.channels["ia"], 2 * CURRENT_A[:, 0])
    with pytest.raises(FileError, match=r"no part 'Notes', expected one of Messung, Later"):
        read(tmp_path / "x.xlsx", ReadOptions(part="Notes"))


def test_a_recording_of_many_is_chosen(tmp_path: Path) -> None:
    path = nested(tmp_path)
    assert [n for n, _ in named_recordings(path)][:2] == [
        "runs.mat:data.run00",
        "runs.mat:data.run01",
    ]
    [recording] = read(path, ReadOptions(part="data.run07"))
    np.testing.assert_allclose(recording.channels["ib"], CURRENT_A[:, 1])


def test_arrays_of_structures_are_recordings(tmp_path: Path) -> None:
    found = dict(named_recordings(structures(tmp_path)))
    assert list(found) == ["array.mat:runs.1", "array.mat:runs.2", "array.mat:runs.3"]
    assert found["array.mat:runs.2"].fs_hz == FS_HZ


def test_jitter_is_a_doubt_and_the_rate_a_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    t = T + rng.normal(0, 0.02 / FS_HZ, N)
    lines = "".join(f"{a:.9f},{b:.6f}\n" for a, b in zip(t, CURRENT_A[:, 0], strict=True))
    facts = file_facts(text(tmp_path / "x.csv", "time_s,ia\n" + lines), ReadOptions()).tables[0]
    assert facts.rate is not None
    assert facts.rate.fs_hz == pytest.approx(FS_HZ, rel=1e-4)
    assert "jitter" in facts.doubts
    assert not facts.errors


def test_a_missing_sample_is_no_jitter(tmp_path: Path) -> None:
    t = np.delete(T, 200)
    lines = "".join(f"{a:.4f},1\n" for a in t)
    with pytest.raises(FileError, match="not uniform"):
        read(text(tmp_path / "x.csv", "time_s,ia\n" + lines))


@pytest.mark.parametrize("end", ["0.399000,-1.0", "0.399000,-1.000000,2.0", "0.399000,1.0,2.0,3.1"])
def test_a_csv_that_breaks_off_says_so(tmp_path: Path, end: str) -> None:
    whole = "time_s,ia,ib,ic\n" + rows()
    broken = whole[: whole.rindex("0.399000")] + end
    path = text(tmp_path / "x.csv", broken)
    assert "breaks_off" in file_facts(path, ReadOptions()).tables[0].doubts
    assert read(path)[0].channels["ia"].size == N - 1


def test_no_end_of_the_last_line_is_no_break(tmp_path: Path) -> None:
    path = text(tmp_path / "x.csv", "time_s,ia,ib,ic\n" + rows().rstrip("\n"))
    assert "breaks_off" not in file_facts(path, ReadOptions()).tables[0].doubts
    assert read(path)[0].channels["ia"].size == N


def test_a_first_column_of_times_is_proposed(tmp_path: Path) -> None:
    path = text(tmp_path / "x.csv", rows())
    assert file_facts(path, ReadOptions()).tables[0].proposal == {
        "time": "1",
        "ia": "2",
        "ib": "3",
        "ic": "4",
    }


def comtrade(path: Path, cfg: bytes) -> Path:
    (path / "x.cfg").write_bytes(cfg)
    (path / "x.dat").write_bytes(RECORD.dat())
    return path / "x.cfg"


def test_an_impossible_date_is_a_doubt(tmp_path: Path) -> None:
    cfg = RECORD.with_(start="31/02/2026,08:30:00.25").cfg()
    path = comtrade(tmp_path, cfg)
    facts = file_facts(path, ReadOptions()).tables[0]
    assert facts.doubts["impossible_date"] == "31/02/2026"
    assert not facts.started
    assert read(path)[0].fs_hz == 2000.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"4,3A,1D", b"4 channels", "line 2 .*'4 channels', expected the numbers of channels"),
        (b"1,IA,A,,A,0.01", b"1,IA,A,,A,x", "line 3 .*expected an analog channel"),
        (b"2000,40", b"2000", "line 9 .*expected a sampling rate and its last sample"),
        (b"14/02/2026,08:30:00.25", b"yesterday", "line 10 .*expected a date and a time"),
        (b"ASCII", b"EXCEL", "line 12 .*expected the format of the data: ASCII, BINARY"),
    ],
)
def test_the_wrong_line_of_a_cfg_is_named(
    tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    assert old in RECORD.cfg()
    with pytest.raises(FileError, match=message):
        read(comtrade(tmp_path, RECORD.cfg().replace(old, new, 1)))


def test_a_labview_file_of_short_rows_names_the_column(tmp_path: Path) -> None:
    path = labview(tmp_path)
    head, mark, samples = path.read_text(encoding="utf-8").rpartition("Comment\n")
    short = "\n".join(line.rpartition("\t")[0] for line in samples.splitlines())
    text(path, f"{head}{mark}{short}\n")
    with pytest.raises(FileError) as raised:
        read(path)
    assert (raised.value.code, raised.value.channel) == ("not_finite", "Ic")
