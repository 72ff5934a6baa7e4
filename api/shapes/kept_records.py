"""Finds the samples of a spectrum or a waveform: a stored record, or the latest one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from api.http.errors import Problem, not_found
from api.schemas.common import rfc3339
from api.schemas.spectra import RecordInfo
from api.state.backend import Backend
from vtox.motor.errors import BaselineError, InputError
from vtox.motor.faults import FAMILIES
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.channel_map import corrected
from vtox.motor.values.domain import Motor, Recording
from vtox.pipeline.store.machines import machine_states, machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import evidence
from vtox.pipeline.store.stream.entries import Result
from vtox.pipeline.store.stream.evidence import Waveform
from vtox.pipeline.store.stream.latest_records import record_of

# Stored records of a machine that are searched for one with the wanted channels.
LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """Samples of one record by the channel map in force, with its machine's motor and baseline."""

    info: RecordInfo
    recording: Recording
    motor: Motor | None
    baseline: Baseline | None

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that the record was diagnosed for."""
        family = FAMILIES.get(self.info.family)
        return family.faults if family else ()


def stored_record(backend: Backend, record: str) -> KeptRecord:
    """Return a record that is stored as evidence.

    Raises `Problem`: it is not stored (any more).
    """
    client = backend.client()
    try:
        waveform = evidence.get(client, record)
    except InputError as error:
        raise Problem("no_waveform", str(error)) from error
    overviews = machines.overview(client, [waveform.machine_id])
    return _of_waveform(client, waveform, overviews[0].diagnoses if overviews else {})


def latest_record(
    backend: Backend, machine_id: str, families: Iterable[str], channels: Collection[str]
) -> KeptRecord:
    """Return the newest record of a machine with one of some channels, of the first family it can.

    It is that of the latest diagnosis while the raw stream has its windows, else the newest stored.

    Raises `Problem`: the machine is not known, or nothing is kept.
    """
    client = backend.client()
    overviews = machines.overview(client, [machine_id])
    if not overviews:
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    diagnoses = overviews[0].diagnoses
    stored: list[Waveform] | None = None
    for family in families:
        result = diagnoses.get(FAMILIES[family].faults[0])
        latest = record_of(client, result) if result else None
        if latest and result:
            recording = latest.recording
            if _has(recording.channels, channels):
                times = result.t_start, 0.0
                origin = _info(latest.record, machine_id, "stream", times, recording)
                return _with_machine(client, origin, recording)
        if stored is None:
            stored = list(_stored_with(client, machine_id, channels))
        for waveform in stored:
            if waveform.family == family:
                return _of_waveform(client, waveform, diagnoses)
    raise Problem(
        "no_waveform",
        f"no samples of {machine_id} with any of {', '.join(channels)} are kept: those of records "
        f"behind new warnings and faults are, and for {backend.settings.keep.windows.s:.0f} s "
        "those of every record",
    )


def _stored_with(client: Client, machine_id: str, channels: Collection[str]) -> Iterator[Waveform]:
    newest = islice(evidence.newest_first(client, machine_id), LOOKED_AT)
    return (w for w in newest if _has(w.windows[0].channels, channels))


def _has(names: Iterable[str], channels: Collection[str]) -> bool:
    return any(n in channels for n in names)


def _of_waveform(client: Client, waveform: Waveform, diagnoses: Mapping[str, Result]) -> KeptRecord:
    recording = waveform.recording()
    times = waveform.t_start, _behind_s(waveform, diagnoses)
    info = _info(waveform.record, waveform.machine_id, "evidence", times, recording)
    return _with_machine(client, info, recording)


def _behind_s(waveform: Waveform, diagnoses: Mapping[str, Result]) -> float | None:
    """Return how much earlier a record ended than the latest diagnosis of its family."""
    family = FAMILIES.get(waveform.family)
    latest = diagnoses.get(family.faults[0]) if family else None
    if latest is None or latest.t_end is None:
        return None
    return round(max(latest.t_end - waveform.t_start - waveform.duration_s, 0.0), 3)


def _info(
    record: str,
    machine_id: str,
    source: Literal["stream", "evidence"],
    times: tuple[float | None, float | None],
    recording: Recording,
) -> RecordInfo:
    t_start, behind_s = times
    return RecordInfo.of(
        recording,
        record=record,
        machine_id=machine_id,
        family=record.partition("|")[0],
        source=source,
        t_start=t_start,
        start=rfc3339(t_start),
        behind_s=behind_s,
        duration_s=round(recording.duration_s, 3),
        channels=list(recording.channels),
    )


def _with_machine(client: Client, info: RecordInfo, recording: Recording) -> KeptRecord:
    (state,) = machine_states.load_states(client, [info.machine_id])
    try:
        baseline = Baseline.from_json(state.baseline) if state.baseline else None
    except BaselineError:  # of another version: the diagnoses do not use it either
        baseline = None
    as_corrected = corrected(recording, state.channel_map.channels)
    return KeptRecord(info, as_corrected, state.motor, baseline)
