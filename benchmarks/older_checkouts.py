"""Lets a script run in a checkout from before its modules were moved to their folders.

The process that answers for another checkout imports this file; its folder is the current one. A
module that is not at its place in this checkout is looked for with one folder less, then with two:
`vtox.motor.values.domain` was `vtox.values.domain`, and `vtox.domain` before.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import combinations
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parents[1]
# Modules that were parts of another one.
MOVED = {"vtox.motor.values.bearing": "vtox.motor.values.domain"}


class Alias(Loader):
    """Loads the module of another name; without a name an empty folder."""

    def __init__(self, older: str) -> None:
        self.older = older

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, which may have others in it: a folder may have been a module."""
        module = importlib.import_module(self.older) if self.older else ModuleType(spec.name)
        if not hasattr(module, "__path__"):
            module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is already loaded."""


class Elsewhere(MetaPathFinder):
    """Finds modules of this checkout under the names that they had in the one at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that is not at its place."""
        if not name.startswith("vtox.") or _holds(self.root, name):
            return None
        older = next((n for n in _names_before(name) if _holds(self.root, n)), MOVED.get(name, ""))
        if older or (HERE / name.replace(".", "/")).is_dir():
            return ModuleSpec(name, Alias(older), is_package=True)
        return None


def _holds(root: Path, name: str) -> bool:
    file = root / name.replace(".", "/")
    return file.is_dir() or file.with_suffix(".py").exists()


def _names_before(name: str) -> Iterator[str]:
    """Yield the names with one folder less, then those with two."""
    top, *folders, last = name.split(".")
    for fewer in (1, 2):
        for kept in combinations(folders, max(0, len(folders) - fewer)):
            yield ".".join((top, *kept, last))


sys.meta_path.insert(0, Elsewhere(Path.cwd()))
