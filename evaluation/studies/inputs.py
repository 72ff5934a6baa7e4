"""The study of broken input, as tables and goals."""

from collections.abc import Sequence

from evaluation.inputs.cases import MISTAKES
from evaluation.metrics import Rate
from evaluation.outcome import Goal, Study, Table
from evaluation.runs.inputs import NOTHING_BROKEN, InputOutcome
from evaluation.seeds import Stage

# Number of kinds on which a goal of rates is shown.
SHOWN_ON = 150


def input_study(outcomes: Sequence[InputOutcome], stage: Stage) -> Study:
    """Return how many kinds give their code, alarm or crash; a kind is right on all machines."""
    broken = [o for o in outcomes if o.kind != NOTHING_BROKEN]
    kinds = {o.kind: [x for x in broken if x.kind == o.kind] for o in broken}
    coded = {k: some for k, some in kinds.items() if MISTAKES[k].expected}
    right = Rate(sum(all(o.right for o in some) for some in coded.values()), len(coded))
    quiet = {k: some for k, some in kinds.items() if k not in coded}
    silent = Rate(sum(all(o.right for o in some) for some in quiet.values()), len(quiet))
    alarms = Rate(sum(any(o.alarms for o in some) for some in kinds.values()), len(kinds))
    crashes = Rate(sum(any(o.crash for o in some) for some in kinds.values()), len(kinds))
    machines = sorted({o.machine for o in outcomes})
    text = (
        f"{len(kinds)} kinds of broken input on {len(machines)} sound machines, {stage.name} sets. "
        "The codes were written down before the first run (`evaluation/inputs/`); changes since "
        "are with their reasons in `docs/calibration/broken_input.md`. A kind counts as right "
        "where it is right on every machine."
    )
    summary = (
        ("kinds with a code: code right, no alarm, no crash", str(right)),
        ("kinds without one: no alarm, no crash", str(silent)),
        ("kinds with an alarm", str(alarms)),
        ("kinds with a crash", str(crashes)),
        ("nothing broken: alarms", ", ".join(_alarms_unbroken(outcomes)) or "none"),
    )
    return Study(
        f"Broken input, {stage.name} sets",
        text,
        (Table("Kinds", ("what", "result"), summary), _wrong_table(kinds)),
        (
            Goal(
                f"broken input: code written beforehand ({stage.name})",
                f">= 95 % of {SHOWN_ON} kinds and more",
                str(right),
                right.at_least(0.95) if right.n >= SHOWN_ON else None,
            ),
            Goal(
                f"broken input: no alarm, no crash ({stage.name})",
                "none",
                f"alarms {alarms}; crashes {crashes}",
                not alarms.hits and not crashes.hits if alarms.n >= SHOWN_ON else None,
            ),
        ),
    )


def _alarms_unbroken(outcomes: Sequence[InputOutcome]) -> list[str]:
    return [a for o in outcomes if o.kind == NOTHING_BROKEN for a in o.alarms]


def _wrong_table(kinds: dict[str, list[InputOutcome]]) -> Table:
    rows = []
    for kind, some in kinds.items():
        said = sorted({w for o in some for w in (*o.alarms, *o.wrong, o.crash) if w})
        if said:
            count = f"{sum(not o.right for o in some)} of {len(some)}"
            rows.append((kind, count, "; ".join(said), _expected(kind)))
    columns = ("kind", "machines", "said", "expected")
    return Table("Kinds that are not right", columns, tuple(rows))


def _expected(kind: str) -> str:
    expected = MISTAKES[kind].expected
    if not expected:
        return "no alarm"
    return "; ".join(f"{fault}: {' or '.join(sorted(codes))}" for fault, codes in expected.items())
