"""A fleet as rows, one for each machine: the nameplates in spreadsheets. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from vtox.motor.errors import NameplateError
from vtox.motor.values.csv_writer import MARK
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_from_dict, motor_to_dict, refuse_all
from vtox.motor.values.nameplate_fields import FIELDS, NameplateField, flattened, nested

_ID = "machine_id"
# A row that begins so is for people.
_COMMENT = "#"
_NAMES = {f.name: f for f in FIELDS}


def rows_of_fleet(fleet: Mapping[str, Motor | None]) -> list[list[str | float]]:
    """Return the header, a row with the rule of each column, and a row for each machine.

    The row of a machine without a nameplate has its id alone.
    """
    rows: list[list[str | float]] = [
        [_ID, *_NAMES],
        [f"{_COMMENT} 1 to 64 of letters, digits, . _ : -", *map(_column_rule, FIELDS)],
    ]
    for machine_id, motor in fleet.items():
        flat = flattened(motor_to_dict(motor)) if motor else {}
        rows.append([machine_id, *(_cell(flat.get(name)) for name in _NAMES)])
    return rows


def fleet_of_rows(
    rows: Iterable[Sequence[str | float]], *, decimal_comma: bool = False
) -> dict[str, Motor]:
    """Return machine id -> motor of rows as `rows_of_fleet` gives them; an empty cell is not known.

    Columns may be left out, and come in any order. A row with an id alone has no nameplate.

    Raises `NameplateError`: a column is unknown or twice there, a value impossible, an id missing
    or twice there; the error names row and column, of all rows that are wrong.
    """
    numbered = [
        (n, [MARK.sub(r"\1", str(c).strip()) for c in row]) for n, row in enumerate(rows, start=1)
    ]
    numbered = [(n, row) for n, row in numbered if any(row) and not row[0].startswith(_COMMENT)]
    if not numbered:
        raise NameplateError(f"no rows, expected a header that begins with {_ID}", _ID)
    (line, header), *machines = numbered
    _check_header(line, header)
    fleet: dict[str, Motor] = {}
    seen: set[str] = set()
    wrong: list[NameplateError] = []
    for n, row in machines:
        try:
            machine_id, motor = _machine(n, header, row, seen, decimal_comma)
        except NameplateError as error:
            wrong.append(error)
            continue
        if motor:
            fleet[machine_id] = motor
    refuse_all(wrong)
    if not fleet:
        raise NameplateError(f"no machine with a value below the header of row {line}", _ID)
    return fleet


def _machine(
    n: int, header: Sequence[str], row: Sequence[str], seen: set[str], decimal_comma: bool
) -> tuple[str, Motor | None]:
    """Return id and motor of a row, and add the id to those `seen`."""
    cells = dict(zip(header, row, strict=False))
    machine_id = cells.pop(_ID, "")
    if not machine_id:
        raise NameplateError(f"row {n}: no {_ID}, expected the name of the machine", _ID)
    if machine_id in seen:
        raise NameplateError(f"row {n}: {machine_id} is there twice", _ID)
    known = {k: v for k, v in cells.items() if k and v}
    if not known:
        return machine_id, None
    seen.add(machine_id)
    try:
        flat = {k: _value(_NAMES[k], v, decimal_comma) for k, v in known.items()}
        return machine_id, motor_from_dict(nested(flat))
    except NameplateError as error:
        raise NameplateError(f"row {n}, {machine_id}: {error}", error.field) from error


def _check_header(line: int, header: Sequence[str]) -> None:
    for name in filter(None, header):
        if name not in (_ID, *_NAMES):
            near = get_close_matches(name, (_ID, *_NAMES), 1)
            expected = near[0] if near else f"one of {', '.join((_ID, *_NAMES))}"
            raise NameplateError(f"row {line}: unknown column {name!r}, expected {expected}", name)
        if header.count(name) > 1:
            raise NameplateError(f"row {line}: column {name!r} is there twice", name)
    if _ID not in header:
        raise NameplateError(f"row {line}: no column {_ID}, expected one", _ID)


def _column_rule(field: NameplateField) -> str:
    """Return the rule of a column, for people."""
    if field.range is None:
        if field.kind == "text" and field.choices:
            return f"one of {len(field.choices)} known ones with any suffix: SKF 6205-2Z/C3"
        return " or ".join(field.choices) or f"at most {field.max_length} characters"
    low, high, unit = field.range.low, field.range.high, field.range.unit
    several = ", several with ; between" if field.kind == "numbers" else ""
    return f"{low:.10g} to {high:.10g} {unit}".rstrip() + several


def _cell(value: object) -> str | float:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "; ".join(str(_cell(x)) for x in value)
    if isinstance(value, float):
        number = float(f"{value:.10g}")
        return int(number) if number.is_integer() else number
    return value if isinstance(value, int) else str(value)


def _value(field: NameplateField, text: str, decimal_comma: bool) -> object:
    if field.range is None:
        return text
    try:
        if field.kind == "number":
            return _number(text, decimal_comma)
        return [_number(x, decimal_comma) for x in text.replace(";", " ").split()]
    except ValueError:
        raise NameplateError(
            f"{field.name}: {text[:40]!r}, expected {field.range}", field.name
        ) from None


def _number(text: str, decimal_comma: bool) -> float:
    return float(text.replace(",", ".") if decimal_comma else text)
