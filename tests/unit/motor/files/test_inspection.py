from pathlib import Path

import numpy as np

from vtox.motor.files.inspection import TableFacts, file_facts
from vtox.motor.files.matching import ReadOptions, options


def facts(path: Path, opts: ReadOptions | None = None) -> TableFacts:
    [only] = file_facts(path, opts or options()).tables
    return only


def csv(path: Path, header: str, *columns: np.ndarray) -> Path:
    np.savetxt(
        path, np.column_stack(columns), delimiter=",", header=header, comments="", encoding="utf-8"
    )
    return path


def test_what_is_understood_and_what_is_missing(tmp_path: Path) -> None:
    t = np.arange(1000) / 5000
    x = np.sin(2 * np.pi * 50 * t)
    path = csv(tmp_path / "x.csv", "time,A相电流(mA),Ib,序号,va", t, x, x, t, x)
    found = facts(path)
    assert (found.samples, found.errors) == (1000, ())
    assert found.rate is not None
    assert (found.rate.fs_hz, found.rate.certainty) == (5000.0, "likely")
    assert [(c.quantity, c.column, c.certainty, c.written_unit) for c in found.channels] == [
        ("ia", "A相电流(mA)", "likely", "ma"),
        ("ib", "Ib", "stated", ""),
        ("va", "va", "stated", ""),
    ]
    assert np.isclose(found.channels[0].rms, np.sqrt(0.5) * 1e-3)
    assert found.ignored == ("序号",)
    assert found.missing == ("ic", "vb", "vc", "vibration", "leakage", "speed")
    assert found.doubts == {"unit_assumed": "ib, va"}


def test_doubts_about_values(tmp_path: Path) -> None:
    t = np.arange(100.0)
    path = csv(
        tmp_path / "x.csv", "t_s,ia_a,ib_a,ic_a", t, t * 0 + 2, t * 0 + 5 + t % 2, t % 2 - 0.5
    )
    assert facts(path).doubts == {"constant": "ia", "offset": "ib", "slow": "1"}


def test_errors_are_collected_instead_of_raised(tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 7},{'x' if i == 5 else i},1" for i in range(9))
    path = tmp_path / "x.csv"
    path.write_text(f"time,ia,ib\n{rows}\n")
    found = facts(path)
    assert [e.code for e in found.errors] == ["not_a_number", "uneven_time"]
    assert [c.quantity for c in found.channels] == ["ib"]
    assert [e.code for e in facts(path, options(mapping=["ic=9"])).errors] == ["no_such_column"]


def test_only_columns_that_look_like_currents_are_proposed(tmp_path: Path) -> None:
    t = np.arange(1000) / 5000
    rng = np.random.default_rng(3)
    currents = [3 * np.sin(2 * np.pi * 50 * t + k) for k in range(2)]
    others = (np.arange(1000) % 3 + 1, rng.standard_normal(1000), t * 0 + 1, 1000 * t)
    path = csv(tmp_path / "x.csv", "s,SensorID,gs,on,n,clamp1,clamp2", t, *others, *currents)
    assert facts(path).proposal == {"time": "s", "ia": "clamp1", "ib": "clamp2"}
    path = csv(tmp_path / "y.csv", "SensorID,gs", *others[:2])
    assert facts(path).proposal == {}
    path.write_text("SensorID,note\n1,x\n2,y\n3,z\n")
    assert facts(path).proposal == {}
    path = csv(tmp_path / "z.csv", "gs,other", 1e200 * currents[0], currents[1] / 3)
    assert facts(path).proposal == {"ia": "other"}


def test_times_that_cannot_be_read_are_not_called_missing(tmp_path: Path) -> None:
    rows = "\n".join(f"{'' if i > 397 else i / 1000},{i % 7 - 3}" for i in range(400))
    path = tmp_path / "x.csv"
    path.write_text(f"time,ia\n{rows}\n")
    assert [e.code for e in facts(path).errors] == ["not_a_number"]
