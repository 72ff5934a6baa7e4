"""The channel of each column of a table: as the user states, else by its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vtox.motor.errors import FileError
from vtox.motor.files.channel_names import BESIDE, QUANTITY_UNITS, Meaning, factor, meaning
from vtox.motor.files.table import Certainty, Column, Table, shortened
from vtox.motor.files.units import UNITS
from vtox.motor.values.domain import CHANNEL_UNITS, VIBRATIONS

_RANKS: dict[Certainty, int] = {"stated": 2, "likely": 1, "guess": 0}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Statements of the user on files: columns and units, rate (Hz) and speed (rpm).

    `columns` maps a channel, or `time`, `speed`, `temperature`, to the name or the number (from 1)
    of its column. `units` maps it to a unit, or to the number that a value is multiplied by. `part`
    is the one to read of a file that holds several: a sheet, a group, a rate.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    fs_hz: float | None = None
    speed_rpm: float | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The column of a quantity: `factor` brings its values to the unit of the quantity.

    `unit` is the one stated, empty if the own unit of the quantity is assumed.
    """

    quantity: str
    column: str
    certainty: Certainty
    unit: str
    factor: float


def options(
    *,
    mapping: Iterable[str] = (),
    unit: Iterable[str] = (),
    fs_hz: float | None = None,
    speed_rpm: float | None = None,
    part: str | None = None,
) -> ReadOptions:
    """Return options from `--map ia=ia_a,vibration=de_g` and `--unit vibration=g`.

    Raises `FileError`: a pair names no channel, or a unit that the channel cannot have.
    """
    units = _pairs("--unit", unit)
    for quantity, name in units.items():
        if _stated_factor(quantity, name) is None:
            known = ", ".join(UNITS[QUANTITY_UNITS[quantity]])
            raise _impossible(
                f"--unit {quantity}={name}: expected a number to multiply by, or one of {known} "
                f"for {quantity}"
            )
    if fs_hz is not None and not 0 < fs_hz < float("inf"):
        raise _impossible(f"--rate {fs_hz:g}: expected a positive number of Hz")
    if speed_rpm is not None and not 0 <= speed_rpm < float("inf"):
        raise _impossible(f"--speed-rpm {speed_rpm:g}: expected 0 or more")
    return ReadOptions(_pairs("--map", mapping), units, fs_hz, speed_rpm, part or "")


def match_columns(table: Table, opts: ReadOptions) -> dict[str, Match]:
    """Return quantity -> column: the mapped ones, and the others by their names.

    Raises `FileError`: a mapped column does not exist, two columns could be the same channel, or a
    unit is not one of the channel.
    """
    mapped = {q: _column(table, wanted) for q, wanted in opts.columns.items()}
    found = {q: _stated_match(table, c, q, opts) for q, c in mapped.items()}
    candidates: dict[str, list[tuple[Column, Meaning]]] = {}
    for column in table.columns:
        means = _meaning(column)
        if means and means.quantity not in mapped and column not in mapped.values():
            candidates.setdefault(means.quantity, []).append((column, means))
    for quantity, several in candidates.items():
        column, means = _surest(table, quantity, several)
        if match := _match(table, column, means, opts):
            found[quantity] = match
    return {q: found[q] for q in QUANTITY_UNITS if q in found}


def channels_of(matches: Mapping[str, Match]) -> dict[str, Match]:
    """Return the matches that are channels."""
    return {q: m for q, m in matches.items() if q in CHANNEL_UNITS}


def _meaning(column: Column) -> Meaning | None:
    if column.quantity:
        return Meaning(column.quantity, column.unit, "stated")
    return meaning(column.name, column.unit)


def _surest(
    table: Table, quantity: str, several: list[tuple[Column, Meaning]]
) -> tuple[Column, Meaning]:
    best = max(_RANKS[m.certainty] for _, m in several)
    surest = [(c, m) for c, m in several if _RANKS[m.certainty] == best]
    if len(surest) > 1 and quantity in CHANNEL_UNITS:
        names = " and ".join(repr(c.name) for c, _ in surest)
        raise FileError(
            "ambiguous_channel",
            table.path,
            f"columns {names} could both be {quantity}",
            channel=quantity,
            remedy=f"choose with --map {quantity}={surest[-1][0].name}",
        )
    return surest[0]


def _stated_match(table: Table, column: Column, quantity: str, opts: ReadOptions) -> Match:
    own = _meaning(column)
    unit = own.unit if own else column.unit
    match = _match(table, column, Meaning(quantity, unit, "stated"), opts)
    if match is None:
        raise _wrong_unit(table, column, quantity, unit)
    return match


def _match(table: Table, column: Column, means: Meaning, opts: ReadOptions) -> Match | None:
    """Return the match of a column, None for a velocity, which is no acceleration.

    Raises `FileError`: its unit is not one of a channel.
    """
    quantity = means.quantity
    if quantity in opts.units:
        scale = _stated_factor(quantity, opts.units[quantity])
        assert scale is not None
        return Match(quantity, column.name, means.certainty, opts.units[quantity], scale)
    scale = factor(quantity, means.unit) if means.unit else 1.0
    if scale is not None:
        return Match(quantity, column.name, means.certainty, means.unit, scale)
    if quantity in VIBRATIONS or quantity in BESIDE:
        return None
    raise _wrong_unit(table, column, quantity, means.unit)


def _wrong_unit(table: Table, column: Column, quantity: str, unit: str) -> FileError:
    known = QUANTITY_UNITS[quantity]
    return FileError(
        "wrong_unit",
        table.path,
        f"column {column.name!r}: {quantity} in {unit}, expected {known} or a part of it",
        channel=column.name,
        remedy=f"give --unit {quantity}=NUMBER, the {known} per {unit}, if it is one",
    )


def _column(table: Table, wanted: str) -> Column:
    """Return the column called `wanted`, or the one of that number, counted from 1."""
    for column in table.columns:
        if column.name == wanted:
            return column
    if wanted.isdecimal() and 1 <= int(wanted) <= len(table.columns):
        return table.columns[int(wanted) - 1]
    raise FileError(
        "no_such_column",
        table.path,
        f"no column {wanted!r}, expected one of {shortened(table.names) or 'none'}",
        channel=wanted,
    )


def _stated_factor(quantity: str, text: str) -> float | None:
    """Return the factor that `--unit` states: of a unit, or the number itself."""
    try:
        value = float(text)
    except ValueError:
        return factor(quantity, text)
    return value if 0 < abs(value) < float("inf") else None


# A column may have a comma in its name, and more behind it.
_NEXT_PAIR = re.compile(rf",(?=\s*(?:{'|'.join(QUANTITY_UNITS)})\s*=)")


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in (part for t in texts for part in _NEXT_PAIR.split(t)):
        quantity, _, value = (p.strip() for p in text.partition("="))
        if not value or quantity not in QUANTITY_UNITS:
            raise _impossible(
                f"{option} {text}: expected CHANNEL=VALUE with a channel among "
                f"{', '.join(QUANTITY_UNITS)}"
            )
        pairs[quantity] = value
    return pairs


def _impossible(observed: str) -> FileError:
    return FileError("impossible_option", "", observed)
