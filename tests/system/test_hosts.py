"""A host of workers is cut off, half-open, and comes back: nothing lost, nothing doubled."""

from pathlib import Path

import pytest

from faults.check import check
from faults.history import read
from faults.hosts.scenarios import SCENARIOS
from faults.run import run

pytestmark = pytest.mark.alone


@pytest.mark.timeout(600)
def test_a_host_that_is_cut_off_loses_and_doubles_nothing(tmp_path: Path) -> None:
    scenario = SCENARIOS["cut-short"]()
    if scenario.needs:
        pytest.skip(scenario.needs)
    verdict = check(read(run(scenario, tmp_path)))
    assert not verdict.violations, verdict.violations
