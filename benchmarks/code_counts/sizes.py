"""Lines of code by part, and constants of diagnosis, from the files of a checkout."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.code_counts.syntax import docstrings, docstrings_of_fields, parsed

PRODUCT = ("vtox", "api", "workers")
TOOLS = ("benchmarks", "evaluation", "faults", "handbook")
HOUSES = ("vtox/motor", "vtox/pipeline", "vtox/reporting")
# The parts whose lines have a budget, with their folders and files.
PARTS = {
    **{house: (house,) for house in (*HOUSES, "vtox/cli", "api", "workers")},
    "the product": (*PRODUCT, "celeryconfig.py"),
    "the tools": TOOLS,
    "the tests": ("tests",),
}
# Files that people write -> the mark of a comment. JavaScript counts as `make format` leaves it.
COMMENTS = {
    ".py": r"#",
    ".toml": r"#",
    ".lua": r"--",
    ".js": r"//",
    ".css": r"(?!)",
    ".html": r"(?!)",
}
_BLOCK_COMMENT = re.compile(r"^[ \t]*(/\*.*?\*/|<!--.*?-->)[ \t]*$", re.MULTILINE | re.DOTALL)
# Folders of files from others, and of files that tools leave.
NOT_OURS = frozenset(("vendor", "__pycache__", "node_modules"))
# Folders of the diagnosis, here and in older checkouts.
OF_DIAGNOSIS = tuple(
    f"vtox/{folder}{name}"
    for folder in ("motor/diagnosis/", "diagnosis/", "")
    for name in ("diagnosers", "dsp")
)


def code_lines(root: Path) -> dict[str, int]:
    """Return the lines of each part without blank lines, comments and docstrings."""
    return {
        part: sum(lines_of_code(file) for place in places for file in _written(root / place))
        for part, places in PARTS.items()
    }


def lines_of_code(file: Path) -> int:
    """Return the lines of a file that are neither blank nor comment nor docstring.

    A line of a Python string that begins with `#` passes for a comment.
    """
    text = file.read_text()
    if file.suffix in (".js", ".css", ".html"):
        text = _BLOCK_COMMENT.sub("", text)
    comment = re.compile(COMMENTS[file.suffix])
    lines = (line.strip() for line in text.splitlines())
    count = sum(bool(line) and not comment.match(line) for line in lines)
    return count - _lines_of_docstrings(file) if file.suffix == ".py" else count


def _lines_of_docstrings(file: Path) -> int:
    lines, tree = file.read_text().splitlines(), parsed(file)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#")
        for text in (*docstrings(tree), *docstrings_of_fields(tree))
        for line in lines[text.lineno - 1 : text.end_lineno]
    )


def _written(place: Path) -> Iterator[Path]:
    files = [place] if place.is_file() else place.rglob("*")
    for file in files:
        if file.suffix in COMMENTS and ".min." not in file.name and not NOT_OURS & set(file.parts):
            yield file


def constants(root: Path) -> list[str]:
    """Return the constants of diagnosis, as FILE:NAME."""
    return [
        f"{file.relative_to(root)}:{name}"
        for folder in OF_DIAGNOSIS
        for file in sorted((root / folder).rglob("*.py"))
        for name in _capitals(ast.parse(file.read_text()))
    ]


def _capitals(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name.isupper():
                    yield name
