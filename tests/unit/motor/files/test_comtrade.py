import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.motor.files.comtrade_bytes import FORMATS, Analog, Record
from vtox.motor.errors import FileError, remedy_of_extra
from vtox.motor.files.formats import tables_in
from vtox.motor.files.matching import options
from vtox.motor.files.readers.comtrade_records import open_comtrade
from vtox.motor.files.recordings import find, read

RAW = [round(float(3000 * np.sin(0.157 * i))) for i in range(200)]
THREE = [Analog(f"I{p}", p, "A", np.roll(RAW, 67 * k).tolist()) for k, p in enumerate("ABC")]
RECORD = Record(THREE)


def write(folder: Path, record: Record, name: str = "start") -> Path:
    (folder / f"{name}.cfg").write_bytes(record.cfg())
    (folder / f"{name}.dat").write_bytes(record.dat())
    return folder / f"{name}.cfg"


@pytest.mark.parametrize("form", ["ASCII", *FORMATS])
@pytest.mark.parametrize("revision", ["1991", "1999", "2013"])
@pytest.mark.parametrize("statuses", [0, 1, 17])
def test_every_revision_and_format(tmp_path: Path, revision: str, form: str, statuses: int) -> None:
    record = RECORD.with_(revision=revision, form=form, statuses=statuses)
    [recording] = read(write(tmp_path, record))
    assert list(recording.channels) == ["ia", "ib", "ic"]
    assert recording.fs_hz == 2000.0
    for channel, analog in zip(recording.channels.values(), THREE, strict=True):
        assert channel == pytest.approx(np.array(analog.raw) * 0.01)


@pytest.mark.parametrize("form", ["ASCII", *FORMATS])
def test_combined_files(tmp_path: Path, form: str) -> None:
    path = tmp_path / "start.cff"
    path.write_bytes(RECORD.with_(revision="2013", form=form).cff())
    [recording] = read(path)
    assert recording.channels["ib"] == pytest.approx(np.array(THREE[1].raw) * 0.01)


def test_secondary_values_are_brought_to_the_primary_side(tmp_path: Path) -> None:
    record = RECORD.with_(
        channels=[
            Analog("IA", "A", "A", RAW, a=0.001, primary=200, secondary=5, side="S"),
            Analog("IB", "B", "kA", RAW, a=1e-5, primary=200, secondary=5, side="P"),
            Analog("UC", "C", "V", RAW, a=0.1, b=0.5, primary=6000, secondary=100, side="s"),
        ]
    )
    [recording] = read(write(tmp_path, record))
    raw = np.array(RAW)
    assert recording.channels["ia"] == pytest.approx(raw * 0.001 * 40)
    assert recording.channels["ib"] == pytest.approx(raw * 1e-5 * 1000)
    assert recording.channels["vc"] == pytest.approx((raw * 0.1 + 0.5) * 60)


def test_what_the_configuration_says_is_told(tmp_path: Path) -> None:
    [table] = tables_in(write(tmp_path, RECORD.with_(station="一号泵房")))
    assert table.started == "2026-02-14T08:30:00.250000"
    said = {r.topic: (r.value, r.certainty) for r in table.remarks}
    assert said["encoding"][0] == "gb18030"
    assert said["revision"] == ("1999", "stated")
    assert said["supply_hz"] == ("50", "stated")
    assert said["trigger_s"] == ("0.1", "stated")
    assert said["ratio of IA"] == ("200/1, primary", "stated")


def test_1991_has_no_ratios_and_dates_with_the_month_first(tmp_path: Path) -> None:
    record = RECORD.with_(revision="1991", start="02/14/91,08:30:00", trigger="02/14/91,08:30:01.5")
    [table] = tables_in(write(tmp_path, record))
    assert table.started == "1991-02-14T08:30:00"
    assert table.remarks[-1].value == "none, taken as primary"
    assert table.remarks[-1].certainty == "guess"


@pytest.mark.parametrize(
    ("revision", "written", "started"),
    [
        ("1991", "02/03/2026", "2026-02-03"),
        ("1991", "14/02/2026", "2026-02-14"),
        ("1999", "02/03/2026", "2026-03-02"),
        ("1999", "02/14/2026", "2026-02-14"),
    ],
)
def test_a_date_in_the_wrong_order_is_read_where_it_shows(
    tmp_path: Path, revision: str, written: str, started: str
) -> None:
    times = {"start": f"{written},00:00:00.0", "trigger": f"{written},00:00:01.0"}
    [table] = tables_in(write(tmp_path, RECORD.with_(revision=revision, **times)))
    assert table.started.startswith(started)


@pytest.mark.parametrize(
    ("phase", "name", "unit", "channel"),
    [
        ("L2", "I", "A", "ib"),
        ("w", "Strom", "kA", "ic"),
        ("", "A相电流", "A", "ia"),
        ("", "UL3", "kV", "vc"),
        ("B", "whatever", "V", "vb"),
        ("AB", "whatever", "kV", "vab"),
        ("L3-L1", "U", "V", "vca"),
    ],
)
def test_phases_and_names(tmp_path: Path, phase: str, name: str, unit: str, channel: str) -> None:
    record = RECORD.with_(channels=[Analog(name, phase, unit, RAW)])
    assert list(read(write(tmp_path, record))[0].channels) == [channel]


def test_neutral_and_other_quantities_are_no_phases(tmp_path: Path) -> None:
    others = [
        Analog("IN", "N", "A", RAW),
        Analog("UBA", "BA", "V", RAW),
        Analog("IAB", "AB", "A", RAW),
        Analog("P", "", "MW", RAW),
    ]
    [recording] = read(write(tmp_path, RECORD.with_(channels=[*THREE, *others])))
    assert list(recording.channels) == ["ia", "ib", "ic"]


def test_two_feeders_are_for_the_user_to_choose(tmp_path: Path) -> None:
    second = [Analog(f"M2 I{p}", p, "A", RAW) for p in "ABC"]
    path = write(tmp_path, RECORD.with_(channels=[*THREE, *second]))
    with pytest.raises(FileError, match="columns 'IA' and 'M2 IA' could both be ia") as raised:
        read(path)
    assert raised.value.code == "ambiguous_channel"
    chosen = options(mapping=["ia=M2 IA,ib=M2 IB,ic=M2 IC"])
    assert read(path, chosen)[0].channels["ib"] == pytest.approx(np.array(RAW) * 0.01)


def test_each_rate_is_a_recording(tmp_path: Path) -> None:
    path = write(tmp_path, RECORD.with_(rates=[(2000.0, 150), (500.0, 200)]))
    fast, slow = read(path)
    assert (fast.fs_hz, fast.samples, slow.fs_hz, slow.samples) == (2000.0, 150, 500.0, 50)
    assert np.concatenate([fast.channels["ia"], slow.channels["ia"]]) == pytest.approx(
        np.array(RAW) * 0.01
    )


@pytest.mark.parametrize("form", ["ASCII", "BINARY"])
def test_without_a_rate_the_times_of_the_samples_count(tmp_path: Path, form: str) -> None:
    record = RECORD.with_(rates=[(0.0, 200)], form=form, step_us=250)
    [recording] = read(write(tmp_path, record))
    assert recording.fs_hz == pytest.approx(4000.0)


@pytest.mark.parametrize(
    ("revision", "form", "missing"),
    [
        ("1999", "BINARY", -32768),
        ("1999", "ASCII", 99999),
        ("2013", "BINARY32", -(2**31)),
        ("2013", "FLOAT32", -3.4028234663852886e38),
    ],
)
def test_missing_values_are_no_samples(
    tmp_path: Path, revision: str, form: str, missing: float
) -> None:
    raw = [*RAW[:100], missing, *RAW[101:]]
    record = Record([Analog("IA", "A", "A", raw)], revision=revision, form=form)
    with pytest.raises(FileError, match=r"'IA', sample 101: nan") as raised:
        read(write(tmp_path, record))
    assert raised.value.code == "not_finite"


def test_1991_tells_a_gap_from_a_sample_of_minus_one(tmp_path: Path) -> None:
    raw = [*RAW[:50], -1, *RAW[51:]]
    record = Record([Analog("IA", "A", "A", raw)], revision="1991", form="BINARY")
    assert read(write(tmp_path, record))[0].channels["ia"][50] == pytest.approx(-0.01)
    gap = record.with_(channels=[Analog("IA", "A", "A", [*RAW[:50], *[-1] * 9, *RAW[59:]])])
    with pytest.raises(FileError, match="sample 51: nan"):
        read(write(tmp_path, gap, "gap"))


def test_any_of_the_files_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, RECORD)
    assert read(path.with_suffix(".dat"))[0].samples == 200
    capitals = tmp_path / "OLD.CFG"
    capitals.write_bytes(RECORD.cfg())
    (tmp_path / "OLD.DAT").write_bytes(RECORD.dat())
    assert read(capitals)[0].samples == 200
    found, skipped = find([tmp_path], options())
    assert [p.name for p in found] == ["OLD.CFG", "start.cfg"]
    assert {p.name: why for p, why in skipped.items()} == {
        "OLD.DAT": "read with its .cfg",
        "start.dat": "read with its .cfg",
    }


@pytest.mark.parametrize(
    ("cfg", "dat", "message"),
    [
        (RECORD.cfg(), RECORD.dat()[:3000], "samples in the data, expected 200 by the cfg"),
        (RECORD.with_(form="BINARY").cfg(), b"", "0 samples in the data, expected 200"),
        (RECORD.cfg()[:90], RECORD.dat(), "line 4 of the configuration"),
        (b"x,y,1999\r\n9000000001,9000000000A,1D\r\n", b"", "line 2: expected the numbers"),
        (RECORD.with_(form="ZIP").cfg(), RECORD.dat(), "expected the format of the data"),
        (RECORD.cfg(), RECORD.dat().replace(b"\n7,", b"\nx,"), "not a readable COMTRADE file"),
    ],
)
def test_damaged_records(tmp_path: Path, cfg: bytes, dat: bytes, message: str) -> None:
    (tmp_path / "x.cfg").write_bytes(cfg)
    (tmp_path / "x.dat").write_bytes(dat)
    with pytest.raises(FileError, match=message) as raised:
        read(tmp_path / "x.cfg")
    assert raised.value.code == "damaged"


def test_a_rate_without_an_end_is_no_rate(tmp_path: Path) -> None:
    cfg = RECORD.with_(rates=[(2000.0, RECORD.samples)]).cfg()
    (tmp_path / "x.cfg").write_bytes(cfg.replace(b"\n2000,", b"\n2" + b"0" * 400 + b","))
    (tmp_path / "x.dat").write_bytes(RECORD.dat())
    with pytest.raises(FileError) as raised:
        read(tmp_path / "x.cfg")
    assert raised.value.code == "no_rate"


def test_parts_that_are_lacking(tmp_path: Path) -> None:
    (tmp_path / "x.cfg").write_bytes(RECORD.cfg())
    with pytest.raises(FileError, match=r"without its data, expected x\.dat next to it"):
        read(tmp_path / "x.cfg")
    (tmp_path / "x.cff").write_bytes(RECORD.cff().partition(b"--- file type: DAT")[0])
    with pytest.raises(FileError, match="without the part DAT"):
        read(tmp_path / "x.cff")


def test_a_missing_library_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "comtrade", None)
    with pytest.raises(FileError, match=re.escape(remedy_of_extra("comtrade"))) as raised:
        open_comtrade(write(tmp_path, RECORD))
    assert raised.value.code == "reader_missing"
