"""Tables to the terminal and to docs/appendix/evaluation.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from evaluation.outcome import Goal, Study, Table
from evaluation.runs.cost import Cost

DESIGNED_ON = (
    "The evaluation sets no threshold, but its data are not all new to the diagnosers. The "
    "thresholds of broken bars were set on the same machines of the motor model, with the same "
    "kinds of noise, wander and load; only the seeds differ. Limits for shorted turns and the air "
    "gap rest on it too. The recordings were examined many times while the diagnosers were "
    "designed: they show a development result.\n\nThe widened sets (machine families, broken "
    "input, bearings among decoys, turn shorts on a supply that moves) are of other machines. "
    "Their design sets may have been looked at while rules were made; their final sets are of "
    "other families and of seeds that come from the commit that froze the thresholds "
    "(`evaluation/seeds.py`)."
)
DEFINITIONS = """\
* **Found**, **false alarm**: `warning` or `fault`, on a faulty or a healthy record.
* **Abstained**: `unknown`; neither a hit nor an alarm. The others are **decided**; their share is the **coverage**.
* **a/b = c % (d-e)**: the exact 95 % interval (Clopper & Pearson); for none of n, the bound 3/n. Records of one machine are alike, so these intervals are too narrow.
* **Balanced accuracy**: the mean of the shares diagnosed right among faulty and among healthy records; of the decided, and with abstentions as errors.
* **AURC**: the mean error rate of the k most confident decided records over all k; 0 is perfect.
* **ECE**: the mean gap between confidence and share of right diagnoses in ten bins. Confidence is limited by what is known of the machine, so careful right answers raise it too.
* **AUC**: the chance that the statistic of a faulty record exceeds that of a healthy one, of decided records, its interval by resampling whole machines. **FAR**: false-alarm rate; *found at FAR x* moves the threshold to it.
* **Macro-AUROC**: the mean AUC of inner race, outer race and ball, each bearing counted once; abstentions score zero.
* **dBc**: below the supply line; **slip, speed sensor, nameplate**: how the slip was known."""  # noqa: E501
MARKS = {True: "yes", False: "**no**", None: "not run"}


def show(console: Console, study: Study) -> None:
    """Print one study."""
    console.rule(f"[bold]{study.title}")
    console.print(study.text)
    for table in study.tables:
        _show_table(console, table)
    if study.goals:
        _show_table(console, _goals(study.goals))


def cost_study(cost: Cost | None) -> Study:
    """Return the cost as tables and goals."""
    if cost is None:
        unknown = Goal("all diagnosers", "<= 1 ms per second of data", "", None)
        return Study("Cost", "Not measured in a run of this size.", goals=(unknown,))
    rows = [
        (family, f"{ms:.3f}", f"{cost.alone_ms[family]:.2f}")
        for family, ms in cost.family_ms.items()
    ]
    rows.append(
        (
            "all families, as in the workers",
            f"{cost.total_ms:.3f}",
            f"{sum(cost.alone_ms.values()):.2f}",
        )
    )
    rows.append(
        (
            "all faults of one 10 s record together",
            f"{cost.together_ms:.3f}",
            f"{cost.together_alone_ms:.2f}",
        )
    )
    columns = ("family", "in batches of 32, ms", "alone, ms")
    comparison = []
    ratio: dict[str, float | None] = {}
    for name, own, theirs in (
        ("slip unknown to both", cost.slip_unknown_ms, cost.statorscope_slip_unknown_ms),
        ("slip given to both", cost.slip_given_ms, cost.statorscope_slip_given_ms),
    ):
        ratio[name] = theirs / own if theirs else None
        other = "not installed" if theirs is None else f"{theirs:.1f}"
        times = "" if theirs is None else f"{theirs / own:.0f}"
        comparison.append((name, f"{own:.2f}", other, times))
    blind = ratio["slip unknown to both"]
    return Study(
        "Cost",
        "Processor time of one core, medians, other programs running. Four channels at 10 kHz: "
        "three currents, one vibration; families on records of their length, each with its own "
        "front end, as the workers run them. The last row is one call for all five faults, "
        "with one front end; the goal is about the row above it.",
        (
            Table("Per second of one machine's data", columns, tuple(rows)),
            Table(
                "Current faults, one 10 s record of three currents at 10 kHz",
                ("", "VTOX in batches of 32, ms", "statorscope, ms", "ratio"),
                tuple(comparison),
            ),
        ),
        (
            Goal(
                "all diagnosers",
                "<= 1 ms per second of data",
                f"{cost.total_ms:.2f} ms",
                cost.total_ms <= 1,
            ),
            Goal(
                "current faults against statorscope, slip unknown",
                ">= 100 times less",
                "not installed" if blind is None else f"{blind:.0f} times",
                None if blind is None else blind >= 100,
            ),
        ),
    )


def write(
    studies: Sequence[Study],
    pictures: Mapping[str, str],
    facts: Sequence[tuple[str, str]],
    path: Path,
) -> None:
    """Write the page; `pictures` maps a file next to it to its caption."""
    goals = [g for s in studies for g in s.goals]
    parts = [
        "# Evaluation",
        "Written by `make evaluate`; do not edit. What the diagnosers find, miss and abstain from, "
        "on recordings (where they are found: `VTOX_RECORDINGS`, or `../shared/data` next to "
        "the checkout) and on the motor model (`evaluation/motor_model`), compared with other "
        "packages on the same windows. Results against VTOX stay in. Tables by machine, family, "
        "trouble and mistake, of reasons to abstain, and tables that a goal sums up, are "
        "printed only. [Final sets](final-sets.md) has later runs of the final ones.",
        _markdown(Table("", ("", ""), tuple(facts))),
        "## Goals",
        _markdown(_goals(goals)),
        *(f"![{Path(file).stem}]({file})\n\n*{c}*" for file, c in pictures.items()),
        "## What was used during design",
        DESIGNED_ON,
        "## Words and figures",
        DEFINITIONS,
    ]
    for study in studies:
        parts += [f"## {study.title}", study.text]
        for table in (t for t in study.tables if not t.detail):
            parts += [f"### {table.title}", _markdown(table)]
            parts += [table.note] if table.note else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(p for p in parts if p) + "\n", encoding="utf-8")


def _goals(goals: Sequence[Goal]) -> Table:
    rows = tuple((g.name, g.wanted, g.got, MARKS[g.met]) for g in goals)
    return Table("Goals", ("what", "wanted", "measured", "met"), rows)


def _markdown(table: Table) -> str:
    if not table.rows:
        return "none"
    heads = "| " + " | ".join(_cell(c) for c in table.columns) + " |"
    rule = "|" + "---|" * len(table.columns)
    return "\n".join(
        [heads, rule, *("| " + " | ".join(map(_cell, row)) + " |" for row in table.rows)]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _show_table(console: Console, table: Table) -> None:
    shown = RichTable(title=table.title, caption=table.note or None, title_justify="left")
    for column in table.columns:
        shown.add_column(column, overflow="fold")
    for row in table.rows:
        shown.add_row(*(text.replace("**", "") for text in row))
    console.print(shown)
