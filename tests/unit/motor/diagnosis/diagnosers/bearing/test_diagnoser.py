from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import (
    BEARING,
    FS_HZ,
    MOTOR,
    ImpactTrain,
    Machine,
    defect,
    recording,
    vibration,
)
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import HEALTHY, alarms, diagnose
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.diagnosis.diagnosers.features import COMBS
from vtox.motor.values.baseline import RISE_DB, Baseline, bands_of
from vtox.motor.values.bearing import DEFECTS, Bearing
from vtox.motor.values.bearing_catalogue import CATALOGUE, orders_of_geometry
from vtox.motor.values.domain import Motor, Recording


@pytest.mark.parametrize("name", ["BPFO", "BPFI", "BSF"])
@pytest.mark.parametrize("deviation", [-0.012, 0.004])
@pytest.mark.parametrize("seconds", [2.0, 10.0])
def test_a_defect_is_detected(name: str, deviation: float, seconds: float) -> None:
    d = diagnose(recording(Machine(impacts=(defect(name, 1.5, deviation),)), seconds, seed=1))
    assert d.state in ("warning", "fault"), d.reason
    assert (d.code, d.values["defect"], d.indicators["defect"]) == ("bearing_defect", name, name)
    # Half a bin at the third harmonic, of a record or a segment of some 50 turns.
    half_bin = 1 / (3 * 50 * BEARING.defect_orders[name])
    assert d.indicators["deviation"] == pytest.approx(deviation, abs=half_bin + 0.004)
    assert d.values["ratio"] == pytest.approx(d.indicators["leading_ratio"], abs=1e-3)
    assert d.statistic is not None
    assert d.threshold is not None
    assert d.statistic > d.threshold
    assert d.severity is not None


@pytest.mark.parametrize(("made", "slip"), [(0, -0.012), (1, 0.0)])
def test_each_maker_of_a_designation_is_within_its_tolerance(made: int, slip: float) -> None:
    own = list(CATALOGUE["6206"])[made]
    order = orders_of_geometry(own.balls, own.ball, own.pitch_max)["BPFO"] * (1 + slip)
    impacts = replace(defect("BPFO", 1.5, 0.0), order=order)
    motor = replace(MOTOR, bearing=Bearing(designation="6206-2RS"))
    d = diagnose(recording(Machine(impacts=(impacts,)), 4.0, seed=1), motor)
    assert (d.code, d.values["defect"]) == ("bearing_defect", "BPFO"), d.reason
    assert d.indicators["deviation"] == pytest.approx(slip, abs=0.004)


@pytest.mark.parametrize("name", ["BPFO", "BPFI", "BSF"])
def test_one_second_is_enough_for_races_and_elements(name: str) -> None:
    machines = [Machine(shaft_hz=hz, impacts=(defect(name),)) for hz in (24.0, 24.4, 24.8)]
    found = alarms([recording(m, 1.0, seed=i) for i, m in enumerate(machines)])
    assert [d.indicators["defect"] for d in found] == [name] * 3


def test_healthy_machines_raise_no_alarm() -> None:
    rng = np.random.default_rng(0)
    machines = [
        Machine(
            shaft_hz=rng.uniform(23.8, 24.95),
            shaft=tuple(rng.exponential(3.0, 6)),
            supply=rng.exponential(1.0),
            slots=rng.exponential(1.0),
            slot_order=int(rng.integers(22, 60)),
        )
        for _ in range(150)
    ]
    diagnoses = bearing.diagnose(
        [recording(m, 1.0, seed=i) for i, m in enumerate(machines)], [MOTOR] * len(machines)
    )
    assert {d.state for d in diagnoses} == {"normal"}
    assert {d.code for d in diagnoses} == {"no_defect_comb"}
    assert all(d.evidence and "defect" not in d.indicators for d in diagnoses)


@pytest.mark.parametrize(
    "decoy",
    [
        ImpactTrain(order=0.5, strength=2.0, jitter=0.0),
        ImpactTrain(order=1.0, strength=2.0, jitter=0.001),
        ImpactTrain(order=0.43, strength=2.0, jitter=0.003),
        ImpactTrain(order=2.73, strength=2.0, jitter=0.0),
        ImpactTrain(order=3.585 / 2, strength=2.0, jitter=0.0),
        ImpactTrain(order=7.3, strength=2.0),
    ],
    ids=["looseness", "once a turn", "belt", "second shaft", "half of BPFO", "unassigned"],
)
@pytest.mark.parametrize("seconds", [1.0, 4.0])
def test_impacts_at_other_orders_raise_no_alarm(decoy: ImpactTrain, seconds: float) -> None:
    machines = [Machine(impacts=(decoy,), shaft_hz=hz) for hz in np.linspace(23.9, 24.9, 8)]
    assert alarms([recording(m, seconds, seed=i) for i, m in enumerate(machines)]) == []


def test_random_impacts_raise_no_alarm() -> None:
    rng = np.random.default_rng(1)
    recordings = []
    for i in range(20):
        x = vibration(HEALTHY, 1.0, seed=i)
        x[rng.integers(0, len(x), rng.poisson(15))] += 60 * rng.standard_normal()
        channels = {"vibration": x.astype(np.float32)}
        recordings.append(Recording(channels, FS_HZ, 60 * HEALTHY.shaft_hz))
    assert alarms(recordings) == []


def test_magnetic_pull_at_a_defect_order_raises_no_alarm() -> None:
    # Order 4.115 at 24.3 Hz is 100 Hz, twice the supply: its lines look like those of a defect.
    motor = replace(MOTOR, bearing=Bearing(orders=dict(BEARING.defect_orders) | {"BPFO": 4.115}))
    pull = Machine(impacts=(ImpactTrain(order=100 / 24.3, jitter=0.0, strength=2.0),))
    assert alarms([recording(pull, seconds, seed=3) for seconds in (2.0,) * 5], motor) == []


@pytest.mark.parametrize("seconds", [1.0, 4.0])
def test_pickup_from_the_mains_raises_no_alarm(seconds: float) -> None:
    # Order 6.173 at 24.3 Hz is 150 Hz, three times the supply; half the lines are masked anyway.
    motor = replace(MOTOR, bearing=Bearing(orders=dict(BEARING.defect_orders) | {"BPFI": 6.173}))
    pickup = Machine(impacts=(ImpactTrain(order=150 / 24.3, jitter=0.0, strength=2.0),))
    assert alarms([recording(pickup, seconds, seed=i) for i in range(5)], motor) == []


@pytest.mark.parametrize("seconds", [1.0, 4.0])
@pytest.mark.parametrize(("order", "read"), [(7.0, 0.0045), (2.5, 0.0), (7.5, -0.003)])
def test_blades_and_looseness_leave_a_bearing_normal(
    order: float, read: float, seconds: float
) -> None:
    impacts = ImpactTrain(order=order, jitter=0.002, strength=2.0)
    x = [recording(Machine(impacts=(impacts,)), seconds, seed=i) for i in range(4)]
    diagnoses = [diagnose(replace(r, speed_rpm=60 * 24.3 * (1 + read))) for r in x]
    assert {d.state for d in diagnoses} == {"normal"}, [d.reason for d in diagnoses]


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_signal_does_not_matter(scale: float) -> None:
    m = Machine(impacts=(defect("BPFI", 1.5),))
    d, scaled = diagnose(recording(m)), diagnose(recording(m, scale=scale))
    assert scaled.state == d.state
    assert scaled.statistic == pytest.approx(d.statistic, rel=0.01)


@pytest.mark.parametrize("offset", [-10.0, 1e4])
def test_an_offset_of_the_signal_does_not_matter(offset: float) -> None:
    x = recording(Machine(impacts=(defect("BPFI", 1.5),)))
    shifted = replace(x, channels={"vibration": x.channels["vibration"] + np.float64(offset)})
    assert diagnose(shifted).statistic == pytest.approx(diagnose(x).statistic, rel=0.02)


@pytest.mark.parametrize("fs_hz", [2_000.0, 48_000.0, 100_000.0])
def test_other_sampling_rates_are_diagnosed(fs_hz: float) -> None:
    low = ImpactTrain(order=3.6, strength=2.0, resonance_hz=0.3 * min(fs_hz, 12_000.0))
    d = diagnose(recording(Machine(impacts=(low,)), fs_hz=fs_hz))
    assert d.indicators["defect"] == "BPFO", d.reason
    assert diagnose(recording(HEALTHY, fs_hz=fs_hz)).state == "normal"


def test_severity_and_confidence_grow_with_the_damage() -> None:
    machines = [Machine(impacts=(defect("BPFO", s),)) for s in (0.6, 1.2, 4.0)]
    diagnoses = [diagnose(recording(m, 4.0, seed=2)) for m in machines]
    assert [d.indicators.get("defect") for d in diagnoses] == ["BPFO"] * 3
    for values in ([d.severity for d in diagnoses], [d.confidence for d in diagnoses]):
        assert values == sorted(values)  # type: ignore[type-var]
    assert diagnoses[-1].state == "fault"


def test_a_batch_is_diagnosed_as_its_members_are_alone() -> None:
    machines = [
        HEALTHY,
        Machine(impacts=(defect("BPFO"),)),
        Machine(shaft_hz=47.9, impacts=(defect("BPFI"),)),
        Machine(shaft_hz=15.9),
    ] * 3
    recordings = [recording(m, 2.0, seed=i) for i, m in enumerate(machines)]
    batch = bearing.diagnose(recordings, [MOTOR] * len(recordings))
    for together, x in zip(batch, recordings, strict=True):
        alone = diagnose(x)
        assert (together.state, together.code, together.doubts) == (
            alone.state,
            alone.code,
            alone.doubts,
        )
        assert together.statistic == pytest.approx(alone.statistic, rel=1e-3)


def test_the_evidence_lists_defects_and_lines() -> None:
    d = diagnose(recording(Machine(impacts=(defect("BPFO", 2.0, 0.0),)), 4.0))
    by_defect = {e["defect"]: e for e in d.evidence if "defect" in e}
    assert set(by_defect) == set(DEFECTS)
    assert by_defect["BPFO"]["expected_hz"] == pytest.approx(3.585 * 24.3, abs=0.1)
    lines = [e["hz"] for e in d.evidence if "line" in e]
    assert lines == pytest.approx([h * 3.585 * 24.3 for h in (1, 2, 3)], abs=0.8)
    assert d.values["repetition_hz"] == pytest.approx(3.585 * 24.3, abs=0.4)
    assert d.indicators["band_low_hz"] < 3100 < d.indicators["band_high_hz"]  # type: ignore[operator]


def test_the_best_of_several_channels_is_given() -> None:
    damaged = Machine(impacts=(defect("BPFO"),))
    quiet, loud = (vibration(m, 2.0, seed=5) for m in (HEALTHY, damaged))
    d = diagnose(Recording({"vibration": quiet, "vibration_z": loud}, FS_HZ, 60 * 24.3))
    assert (d.values["defect"], d.values["channel"]) == ("BPFO", "vibration_z")


@pytest.mark.parametrize(
    ("x", "motor", "codes"),
    [
        (Recording({"ia": np.zeros(20_000)}, FS_HZ, 1458.0), MOTOR, ["no_vibration_channel"]),
        (Recording({"vibration": np.zeros(20_000)}, FS_HZ, 1458.0), MOTOR, ["samples_constant"]),
        (recording(HEALTHY, 0.5), MOTOR, ["too_few_turns"]),
        (recording(HEALTHY, speed=False), None, ["no_bearing_geometry", "no_speed"]),
        (recording(HEALTHY), None, ["no_bearing_geometry", "no_impacts"]),
        (recording(HEALTHY), Motor(), ["no_bearing_geometry", "no_impacts"]),
    ],
)
def test_it_abstains_with_a_code(x: Recording, motor: Motor | None, codes: list[str]) -> None:
    d = diagnose(x, motor)
    assert d.state == "unknown"
    assert [d.code, *(r.code for r in d.doubts)] == codes
    assert d.statistic is None


def test_a_missing_sample_spoils_its_recording_only() -> None:
    good = recording(Machine(impacts=(defect("BPFO"),)))
    x = good.channels["vibration"].copy()
    x[100] = np.nan
    bad = Recording({"vibration": x}, FS_HZ, good.speed_rpm)
    first, second = bearing.diagnose([bad, good], [MOTOR, MOTOR])
    assert (first.state, first.code) == ("unknown", "samples_missing")
    assert second.indicators["defect"] == "BPFO"


def test_a_weak_comb_that_has_risen_above_the_baseline_is_a_sign() -> None:
    healthy = [recording(HEALTHY, seed=i) for i in range(6)]
    baseline = Baseline(bands=bands_of(bearing.features(healthy, [MOTOR] * 6), np.full(6, np.nan)))
    levels = [baseline.level(name, None) for name in COMBS.values()]
    assert all(x is not None and x.n == 6 and x.mean < 0 for x in levels)
    weak = recording(Machine(impacts=(defect("BPFO", 0.3),)), seed=10)
    before, after = diagnose(weak), diagnose(weak, baseline=baseline)
    assert before.code == after.code == "weak_defect_lines"
    assert not [e for e in before.evidence if "rise_db" in e]
    (sign,) = [e for e in after.evidence if "rise_db" in e]
    assert sign["kind"] == "weak_sign"
    assert sign["rise_db"] > RISE_DB
    short = Baseline(bands=bands_of(bearing.features(healthy[:4], [MOTOR] * 4), np.full(4, np.nan)))
    assert not [e for e in diagnose(weak, baseline=short).evidence if "rise_db" in e]


def test_the_change_against_the_baseline_is_given() -> None:
    healthy = [recording(HEALTHY, seed=i) for i in range(5)]
    baseline = Baseline(bands=bands_of(bearing.features(healthy), np.full(5, np.nan)))
    louder = diagnose(recording(HEALTHY, seed=9, scale=2.0), baseline=baseline)
    assert louder.indicators["change_db"] == pytest.approx(6.0, abs=0.3)
    assert "change_db" not in diagnose(healthy[0]).indicators
