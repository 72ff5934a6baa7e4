"""`vtox verify`: computes the verdicts of a report again, and says whether they agree."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vtox.cli.shared.columns import columns
from vtox.cli.shared.fleet_packages import EXTRA
from vtox.cli.shared.options import Json
from vtox.motor.values.plain_data import digits
from vtox.pipeline.configuration.version import install_command
from vtox.reporting.reports.errors import ReportError

if TYPE_CHECKING:
    from vtox.reporting.reports.document import Report
    from vtox.reporting.reports.verification import Verification

# Exit statuses.
AGREES, DISAGREES, NO_REPORT = 0, 1, 2
# Rows of differences that are shown; --json has all.
ROWS = 40


def verify_command(
    file: Annotated[Path, typer.Argument(metavar="REPORT", help="A report (.html).")],
    as_json: Json = False,
) -> None:
    """Compute the verdicts of a report again, from the samples in it.

    Exit status: 0 they agree, 1 they do not, 2 no report, or a damaged one.
    """
    # Not at the top: they load scipy, which other commands do not need.
    from vtox.reporting.reports.document import read_report
    from vtox.reporting.reports.verification import verify

    try:
        report = read_report(file)
        found = verify(report)
    except ReportError as error:
        if as_json:
            problem = {"code": error.code, "part": error.part, "detail": str(error)}
            typer.echo(json.dumps({"agrees": None, **problem}))
        else:
            Console(stderr=True, highlight=False).print(f"vtox: {error}", style="red", markup=False)
        raise typer.Exit(NO_REPORT) from error
    if as_json:
        facts = {n: getattr(found, n) for n in ("agrees", "exact", "same_environment", "verdicts")}
        rows = [asdict(d) for d in found.differences]
        typer.echo(json.dumps({**facts, "page_agrees": found.page_agrees, "differences": rows}))
    else:
        _show(report, found)
    raise typer.Exit(AGREES if found.agrees else DISAGREES)


def _show(report: "Report", found: "Verification") -> None:
    console = Console(highlight=False)
    there = report.contents.environment
    parts = len(report.hashes)
    records = len(report.contents.records)
    console.print(f"undamaged: {parts} parts, each as when the report was made")
    console.print(f"computed again: {found.verdicts} verdicts on {records} record(s)")
    if found.same_environment:
        console.print("by the same versions on the same kind of processor")
    else:
        for name, here in asdict(found.here).items():
            if here != getattr(there, name):
                text = f"{name}: {getattr(there, name)} in the report, {here} here"
                console.print(text, style="dim", markup=False)
    if found.same_environment and found.page_agrees is None:
        text = f"the page was not compared; to draw it: {install_command(EXTRA)}"
        console.print(text, markup=False, soft_wrap=True)
    if found.differences:
        console.print(_differences(found))
    if found.page_agrees is False:
        console.print("the page differs from its data: text or drawings were changed")
    if not found.agrees:
        console.print("disagree", style="bold red")
    elif found.exact:
        console.print("agree, bit for bit", style="green")
    else:
        console.print("agree: the same states, codes and printed digits", style="green")


def _differences(found: "Verification") -> Table:
    names = ("record", "fault", "value", "in the report", "computed again")
    table = columns(*names, wrapped=names)
    # Visible differences come first; the rest differs behind the printed digits.
    ranked = sorted(found.differences, key=lambda d: not d.shows)
    for d in ranked[:ROWS]:
        text = digits if d.shows else repr
        cells = (d.record, d.fault, d.value, text(d.reported), text(d.computed))
        table.add_row(*map(escape, cells))
    if len(ranked) > ROWS:
        table.add_row("", "", f"and {len(ranked) - ROWS} more (--json)", "", "")
    return table
