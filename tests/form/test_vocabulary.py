"""Names of functions follow docs/reference/glossary.md: no bare participle, no word of "not"."""

import ast
import re
from collections.abc import Iterator

from tests.paths import ROOT

FOLDERS = ("vtox", "workers", "api", "evaluation", "benchmarks", "faults", "tests")
# They name no quantity and no transformation, so that soon five functions would have each.
PARTICIPLES = frozenset(
    """told found known judged joined measured seen asked kept shown chosen given made taken beside
    elsewhere weighed sided paired explained sharpened reduced merged listed states every place
    """.split()
)


def rows() -> list[list[str]]:
    """Return the cells of the glossary's terms: term, meaning, source, not, Chinese."""
    text = (ROOT / "docs/reference/glossary.md").read_text()
    table = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line[:2] == "| "]
    return [[cell.strip() for cell in row] for row in table if row[0].strip() != "term"]


def banned() -> frozenset[str]:
    """Return the plain words of the column "not"; words with a context in brackets are left out."""
    words = {word.strip() for row in rows() for word in row[3].split(",")}
    return frozenset(w for w in words if re.fullmatch("[a-z]+", w))


def offenders() -> Iterator[tuple[str, str]]:
    """Yield file and name of every function that the glossary does not allow."""
    words = PARTICIPLES | banned()
    for path in sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.strip("_") in words:
                    yield str(path.relative_to(ROOT)), node.name


def test_functions_are_named_by_the_glossary() -> None:
    assert list(offenders()) == []


def test_every_term_stands_once_with_its_meaning() -> None:
    terms = [row[0] for row in rows()]
    assert len(terms) == len(set(terms)) > 60
    assert [row for row in rows() if len(row) != 5 or not row[1] or not row[4]] == []
