"""`vtox report`: what is kept of a machine, as one HTML file."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vtox.cli.shared.report_files import Lang, check_target, write_report
from vtox.cli.shared.server_access import running_server
from vtox.motor.errors import InputError
from vtox.motor.words.languages import DEFAULT
from vtox.pipeline.configuration.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
    # Not at the top: it loads scipy, which other commands do not need.
    from vtox.reporting.reports.machine_report import Period, machine_contents

    settings = load()
    with running_server(settings) as client:
        contents = machine_contents(
            client, settings, _history(settings), machine, Period(from_s, to_s), lang
        )
    write_report(path, contents)


def _history(settings: Settings) -> "AbstractContextManager[Connection | None]":
    """Return the history opened for reading; None in it where nothing was ever recorded."""
    from vtox.reporting.history import database

    @contextmanager
    def opened() -> "Iterator[Connection | None]":
        if not settings.database_url and not settings.history_file.exists():
            yield None
            return
        engine = database.engine_to_read(settings)
        try:
            with database.explain_errors(settings), engine.begin() as db:
                yield db if database.has_tables(db) else None
        finally:
            engine.dispose()

    return opened()


def _seconds(option: str, text: str | None) -> float | None:
    """Return a time in UTC, s since 1970; a zone in the text counts."""
    if text is None:
        return None
    try:
        t = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: expected a time such as 2026-11-01T08:00") from None
    return (t if t.tzinfo else t.replace(tzinfo=UTC)).timestamp()
