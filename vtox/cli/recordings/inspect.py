"""`vtox inspect`: the contents of a file as understood, how sure they are, and missing data."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.shared import options
from vtox.cli.shared.columns import columns
from vtox.motor.errors import InputError
from vtox.motor.files.inspection import FileFacts, TableFacts, file_facts
from vtox.motor.files.matching import options as reader_options
from vtox.motor.files.table import shortened

BAD_INPUT = 2  # exit status
MOST = 10  # recordings and names shown
MARKS = {"stated": ("", ""), "likely": ("likely", "yellow"), "guess": ("guess", "bold yellow")}
DOUBTS = {
    "constant": "{}: does not change; a wrong column, or a channel that is not connected",
    "offset": "{}: does not swing about zero; a wrong column, an offset, or an RMS value",
    "unit_assumed": "{}: no unit in the file, its own is assumed; check it, or give --unit",
    "jitter": "{}: the rate is that of the mean step; give --rate HZ if it is known",
    "breaks_off": "the file breaks off in its last line, which is left out: {}",
    "impossible_date": "{}: no date of the calendar; the time of the recording is not known",
    "filtered": "{} samples a cycle are filtered values, no waveform: ask the relay for raw ones",
    "slow": "{} Hz is no rate of a waveform: the time may be in another unit; give --rate HZ",
}


def inspect_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings.")],
    fs: options.Rate = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    speed_rpm: options.Speed = None,
    part: options.Part = None,
    as_json: options.Json = False,
) -> None:
    """Show the contents of a file: channels, units, rate, start, guesses, and missing data.

    Exit status: 0 if `vtox diagnose` can read every file with the same options, 2 if not.
    """
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    opts = reader_options(
        mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm, part=part
    )
    known: list[FileFacts] = []
    for path in files:
        try:
            known.append(file_facts(path, opts))
        except InputError as error:
            errors.print(f"vtox: {error}", style="red", markup=False)
            continue
        if not as_json:
            _show(console, known[-1], first=len(known) == 1)
    if as_json:
        typer.echo(json.dumps([_as_json(f) for f in known], allow_nan=False, ensure_ascii=False))
    if len(known) < len(files) or not all(_readable(f) for f in known):
        raise typer.Exit(BAD_INPUT)


def _readable(facts: FileFacts) -> bool:
    of_machine = [t for t in facts.tables if t.channels or t.errors]
    return bool(of_machine) and not any(t.errors for t in of_machine)


def _show(console: Console, facts: FileFacts, *, first: bool) -> None:
    if not first:
        console.print()
    title = Text(facts.path.name, style="bold").append(f" · {facts.format}", "not bold dim")
    for r in facts.remarks:
        title.append(f" · {r.topic.replace('_', ' ')} {r.value}", "not bold dim")
        _mark(title, r.certainty)
    console.print(title)
    several = len(facts.tables) > 1
    for table in facts.tables[:MOST]:
        _show_recording(console, table, several=several)
    if rest := facts.tables[MOST:]:
        console.print(Text(f"\nand {len(rest)} more: {shortened([t.name for t in rest])}", "dim"))
    if several:
        name = shlex.quote(facts.tables[0].name)
        console.print(Text(f"\n{len(facts.tables)} recordings; for one of them: --part {name}"))
    proposed = facts.tables[0].proposal if facts.tables else {}
    if proposed:
        console.print(
            Text(f"try: {_command(facts.path, proposed)}", style="yellow"), soft_wrap=True
        )


def _show_recording(console: Console, table: TableFacts, *, several: bool) -> None:
    if several:
        console.print(Text(f"\n{table.name}", style="bold"))
    # The samples of columns without a name were not read.
    line = Text(f"{table.samples} samples" if table.samples else "samples not read")
    if table.rate and not table.samples:
        line.append(f", {table.rate.fs_hz:.6g} Hz")
    elif table.rate:
        seconds = table.samples / table.rate.fs_hz
        line.append(f", {seconds:.4g} s at {table.rate.fs_hz:.6g} Hz")
    if table.rate:
        line.append(f" ({table.rate.source})", "dim")
        _mark(line, table.rate.certainty)
    if table.started:
        line.append(f", from {table.started}")
    console.print(line)
    if table.channels:
        console.print(_channels(table))
    if table.ignored:
        console.print(Text(f"not used: {shortened(table.ignored)}", style="dim"))
    if table.missing:
        console.print(Text(f"not in the file: {', '.join(table.missing)}", style="dim"))
    for code, about in table.doubts.items():
        console.print(Text(DOUBTS[code].format(about), style="yellow"))
    if not table.channels and not table.errors:
        console.print(Text("no channel is recognised: name them with --map", style="red"))
    for error in table.errors:
        console.print(Text(str(error), style="red"))


def _command(path: Path, mapping: Mapping[str, str]) -> str:
    """Return the command that reads a file with columns mapped, quoted for the shell."""
    pairs = ",".join(f"{channel}={column}" for channel, column in mapping.items())
    return shlex.join(["vtox", "diagnose", str(path), "--map", pairs])


def _channels(table: TableFacts) -> Table:
    numbers, texts = ("rms", "mean", "low", "high"), ("channel", "column", "unit")
    shown = columns(*texts, *numbers, "how sure", right=numbers, wrapped=texts)
    for f in table.channels:
        unit = f"{f.unit} (assumed)"
        if f.written_unit:
            converted = f.written_unit.casefold() != f.unit.casefold()
            unit = f"{f.unit} (from {f.written_unit})" if converted else f.unit
        how = Text("stated" if f.certainty == "stated" else f.certainty, MARKS[f.certainty][1])
        figures = (f"{x:.4g}" for x in (f.rms, f.mean, f.low, f.high))
        shown.add_row(f.quantity, f.column, unit, *figures, how)
    return shown


def _mark(text: Text, certainty: str) -> None:
    word, style = MARKS[certainty]
    if word:
        text.append(f" [{word}]", style)


def _as_json(facts: FileFacts) -> dict[str, Any]:
    return {
        "file": str(facts.path),
        "format": facts.format,
        "remarks": [
            {"topic": r.topic, "value": r.value, "certainty": r.certainty, "source": r.source}
            for r in facts.remarks
        ],
        "recordings": [_table_as_json(t) for t in facts.tables],
    }


def _table_as_json(table: TableFacts) -> dict[str, Any]:
    return {
        "name": table.name,
        "samples": table.samples,
        "fs_hz": table.rate.fs_hz if table.rate else None,
        "rate": {"certainty": table.rate.certainty, "source": table.rate.source}
        if table.rate
        else None,
        "started": table.started or None,
        "channels": [
            {
                "channel": f.quantity,
                "column": f.column,
                "certainty": f.certainty,
                "unit": f.unit,
                "written_unit": f.written_unit or None,
                "rms": f.rms,
                "mean": f.mean,
                "low": f.low,
                "high": f.high,
            }
            for f in table.channels
        ],
        "ignored": list(table.ignored),
        "missing": list(table.missing),
        "doubts": dict(table.doubts),
        "proposal": dict(table.proposal),
        "errors": [{"code": e.code, "channel": e.channel, "text": str(e)} for e in table.errors],
    }
