"""Documents agree with the code: codes and advice, constants, indicators, modules, links."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from handbook.fault_codes import UNWRITTEN, advice_of, with_codes
from handbook.fault_quality import TOPICS, quality, with_quality
from tests.paths import ROOT
from vtox.motor.faults import FAULTS
from vtox.motor.values.bearing import DEFECTS
from vtox.motor.words.catalogue import catalogue
from vtox.pipeline.configuration.settings import Settings, each, load, variable
from vtox.reporting.history.views import TABLES

FAULT_PAGES = {f: ROOT / f"docs/faults/{f}.md" for f in FAULTS}
CODES = ROOT / "docs/reference/codes"
CODES_OF_FAULTS = {f: CODES / f"{f}.md" for f in FAULTS}
CODE_PAGES = {
    "general": CODES / "general.md",
    "slip": CODES / "slip.md",
    "operation": CODES / "starts.md",
    "baseline": CODES / "baselines.md",
    "alerts": CODES / "alerts.md",
    "records": CODES / "records.md",
    "profile": ROOT / "docs/faults/profile.md",
    "system": ROOT / "docs/reference/alarms.md",
    "commissioning": CODES / "commissioning.md",
} | CODES_OF_FAULTS
KINDS = ("tutorial", "howto", "reference", "explanation", "appendix")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
NO_CONSTANTS = {*DEFECTS, "VTOX_RECORDINGS", "PR_SET_PDEATHSIG"}
# Code, words and files of deployment that name pages.
NAMING = (
    "vtox",
    "api",
    "workers",
    "evaluation",
    "benchmarks",
    "faults",
    "deploy",
)
SUFFIXES = {".py", ".js", ".toml", ".yaml", ".yml", ".conf", ".json", ".lua"}
SCALES = (1.0, 0.01, 1e3, 1e6, 1e-3, 1e-6, 1e-9)  # as written, %, kilo, mega, milli, micro, nano
SOURCES = [p.read_text() for p in (ROOT / "vtox").rglob("*.py")]


def rows(page: Path, head: str) -> list[list[str]]:
    """Return the rows of all tables of a page whose first column has that head."""
    tables = re.findall(rf"^\| {head} \|.*\n\|[-:| ]+\n((?:\|.*\n)*)", page.read_text(), re.M)
    lines = [line for table in tables for line in table.splitlines()]
    return [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("topic", CODE_PAGES)
def test_codes_and_advice_are_those_of_the_sentences(topic: str) -> None:
    table = rows(CODE_PAGES[topic], "code")
    assert all(meaning for *_, meaning, _ in table)
    assert len({code for code, *_ in table}) == len(table)
    advice = {code.strip("`"): text for code, *_, text in table if code.startswith("`")}
    # A code that several faults give may be on their pages too.
    topics = catalogue("en").topics
    general = {c: said for c, said in topics["general"].items() if c in advice}
    sentences = {**topics[topic], **general}
    assert advice == {code: advice_of(code) for code in sentences}


@pytest.mark.parametrize("fault", FAULT_PAGES)
def test_quality_is_that_of_its_pages_and_tests(fault: str) -> None:
    """If the page differs, `make codes` writes it."""
    text, shown = FAULT_PAGES[fault].read_text(), quality(fault)
    assert with_quality(fault, text) == text
    assert shown.keys() <= {*TOPICS, "not_known"}
    assert shown["not_known"]
    for topic in shown.keys() & TOPICS.keys():
        row = shown[topic]
        if page := row.get("page"):
            assert row["says"] in (ROOT / page).read_text()
        for test in row.get("tests", ()):
            path, _, name = test.partition("::")
            assert (ROOT / path).exists()
            assert not name or f"def {name}(" in (ROOT / path).read_text()
        if topic in ("damaged", "sound"):
            assert any(t.startswith("tests/recordings/") for t in row["tests"])
        assert row.get("page") or row["tests"]


@pytest.mark.parametrize("fault", CODES_OF_FAULTS)
def test_codes_of_a_fault_are_those_of_its_rules(fault: str) -> None:
    """If they differ, `make codes` writes them."""
    text = CODES_OF_FAULTS[fault].read_text()
    assert with_codes(fault, text) == text
    assert f"| {UNWRITTEN} |" not in text


@pytest.mark.parametrize("fault", FAULT_PAGES)
def test_weaknesses_come_before_needs(fault: str) -> None:
    text = FAULT_PAGES[fault].read_text().lower()
    assert text.index("weakness") < text.index("needs")


@pytest.mark.parametrize("fault", FAULT_PAGES)
def test_indicators_are_in_the_code(fault: str) -> None:
    names = re.findall(r"`(\w+)`", " ".join(r[0] for r in rows(FAULT_PAGES[fault], "indicator")))
    assert names
    assert [n for n in names if not any(f'"{n}"' in s for s in SOURCES)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_constants_and_settings_are_in_the_code(page: Path) -> None:
    # Elsewhere a word of capitals alone may be a command of Redis.
    pattern = (
        r"[A-Z][A-Z0-9]{2,}(?:_[A-Z0-9]+)*"
        if page.parent in (ROOT / "docs/faults", CODES)
        else "[A-Z0-9]+_[A-Z0-9_]+"
    )
    names = set(re.findall(f"`({pattern})`", page.read_text())) - NO_CONSTANTS
    settings = {variable(*name) for name, _ in each(load())}
    settings |= {f"VTOX_{name.upper()}" for name in Settings.model_fields}
    assert sorted(names - settings - set(constants())) == []


@pytest.mark.parametrize(
    "page",
    [*CODE_PAGES.values(), *(ROOT / "docs/faults").glob("*.md"), ROOT / "docs/howto/commission.md"],
    ids=lambda p: f"{p.parent.name}-{p.stem}",
)
def test_limits_are_those_of_the_code(page: Path) -> None:
    """One of the figures before a constant in brackets, `5 MOhm (`MINIMUM_OHM`)`, is its value."""
    limits = re.findall(r"([^|\n`(]{1,60})\(`([A-Z][A-Z0-9_]+)`", page.read_text())
    for before, name in limits:
        figures = [float(x) for x in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", before)]
        stated = [figure * scale for figure in figures for scale in SCALES]
        values = constants().get(name, [])
        if stated and values:
            assert any(x == pytest.approx(y) for x in stated for y in values), name


@cache
def constants() -> dict[str, list[float]]:
    """Return the numbers of every constant of a module of `vtox`, of a table all of them."""
    found: dict[str, list[float]] = {}
    for source in SOURCES:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for name in (n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)):
                    found.setdefault(name.id, []).extend(_numbers(node.value))
    return found


def _numbers(value: ast.expr) -> Iterator[float]:
    """Yield the numbers of an expression, those after a minus as negative too."""
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            yield from (float(node.value), -float(node.value))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, part in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", _prose(page)):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if part:
            assert part in _anchors(file), part


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_named_are_there(page: Path) -> None:
    files = r"`((?:vtox|workers|api|evaluation|benchmarks|tests|docs)/[\w./-]*\w/?)`"
    names = sorted(set(re.findall(files, page.read_text())))
    assert [n for n in names if not (ROOT / n).exists() and not list(ROOT.glob(f"{n}-*.md"))] == []


def test_pages_that_the_code_names_are_there() -> None:
    """A message that sends a user to a page, or a section, names one that exists."""
    files = [p for f in NAMING for p in (ROOT / f).rglob("*.*") if p.suffix in SUFFIXES]
    named = {n for p in files for n in re.findall(r"(docs/[\w/.-]+\.md)#?([\w-]*)", p.read_text())}
    assert len(named) > 50
    assert [n for n, _ in sorted(named) if not (ROOT / n).exists()] == []
    assert [(n, part) for n, part in sorted(named) if part and part not in _anchors(ROOT / n)] == []


def _prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    pages = [f"{kind}/{p.name}" for kind in KINDS for p in (ROOT / "docs" / kind).glob("*.md")]
    assert [p for p in pages if f"]({p}" not in index] == []


def test_every_decision_is_in_its_index_by_its_title() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    for page in (ROOT / "docs/adr").glob("0*.md"):
        number, _, title = page.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        assert f"| {number} | [{title}]({page.name}) |" in index


def test_fields_in_the_words_of_standards_are_ours() -> None:
    """Names of the HTTP interface, of tables that are taken out, of MQTT and of OPC UA."""
    schemas = json.loads((ROOT / "docs/openapi.json").read_text())["components"]["schemas"]
    ours = set(schemas) | {name for schema in schemas.values() for name in schema["properties"]}
    ours |= {column for table in TABLES.values() for column in table.columns}
    ours |= {"ne107", "NE107", "DeviceHealth"}
    for home in (
        "vtox/reporting/notification/mqtt_topics.py",
        "vtox/reporting/plant/opcua/nodes.py",
    ):
        text = (ROOT / home).read_text()
        assert '"ne107":' in text or ('"NE107":' in text and '"DeviceHealth":' in text), home
    page = ROOT / "docs/reference/ne107.md"
    cells = [cell for row in rows(page, "VTOX") for cell in (row[0], row[3])]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named - ours == set()
    assert len(named) > 20
    blocks = re.findall(r"\((DA|DM|SD|HA|PA|AG)\)", " ".join(r[1] for r in rows(page, "VTOX")))
    assert blocks == ["DA", "DM", "SD", "HA", "PA", "AG"]
