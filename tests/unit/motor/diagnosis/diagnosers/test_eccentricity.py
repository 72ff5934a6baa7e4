"""Sidebands at the speed of rotation: only a rise above the machine's own baseline counts."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.case import Case, Clamps, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import nameplate, records
from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.eccentricity import diagnoser as eccentricity
from vtox.motor.diagnosis.diagnosers.eccentricity.evidence import MAX_LIMIT_DB
from vtox.motor.diagnosis.diagnosers.features import ROTATION_SIDEBANDS
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.baseline import RISE_DB, Band, Baseline, Level, bands_of
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Motor, Recording

SOUND = Machine(seconds=1.0, rotor_dbc=-52.0, noise=3e-4)


def diagnose(
    machines: list[Machine], baseline: Baseline | None, motor: Motor = MOTOR, seed: int = 9
) -> list[Diagnosis]:
    rng = np.random.default_rng(seed)
    batch = [recording(m, rng) for m in machines]
    analysis = front_end(batch, [motor] * len(batch))
    return eccentricity.diagnose(analysis, [baseline] * len(batch)).diagnoses()


def diagnose_one(x: Recording, baseline: Baseline) -> Diagnosis:
    (d,) = eccentricity.diagnose(front_end([x], [MOTOR]), [baseline]).diagnoses()
    return d


@pytest.fixture(scope="module")
def learnt() -> Baseline:
    rng = np.random.default_rng(1)
    analysis = front_end([recording(SOUND, rng) for _ in range(24)], [MOTOR] * 24)
    return Baseline(bands=bands_of(eccentricity.features(analysis), analysis.current_rms_a))


def risen(rise_db: float, count: int = 12) -> list[Machine]:
    return [replace(SOUND, rotor_dbc=SOUND.rotor_dbc + rise_db)] * count


@pytest.mark.parametrize(
    ("rise_db", "state"), [(0.0, "normal"), (2.5, "normal"), (6.0, "warning"), (15.0, "warning")]
)
def test_state_follows_the_change(learnt: Baseline, rise_db: float, state: str) -> None:
    found = diagnose(risen(rise_db), learnt)
    assert {d.state for d in found} == {state}
    changes = [d.indicators["change_db"] for d in found]
    assert np.median(changes) == pytest.approx(rise_db, abs=0.7)
    weaker = [d.indicators["weaker_change_db"] for d in found if state == "warning"]
    assert weaker == pytest.approx([rise_db] * len(weaker), abs=3.0)
    assert all("weaker_change_db" not in d.indicators for d in found if state == "normal")


def test_a_change_of_6_db_ranks_above_none(learnt: Baseline) -> None:
    sound, worse = (diagnose(risen(r, 60), learnt, seed=int(r)) for r in (0.0, 6.0))
    a, b = (np.array([d.statistic for d in x]) for x in (sound, worse))
    assert np.mean(b[:, None] > a) > 0.99


def test_other_causes_are_listed(learnt: Baseline) -> None:
    (d,) = diagnose(risen(15.0, 1), learnt)
    causes = " ".join(e["cause"] for e in d.evidence if e["kind"] == "alternative")
    for cause in ("unbalance", "misalignment", "load"):
        assert cause in causes
    assert not {"static", "dynamic"} & set(causes.split())
    assert d.code == "rotation_sidebands_risen"
    assert d.values["change_db"] == pytest.approx(15.0, abs=1.5)


@pytest.mark.parametrize("level_dbc", [-70.0, -25.0])
def test_never_absolute(level_dbc: float) -> None:
    (d,) = diagnose([replace(SOUND, rotor_dbc=level_dbc)], None)
    assert (d.state, d.code) == ("unknown", "no_baseline")
    assert d.indicators["rotor_dbc"] == pytest.approx(level_dbc + 3.0, abs=1.0)


def test_no_baseline_at_another_load_or_speed(learnt: Baseline) -> None:
    (d,) = diagnose([replace(SOUND, rms_a=4.5)], learnt)
    assert (d.state, d.code) == ("unknown", "no_baseline_at_load")
    drive = replace(MOTOR, supply="inverter")
    (d,) = diagnose([replace(SOUND, f0_hz=42.0)], learnt, drive)
    assert (d.state, d.code) == ("unknown", "no_baseline_at_frequency")
    assert d.values == pytest.approx({"f0_hz": 42.0, "baseline_hz": 50.0}, abs=0.05)


def test_a_baseline_of_other_faults_is_none() -> None:
    levels = {"broken_bar.lower_dbc": Level(20, -60.0, 0.5)}
    (d,) = diagnose([SOUND], Baseline(bands=(Band(7.5, 8.5, levels),)))
    assert (d.state, d.code) == ("unknown", "no_baseline")


def test_a_baseline_of_two_records_leaves_too_much_open() -> None:
    levels = dict.fromkeys(ROTATION_SIDEBANDS, Level(2, -52.0, 0.5))
    few = Baseline(bands=(Band(7.5, 8.5, levels),))
    (d,) = diagnose(risen(10.0, 1), few)
    assert (d.state, d.code) == ("unknown", "baseline_too_scattered")
    assert d.values["records"] == 2
    assert d.values["open_db"] > d.values["limit_db"] == MAX_LIMIT_DB


def test_the_steadier_sideband_decides_by_its_own_scatter() -> None:
    levels = [Level(20, -52.0, 0.5), Level(20, -52.0, 3.0)]
    for steady, hz in ((0, 50.013 - 24.506), (1, 50.013 + 24.506)):
        learnt = dict(zip(ROTATION_SIDEBANDS, levels[:: 1 - 2 * steady], strict=True))
        (d,) = diagnose(risen(6.0, 1), Baseline(bands=(Band(7.5, 8.5, learnt),)))
        assert d.state == "warning"
        assert d.evidence[0]["judged_hz"] == pytest.approx(hz, abs=0.3)
        assert d.threshold == RISE_DB
    both = dict.fromkeys(ROTATION_SIDEBANDS, Level(20, -52.0, 3.0))
    (d,) = diagnose(risen(6.0, 1), Baseline(bands=(Band(7.5, 8.5, both),)))
    assert d.state == "normal"
    assert d.threshold == pytest.approx(6.74, abs=0.01)


def test_few_records_decide_by_the_scatter_that_is_usual_too() -> None:
    """Four records, by two clamps: their own scatter alone gave 4.4 and 9.9 dB."""
    thresholds = []
    for std in (0.5, 1.6):
        learnt = dict.fromkeys(ROTATION_SIDEBANDS, Level(4, -52.0, std))
        (d,) = diagnose(risen(8.0, 1), Baseline(bands=(Band(7.5, 8.5, learnt),)))
        assert d.state == "warning"
        thresholds.append(d.threshold)
    assert thresholds == [pytest.approx(4.75, abs=0.01), pytest.approx(6.12, abs=0.01)]


def test_records_at_other_loads_tell_the_scatter() -> None:
    """Two records at a load say little of it by themselves."""
    few = dict.fromkeys(ROTATION_SIDEBANDS, Level(2, -52.0, 0.1))
    more = dict.fromkeys(ROTATION_SIDEBANDS, Level(12, -54.0, 1.5))
    (d,) = diagnose(risen(10.0, 1), Baseline(bands=(Band(7.5, 8.5, few), Band(4.0, 5.0, more))))
    assert d.state == "warning"
    assert d.threshold == pytest.approx(4.90, abs=0.01)


def test_a_stronger_line_beside_the_speed_is_no_rise(learnt: Baseline) -> None:
    r = recording(SOUND, np.random.default_rng(9))
    analysis = front_end([r], [MOTOR])
    (d,) = eccentricity.diagnose(analysis, [learnt]).diagnoses()
    t = np.arange(r.samples) / r.fs_hz
    swing = 1 + 0.05 * np.cos(2 * np.pi * (d.indicators["rotor_hz"] + 1.3) * t)
    tones = {name: x * swing for name, x in r.channels.items()}
    d = diagnose_one(replace(r, channels=tones), learnt)
    assert (d.state, d.code) == ("unknown", "line_beside_rotation_sidebands")


def test_noise_that_hides_the_level_is_no_rise(learnt: Baseline) -> None:
    found = diagnose([replace(SOUND, rotor_dbc=-300.0, noise=0.3)] * 12, learnt)
    assert {d.state for d in found} <= {"normal", "unknown"}
    assert "rotation_sidebands_in_noise" in [d.code for d in found]


def test_unknown_poles_are_an_abstention(learnt: Baseline) -> None:
    (d,) = diagnose([SOUND], learnt, Motor())
    assert (d.state, d.code) == ("unknown", "pole_pairs_unknown")


TWO_POLES = Motor(pole_pairs=1, supply_hz=50.0, rated_speed_rpm=2900.0, rated_current_a=10.0)


def two_poles(upper_dbc: float, twice_dbc: float = -90.0, seed: int = 0) -> Recording:
    """Return 4 s at a slip of 2 % by clamps with an offset; lines at 2f - sf and at 2f."""
    m = Machine(seconds=4.0, rms_a=6.0, offset_a=0.3 + 0.05 * seed)
    r = recording(m, np.random.default_rng(seed))
    turns = 2j * np.pi * m.f0_hz * np.arange(r.samples) / r.fs_hz
    z = 10 ** (upper_dbc / 20) * np.exp(1.98 * turns) + 10 ** (twice_dbc / 20) * np.exp(2 * turns)
    z *= m.rms_a * np.sqrt(2)
    phases = np.exp(-2j * np.pi * np.arange(3) / 3)
    added = {c: x + (z * p).real for (c, x), p in zip(r.channels.items(), phases, strict=True)}
    return replace(r, channels=added)


@pytest.mark.parametrize(
    ("upper_dbc", "twice_dbc", "code"),
    [
        (-59.0, -90.0, "rotation_sidebands_steady"),
        (-48.0, -90.0, "rotation_sidebands_risen"),
        (-60.0, -48.0, "two_pole_lines_merge"),
    ],
)
def test_the_upper_line_of_two_poles_decides(upper_dbc: float, twice_dbc: float, code: str) -> None:
    analysis = front_end([two_poles(-60.0, seed=k) for k in range(6)], [TWO_POLES] * 6)
    known = Baseline(bands=bands_of(eccentricity.features(analysis), analysis.current_rms_a))
    x = front_end([two_poles(upper_dbc, twice_dbc, seed=7)], [TWO_POLES])
    (d,) = eccentricity.diagnose(x, [known]).diagnoses()
    assert d.code == code
    assert d.evidence[0]["judged_hz"] == pytest.approx(99.0, abs=0.4)


def test_a_step_of_load_is_not_stationary(learnt: Baseline) -> None:
    r = recording(replace(SOUND, seconds=2.0), np.random.default_rng(0))
    step = np.where(np.arange(r.samples) < r.samples // 2, 1.0, 1.5).astype(np.float32)
    stepped = replace(r, channels={c: x * step for c, x in r.channels.items()})
    d = diagnose_one(stepped, learnt)
    assert (d.state, d.code) == ("unknown", "current_not_steady")


@pytest.mark.long
def test_a_line_that_the_voltage_carries_is_of_the_supply() -> None:
    plant = PLANTS["50hp"]
    rotation_hz = plant.rated_speed_rpm / 60

    def recordings(interharmonic: float, count: int, seconds: float) -> list[Recording]:
        cases = [
            Case(
                plant=plant,
                seed=k,
                supply=SupplyVoltage(
                    amplitude_noise=5e-4,
                    interharmonic=interharmonic,
                    interharmonic_hz=plant.supply_hz + rotation_hz,
                ),
                load=ShaftLoad(torque=0.95, inertia=2.0),
                faults=Faults(air_gap=0.004),
                clamps=Clamps(noise=5e-4),
            )
            for k in range(count)
        ]
        channels = (*CURRENTS, *VOLTAGES)
        runs = records(cases, seconds, 1_000.0, channels=channels)
        return [r.recording(channels, tachometer=True) for r in runs]

    motor = nameplate(plant)
    baseline = learn_baseline(recordings(0.0, 3, 6.0), motor)
    (x,) = recordings(0.005, 1, 2.0)
    without = Recording({c: x.channels[c] for c in CURRENTS}, x.fs_hz, x.speed_rpm)
    for record, code in (
        (x, "rotation_sidebands_in_voltage"),
        (without, "rotation_sideband_alone"),
    ):
        ((d,),) = diagnose_batch([DiagnosisInput(record, motor, baseline)], ["eccentricity"])
        assert d.code == code


@pytest.mark.long
def test_twice_the_modulation_of_a_model_machine_is_a_warning() -> None:
    """Records of 2 s at two loads, noise of supply, load and clamps; a baseline of a minute."""
    plant = PLANTS["50hp"]
    motor = nameplate(plant)

    def recordings(air_gap: float, count: int, seed: int, seconds: float) -> list[Recording]:
        cases = [
            Case(
                plant=plant,
                seed=seed + k,
                supply=SupplyVoltage(wander_hz=0.005, amplitude_noise=5e-4, unbalance=0.005),
                load=ShaftLoad(torque=(0.6, 0.9)[k % 2], inertia=2.0, noise=5e-3),
                faults=Faults(air_gap=air_gap),
                clamps=Clamps(noise=5e-4, bits=12),
            )
            for k in range(count)
        ]
        runs = records(cases, seconds, 2_000.0, channels=CURRENTS)
        return [r.recording(tachometer=True) for r in runs]

    baseline = learn_baseline(recordings(0.004, 6, 700, 10.0), motor)
    risen_gap = recordings(0.004, 20, 800, 2.0) + recordings(0.008, 20, 900, 2.0)
    answers = diagnose_batch(
        [DiagnosisInput(r, motor, baseline) for r in risen_gap], ["eccentricity"]
    )
    states = [d.state for (d,) in answers]
    assert set(states[:20]) == {"normal"}
    assert states[20:].count("warning") >= 17
