import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, GAINS, turn_short
from vtox import Motor, learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS


@pytest.mark.parametrize("phase", ["a", "b", "c"])
@pytest.mark.parametrize("lag_deg", [0.0, 40.0, 75.0])
@pytest.mark.parametrize("load", [0.4, 1.0])
def test_voltages_and_baseline_detect_a_small_short_and_its_phase(
    baseline_with_voltages: Baseline, phase: str, lag_deg: float, load: float
) -> None:
    m = Machine(load=load, v2=0.018j, short_a=0.6, lag_deg=lag_deg, phase=phase, gains=GAINS)
    d = turn_short(recording(m, channels=CHANNELS), baseline_with_voltages)
    assert (d.state, d.code) == ("warning", "turn_short_found")
    assert d.indicators["phase"] == phase
    i1 = abs(10 * (load * 0.85 - 0.5j) + 0.2 * np.exp(-1j * np.radians(lag_deg)))
    assert d.indicators["corrected_ratio"] == pytest.approx(0.2 / i1, abs=0.003)


def test_voltages_and_baseline_correct_for_an_unbalanced_supply(
    baseline_with_voltages: Baseline,
) -> None:
    rng = np.random.default_rng(2)
    for i in range(40):
        v2 = 0.02 * np.sqrt(rng.uniform()) * np.exp(2j * np.pi * rng.uniform())
        m = Machine(load=rng.uniform(0.35, 1.0), v2=v2, gains=GAINS)
        d = turn_short(recording(m, channels=CHANNELS, seed=100 + i), baseline_with_voltages)
        assert d.state == "normal", (v2, d.values)
        assert d.statistic is not None
        assert d.threshold is not None
        assert d.statistic < d.threshold


def test_the_corrected_ratio_is_exact_without_noise() -> None:
    healthy = recording(Machine(noise=0.0), 2.0, channels=CHANNELS)
    m = Machine(noise=0.0, short_a=3.0, lag_deg=20.0, phase="b")
    d = turn_short(recording(m, channels=CHANNELS), learn_baseline([healthy], MOTOR))
    short_a = np.exp(-1j * np.radians(20.0))
    expected = abs(short_a / (10 * (0.8 * 0.85 - 0.5j) + short_a))
    assert d.indicators["corrected_ratio"] == pytest.approx(expected, rel=5e-3)


def test_a_large_short_is_a_fault(baseline_with_voltages: Baseline) -> None:
    d = turn_short(
        recording(Machine(short_a=6, phase="b", gains=GAINS), channels=CHANNELS),
        baseline_with_voltages,
    )
    assert d.state == "fault"
    assert d.indicators["phase"] == "b"
    ratio = d.indicators["negative_sequence_ratio"]
    assert ratio == pytest.approx(2 / abs(6.8 - 5j + 2 * np.exp(-0.698j)), abs=0.01)
    assert d.severity is not None
    assert d.severity > 0.65


def test_a_short_of_many_turns_is_not_an_open_phase(baseline_with_voltages: Baseline) -> None:
    d = turn_short(
        recording(Machine(short_a=60, lag_deg=60.0), channels=CHANNELS), baseline_with_voltages
    )
    assert float(str(d.indicators["negative_sequence_ratio"])) > 0.6
    assert (d.state, d.indicators["phase"]) == ("fault", "a")


@pytest.mark.parametrize(("on_s", "off_s"), [(0.6, 1.6), (0.0, 0.9), (1.2, 3.0)])
def test_an_intermittent_short_is_an_episode(
    baseline_of_currents: Baseline, on_s: float, off_s: float
) -> None:
    m = Machine(short_a=4, phase="c", on_s=(on_s, off_s), gains=GAINS)
    d = turn_short(recording(m, 3.0), baseline_of_currents)
    (episode,) = [e for e in d.evidence if e["kind"] == "episode"]
    assert episode["t_start_s"] == pytest.approx(on_s, abs=0.15)
    assert episode["t_end_s"] == pytest.approx(off_s, abs=0.15)
    assert d.indicators["phase"] == "c"


def test_a_blink_is_not_an_episode(baseline_of_currents: Baseline) -> None:
    m = Machine(short_a=4, on_s=(1.0, 1.05), gains=GAINS)
    assert turn_short(recording(m, 2.0), baseline_of_currents).state == "normal"


def test_currents_and_baseline_detect_an_asymmetry_with_less_confidence(
    baseline_of_currents: Baseline,
) -> None:
    assert (
        turn_short(recording(Machine(gains=GAINS, load=0.7)), baseline_of_currents).state
        == "normal"
    )
    d = turn_short(recording(Machine(gains=GAINS, short_a=2.5)), baseline_of_currents)
    assert d.state == "warning"
    assert d.confidence <= 0.6
    assert "supply_unbalance" in {e.get("cause") for e in d.evidence}


@pytest.mark.parametrize("v2", [0.03, 0.03j, -0.045])
def test_without_voltages_no_supply_makes_a_fault(
    baseline_of_currents: Baseline, v2: complex
) -> None:
    d = turn_short(recording(Machine(load=0.8, v2=v2, gains=GAINS)), baseline_of_currents)
    assert d.state == "warning"
    assert d.severity is not None
    assert d.severity > 0.6
    assert {"kind": "alternative", "cause": "supply_unbalance"} in d.evidence


def test_currents_alone_detect_only_a_severe_asymmetry() -> None:
    for v2 in (0.0, 0.01, 0.02):
        d = turn_short(recording(Machine(v2=v2)))
        assert (d.state, d.code) == ("unknown", "no_baseline")
    d = turn_short(recording(Machine(short_a=9)))
    assert d.state == "warning"
    assert d.confidence <= 0.3


@pytest.mark.parametrize("load", [0.1, 0.4, 0.7, 1.0])
@pytest.mark.parametrize("motor", [MOTOR, Motor(pole_pairs=2, supply_hz=50.0)])
def test_no_supply_within_the_standard_is_a_false_alarm(load: float, motor: Motor) -> None:
    """2 % of negative sequence on a machine that draws 8.8 times its rated current at standstill.

    The Krause 3 hp machine does; this one 5.85 times, so its supply has more.
    """
    for turn in range(6):
        v2 = 0.02 * 8.8 / 5.85 * np.exp(2j * np.pi * turn / 6)
        d = turn_short(recording(Machine(load=load, v2=v2, gains=GAINS), seed=turn), motor=motor)
        assert (d.state, d.code) == ("unknown", "no_baseline")
        unrated = [] if motor is MOTOR else ["rated_current_unknown"]
        assert [d.code for d in d.doubts] == ["supply_and_clamps_not_excluded", *unrated]


def test_power_and_voltage_bound_an_unknown_rated_current() -> None:
    # 3 kW at 400 V take at most 8.7 A.
    plate = Motor(pole_pairs=2, supply_hz=50.0, rated_power_w=3000.0, rated_voltage_v=400.0)
    strong = recording(Machine(load=1.0, short_a=9.0), channels=CURRENTS)
    assert turn_short(strong, motor=plate).state in ("warning", "fault")
    unrated = turn_short(strong, motor=Motor(pole_pairs=2, supply_hz=50.0))
    assert unrated.state == "unknown"
    assert "rated_current_unknown" in {d.code for d in unrated.doubts}


def test_an_asymmetry_that_moves_within_the_record_is_unknown(
    baseline_of_currents: Baseline,
) -> None:
    d = turn_short(
        recording(Machine(short_a=4, on_s=(0.3, 0.7), gains=GAINS)), baseline_of_currents
    )
    assert (d.state, d.code) == ("unknown", "asymmetry_not_steady")


def test_noise_raises_no_false_alarm(baseline_of_currents: Baseline) -> None:
    states = [
        turn_short(recording(Machine(gains=GAINS, noise=0.03), seed=s), baseline_of_currents).state
        for s in range(60)
    ]
    assert not {"warning", "fault"} & set(states)
