"""`vtox energy`: where the energy of the fleet goes, or what one machine takes and took."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.shared.columns import columns
from vtox.cli.shared.energy_lines import counts_line, fleet_line, line, reading_lines, saving_line
from vtox.cli.shared.options import Json
from vtox.cli.shared.report_files import Lang, check_target
from vtox.cli.shared.server_access import running_server
from vtox.motor.diagnosis.energy.better_class import class_saving
from vtox.motor.errors import InputError
from vtox.motor.values.energy import NOTHING, QUARTER_S, MeterCounts, in_hours, in_kwh
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import UnknownMachine
from vtox.pipeline.store.machines.energy import Meter, meters
from vtox.pipeline.store.machines.machines import is_listed, load_motors
from vtox.pipeline.store.server.client import server_time

_HOUR_S, _DAY_S = 3600, 86_400
_Machine = Annotated[
    str | None, typer.Argument(metavar="[MACHINE]", help="Its id; without it, the whole fleet.")
]
_Days = Annotated[float, typer.Option(help="How many days up to now.")]


def energy_command(
    machine: _Machine = None, days: _Days = 1.0, lang: Lang = DEFAULT, as_json: Json = False
) -> None:
    """Show energy and operation: of the fleet by machine, or of one machine by hour or day."""
    if not 0 < days <= 3660:
        raise InputError(f"--days {days}: expected more than 0, and at most 3660")
    check_target(None, lang)
    settings = load()
    with running_server(settings) as client:
        now = server_time(client)
        end = -int(-now // QUARTER_S) * QUARTER_S
        begin = int((end - days * _DAY_S) // QUARTER_S) * QUARTER_S
        step_s = _HOUR_S if days <= 2 else _DAY_S
        found, costs = _counted(settings, machine, begin, end, step_s)
        if machine and not found and not is_listed(client, machine):
            raise UnknownMachine(machine)
        ids = [machine] if machine else [name for name, _, _ in found]
        now_of = dict(zip(ids, meters(client, ids), strict=True))
        plates = dict(zip(ids, load_motors(client, ids), strict=True))
    if as_json:
        rows = [{"machine_id": m, "t": t, **c._asdict()} for m, t, c in found]
        figures = {m: dict(x.reading.figures) if x.reading else {} for m, x in now_of.items()}
        told = {"from_t": begin, "to_t": end, "counts": rows, "now": figures, "cost": costs}
        typer.echo(json.dumps(told))
        return
    console = Console(highlight=False)
    hours = (end - begin) / _HOUR_S
    currency = settings.energy_price.currency
    if machine:
        _show_machine(console, machine, now_of[machine], found, hours, lang)
        if machine in costs:
            console.print(line("cost", lang, cost=costs[machine], currency=currency))
        console.print(saving_line(class_saving(plates[machine], _total(found)), lang))
    else:
        _show_fleet(console, found, now_of, costs, currency, lang)


_NUMBERS = ("kwh", "mean_kw", "measured_h", "running_h", "lost_kwh", "starts")


def _heads(language: Language, *names: str) -> list[str]:
    """Return the heads of columns, those of the page of energy."""
    found = (catalogue(language).pages["energy"][n] for n in names)
    return [f"{head[0].lower()}{head[1:]}" for head in found]


_Row = tuple[str, int, MeterCounts]


def _counted(
    settings: Settings, machine: str | None, begin: int, end: int, step_s: int
) -> tuple[list[_Row], dict[str, float]]:
    """Return what was counted: by machine, or of one machine by step; and what energy cost."""
    # Not at the top: SQL takes a quarter of a second to import.
    from vtox.reporting.history import energy
    from vtox.reporting.history.database import reading

    with reading(settings) as db:
        if db is None:
            return [], {}
        if machine:
            found = energy.quarters(db, machine, begin, end, step_s)
            total = _total([(s.machine_id, s.t, s.counts) for s in found])
            whole = [energy.Stretch(machine, begin, total)]
        else:
            whole = found = energy.fleet(db, begin, end)
            found.sort(key=lambda s: (not s.counts.powered_ms, -s.counts.energy_j, s.machine_id))
        costs = energy.costs(db, whole, begin, end, settings.energy_price)
    rows = [(s.machine_id, s.t, s.counts) for s in found]
    return rows, {s.machine_id: c.energy for s, c in zip(whole, costs, strict=True) if c}


def _total(rows: list[_Row]) -> MeterCounts:
    total = NOTHING
    for _, _, counts in rows:
        total = total.plus(counts)
    return total


def _show_machine(
    console: Console,
    machine: str,
    meter: Meter,
    rows: list[_Row],
    hours: float,
    language: Language,
) -> None:
    console.print(f"[bold]{machine}[/]  {counts_line(_total(rows), hours, language)}")
    for text in reading_lines(meter.reading, language=language):
        console.print(text)
    numbers = _heads(language, *_NUMBERS)
    table = columns(line("from", language), *numbers, right=numbers)
    for _, t, c in rows:
        at = datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(at, *_cells(c))
    console.print(table)


def _show_fleet(
    console: Console,
    rows: list[_Row],
    now_of: dict[str, Meter],
    costs: dict[str, float],
    currency: str,
    language: Language,
) -> None:
    console.print(fleet_line([c for _, _, c in rows], language), style="bold")
    name, *numbers = _heads(language, "machine", *_NUMBERS, "load_now")
    numbers += [currency] if costs else []
    table = columns(name, *numbers, right=numbers)
    for machine, _, c in rows:
        reading = now_of[machine].reading
        load = reading.figures.get("load_ratio") if reading else None
        own = f"{costs[machine]:.2f}" if c.powered_ms and machine in costs else "-"
        cost = [own] if costs else []
        table.add_row(machine, *_cells(c), "-" if load is None else f"{load:.0%}", *cost)
    console.print(table)


def _cells(c: MeterCounts) -> list[str]:
    mean = "-" if c.mean_kw is None else f"{c.mean_kw:.3g}"
    lost = f"{in_kwh(c.lost_j):.3f}" if c.estimated_ms else "-"
    measured, running = (f"{in_hours(ms):.2f}" for ms in (c.powered_ms, c.running_ms))
    kwh = f"{in_kwh(c.energy_j):.3f}" if c.powered_ms else "-"
    return [kwh, mean, measured, running, lost, str(c.starts)]
