"""The samples of a machine that are kept: which records a report of it is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values.codec import RawFields
from vtox.pipeline.store.alarms.open_alerts import OpenAlert
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import evidence
from vtox.pipeline.store.stream.entries import Result
from vtox.pipeline.store.stream.latest_records import record_of
from vtox.reporting.reports.samples import Packed, pack_counts


@dataclass(frozen=True, slots=True)
class KeptSamples:
    """The windows of one record, as they were sent."""

    record: str
    family: str
    t_start: float
    entries: list[RawFields]

    def counts(self) -> dict[str, Packed]:
        """Return the channels that were sent as 16-bit counts."""
        if any(e.get(b"dtype") != b"i2" for e in self.entries):
            return {}
        names = [n for n in self.entries[0] if b"scale_" + n in self.entries[0]]
        return {
            n.decode(): pack_counts(
                [(e[n], float(e.get(b"scale_" + n) or 1.0)) for e in self.entries]
            )
            for n in names
        }


def samples_of_machine(
    client: Client,
    machine_id: str,
    diagnoses: Mapping[str, Result],
    open_alerts: list[OpenAlert],
    from_s: float | None,
    to_s: float | None,
) -> Iterator[KeptSamples]:
    """Yield the records that show a machine between two times, the most telling first.

    Records behind open alerts come first, then the latest of each family. The latest is from the
    stream while it has it, else one that is stored behind a warning or fault.
    """
    low, high = -inf if from_s is None else from_s, inf if to_s is None else to_s
    stored = [
        KeptSamples(w.record, w.family, w.t_start, w.entries)
        for w in evidence.newest_first(client, machine_id)
        if low <= w.t_start < high
    ]
    yielded = set()
    for kept in (*_behind(open_alerts, stored), *_latest(client, diagnoses, stored, low, high)):
        if kept.record not in yielded:
            yielded.add(kept.record)
            yield kept


def _behind(alerts: list[OpenAlert], stored: list[KeptSamples]) -> Iterator[KeptSamples]:
    """Yield the record behind each alert: the last of its family that began before it was open."""
    for alert in alerts:
        if alert.fault not in FAULTS:
            continue
        family = FAULTS[alert.fault].name
        own = (k for k in stored if k.family == family and k.t_start <= alert.t)
        # Stored newest first; of an alert that began within the oldest one, that.
        yield from [k for k in (next(own, None),) if k]


def _latest(
    client: Client,
    diagnoses: Mapping[str, Result],
    stored: list[KeptSamples],
    low: float,
    high: float,
) -> Iterator[KeptSamples]:
    for name, family in FAMILIES.items():
        newest = next((k for k in stored if k.family == name), None)
        result = diagnoses.get(family.faults[0])
        start = result.t_start if result else None
        if result and start is not None and low <= start < high:
            if latest := record_of(client, result):
                newest = KeptSamples(latest.record, name, start, latest.entries)
        if newest:
            yield newest
