"""Lets a script run in a checkout from before its modules were moved to their folders.

Imported in the process that answers for another checkout. A module that is not where this one has
it is looked for with one folder less: `vtox.motor.values.domain` was `vtox.domain`. `MOVED` names
those whose content was in another module.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

FOLDERS = frozenset(
    f"vtox.{name}"
    for name in (
        *("values", "configuration", "windows", "sending", "records", "pipeline"),
        *(f"store.{n}" for n in ("server", "stream", "work", "alarms", "machines", "system")),
    )
)
MOVED = {"vtox.motor.values.bearing": "vtox.motor.values.domain"}


class Alias(Loader):
    """Hands out the module of another name; without one an empty folder."""

    def __init__(self, older: str) -> None:
        self.older = older

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        if self.older:
            return importlib.import_module(self.older)
        folder = ModuleType(spec.name)
        folder.__path__ = []
        return folder

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it is there."""


class Elsewhere(MetaPathFinder):
    """Finds modules under the name that they had."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module is found that no other finder knows."""
        if not name.startswith("vtox."):
            return None
        if name in MOVED:
            return ModuleSpec(name, Alias(MOVED[name]))
        if name in FOLDERS:
            return ModuleSpec(name, Alias(""), is_package=True)
        parts = name.split(".")
        for i in range(1, min(len(parts) - 1, 3)):
            older = ".".join(parts[:i] + parts[i + 1 :])
            if importlib.util.find_spec(older) is not None:
                return ModuleSpec(name, Alias(older), is_package=True)
        return None


sys.meta_path.append(Elsewhere())
diagnosis = importlib.import_module("vtox.motor.diagnosis")
if not hasattr(diagnosis, "__path__"):  # it was a module, and is a folder
    diagnosis.__path__ = []
