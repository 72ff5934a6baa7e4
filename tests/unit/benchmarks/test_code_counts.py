"""Counts of the code, on checkouts of a few files."""

from pathlib import Path

import pytest

from benchmarks.code_counts import language
from benchmarks.code_counts.calls import count_calls
from benchmarks.code_counts.house import house
from benchmarks.code_counts.sizes import code_lines, constants, lines_of_code

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


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.py", '"""Said\n\nmore."""\n\n# Why.\nx = """a\nb"""\ndef f():\n    """One."""\n', 3),
        ("a.toml", "# Why.\n\nsize = 1\n", 1),
        ("a.lua", "-- Why.\nlocal x = 1\nreturn x -- so\n", 2),
        ("b.py", 'class A:\n    x: int\n    """One."""\n    y = 2\n', 3),
        ("a.js", "/* Two\n   lines. */\n// Why.\nconst x = 1;\n", 1),
        ("a.css", "/* Why. */\n\na {\n}\n", 2),
        ("a.html", "<!-- Why. -->\n<p>\n</p>\n", 2),
    ],
)
def test_lines_are_without_comments(name: str, text: str, lines: int, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert lines_of_code(tmp_path / name) == lines


def test_lines_are_those_of_their_part_and_ours(checkout: Path) -> None:
    for name in ("api/a.css", "api/b.min.js", "api/vendor/c.js", "faults/d.toml", "vtox/e.csv"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("a\n")
    lines = code_lines(checkout)
    motor = sum(bool(x) for t in (DIAGNOSER, LINES, DOMAIN) for x in t.splitlines())
    assert lines["vtox/motor"] == motor
    assert (lines["api"], lines["the tools"], lines["the tests"]) == (1, 1, 0)
    assert lines["the product"] == motor + 1


def test_inverted_sentences_and_what_are_counted() -> None:
    parts = [
        "Of two, one is left. It is. `Of` is code. What is it?",
        "Whose it is. See what is so.",
    ]
    assert dict(language.count_parts("pages", parts)) == {
        "what in 10,000 words, pages": 1000,
        "inverted sentences, pages": 2,
    }


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
        "vtox/pipeline/lent.toml": "'store.a' = ['Event']",
        "docs/a.md": "# Title\n\nFour words are here. Two more.\n\n| a | b |\n",
        "docs/reference/b.md": "Looked up.\n\n```sh\nno words\n```\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    counted = house(tmp_path)
    assert counted == {
        "lines of vtox/motor": 0,
        "lines of vtox/pipeline": 13,
        "lines of vtox/reporting": 0,
        "lines of vtox/cli": 2,
        "lines of api": 0,
        "lines of workers": 0,
        "lines of the product": 15,
        "lines of the tools": 0,
        "lines of the tests": 0,
        "names lent by vtox/motor": 0,
        "names lent by vtox/pipeline": 1,
        "names lent by vtox/reporting": 0,
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
        "classes of the API that repeat a value": 0,
        "functions that copy field by field": 0,
        "encode, decode and table functions": 1,
        "settings": 3,
        "commands": 1,
        "words of all pages": 11,
        "words of pages that are not looked up": 9,
        "pages of more than 2,000 words": 0,
        "words a sentence, times 10": 27,
        "phrases to replace, pages": 0,
        "what in 10,000 words, pages": 0,
        "inverted sentences, pages": 0,
        "phrases to replace, code": 0,
        "what in 10,000 words, code": 0,
        "inverted sentences, code": 0,
    }
