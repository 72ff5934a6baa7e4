"""`vtox report`: the data of a machine, as one HTML file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vtox.cli.shared.api_access import local_api
from vtox.cli.shared.report_files import Lang, check_target, write_report
from vtox.motor.errors import InputError
from vtox.motor.words.languages import DEFAULT


def report_command(
    machine: Annotated[str, typer.Argument(metavar="MACHINE")],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Only from then on: 2026-11-01T08:00, in UTC."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Only until then.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; default: named after the machine."),
    ] = None,
    lang: Lang = DEFAULT,
) -> None:
    """Write a report on a machine: its latest records, those behind open alarms, and its trend."""
    path = out or Path(f"{machine.replace(':', '_')}.html")
    check_target(path, lang)
    from_s, to_s = _seconds("--from", from_), _seconds("--to", to)
    if from_s is not None and to_s is not None and from_s >= to_s:
        raise InputError(f"--from {from_}: not before --to {to}")
    with local_api() as api:
        text = api.text("machines/{}/report", machine, from_t=from_s, to_t=to_s, lang=lang)
    write_report(path, text)


def _seconds(option: str, text: str | None) -> float | None:
    """Return a time in UTC, s since 1970; a zone in the text counts."""
    if text is None:
        return None
    try:
        t = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: expected a time such as 2026-11-01T08:00") from None
    return (t if t.tzinfo else t.replace(tzinfo=UTC)).timestamp()
