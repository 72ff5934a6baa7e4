"""The walls between the houses: imports between them, the rooms inside, and the lent names."""

import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions

import pytest

from tests.form.houses import (
    HOUSES,
    KNOWN,
    LENDERS,
    SOURCES,
    USES,
    borrowed,
    house,
    imported,
    inner_imports,
    lent,
    module_name,
    room,
)
from tests.paths import ROOT

# The motor house may import these besides the standard library. Readers of files and rows as a
# DataFrame import their library in the function that needs it.
OF_MOTOR = {"numpy", "scipy", "msgspec", "orjson"}
OPTIONAL = ("vtox.motor.files.readers.", "vtox.motor.values.frames")


def test_no_house_imports_from_one_that_it_may_not_use() -> None:
    across = {(house(a), house(b)) for a, b in inner_imports() if house(a) != house(b)}
    assert across - {(a, b) for a, allowed in USES.items() for b in allowed} == set()


def test_rooms_import_downwards_only() -> None:
    upward = {
        (a, b)
        for a, b in inner_imports()
        if house(a) == house(b) and room(a)[0] < room(b)[0] and room(b)[1]
    }
    assert upward == set()


def test_a_house_has_at_most_ten_rooms_and_each_is_there() -> None:
    for name, rooms in HOUSES.items():
        assert len(rooms) <= 10
        assert [r for r in rooms if f"{name}.{r}" not in KNOWN] == []


def test_every_room_of_a_house_is_named() -> None:
    assert [m for m in KNOWN if m.count(".") > 1 and m.startswith(LENDERS) and not room(m)[1]] == []


def test_no_cycle() -> None:
    graph = {
        module_name(p): {m for m in imported(p) if m in KNOWN and m != module_name(p)}
        for p in SOURCES
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("lender", LENDERS)
def test_a_house_lends_the_names_of_its_list(lender: str) -> None:
    found, said = borrowed()[lender], lent(lender)
    assert found == said, "change lent.toml, and say in the commit why a wall has another door"


def test_the_motor_house_imports_numbers_and_codecs_only() -> None:
    found = {
        name.partition(".")[0]
        for path in SOURCES
        if module_name(path).startswith("vtox.motor")
        if not module_name(path).startswith(OPTIONAL)
        for name in imported(path)
    }
    assert found - OF_MOTOR - sys.stdlib_module_names - {"vtox"} == set()


def test_the_motor_house_loads_where_nothing_else_can_be_imported() -> None:
    hidden = packages_distributions().keys() - OF_MOTOR - sys.stdlib_module_names - {"vtox"}
    script = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(hidden)!r}))
from importlib import import_module
for name in {sorted(m for m in KNOWN if m.startswith("vtox.motor"))!r}:
    import_module(name)
import vtox; vtox.diagnose, vtox.read, vtox.learn_baseline
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", LENDERS)
def test_each_house_has_a_page_of_at_most_forty_lines(name: str) -> None:
    lines = (ROOT / name.replace(".", "/") / "README.md").read_text().splitlines()
    assert len(lines) <= 40
