"""The houses of VTOX, their rooms, and the names that each house lends to others."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.paths import ROOT

SOURCES = [
    ROOT / "celeryconfig.py",
    *(p for d in ("vtox", "workers", "api") for p in sorted((ROOT / d).rglob("*.py"))),
]
# It loads the public names by their text, on first use.
LAZY = ROOT / "vtox/__init__.py"

# Each house with its rooms, both in the order of the data, lowest first. A module imports from its
# own room and from those before it.
HOUSES: dict[str, tuple[str, ...]] = {
    "vtox.motor": (
        "errors",
        "faults",
        "words",
        "values",
        "alarms",
        "files",
        "simulator",
        "diagnosis.dsp",
        "diagnosis.diagnosers",
        "diagnosis",
    ),
    "vtox.pipeline": (
        "errors",
        "configuration",
        "windows",
        "store",
        "client",
        "queues",
        "sending",
        "bridge",
        "cluster",
        "monitoring",
    ),
    "celeryconfig": (),
    "vtox.reporting": ("history", "tables", "reports", "notification", "backup", "plant"),
    "workers": (),
    "api": ("http", "schemas", "state", "shapes", "routes"),
    "vtox.client": (),
    "vtox.cli": (),
    "vtox.__main__": (),
}
# The houses that each may import from.
_LOWER = ("vtox.motor", "vtox.pipeline")
_ALL = (*_LOWER, "vtox.reporting")
USES: dict[str, tuple[str, ...]] = {
    "vtox.motor": (),
    "vtox.pipeline": ("vtox.motor",),
    "celeryconfig": _LOWER,
    "vtox.reporting": _LOWER,
    "workers": _LOWER,
    "api": _ALL,
    "vtox.client": ("vtox.pipeline",),
    "vtox.cli": (*_ALL, "api", "celeryconfig"),
    "vtox.__main__": ("vtox.cli",),
}
LENDERS = _ALL


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {module_name(p) for p in SOURCES}


def house(module: str) -> str:
    """Return the house of a module."""
    for name in HOUSES:
        if module == name or module.startswith(f"{name}."):
            return name
    raise AssertionError(f"{module} is in no house")


def room(module: str) -> tuple[int, str]:
    """Return the height of the room in its house, and its name; files outside rooms are on top."""
    inside = module.removeprefix(house(module)).removeprefix(".")
    rooms = HOUSES[house(module)]
    found = [r for r in rooms if inside == r or inside.startswith(f"{r}.")]
    name = max(found, key=len, default="")
    return (rooms.index(name), name) if name else (len(rooms), "")


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(path.read_text())


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Return every module that a file imports, `from package import module` spelled out."""
    return tuple(_imported(tree(path)))


def _imported(parsed: ast.Module) -> Iterator[str]:
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{a.name}" for a in node.names]
            inside = [m for m in submodules if m in KNOWN]
            yield from inside
            if len(inside) < len(submodules):
                yield node.module


def inner_imports() -> Iterator[tuple[str, str]]:
    """Yield (importing, imported) among our modules; the lazy package is in no house."""
    for path in SOURCES:
        for name in imported(path):
            if name in KNOWN and name != "vtox" and path != LAZY:
                yield module_name(path), name


def borrowed() -> dict[str, dict[str, set[str]]]:
    """Return the names that each house lends: module, name, at least one borrower.

    A name counts if another house imports it or reaches it through an imported module.
    """
    found: dict[str, dict[str, set[str]]] = {h: {} for h in LENDERS}
    for path in SOURCES:
        if path != LAZY:
            for module, name in _names(tree(path)):
                if module == "vtox":
                    continue
                lender = house(module)
                if lender in found and lender != house(module_name(path)):
                    inside = module.removeprefix(f"{lender}.")
                    found[lender].setdefault(inside, set()).add(name)
    return found


def lent(lender: str) -> dict[str, set[str]]:
    """Return the names that a house says it lends, by module."""
    path = ROOT / lender.replace(".", "/") / "lent.toml"
    return {module: set(names) for module, names in tomllib.loads(path.read_text()).items()}


def _names(parsed: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for each name of ours that a file imports or reaches."""
    modules: dict[str, str] = {}
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name: a.name for a in node.names if a.name in KNOWN}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vtox."):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in KNOWN:
                    modules[alias.asname or alias.name] = full
                else:
                    yield node.module, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module == "vtox":
            full_names = {a.asname or a.name: f"vtox.{a.name}" for a in node.names}
            modules |= {name: full for name, full in full_names.items() if full in KNOWN}
    for node in ast.walk(parsed):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module and f"{module}.{node.attr}" not in KNOWN:
                yield module, node.attr
