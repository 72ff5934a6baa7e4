"""How much a newcomer has to learn: folders, imports, names, settings, commands, words.

Counted from the files of a checkout, by their syntax alone. An arrow is a folder that imports from
another one, in any of its files. A house is a folder of `vtox`, or another folder at the top, with
all that is below: `vtox/motor`, `api`. The files at the top of `vtox` count as one; its `__main__`
is a command. A room is a folder or a file in a house of `vtox`: `vtox/motor/values`.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from benchmarks.code_counts.sizes import NOT_OURS, PRODUCT

HOUSES = ("vtox/motor", "vtox/pipeline", "vtox/reporting")
TOOLS = ("benchmarks", "evaluation", "faults", "handbook")
# Pages that are looked up, not read from end to end.
LOOKED_UP = frozenset(("reference", "appendix", "adr", "calibration"))
_CODEC = re.compile(r"_?(encode|decode|table|to_json|from_json)\b|\w+_(table|to_json|from_json)$")
_CODEC_PREFIX = re.compile(r"_?(encode|decode)_")
# Phrases for which plain technical English has a shorter or clearer word.
_PHRASES = re.compile(
    r"\b(beside|anew|nobody|no one|judged?|told|tells?|stands?|of (its|his|her|their|your|our) own|"
    r"as far as|whoever|whatever is|mend(ed|s)?|by hand|let us|lets? (others|it|them)|heals?|"
    r"holds? (back|up)|what it (is|was|has|had|wants|wanted)|that which|those that|those who)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"`[^`]*`")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*|\d[\d.,]*")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z0-9`*\[(])")


def house(root: Path) -> Iterator[tuple[str, int]]:
    """Yield what is counted of a checkout, with its name."""
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
    trees = {f: ast.parse(f.read_text()) for f in files}
    yield "public names of vtox", sum(_public(t) for f, t in trees.items() if _in_vtox(root, f))
    fronts = {f for f, rooms in users(root, everything).items() if rooms}
    own = [t for f, t in trees.items() if _in_vtox(root, f) and f in fronts]
    yield "public names of modules that another room uses", sum(map(_public, own))
    yield "class names with two meanings", len(homonyms(trees))
    yield "encode, decode and table functions", sum(map(_codecs, trees.values()))
    groups = [t for f, t in trees.items() if f.parent.name in ("setting_groups", "groups")]
    tables = [t for f, t in trees.items() if f.stem == "tables" and "configuration" in f.parts]
    yield "settings", _settings(groups, tables)
    cli = [t for f, t in trees.items() if "cli" in f.parts and f.stem != "main"]
    top = set(_top_commands(trees[root / "vtox/cli/main.py"], cli))
    yield "commands", sum(map(_commands, cli)) + len(top)
    pages = {p: p.read_text() for p in _pages(root)}
    words = {p: len(_WORD.findall(_without_code(text))) for p, text in pages.items()}
    yield "words of all pages", sum(words.values())
    read = [n for p, n in words.items() if not LOOKED_UP & set(p.parts)]
    yield "words of pages that are not looked up", sum(read)
    yield "pages of more than 2,000 words", sum(n > 2000 for n in words.values())
    parts = [part for text in pages.values() for part in prose(text)]
    sentences = [s for part in parts for s in _SENTENCE_END.split(part)]
    spoken = len(_WORD.findall(" ".join(parts)))
    yield "words a sentence, times 10", round(10 * spoken / max(len(sentences), 1))
    yield "phrases to replace, pages", _phrases(p.read_text() for p in _pages(root))
    yield "phrases to replace, code", _phrases(said for f in files for said in _said(f, trees[f]))


def house_of(root: Path, file: Path) -> str:
    """Return the house, or the other folder at the top, that a file is in."""
    if file == root / "vtox/__main__.py":
        return "vtox/cli"
    top, *below = file.relative_to(root).parts[:-1]
    return "/".join((top, *below[:1])) if top == "vtox" else top


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
    """Return the pairs of homes of which the first imports from the second."""
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


def prose(text: str) -> list[str]:
    """Return the paragraphs and list items of a page, without code, tables, headings and links."""
    lines = [
        line
        for line in _without_code(text).splitlines()
        if not re.match(r"\s*(\||#|<|\[\w+\]:)", line)
    ]
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)", "\n".join(lines))
    return [" ".join(part.split()) for part in parts if part.strip()]


def _without_code(text: str) -> str:
    """Return a page without blocks of code and addresses of links, as a reader meets its words."""
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def _sources(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        found = sorted((root / folder).rglob("*.py"))
        yield from (f for f in found if not NOT_OURS & set(f.parts))


def _module(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


@cache
def _imports(file: Path) -> frozenset[str]:
    return frozenset(_imported(ast.parse(file.read_text())))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


def _in_vtox(root: Path, file: Path) -> bool:
    return file.relative_to(root).parts[0] == "vtox"


def _public(tree: ast.Module) -> int:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(isinstance(n, kinds) and not n.name.startswith("_") for n in tree.body)


def _codecs(tree: ast.Module) -> int:
    names = (n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
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


def _phrases(texts: Iterable[str]) -> int:
    return sum(len(_PHRASES.findall(_CODE.sub("", " ".join(t.split())))) for t in texts)


def _said(file: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the docstrings of a file, and its comments in one piece."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, documented))
    yield from (text for text in found if text)
    lines = (line.strip() for line in file.read_text().splitlines())
    yield " ".join(line[2:] for line in lines if line.startswith("# "))


def _pages(root: Path) -> list[Path]:
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    return [p for p in pages if p.name != "CHANGELOG.md"]
