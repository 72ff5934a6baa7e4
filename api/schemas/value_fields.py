"""Fields of a response made of those of its value: names, types and attribute docstrings."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, get_type_hints

from pydantic import Field


class After(NamedTuple):
    """Annotation of a field that the value does not have: the field it follows; empty: none."""

    name: str


class From(NamedTuple):
    """Annotation of a field: where a value has it, `a.b`; None if the value has no `a`."""

    path: str


def with_fields_of(
    value: type, own: dict[str, Any], without: str, last: str, words: Mapping[str, Any]
) -> dict[str, Any]:
    """Return annotations of all fields of a value but some, with those of a view's own.

    An own field of the same name replaces it, and so does one of `words` if the value does not
    describe it. Those of `last` end the fields of the value, in that order. Own fields follow, and
    one with `After` goes there.
    """
    hints, texts = get_type_hints(value, include_extras=True), descriptions(value)
    described = {n: Annotated[h, Field(description=texts.get(n))] for n, h in hints.items()}
    known = described | {n: h for n, h in words.items() if n not in texts} | own
    elsewhere = {*without.split(), *last.split()}
    elsewhere |= {n for n, hint in own.items() if _followed(hint) is not None}
    found = {n: known[n] for n in [*(n for n in hints if n not in elsewhere), *last.split()]}
    for name in [n for n in own if n not in found]:
        _insert(found, name, own[name])
    return found


def _insert(found: dict[str, Any], name: str, hint: Any) -> None:
    """Add a field behind the one that it follows."""
    names, after = list(found), _followed(hint)
    place = len(names) if after is None else names.index(after) + 1 if after else 0
    behind = {n: found.pop(n) for n in names[place:]}
    found[name] = hint
    found |= behind


def _followed(hint: Any) -> str | None:
    """Return the name in an annotation `After`; None: it has none."""
    return next((m.name for m in getattr(hint, "__metadata__", ()) if type(m) is After), None)


@cache
def descriptions(value: type) -> dict[str, str]:
    """Return field -> docstring of a class and its bases."""
    found: dict[str, str] = {}
    for kind in reversed(value.__mro__):
        found |= dict(_documented(kind))
    return found


def _documented(kind: type) -> Iterator[tuple[str, str]]:
    body = _classes(kind.__module__).get(kind.__qualname__, [])
    for field, after in pairwise(body):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)


@cache
def _classes(module: str) -> dict[str, list[ast.stmt]]:
    """Return class -> statements of a module of VTOX."""
    if not module.startswith("vtox."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {n.name: n.body for n in tree.body if isinstance(n, ast.ClassDef)}
