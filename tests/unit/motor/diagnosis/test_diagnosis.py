import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import vtox
from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.errors import InputError
from vtox.motor.faults import FAMILIES, FAULTS, Family
from vtox.motor.values.domain import CURRENTS, STATES, VIBRATIONS, VOLTAGES, Recording

ALL = (*CURRENTS, *VOLTAGES, "leakage")


def test_one_diagnosis_per_fault_in_the_order_of_the_registry() -> None:
    found = diagnose(recording(Machine()))
    assert [d.fault for d in found] == list(FAULTS)
    assert all(d.state in STATES and d.reason for d in found)


@pytest.mark.parametrize(
    "faults", [["insulation", "turn_short"], {"turn_short", "insulation"}, ("insulation",) * 2]
)
def test_some_faults_in_any_iterable(faults: object) -> None:
    found = diagnose(recording(Machine()), MOTOR, faults=iter(faults))  # type: ignore[call-overload]
    assert [d.fault for d in found] == [f for f in FAULTS if f in set(faults)]  # type: ignore[call-overload]


def test_an_unknown_fault_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError, match="unknown fault 'gremlins', expected some of turn_short"):
        diagnose(recording(Machine()), faults={"gremlins"})


def test_a_batch_answers_as_singles_do_whatever_its_shapes() -> None:
    learnt = learn_baseline([recording(Machine(), 3.0)], MOTOR)
    cases = [
        DiagnosisInput(recording(Machine(), 1.0, seed=1), MOTOR, learnt),
        DiagnosisInput(recording(Machine(short_a=5), 1.0, seed=2), MOTOR, learnt),
        DiagnosisInput(recording(Machine(), 0.5, channels=ALL, seed=3)),
        DiagnosisInput(recording(Machine(short_a=5), 1.0, seed=4), MOTOR),
        DiagnosisInput(
            recording(Machine(), 2.0, 1000.0, seed=5), replace(MOTOR, rated_current_a=None)
        ),
        DiagnosisInput(recording(Machine(), 1.0, channels=("ia",), seed=6), MOTOR, learnt),
    ]
    together = diagnose_batch(cases, list(FAULTS))
    for case, answer in zip(cases, together, strict=True):
        alone = diagnose(case.recording, case.motor, baseline=case.baseline)
        assert [d.state for d in answer] == [d.state for d in alone]
        assert [(d.code, d.reason) for d in answer] == [(d.code, d.reason) for d in alone]
        assert [d.fault for d in answer] == list(FAULTS)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_reads_no_channel_that_its_faults_do_not_name(family: Family) -> None:
    whole = recording(Machine(short_a=5), family.min_record_s, channels=ALL, seed=1)
    noise = np.random.default_rng(2).normal(size=(len(VIBRATIONS), whole.samples))
    channels = {**whole.channels, **dict(zip(VIBRATIONS, noise, strict=True))}
    whole = replace(whole, channels=channels)
    read = registry.channels(family.faults)
    some = replace(whole, channels={c: x for c, x in channels.items() if c in read})
    assert len(some.channels) < len(channels)
    of_whole, of_some = (diagnose(x, MOTOR, faults=family.faults) for x in (whole, some))
    assert of_whole == of_some


def test_a_bad_recording_leaves_its_neighbours_alone() -> None:
    bad = recording(Machine(), seed=1)
    broken = bad.channels["ib"].copy()
    broken[100] = np.nan
    cases = [
        DiagnosisInput(recording(Machine(short_a=9), seed=0), MOTOR),
        DiagnosisInput(Recording({**bad.channels, "ib": broken}, bad.fs_hz), MOTOR),
        DiagnosisInput(Recording({c: np.zeros(bad.samples) for c in CURRENTS}, bad.fs_hz), MOTOR),
        DiagnosisInput(recording(Machine(short_a=9), seed=0), MOTOR),
    ]
    found = [d[0] for d in diagnose_batch(cases, ["turn_short"])]
    assert [d.state for d in found] == ["warning", "unknown", "unknown", "warning"]
    assert [d.code for d in found[1:3]] == ["samples_missing", "samples_constant"]
    assert found[0] == found[3]


def test_nothing_to_do() -> None:
    assert diagnose_batch([], list(FAULTS)) == []
    assert diagnose(recording(Machine()), faults=[]) == []


@pytest.mark.parametrize("samples", [1, 10, 63, 64, 200, 399, 401])
def test_any_length_is_answered(samples: int) -> None:
    x = recording(Machine(), 1.0, channels=ALL)
    short = Recording({n: c[:samples] for n, c in x.channels.items()}, x.fs_hz)
    found = diagnose(short, MOTOR)
    assert [d.fault for d in found] == list(FAULTS)
    if samples < 200:
        assert {d.state for d in found} == {"unknown"}


@pytest.mark.parametrize("value", [np.inf, 1e300])
def test_impossible_samples_are_answered_without_a_word_from_numpy(value: float) -> None:
    x = np.random.default_rng(0).standard_normal(40_000)
    x[::7] = value
    r = Recording({"vibration": x, "ia": x}, 10_000.0, speed_rpm=1500.0)
    assert {d.state for d in diagnose(r)} == {"unknown"}
    assert learn_baseline(r).empty


@pytest.mark.parametrize("fs_hz", [0.01, 0.25, 1.0])
def test_samples_further_apart_than_a_record_teach_nothing(fs_hz: float) -> None:
    x = np.sin(np.arange(100.0))
    assert learn_baseline(Recording({c: x for c in CURRENTS}, fs_hz)).empty


@pytest.mark.parametrize("channel", ["vibration", "leakage", "va", "ib"])
def test_any_single_channel_is_answered(channel: str) -> None:
    rng = np.random.default_rng(0)
    found = diagnose(Recording({channel: rng.normal(size=2000)}, 2000.0), MOTOR)
    assert [d.fault for d in found] == list(FAULTS)
    assert {d.state for d in found if d.fault in ("turn_short", "insulation")} == {"unknown"}


def test_answers_are_plain_data() -> None:
    healthy = [recording(Machine(), 2.0, channels=ALL, seed=s) for s in range(2)]
    learnt = learn_baseline(healthy, MOTOR)
    for machine in (Machine(), Machine(short_a=3, on_s=(0.4, 9)), Machine(earth_s=(1e-5, 0, 0))):
        for baseline in (None, learnt):
            for d in diagnose(recording(machine, channels=ALL), MOTOR, baseline=baseline):
                assert json.loads(json.dumps(asdict(d)))["state"] == d.state


def test_the_public_names() -> None:
    assert vtox.diagnose is diagnose
    assert vtox.learn_baseline is learn_baseline


def test_learning_cuts_recordings_to_the_length_of_each_family() -> None:
    learnt = learn_baseline([recording(Machine(), 5.5), recording(Machine(), 2.0)], MOTOR)
    assert learnt.records == 7
    assert learnt.seconds == 7.5
    assert learnt.asymmetry is not None
    assert learnt.asymmetry.recordings == 2


def test_a_recording_shorter_than_a_record_still_teaches_the_asymmetry() -> None:
    learnt = learn_baseline([recording(Machine(), 0.6)], MOTOR)
    assert learnt.asymmetry is not None


def test_a_baseline_holds_levels_of_the_families_whose_records_fit() -> None:
    rng = np.random.default_rng(0)
    x = recording(Machine(), 12.0, channels=ALL)
    x = Recording({**x.channels, "vibration": rng.normal(size=x.samples)}, x.fs_hz)
    learnt = learn_baseline([x], MOTOR)
    assert {name.split(".")[0] for b in learnt.bands for name in b.levels} >= {
        "insulation",
        "bearing",
    }
    level = learnt.level("bearing.vibration_db", abs(6.8 - 5j))
    assert level is not None
    assert level.n == 12 / FAMILIES["bearing"].min_record_s
    assert level.mean == pytest.approx(0.0, abs=0.1)


def test_the_baseline_is_the_third_argument_too() -> None:
    healthy = learn_baseline([recording(Machine(), 3.0)], MOTOR)
    bad = recording(Machine(v2=0.03))
    assert diagnose(bad, MOTOR, healthy) == diagnose(bad, MOTOR, baseline=healthy)
    assert diagnose(bad, MOTOR, healthy) != diagnose(bad, MOTOR)
    assert isinstance(healthy, vtox.Baseline)


def test_an_argument_of_another_type_is_named() -> None:
    good = recording(Machine())
    with pytest.raises(InputError, match=r"motor: expected a vtox\.Motor, got dict"):
        diagnose(good, {"pole_pairs": 2})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"baseline: expected a vtox\.Baseline, got str"):
        diagnose(good, MOTOR, "{}")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"recording: expected a vtox\.Recording, got NoneType"):
        diagnose(None)  # type: ignore[arg-type]
