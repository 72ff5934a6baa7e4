"""Names of functions follow docs/GLOSSARY.md: no bare participle, no word of its column "not"."""

import ast
import re
from collections.abc import Iterator

from tests.paths import ROOT

FOLDERS = ("vtox", "workers", "api", "evaluation", "benchmarks", "tests")
# They name no quantity and no transformation, so that soon five functions bear them.
PARTICIPLES = frozenset(
    """told found known judged joined measured seen asked kept shown chosen given made taken beside
    elsewhere weighed sided paired explained sharpened reduced merged listed states every place
    """.split()
)
# Left from before the rule, `file: names`; to be emptied.
ALLOWED: dict[str, str] = {
    "api/errors.py": "_place",
    "api/routes/machines.py": "shown",
    "tests/integration/api/test_machines.py": "judged",
    "tests/integration/api/test_pages.py": "shown",
    "tests/integration/cli/test_operations.py": "told",
    "tests/integration/cluster/test_supervisor.py": "seen",
    "tests/integration/store/test_evidence.py": "kept known",
    "tests/integration/store/test_status.py": "beat",
    "tests/integration/workers/test_baseline_learning.py": "known",
    "tests/recordings/test_cwru.py": "judged",
    "tests/recordings/test_itsc.py": "judged",
    "tests/system/test_agreement.py": "joined",
    "tests/system/test_up.py": "told",
    "tests/unit/diagnosers/turn_short/test_diagnoser.py": "measured",
    "tests/unit/dsp/test_comb.py": "found",
    "tests/unit/dsp/test_earth_admittance.py": "explained",
    "tests/unit/dsp/test_surrogates.py": "judged",
    "tests/unit/test_settings.py": "shown",
    "vtox/bridge/intake.py": "_known",
    "vtox/cli/demo_view.py": "_found",
    "vtox/cli/diagnose.py": "_judged",
    "vtox/cli/machines.py": "_told _known",
    "vtox/cli/status.py": "measured",
    "vtox/cli/status_table.py": "told",
    "vtox/cluster/data_folder.py": "explained",
    "vtox/cluster/ports.py": "pulse _asked",
    "vtox/diagnosers/bearing/aperiodic_impacts.py": "found",
    "vtox/diagnosers/bearing/cage_frequency.py": "sided weighed",
    "vtox/diagnosers/bearing/diagnoser.py": "_sharpened _judged",
    "vtox/diagnosers/bearing/envelope_views.py": "place",
    "vtox/diagnosers/bearing/reasons.py": "named",
    "vtox/diagnosers/bearing/shaft_speed.py": "sharpened",
    "vtox/diagnosers/bearing/unassigned_comb.py": "found _judged",
    "vtox/diagnosers/turn_short/applicability.py": "_measured",
    "vtox/diagnosers/turn_short/asymmetry_fit.py": "joined",
    "vtox/dsp/earth_admittance.py": "measured told explained",
    "vtox/dsp/envelope_spectrum.py": "looks",
    "vtox/dsp/surrogates.py": "judged _explained",
    "vtox/keys.py": "seen",
    "vtox/simulator/signals.py": "_measured",
    "vtox/store/apikeys.py": "every",
    "vtox/store/ledger.py": "hurry",
    "vtox/store/machines.py": "listed place known states",
    "vtox/store/status.py": "_told",
    "workers/celery_signals.py": "_beat",
}


def rows() -> list[list[str]]:
    """Return the cells of the glossary's terms: term, meaning, source, not."""
    text = (ROOT / "docs/GLOSSARY.md").read_text()
    table = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line[:2] == "| "]
    return [[cell.strip() for cell in row] for row in table if row[0].strip() != "term"]


def banned() -> frozenset[str]:
    """Return the plain words of the column "not"; one with a context in brackets is no such."""
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
    assert [(f, name) for f, name in offenders() if name not in ALLOWED.get(f, "").split()] == []


def test_every_term_stands_once_with_its_meaning() -> None:
    terms = [row[0] for row in rows()]
    assert len(terms) == len(set(terms)) > 60
    assert [row for row in rows() if len(row) != 4 or not row[1]] == []
