"""Crashes, stops and cuts of everything at random: nothing lost, nothing doubled (short form)."""

from pathlib import Path

import pytest

from faults.__main__ import explain
from faults.check import check
from faults.history import read
from faults.run import run
from faults.tests import TESTS

pytestmark = pytest.mark.alone


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
def test_every_acknowledged_window_has_one_answer(tmp_path: Path, seed: int) -> None:
    test = TESTS["crashes-short"](seed)
    history = run(test, tmp_path)
    verdict = check(read(history))
    assert not verdict.violations, explain(test, verdict, history)
