"""The examples of docstrings and documents run; senders need a server (integration)."""

import doctest
import importlib
import re
import tomllib

import pytest

from tests.paths import ROOT
from vtox.motor.values.nameplate import motor_from_dict

WITH_EXAMPLES = [
    ".".join(p.relative_to(ROOT).with_suffix("").parts)
    for p in sorted((ROOT / "vtox").rglob("*.py"))
    if ">>> " in p.read_text(encoding="utf-8")
]
HOWTO = ROOT / "docs/howto"


def blocks(page: str, language: str) -> list[str]:
    text = (HOWTO / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_diagnosis_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (sample,) = (b for b in blocks("diagnose-in-python.md", "python") if "learn_baseline" in b)
    exec(sample, {})
    assert capsys.readouterr().out.startswith("turn_short | warning")


def test_the_nameplate_file_is_valid() -> None:
    (text,) = blocks("add-a-motor.md", "toml")
    motor = motor_from_dict(tomllib.loads(text))
    assert motor.rotor_bars
    assert motor.bearing
    assert motor.rated_slip == pytest.approx(1 / 30)
