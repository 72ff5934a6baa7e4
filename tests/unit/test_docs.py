"""What the documents show runs, what they name is there, and their limits are those of the code."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT
from vtox.baseline import RISE_DB
from vtox.diagnosers import eccentricity
from vtox.diagnosers.bearing import reasons
from vtox.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.diagnosers.broken_bar import sidebands
from vtox.diagnosers.insulation import diagnoser as insulation
from vtox.diagnosers.turn_short import diagnoser as turn_short
from vtox.domain import DEFECTS
from vtox.faults import FAULTS
from vtox.nameplate import motor_from_dict

README = (ROOT / "README.md").read_text()
VERDICTS = (ROOT / "docs/VERDICTS.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
SOURCES = [p.read_text() for p in (ROOT / "vtox").rglob("*.py")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_sample_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (sample,) = (b for b in blocks("python") if "learn_baseline" in b)
    exec(sample, {})
    assert capsys.readouterr().out.startswith("turn_short | warning")


def test_the_nameplate_of_the_readme_is_one() -> None:
    (text,) = blocks("toml")
    motor = motor_from_dict(tomllib.loads(text))
    assert motor.rotor_bars
    assert motor.bearing
    assert motor.rated_slip == pytest.approx(1 / 30)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, part in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        if part:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert part in [h.lower().replace(" ", "-") for h in headings], part


def test_constants_named_are_in_the_code() -> None:
    for name in set(re.findall(r"\b([A-Z]{3,}(?:_[A-Z0-9]+)*)`", VERDICTS)) - set(DEFECTS):
        setting = name.removeprefix("VTOX_").lower()
        constant = rf"^(?:[A-Z_]+, )*{name}\b[^=\n]* =|^    {setting}:"
        assert any(re.search(constant, s, re.MULTILINE) for s in SOURCES), name


def test_indicators_named_are_in_the_code() -> None:
    tables = re.findall(r"\| indicator \| meaning \|\n((?:\|.*\n)+)", VERDICTS)
    names = re.findall(
        r"`(\w+)`", " ".join(r.split("|")[1] for t in tables for r in t.splitlines())
    )
    assert len(tables) == len(FAULTS)
    for name in names:
        assert any(f'"{name}"' in s for s in SOURCES), name


@pytest.mark.parametrize(
    "text",
    [
        *(f"`{k}` | {v:.3g} %" for k, v in ((k, 100 * v) for k, v in turn_short.LEAST.items())),
        *(f"| {v:g} |\n" for v in turn_short.CONFIDENCE.values()),
        f"From {turn_short.SEVERE:.0%} on".replace("%", " %"),
        f"less than {insulation.MINIMUM_OHM / 1e6:g} MOhm",
        f"less than {insulation.SEVERE_OHM / 1e6:g} MOhm",
        f"{broken_bar.FAULT_DBC:g} dBc and above (`FAULT_DBC`)",
        f"{broken_bar.DEVELOPING_DBC:g} dBc and above (`DEVELOPING_DBC`)",
        f"| {sidebands.WEAKEST_DBC:g} to {broken_bar.DEVELOPING_DBC:g} dBc",
        f"a rise of {RISE_DB:g} dB (`RISE_DB`",
        f"a rise of {eccentricity.FAULT_DB:g} dB (`FAULT_DB`)",
        f"a confidence of {reasons.FAULT_CONFIDENCE:g} (`FAULT_CONFIDENCE`)",
        f"a modulation of {reasons.FAULT_MODULATION:g}",
    ],
)
def test_limits_are_those_of_the_code(text: str) -> None:
    assert text in VERDICTS
