"""Classes that repeat a value and functions that copy one, in files of a few lines."""

from pathlib import Path

import pytest

from benchmarks.code_counts.repeated import copying_functions, repeating_classes

VALUE = """
@dataclass(frozen=True)
class Start:
    t: float
    peak_a: float
    mean_a: float
    energy_j: float
"""
API = """
class Repeats(ResponseModel):
    t: float
    peak_a: float
    mean_a: float
    energy_kwh: float

class Inherits(Repeats):
    machine_id: str

class View(ResponseModel, value=Start):
    energy_kwh: float

def copies(s):
    return Repeats(t=s.t, peak_a=s.peak_a, mean_a=round(s.mean_a, 3), energy_kwh=0.0)

def asks(q):
    return starts(t=q.t, peak_a=q.peak_a, mean_a=q.mean_a)

def passes_on(s):
    return View.of(s, energy_kwh=s.energy_j / 3.6e6)
"""


@pytest.fixture
def api(tmp_path: Path) -> Path:
    file = tmp_path / "api.py"
    file.write_text(API)
    return file


def test_a_class_repeats_a_value_if_it_declares_half_of_its_fields(
    tmp_path: Path, api: Path
) -> None:
    vtox = tmp_path / "vtox.py"
    vtox.write_text(VALUE)
    assert repeating_classes([api], [vtox]) == ["Repeats"]


def test_a_function_copies_if_it_makes_an_object_field_by_field(api: Path) -> None:
    assert copying_functions([api]) == ["copies"]
