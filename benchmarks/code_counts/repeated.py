"""Classes of the API that repeat a value, and functions that copy one field by field."""

import ast
from collections.abc import Iterator
from pathlib import Path

from benchmarks.code_counts.syntax import parsed, statements

# Fewer names in common are chance: `machine_id`, `code`, `state`.
LEAST = 3
_VALUES = ("TypedDict", "NamedTuple")


def repeating_classes(api: list[Path], vtox: list[Path]) -> list[str]:
    """Return the classes of the API that declare half of their fields as one value has them.

    The fields of a class are declared or inherited; a field counts by its name.
    """
    values = [_declared(c) for f in vtox for c in _classes(f) if _is_value(c)]
    shown = {c.name: c for f in api for c in _classes(f) if not _is_dataclass(c)}
    found = []
    for name, kind in shown.items():
        own = _declared(kind)
        shared = max((len(own & value) for value in values), default=0)
        if shared >= LEAST and 2 * shared >= len(_all_fields(kind, shown)):
            found.append(name)
    return sorted(found)


def copying_functions(files: list[Path]) -> list[str]:
    """Return the functions that make an object of fields of others, by the same names."""
    return sorted(
        node.name
        for file in files
        for node in statements(parsed(file))
        if isinstance(node, ast.FunctionDef) and max(_copied(node), default=0) >= LEAST
    )


def _copied(function: ast.FunctionDef) -> Iterator[int]:
    """Yield how many fields each call in a function copies: `name=value.name`."""
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and _makes_an_object(call.func):
            yield sum(
                any(isinstance(n, ast.Attribute) and n.attr == k.arg for n in ast.walk(k.value))
                for k in call.keywords
            )


def _makes_an_object(called: ast.expr) -> bool:
    """Return whether a class is called, or the `of` or `plain` of one."""
    name, _, method = ast.unparse(called).rpartition(".")
    of_class = name.rpartition(".")[2] if method in ("of", "plain") else method
    return of_class[:1].isupper()


def _classes(file: Path) -> Iterator[ast.ClassDef]:
    yield from (n for n in statements(parsed(file)) if isinstance(n, ast.ClassDef))


def _declared(kind: ast.ClassDef) -> set[str]:
    return {ast.unparse(n.target) for n in kind.body if isinstance(n, ast.AnnAssign)}


def _all_fields(kind: ast.ClassDef, known: dict[str, ast.ClassDef]) -> set[str]:
    bases = (known.get(ast.unparse(b).partition("[")[0]) for b in kind.bases)
    return _declared(kind).union(*(_all_fields(b, known) for b in bases if b and b is not kind))


def _is_value(kind: ast.ClassDef) -> bool:
    return _is_dataclass(kind) or any(ast.unparse(b) in _VALUES for b in kind.bases)


def _is_dataclass(kind: ast.ClassDef) -> bool:
    return any(ast.unparse(d).startswith("dataclass") for d in kind.decorator_list)
