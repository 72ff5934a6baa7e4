import pytest

from tests.signals.phasor_motor import MOTOR
from tests.unit.motor.diagnosis.diagnosers.insulation.cases import balanced
from vtox import learn_baseline
from vtox.motor.values.baseline import Baseline


@pytest.fixture(scope="session")
def baseline_without_zero_sequence() -> Baseline:
    return learn_baseline([balanced(0, seed=s) for s in range(12)], MOTOR)
