"""Energy of a machine on the server: the figures of its last record, and the counts of its meter.

The meter is part of the machine's state at a version. A worker adds a record to the meter of the
version that it builds on. The script that commits the record keeps the sum only if the machine
still has that version. So it is as exact as the results.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from vtox.motor.values import codec
from vtox.motor.values.domain import Record
from vtox.motor.values.energy import (
    NOTHING,
    MeterCounts,
    MeterReading,
    MeterRow,
    counts_of,
)
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import number, time_s

log = structlog.get_logger()

# Fields of the hash of a machine: the last reading; the counts of the meter and their beginning,
# ms. The first is also the field of a result that has its record's contribution.
ENERGY, _METER, _METER_MS = "energy", "meter", "meter_ms"
# Field of a result with the operating figures of its record (`operation_text`).
OPERATION = "operation"
# A kept reading begins with the number of its form, the end of its record, s, and the count of
# numbers that follow. After these come codes and values as JSON if there are any.
_HEAD = struct.Struct("<BdH")
_FORM = 1
# A reading counts as current for this long.
_FRESH_S = 60.0


@dataclass(frozen=True, slots=True)
class Meter:
    """The counts of a machine since a time, and its last reading with the end of its record.

    `since_t` is None if nothing was counted, `reading` if no record said anything.
    """

    counts: MeterCounts = NOTHING
    since_t: float | None = None
    reading: MeterReading | None = None
    reading_t: float | None = None


class SitePower(NamedTuple):
    """The power of a site's machines now: the number measured, and their losses."""

    power_kw: float = 0.0
    machines: int = 0
    loss_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class _Codes:
    """Why a reading lacks power or load, each with its values."""

    power_code: str = ""
    power_values: Mapping[str, Any] = field(default_factory=dict)
    load_code: str = ""
    load_values: Mapping[str, Any] = field(default_factory=dict)


def _kept_reading(t: float, r: MeterRow) -> bytes:
    """Return a reading as the hash of its machine keeps it; `t` is the end of its record."""
    kept = _HEAD.pack(_FORM, t, len(r.kept) // 8) + r.kept
    if not (r.power_code or r.load_code):
        return kept
    load = r.load_code, dict(r.load_values)
    return kept + codec.encode(_Codes(r.power_code, dict(r.power_values), *load))


class Metered(NamedTuple):
    """A record's contribution to its machine: the meter, the fields that keep it, and its reading.

    The reading is for the field `ENERGY`, unless the machine has a later one.
    """

    meter: bytes
    fields: Mapping[str, str | bytes]
    reading: bytes


def metered(meter: bytes, row: MeterRow, record: Record) -> Metered:
    """Return the meter with the contribution of a record.

    A meter that begins counts since the record arrived; one that cannot be read begins again. One
    of a later version may count more.
    """
    total = b""
    try:
        total = MeterCounts.packed_sum(meter, row.counts) if meter else b""
    except ValueError:  # its records must not become poison
        log.error("what a meter has counted cannot be read", meter=meter[:80])
    meter = total or row.counts
    fields: dict[str, str | bytes] = {_METER: meter}
    if not total:
        fields[_METER_MS] = str(round(1000 * record.arrived_t))
    return Metered(meter, fields, _kept_reading(record.t_end, row))


def meters(client: Client, machine_ids: list[str]) -> list[Meter]:
    """Return the meters of machines, in one round trip."""
    pipe = client.pipeline(transaction=False)
    for machine_id in machine_ids:
        pipe.hmget(keys.machine(machine_id), [ENERGY, _METER, _METER_MS])
    rows = pipe.execute() if machine_ids else []
    return [
        Meter(*_counted(meter, since_ms), *reading)
        for (_, meter, since_ms), reading in zip(rows, _readings(r[0] for r in rows), strict=True)
    ]


def power_by_site(client: Client, machine_ids: list[str], now_s: float) -> dict[str, SitePower]:
    """Return the power of each site's machines now; the site of machines without one is empty.

    A reading counts for a minute, and no longer.
    """
    found: dict[str, SitePower] = {}
    plates = load_motors(client, machine_ids)
    for meter, motor in zip(meters(client, machine_ids), plates, strict=True):
        fresh = meter.reading_t is not None and now_s - meter.reading_t < _FRESH_S
        figures = meter.reading.figures if meter.reading and fresh else {}
        if "active_w" not in figures:
            continue
        site = (motor and motor.site) or ""
        kw, n, lost = found.get(site, SitePower())
        more = figures.get("loss_w", 0.0) / 1000
        found[site] = SitePower(kw + figures["active_w"] / 1000, n + 1, lost + more)
    return found


def _counted(meter: bytes | None, since_ms: bytes | None) -> tuple[MeterCounts, float | None]:
    try:
        counts = MeterCounts(*counts_of(meter or b"")[: len(MeterCounts._fields)])
        return counts, time_s((number(since_ms) or 0.0) / 1000) or None
    except ValueError:
        return NOTHING, None


def _readings(texts: Iterable[bytes | None]) -> list[tuple[MeterReading | None, float | None]]:
    """Return kept readings with the ends of their records, None for unreadable ones."""
    found = [_row(text or b"") for text in texts]
    named = iter(MeterReading.of_rows([r for r, _ in found if r]))
    return [(next(named) if r else None, t) for r, t in found]


def _row(text: bytes) -> tuple[MeterRow | None, float | None]:
    try:
        form, t, count = _HEAD.unpack_from(text)
        if form != _FORM:
            return None, None
        end = _HEAD.size + 8 * count
        why = codec.decode(_Codes, text[end:]) if len(text) > end else _Codes()
    except (ValueError, struct.error):
        return None, None
    codes = (why.power_code, why.power_values, why.load_code, why.load_values)
    return MeterRow(text[_HEAD.size : end], MeterRow().counts, *codes), t
