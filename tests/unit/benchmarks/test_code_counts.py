"""Counts of the code: constants and lines, on a checkout of three files."""

from pathlib import Path

import pytest

from benchmarks.code_counts.calls import count_calls
from benchmarks.code_counts.house import house
from benchmarks.code_counts.sizes import constants, product_lines

DIAGNOSER = """
from vtox.motor.diagnosis.dsp import lines
from vtox.motor.values.domain import Reason

LIMIT, OTHER = 1, 2
RULES: tuple = (LIMIT,)

def diagnose(x, y):
    level = lines.level(x)
    lines.level(y)
    why = Reason(level)
    return _answer(level, why) if lines.sharp(why) else None

def _answer(level, why):
    return level
"""
LINES = """
FLOOR_DB = 3.0

def level(x):
    return x.samples[0]

def sharp(x):
    return bool(x)
"""
DOMAIN = """
class Reason:
    pass
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "vtox/motor/diagnosis/diagnosers/d.py": DIAGNOSER,
        "vtox/motor/diagnosis/dsp/lines.py": LINES,
    }
    for name, text in {**files, "vtox/motor/values/domain.py": DOMAIN}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_constants_are_names_in_capitals_one_a_statement(checkout: Path) -> None:
    assert constants(checkout) == [
        "vtox/motor/diagnosis/diagnosers/d.py:RULES",
        "vtox/motor/diagnosis/dsp/lines.py:FLOOR_DB",
    ]


def test_lines_are_those_of_the_product(checkout: Path) -> None:
    (checkout / "api").mkdir()
    (checkout / "api" / "page.css").write_text("a {}\n")
    (checkout / "tests.py").write_text("\n")
    assert product_lines(checkout)[".css"] == 1
    assert product_lines(checkout)[".py"] == sum(
        len(text.splitlines()) for text in (DIAGNOSER, LINES, DOMAIN)
    )


def test_calls_are_those_of_python_and_of_c() -> None:
    def inner() -> None:
        len([])
        len([])

    assert count_calls(inner) == 3


def test_folders_and_names_are_counted(tmp_path: Path) -> None:
    for name, text in {
        "vtox/pipeline/store/a.py": "from vtox.pipeline.wire import code\n"
        "class Event: ...\nclass _Own: ...",
        "vtox/pipeline/wire/code.py": "import vtox.pipeline.store.a\n"
        "class Event: ...\ndef encode_row(): ...",
        "vtox/cli/main.py": "_PLACES = 'fleet.run'",
        "vtox/cli/run.py": "def run(): ...",
        "vtox/pipeline/configuration/tables.py": "class Keep:\n"
        "    a: int = Field(1)\n    b: int = Field(2)",
        "vtox/pipeline/groups/one.py": "class A:\n"
        "    size: int = Field(1)\n    keep: Keep = Field(Keep())",
        "docs/a.md": "# Title\n\nFour words are here. Two more.\n\n| a | b |\n",
        "docs/reference/b.md": "Looked up.\n\n```sh\nno words\n```\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    counted = dict(house(tmp_path))
    assert counted == {
        "folders of code": 5,
        "arrows between folders": 2,
        "houses and top folders": 2,
        "arrows between them": 0,
        "of them in a cycle": 0,
        "rooms of vtox/motor": 0,
        "arrows inside vtox/motor": 0,
        "rooms of vtox/motor in a cycle": 0,
        "rooms of vtox/pipeline": 4,
        "arrows inside vtox/pipeline": 2,
        "rooms of vtox/pipeline in a cycle": 2,
        "rooms of vtox/reporting": 0,
        "arrows inside vtox/reporting": 0,
        "rooms of vtox/reporting in a cycle": 0,
        "arrows inside the store": 0,
        "rooms of the store in a cycle": 0,
        "files at the top of vtox": 0,
        "files of the largest folder": 2,
        "public names of vtox": 6,
        "public names of modules that another room uses": 3,
        "class names with two meanings": 1,
        "encode, decode and table functions": 1,
        "settings": 3,
        "commands": 1,
        "words of all pages": 11,
        "words of pages that are not looked up": 9,
        "pages of more than 2,000 words": 0,
        "words a sentence, times 10": 27,
        "phrases to replace, pages": 0,
        "phrases to replace, code": 0,
    }
