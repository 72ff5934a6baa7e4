"""The weight of VTOX grows only on purpose: `budgets.toml` has a number for each count."""

import re
import subprocess
import tomllib

import pytest

from benchmarks.code_counts.house import house
from tests.paths import ROOT

FILE = "tests/form/budgets.toml"
BUDGETS: dict[str, dict[str, int]] = tomllib.loads((ROOT / FILE).read_text())
NUMBERS = {name: most for table in BUDGETS.values() for name, most in table.items()}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """The counts of this checkout."""
    return house(ROOT)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_count_stays_within_its_budget(name: str, counts: dict[str, int]) -> None:
    assert counts[name] <= NUMBERS[name], f"CONTRIBUTING.md says how {FILE} is raised"


@pytest.mark.parametrize("name", BUDGETS["only falls"])
def test_some_budgets_only_fall(name: str) -> None:
    log = ["git", "log", "-p", "--format=", "--unified=0", "--", FILE]
    past = subprocess.run(log, cwd=ROOT, capture_output=True, text=True).stdout
    before = re.findall(rf'^[-+]"{re.escape(name)}" = ([\d_]+)$', past, re.MULTILINE)
    assert NUMBERS[name] <= min(map(int, before), default=NUMBERS[name])
