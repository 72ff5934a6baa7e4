"""Energy of a machine on the server: what its last record said, and what its meter has counted.

The meter is counted by the script that commits a record, so that it is as exact as the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vtox import keys
from vtox.store.machines.machines import load_motors
from vtox.store.server.client import Client
from vtox.values import codec
from vtox.values.domain import Record
from vtox.values.energy import NOTHING, MeterCounts, MeterReading, counts_from_text

# Fields of the hash of a machine: the last reading; what was counted since when, ms. The first is
# also the field of a result that has what its record added.
ENERGY, _METER, _METER_MS = "energy", "meter", "meter_ms"
# A reading is that of now for so long.
_FRESH_S = 60.0


@dataclass(frozen=True, slots=True)
class Meter:
    """What was counted of a machine since a time, and its last reading with the end of its record.

    `since_t` is None where nothing was counted, `reading` where no record said anything.
    """

    counts: MeterCounts = NOTHING
    since_t: float | None = None
    reading: MeterReading | None = None
    reading_t: float | None = None


class SitePower(NamedTuple):
    """What the machines of a site take now: of how many it is measured, and what they lose."""

    power_kw: float = 0.0
    machines: int = 0
    loss_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A reading as the hash of its machine keeps it."""

    t: codec.Time | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    power_code: str = ""
    power_values: Mapping[str, Any] = field(default_factory=dict)
    load_code: str = ""
    load_values: Mapping[str, Any] = field(default_factory=dict)


def reading_json(record: Record, r: MeterReading) -> bytes:
    """Return a reading as the hash of its machine keeps it: the fields of `_Kept`."""
    return codec.encode(
        {
            "t": record.t_end,
            "figures": dict(r.figures),
            "power_code": r.power_code,
            "power_values": dict(r.power_values),
            "load_code": r.load_code,
            "load_values": dict(r.load_values),
        }
    )


def meters(client: Client, machine_ids: list[str]) -> list[Meter]:
    """Return the meters of machines, in one round trip."""
    pipe = client.pipeline(transaction=False)
    for machine_id in machine_ids:
        pipe.hmget(keys.machine(machine_id), [ENERGY, _METER, _METER_MS])
    return [_meter(*row) for row in pipe.execute()] if machine_ids else []


def power_by_site(client: Client, machine_ids: list[str], now_s: float) -> dict[str, SitePower]:
    """Return what the machines of each site take now; empty is the site of machines without one.

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


def _meter(energy: bytes | None, counted: bytes | None, since_ms: bytes | None) -> Meter:
    reading, t = _reading(energy)
    try:
        counts, since_t = counts_from_text((counted or b"").decode()), int(since_ms or 0) / 1000
    except ValueError:
        counts, since_t = NOTHING, 0.0
    return Meter(counts, since_t or None, reading, t)


def _reading(text: bytes | None) -> tuple[MeterReading | None, float | None]:
    if not text:
        return None, None
    try:
        kept = codec.decode(_Kept, text)
    except ValueError:
        return None, None
    codes = (kept.power_code, kept.power_values, kept.load_code, kept.load_values)
    return MeterReading(kept.figures, NOTHING, *codes), kept.t
