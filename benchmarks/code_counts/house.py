"""How much a newcomer has to learn: folders, imports, names, settings, commands, words.

Counted from the files of a checkout, by their syntax alone. An arrow is a folder that imports from
another one, in any of its files. A house is a folder of `vtox`, or another folder at the top, with
all that is below: `vtox/motor`, `api`. The files at the top of `vtox` count as one; its `__main__`
is a command. A room is a folder or a file in a house of `vtox`: `vtox/motor/values`.
"""

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from benchmarks.code_counts import language
from benchmarks.code_counts.repeated import copying_functions, repeating_classes
from benchmarks.code_counts.sizes import HOUSES, NOT_OURS, PRODUCT, TOOLS, code_lines
from benchmarks.code_counts.syntax import no_garbage_collection, parsed, statements

_CODEC = re.compile(r"_?(encode|decode|table|to_json|from_json)\b|\w+_(table|to_json|from_json)$")
_CODEC_PREFIX = re.compile(r"_?(encode|decode)_")


def house(root: Path) -> dict[str, int]:
    """Return the counts of a checkout, by their names."""
    with no_garbage_collection():
        return dict(_house(root))


def _house(root: Path) -> Iterator[tuple[str, int]]:
    yield from ((f"lines of {part}", n) for part, n in code_lines(root).items())
    yield from ((f"names lent by {name}", _lent(root / name)) for name in HOUSES)
    files = list(_sources(root, PRODUCT))
    everything = [*files, *_sources(root, TOOLS)]
    yield "folders of code", len({f.parent for f in everything})
    yield "arrows between folders", len(arrows(root, everything, lambda f: f.parent))
    between = arrows(root, everything, lambda f: house_of(root, f))
    yield "houses and top folders", len({house_of(root, f) for f in everything})
    yield "arrows between them", len(between)
    yield "of them in a cycle", len(cycle(between))
    for name in HOUSES:
        files_of = [f for f in files if f.is_relative_to(root / name)]
        rooms = arrows(root, files_of, lambda f: room(root, f))
        yield f"rooms of {name}", len({room(root, f) for f in files_of} - {name})
        yield f"arrows inside {name}", len(rooms)
        yield f"rooms of {name} in a cycle", len(cycle(rooms))
    store = [f for f in files if f.is_relative_to(root / "vtox/pipeline/store")]
    inside = arrows(root, store, lambda f: f.parent)
    yield "arrows inside the store", len(inside)
    yield "rooms of the store in a cycle", len(cycle(inside))
    of_product = Counter(f.parent for f in files)
    yield "files at the top of vtox", of_product[root / "vtox"]
    yield "files of the largest folder", max(of_product.values())
    trees = {f: parsed(f) for f in files}
    yield "public names of vtox", sum(_public(t) for f, t in trees.items() if _in_vtox(root, f))
    fronts = {f for f, rooms in users(root, everything).items() if rooms}
    own = [t for f, t in trees.items() if _in_vtox(root, f) and f in fronts]
    yield "public names of modules that another room uses", sum(map(_public, own))
    yield "class names with two meanings", len(homonyms(trees))
    of_api = [f for f in files if f.is_relative_to(root / "api")]
    own_files = [f for f in files if _in_vtox(root, f)]
    yield "classes of the API that repeat a value", len(repeating_classes(of_api, own_files))
    showing = [f for f in own_files if f.parts[len(root.parts) + 1] in ("reporting", "cli")]
    yield "functions that copy field by field", len(copying_functions([*of_api, *showing]))
    yield "encode, decode and table functions", sum(map(_codecs, trees.values()))
    groups = [t for f, t in trees.items() if f.parent.name in ("setting_groups", "groups")]
    tables = [t for f, t in trees.items() if f.stem == "tables" and "configuration" in f.parts]
    yield "settings", _settings(groups, tables)
    cli = [t for f, t in trees.items() if "cli" in f.parts and f.stem != "main"]
    top = set(_top_commands(trees[root / "vtox/cli/main.py"], cli))
    yield "commands", sum(map(_commands, cli)) + len(top)
    yield from _language(root, files, [*everything, *_sources(root, ("tests",))])


def _language(root: Path, files: list[Path], everything: list[Path]) -> Iterator[tuple[str, int]]:
    """Yield the counts of the words of pages, docstrings and comments."""
    yield from language.count_pages(language.pages_of(root))
    texts = {f: list(language.said(f.read_text(), parsed(f))) for f in everything}
    yield "phrases to replace, code", language.phrases(t for f in files for t in texts[f])
    yield from language.count_parts("code", [t for found in texts.values() for t in found])


@cache
def house_of(root: Path, file: Path) -> str:
    """Return the house, or the other folder at the top, that a file is in."""
    if file == root / "vtox/__main__.py":
        return "vtox/cli"
    top, *below = file.relative_to(root).parts[:-1]
    return "/".join((top, *below[:1])) if top == "vtox" else top


@cache
def room(root: Path, file: Path) -> str:
    """Return the room that a file is in; the diagnosis, which is large, has three."""
    home, parts = house_of(root, file), file.relative_to(root).with_suffix("").parts
    if home not in HOUSES or (parts[-1] == "__init__" and len(parts) == 3):
        return home
    depth = 4 if parts[2:4] in (("diagnosis", "dsp"), ("diagnosis", "diagnosers")) else 3
    return "/".join(parts[:depth])


def arrows(
    root: Path, files: list[Path], home: Callable[[Path], Hashable]
) -> set[tuple[Hashable, Hashable]]:
    """Return the pairs of homes in which the first imports from the second."""
    homes = {_module(root, f): home(f) for f in files}
    return {
        (home(file), homes[name])
        for file in files
        for name in _imports(file)
        if name in homes and homes[name] != home(file)
    }


def users(root: Path, files: list[Path]) -> dict[Path, set[str]]:
    """Return the other rooms that import from each file; none: it is inside of its room."""
    homes = {_module(root, f): f for f in files}
    found: dict[Path, set[str]] = {f: set() for f in files}
    for file in files:
        for name in _imports(file) & homes.keys():
            if room(root, file) != room(root, homes[name]):
                found[homes[name]].add(room(root, file))
    return found


def cycle(found: set[tuple[Hashable, Hashable]]) -> list[Hashable]:
    """Return homes that import from each other in a circle, none if imports have an order."""
    graph = defaultdict(set)
    for importing, imported in found:
        graph[importing].add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1][1:])
    return []


def homonyms(trees: dict[Path, ast.Module]) -> list[str]:
    """Return the names of public classes that two files define, schemas of the API apart."""
    homes = defaultdict(set)
    for file, tree in trees.items():
        if "schemas" not in file.parts:
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].add(file)
    return sorted(name for name, files in homes.items() if len(files) > 1)


def _sources(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        found = sorted((root / folder).rglob("*.py"))
        yield from (f for f in found if not NOT_OURS & set(f.parts))


def _module(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


@cache
def _imports(file: Path) -> frozenset[str]:
    return frozenset(_imported(parsed(file)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in statements(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


def _lent(home: Path) -> int:
    """Return the number of names that a house lends."""
    lists = home / "lent.toml"
    return sum(map(len, tomllib.loads(lists.read_text()).values())) if lists.exists() else 0


def _in_vtox(root: Path, file: Path) -> bool:
    return file.relative_to(root).parts[0] == "vtox"


def _public(tree: ast.Module) -> int:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(isinstance(n, kinds) and not n.name.startswith("_") for n in tree.body)


def _codecs(tree: ast.Module) -> int:
    names = (n.name for n in statements(tree) if isinstance(n, ast.FunctionDef))
    return sum(bool(_CODEC.match(n) or _CODEC_PREFIX.match(n)) for n in names)


def _settings(groups: Iterable[ast.Module], tables: Iterable[ast.Module]) -> int:
    """Return how many settings can be set: those of groups, of a table each of its rows."""
    classes = [n for t in tables for n in t.body if isinstance(n, ast.ClassDef)]
    rows = {c.name: len(_fields(c)) for c in classes}
    own = (ast.unparse(field.annotation) for t in groups for field in _fields(t))
    return sum(rows.get(kind, 1) for kind in own)


def _fields(tree: ast.AST) -> list[ast.AnnAssign]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "Field"
    ]


def _commands(tree: ast.Module) -> int:
    """Return how many commands a module adds: calls of `.command` of an application or group."""
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "command"
        for node in ast.walk(tree)
    )


def _top_commands(main: ast.Module, cli: list[ast.Module]) -> Iterator[str]:
    """Yield the functions that `COMMANDS` of `vtox.cli.main` names; older modules add their own."""
    places = [n.value for n in ast.walk(main) if isinstance(n, ast.Constant)]
    names = [w.partition(".")[2] for p in places if isinstance(p, str) for w in p.split()]
    commands = {f"{n}{suffix}" for n in names if n for suffix in ("", "_command")}
    for tree in cli:
        functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
        if not any(f.name == "register" for f in functions):
            yield from (f.name for f in functions if f.name in commands and not f.decorator_list)
