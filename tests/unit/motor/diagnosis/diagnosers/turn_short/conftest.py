import pytest

from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, healthy_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS


@pytest.fixture(scope="session")
def baseline_with_voltages() -> Baseline:
    return healthy_baseline(CHANNELS, v2_max=0.01)


@pytest.fixture(scope="session")
def baseline_of_currents() -> Baseline:
    return healthy_baseline(CURRENTS, v2_max=0.0)
