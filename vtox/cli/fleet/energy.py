"""`vtox energy`: the energy of the fleet by its use, or the power and energy of one machine."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from vtox.cli.shared.api_access import local_api
from vtox.cli.shared.columns import columns
from vtox.cli.shared.energy_lines import counts_line, fleet_line, line, reading_lines, saving_line
from vtox.cli.shared.options import Json
from vtox.cli.shared.report_files import Lang
from vtox.motor.errors import InputError
from vtox.motor.values.energy import MeterReading
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language

_Machine = Annotated[
    str | None, typer.Argument(metavar="[MACHINE]", help="Its id; without it, the whole fleet.")
]
_Days = Annotated[float, typer.Option(help="How many days up to now.")]
# Up to so many days each length of a step: at most 522 rows.
_STEPS = {2: "hour", 366: "day", 3660: "week"}


def energy_command(
    machine: _Machine = None, days: _Days = 1.0, lang: Lang = DEFAULT, as_json: Json = False
) -> None:
    """Show energy and operation: of the fleet by machine, or of one machine by hour to week."""
    step = next((s for most, s in _STEPS.items() if 0 < days <= most), "")
    if not step:
        raise InputError(f"--days {days}: expected more than 0, and at most {max(_STEPS)}")
    with local_api() as api:
        asked = {"from_t": api.days_ago(days), "lang": lang}
        if machine:
            found = api.get("machines/{}/energy", machine, step=step, **asked)
        else:
            found = api.get("energy", **asked)
    if as_json:
        typer.echo(json.dumps(found))
        return
    show = _show_machine if machine else _show_fleet
    show(Console(highlight=False), found["data"], lang)


_NUMBERS = ("kwh", "mean_kw", "measured_h", "running_h", "lost_kwh", "starts")


def _heads(language: Language, *names: str) -> list[str]:
    """Return the heads of columns, those of the page of energy."""
    found = (catalogue(language).pages["energy"][n] for n in names)
    return [f"{head[0].lower()}{head[1:]}" for head in found]


def _show_machine(console: Console, found: dict[str, Any], language: Language) -> None:
    counted = counts_line(found["total"], found["hours"], language)
    console.print(f"[bold]{found['machine_id']}[/]  {counted}")
    for text in reading_lines(_reading(found["now"]), language=language):
        console.print(text)
    numbers = _heads(language, *_NUMBERS)
    table = columns(line("from", language), *numbers, right=numbers)
    for step in found["steps"]:
        at = datetime.fromtimestamp(step["t"], UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(at, *_cells(step["counts"]))
    console.print(table)
    if cost := found["cost"]:
        console.print(line("cost", language, cost=cost["energy"], currency=cost["currency"]))
    console.print(saving_line(found["saving"], language))


def _show_fleet(console: Console, found: dict[str, Any], language: Language) -> None:
    console.print(fleet_line(found, language), style="bold")
    name, *numbers = _heads(language, "machine", *_NUMBERS, "load_now")
    numbers += [found["cost"]["currency"]] if found["cost"] else []
    table = columns(name, *numbers, right=numbers)
    for m in found["machines"]:
        load = "-" if m["load_ratio"] is None else f"{m['load_ratio']:.0%}"
        own = f"{m['cost']['energy']:.2f}" if m["cost"] else "-"
        cost = [own] if found["cost"] else []
        table.add_row(m["machine_id"], *_cells(m["counts"]), load, *cost)
    console.print(table)


def _reading(now: dict[str, Any] | None) -> MeterReading | None:
    """Return the reading of an answer."""
    if now is None:
        return None
    power, load = (now[n] or {"code": "", "values": {}} for n in ("power_unknown", "load_unknown"))
    return MeterReading(
        figures=now["figures"],
        power_code=power["code"],
        power_values=power["values"],
        load_code=load["code"],
        load_values=load["values"],
    )


def _cells(c: dict[str, Any]) -> list[str]:
    def cell(name: str, form: str) -> str:
        return "-" if c[name] is None else format(c[name], form)

    hours = [f"{c[name]:.2f}" for name in ("measured_h", "running_h")]
    lost, starts = cell("lost_kwh", ".3f"), str(c["starts"])
    return [cell("energy_kwh", ".3f"), cell("mean_kw", ".3g"), *hours, lost, starts]
