"""The house rules that a linter cannot say: layers, cycles, who reads the environment."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ("vtox", "workers", "api")
SOURCES = [ROOT / "celeryconfig.py", *(p for d in PACKAGES for p in (ROOT / d).rglob("*.py"))]
LAZY = ROOT / "vtox/__init__.py"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {module_name(p) for p in SOURCES}


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, `from package import module` spelled out."""
    return tuple(_imported(ast.parse(path.read_text())))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{a.name}" for a in node.names]
            inside = [m for m in submodules if m in KNOWN]
            yield from inside
            if len(inside) < len(submodules):
                yield node.module


def importers(*prefixes: str) -> set[str]:
    return {
        module_name(p)
        for p in SOURCES
        for name in imported(p)
        if any(name == x or name.startswith(f"{x}.") for x in prefixes)
    }


def within(names: set[str], *allowed: str) -> set[str]:
    """The names that are none of `allowed` or below one of them."""
    return {n for n in names if not any(n == a or n.startswith(f"{a}.") for a in allowed)}


def test_the_layers() -> None:
    assert within(importers("workers"), "workers") == set()
    assert within(importers("api"), "api") == set()
    assert (
        within(
            importers("celery", "kombu", "billiard"),
            "celeryconfig",
            "vtox.queues.celery_app",
            "vtox.queues.celery_transport",
            "workers",
        )
        == set()
    )
    assert (
        within(importers("vtox.queues.celery_app"), "workers", "vtox.coordinator", "vtox.cli")
        == set()
    )
    assert within(importers("fastapi", "starlette"), "api") == set()


@pytest.mark.parametrize(
    "pure",
    [
        "vtox.dsp",
        "vtox.diagnosers",
        "vtox.diagnosis",
        "vtox.baseline",
        "vtox.domain",
        "vtox.nameplate_ranges",
        "vtox.bridge.record_joiner",
        "vtox.bridge.deduplication",
        "vtox.health",
        "vtox.wire",
        "vtox.simulator",
    ],
)
def test_pure_code_knows_no_server_clock_or_environment(pure: str) -> None:
    forbidden = (
        "redis",
        "vtox.store",
        "vtox.settings",
        "vtox.keys",
        "time",
        "os",
        "structlog",
        "random",
        "threading",
        "subprocess",
    )
    found = {m for f in forbidden for m in importers(f) if m == pure or m.startswith(f"{pure}.")}
    assert found == set()


def test_simulator_and_diagnosers_share_nothing_but_the_vocabulary() -> None:
    judges = ("vtox.dsp", "vtox.diagnosers", "vtox.diagnosis", "vtox.baseline")
    assert {m for m in importers(*judges) if m.startswith("vtox.simulator")} == set()
    assert {m for m in importers("vtox.simulator") if m.startswith(judges)} == set()


def test_no_cycle() -> None:
    graph = {
        module_name(p): {m for m in imported(p) if m in KNOWN and m != module_name(p)}
        for p in SOURCES
    }
    TopologicalSorter(graph).prepare()


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        module_name(p)
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    # The parent watch takes the supervisor's pid, which is no setting; supervisor and server hand
    # their own environment on to the processes they start.
    assert readers <= {
        "vtox.settings",
        "vtox.cluster.parent_watch",
        "vtox.cluster.processes",
        "vtox.cluster.supervisor",
    }


def test_imports_stand_at_the_top() -> None:
    inner = [
        f"{module_name(p)}:{node.lineno}"
        for p in SOURCES
        if p != LAZY
        for scope in ast.walk(ast.parse(p.read_text()))
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(scope)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inner == []


@pytest.mark.parametrize("module", ["vtox.bridge.loop", "vtox.coordinator", "api.main"])
def test_services_load_no_maths(module: str) -> None:
    script = f"import sys, {module}; print(*(m for m in ('scipy', 'workers') if m in sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"VTOX_REDIS_URL": "redis://127.0.0.1:1", "PATH": ""},
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == ""


def test_api_never_loads_celery() -> None:
    script = "import sys, api.main; print('celery' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


def test_cited_works_are_listed() -> None:
    """A reader who has only the repository finds what `Author 1999` is."""
    entries = (ROOT / "docs/REFERENCES.md").read_text().split("\n- ")
    listed = [e.partition("*")[0] for e in entries]
    cited = re.compile(r"\b(?!Of\b)([A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?: et al\.)?,? ((?:19|20)\d\d)\b")
    for path in [*SOURCES, *(ROOT / "evaluation").glob("*.py")]:
        text = " ".join(path.read_text().replace("#", " ").split())
        for author, year in cited.findall(text):
            assert any(author in e and year in e for e in listed), (path.name, author, year)
