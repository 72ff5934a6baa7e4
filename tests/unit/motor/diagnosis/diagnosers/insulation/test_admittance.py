from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, recording
from tests.unit.motor.diagnosis.diagnosers.insulation.cases import (
    CHANNELS,
    doubts,
    insulation,
    winding,
)
from vtox import diagnose, learn_baseline
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.insulation import admittance
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording


def between_lines(x: Recording) -> Recording:
    phases = [x.channels[v] for v in VOLTAGES]
    lines = [a - b for a, b in zip(phases, (*phases[1:], phases[0]), strict=True)]
    return replace(x, channels={**x.channels, **dict(zip(VOLTAGES, lines, strict=True))})


def test_voltages_and_leakage_suffice() -> None:
    x = recording(winding(), fs_hz=10_000.0, channels=(*VOLTAGES, "leakage"))
    d = insulation(x)
    assert (d.state, d.code) == ("normal", "insulation_sound")
    assert d.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.01)


@pytest.mark.parametrize(
    ("channels", "missing"),
    [
        (CURRENTS, ("leakage", *VOLTAGES)),
        ((*CURRENTS, *VOLTAGES), ("leakage",)),
        ((*CURRENTS, "leakage"), VOLTAGES),
        (("va", "leakage"), ("vb", "vc")),
    ],
)
def test_missing_channels_are_named(channels: tuple[str, ...], missing: tuple[str, ...]) -> None:
    d = insulation(recording(winding(), channels=channels))
    assert (d.state, d.code) == ("unknown", "missing_channel")
    assert d.values["channels"] == missing


def test_voltages_between_lines_are_no_voltages_to_earth() -> None:
    x = recording(winding(earth_s=(1e-8, 5e-6, 1e-8)), fs_hz=10_000.0, channels=CHANNELS)
    motor = replace(MOTOR, rated_voltage_v=400.0)
    (d,) = diagnose(between_lines(x), motor, faults=["insulation"])
    assert (d.state, d.code) == ("unknown", "voltages_between_lines")
    assert doubts(d) == ["voltages_to_earth_needed"]
    assert learn_baseline(between_lines(x), motor).any_load("insulation.unequal_s") is None
    assert diagnose(x, motor, faults=["insulation"])[0].state == "fault"


def test_a_reversed_transformer_is_recognised() -> None:
    x = recording(winding(earth_s=(2e-6,) * 3), fs_hz=10_000.0, channels=CHANNELS)
    d = insulation(replace(x, channels={**x.channels, "leakage": -x.channels["leakage"]}))
    assert (d.state, d.code) == ("unknown", "leakage_reversed")
    assert d.values["capacitance_nanofarad"] == pytest.approx(-15, rel=0.02)


def test_a_dead_transformer_is_recognised() -> None:
    x = recording(winding(), fs_hz=10_000.0, channels=CHANNELS)
    dead = Recording({**x.channels, "leakage": np.zeros(x.samples)}, x.fs_hz)
    d = insulation(dead)
    assert (d.state, d.code) == ("unknown", "samples_constant")
    assert d.values["channel"] == "leakage"


@pytest.mark.parametrize(("fs_hz", "samples"), [(2000.0, 380), (430.0, 86)])
def test_a_record_shorter_than_a_frame_is_too_short(fs_hz: float, samples: int) -> None:
    """At 430 Hz a frame has 88 samples, 0.2 s only 86."""
    x = recording(winding(), 1.0, fs_hz, channels=CHANNELS)
    d = insulation(Recording({n: y[:samples] for n, y in x.channels.items()}, fs_hz))
    assert (d.state, d.code) == ("unknown", "record_too_short")


@pytest.mark.parametrize("hz", [48.7, 50.02, 61.3])
def test_the_supply_frequency_follows_from_voltages_alone(hz: float) -> None:
    x = recording(winding(hz=hz), 1.0, channels=CHANNELS)
    volts = np.stack([x.channels[v] for v in VOLTAGES])
    assert admittance.supply_from_voltages_hz(volts, x.fs_hz) == pytest.approx(hz, abs=0.005)


def test_features_are_those_of_recordings_that_can_be_diagnosed() -> None:
    x = recording(winding(), 1.0, channels=CHANNELS)
    reversed_x = replace(x, channels={**x.channels, "leakage": -x.channels["leakage"]})
    features = admittance.features(front_end([x, reversed_x], [MOTOR, MOTOR]))
    assert features["insulation.capacitance_f"] == pytest.approx(
        [15e-9, np.nan], rel=0.01, nan_ok=True
    )
    for name in ("insulation.unequal_s", "insulation.unequal_f"):
        assert np.isfinite(features[name]).tolist() == [True, False]
