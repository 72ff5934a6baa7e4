"""Lines of the product and constants of diagnosis, from the files of a checkout."""

import ast
from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("vtox", "api", "workers")
LANGUAGES = (".py", ".lua", ".js", ".css", ".html")
# Folders of what others wrote, and of what tools leave.
NOT_OURS = frozenset(("vendor", "__pycache__"))
# Where they are, and where older checkouts have them.
OF_DIAGNOSIS = tuple(
    f"vtox/{folder}{name}"
    for folder in ("motor/diagnosis/", "diagnosis/", "")
    for name in ("diagnosers", "dsp")
)


def product_lines(root: Path) -> dict[str, int]:
    """Return the lines of the product by the suffix of its files."""
    lines = dict.fromkeys(LANGUAGES, 0)
    for folder in PRODUCT:
        for file in (root / folder).rglob("*"):
            if file.suffix in lines and not NOT_OURS & set(file.parts):
                lines[file.suffix] += len(file.read_bytes().splitlines())
    return lines


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
