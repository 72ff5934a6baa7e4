"""Page and diagnosis cannot disagree: a spectrum has the lines that the diagnosis read."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals import current_lines, vibration
from vtox import learn_baseline
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.diagnosis.spectra.record import spectrum
from vtox.motor.diagnosis.spectra.spectrum import thinned
from vtox.motor.errors import SpectrumError
from vtox.motor.values.arrays import db
from vtox.motor.values.domain import Recording
from vtox.motor.values.spectra import ExpectedLine, Spectrum

BROKEN = replace(current_lines.Machine(), lower_dbc=-38.0, upper_dbc=-41.0)


def line(s: Spectrum, name: str) -> ExpectedLine:
    (found,) = (x for x in s.lines if x.name == name)
    return found


def level_at(s: Spectrum, hz: float | None) -> float:
    assert hz is not None
    return float(s.levels_db[np.argmin(np.abs(np.nan_to_num(s.hz) - hz))])


def currents(m: current_lines.Machine = BROKEN, *, speed: bool = False) -> Recording:
    return current_lines.recording(m, np.random.default_rng(3), speed=speed)


@pytest.mark.parametrize("speed", [False, True])
def test_sidebands_of_broken_bars_are_those_of_the_diagnosis(speed: bool) -> None:
    x = currents(speed=speed)
    (d,) = diagnose(x, current_lines.MOTOR, faults={"broken_bar"})
    s = spectrum(
        x, current_lines.MOTOR, None, kind="demodulated", channel=None, faults={"broken_bar"}
    )
    (row,) = (e for e in d.evidence if e["kind"] == "line")
    for side in ("lower", "upper"):
        shown = line(s, f"{side} sideband 2sf")
        assert shown.found_hz == pytest.approx(row[f"{side}_hz"], abs=1e-3)
        assert shown.level_db == pytest.approx(row[f"{side}_dbc"], abs=0.01)
        assert shown.level_db == pytest.approx(d.indicators[f"{side}_sideband_dbc"], abs=0.01)
        assert level_at(s, shown.found_hz) == pytest.approx(shown.level_db, abs=1e-6)
        assert shown.low_hz <= shown.hz <= shown.high_hz
        assert (shown.found, shown.fault) == (True, "broken_bar")


def test_the_channel_shows_them_where_the_diagnosis_found_them() -> None:
    x = currents(speed=True)
    s = spectrum(x, current_lines.MOTOR, None, kind="current", channel="ib", faults={"broken_bar"})
    supply, lower = line(s, "supply"), line(s, "lower sideband 2sf")
    assert supply.level_db == pytest.approx(0.0, abs=0.5)
    assert supply.found_hz == pytest.approx(BROKEN.f0_hz, abs=0.1)
    assert lower.hz == pytest.approx(BROKEN.f0_hz * (1 - 2 * BROKEN.slip), abs=0.01)
    assert lower.level_db == pytest.approx(BROKEN.lower_dbc, abs=1.0)
    assert lower.decided_in == "demodulated"
    assert level_at(s, lower.found_hz) == lower.level_db


def test_rotation_sidebands_and_their_baseline_are_those_of_the_diagnosis() -> None:
    healthy = replace(current_lines.Machine(), rotor_dbc=-52.0, seconds=2.0, noise=3e-4)
    rng = np.random.default_rng(5)
    motor = current_lines.MOTOR
    baseline = learn_baseline([current_lines.recording(healthy, rng) for _ in range(4)], motor)
    x = current_lines.recording(replace(healthy, rotor_dbc=-40.0), rng)
    (d,) = diagnose(x, motor, baseline, faults={"eccentricity"})
    s = spectrum(x, motor, baseline, kind="demodulated", channel=None, faults={"eccentricity"})
    (row,) = (e for e in d.evidence if e["kind"] == "line")
    for side in ("lower", "upper"):
        shown = line(s, f"{side} rotation sideband")
        assert shown.found_hz == pytest.approx(row[f"{side}_hz"], abs=1e-3)
        assert shown.level_db == pytest.approx(row[f"{side}_dbc"], abs=0.01)
        assert shown.baseline_db is not None
        assert shown.level_db - shown.baseline_db == pytest.approx(12.0, abs=1.5)
    assert row["baseline_dbc"] in [
        pytest.approx(x.baseline_db, abs=0.01) for x in s.lines if x.fault == "eccentricity"
    ]


@pytest.mark.parametrize("defect", ["BPFO", "BPFI"])
def test_the_comb_of_a_bearing_is_that_of_the_diagnosis(defect: str) -> None:
    machine = replace(vibration.Machine(), impacts=(vibration.defect(defect),))
    x = vibration.recording(machine, 3.0)
    (d,) = diagnose(x, vibration.MOTOR, faults={"bearing"})
    assert d.indicators["defect"] == defect
    s = spectrum(x, vibration.MOTOR, None, kind="envelope", channel=None, faults={"bearing"})
    assert s.band_hz == (d.indicators["band_low_hz"], d.indicators["band_high_hz"])
    harmonics = [e for e in d.evidence if "line" in e]
    assert harmonics
    for row in harmonics:
        name = defect if row["line"] == 1 else f"{row['line']} x {defect}"
        shown = line(s, name)
        assert shown.found_hz == pytest.approx(row["hz"], abs=0.01)
        assert shown.level_db == pytest.approx(float(db(row["modulation"])), abs=0.1)
        assert shown.level_db is not None
        assert shown.floor_db is not None
        assert shown.level_db - shown.floor_db == pytest.approx(row["over_floor_db"], abs=0.06)
        assert level_at(s, shown.found_hz) == pytest.approx(shown.level_db, abs=1e-6)
        assert shown.low_hz <= shown.hz <= shown.high_hz
    expected = next(e["expected_hz"] for e in d.evidence if e.get("defect") == defect)
    assert line(s, defect).hz == pytest.approx(expected, abs=0.01)
    others = [x for x in s.lines if x.fault and defect not in x.name]
    assert all(x.found is False for x in others if "FTF" not in x.name)


def test_shaft_lines_stand_in_the_vibration() -> None:
    x = vibration.recording(vibration.Machine(), 3.0)
    s = spectrum(x, vibration.MOTOR, None, kind="vibration", channel=None, faults={"bearing"})
    assert s.shaft_hz == pytest.approx(24.3, rel=0.002)
    peak = float(s.hz[np.argmax(s.levels_db)])
    assert peak == pytest.approx(24.3, abs=0.4)
    assert max(s.levels_db) == pytest.approx(20 * np.log10(2.0 / np.sqrt(2)), abs=0.5)
    assert line(s, "shaft").fault is None


def test_without_a_slip_there_are_no_lines_but_the_supply() -> None:
    s = spectrum(currents(), None, None, kind="current", channel=None, faults={"broken_bar"})
    assert [x.name for x in s.lines] == ["supply"]
    assert (s.slip, s.shaft_hz) == (None, None)


@pytest.mark.parametrize(
    ("kind", "channel", "code"),
    [
        ("current", "vibration", "channel_not_recorded"),
        ("current", "nonsense", "channel_not_recorded"),
        ("demodulated", "ia", "channel_not_recorded"),
        ("envelope", None, "channel_not_recorded"),
        ("vibration", "ia", "channel_not_recorded"),
    ],
)
def test_channels_that_are_not_there(kind: str, channel: str | None, code: str) -> None:
    with pytest.raises(SpectrumError) as raised:
        spectrum(
            currents(),
            None,
            None,
            kind=kind,  # type: ignore[arg-type]
            channel=channel,
            faults={"broken_bar"},
        )
    assert raised.value.code == code


@pytest.mark.parametrize("kind", ["current", "demodulated"])
@pytest.mark.parametrize("samples", [4, 10_000])
def test_a_channel_without_a_supply_has_no_spectrum_of_it(kind: str, samples: int) -> None:
    x = Recording({"ia": np.zeros(samples)}, 1000.0)
    with pytest.raises(SpectrumError) as raised:
        spectrum(
            x,
            None,
            None,
            kind=kind,  # type: ignore[arg-type]
            channel=None,
            faults={"broken_bar"},
        )
    assert raised.value.code == "no_spectrum"


def test_vibration_without_a_speed_has_no_envelope_lines_to_look_for() -> None:
    x = vibration.recording(vibration.Machine(), 1.0, speed=False)
    with pytest.raises(SpectrumError):
        spectrum(x, None, None, kind="envelope", channel=None, faults={"bearing"})
    s = spectrum(x, None, None, kind="vibration", channel=None, faults={"bearing"})
    assert (s.lines, s.shaft_hz) == ((), None)


def test_thinning_keeps_every_peak_and_the_range() -> None:
    s = spectrum(
        currents(speed=True),
        current_lines.MOTOR,
        None,
        kind="current",
        channel=None,
        faults={"broken_bar"},
    )
    few = thinned(s, 20.0, 80.0, 200)
    inside = (s.hz >= 20) & (s.hz <= 80)
    assert few.bins == inside.sum() > 200 >= len(few.hz) > 150
    assert few.hz[0] >= 20
    assert few.hz[-1] <= 80
    assert (np.diff(few.hz) > 0).all()
    assert max(few.levels_db) == max(s.levels_db[inside])
    for x in few.lines:
        assert x.level_db in few.levels_db
    assert thinned(s, 26.0, 40.0, 200).lines == ()
    assert len(thinned(s, 20.0, 20.5, 4000).hz) < 50
    assert len(thinned(s, 1e6, 2e6, 100).hz) == 0
