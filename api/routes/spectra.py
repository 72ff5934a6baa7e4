"""Spectra with the lines that diagnoses expect, and waveforms, of records that are kept."""

from math import isfinite
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.http.errors import Problem
from api.http.query import NO_PARAMETERS, EmptyQuery, FamilyName, TableQuery
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.spectra import Phasors, Spectrum, WaveformPart
from api.shapes.kept_records import KeptRecord, latest_record, stored_record
from api.shapes.sound import wav
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.diagnosis.spectra.thinning import extremes
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import CHANNEL_UNITS, CURRENTS, VIBRATIONS
from vtox.motor.values.spectra import SpectrumKind

router = APIRouter(prefix="/api/v1", tags=["history"])

# Families whose records show most in a kind of spectrum: long ones resolve more.
OF_PHASORS = tuple(sorted(FAMILIES, key=lambda name: FAMILIES[name].min_record_s))
OF_CURRENTS = OF_PHASORS[::-1]
OF_VIBRATION = tuple(sorted(OF_CURRENTS, key=lambda name: "vibrations" not in FAMILIES[name].shows))
FAMILIES_OF_KIND = {
    "current": OF_CURRENTS,
    "demodulated": OF_CURRENTS,
    "envelope": OF_VIBRATION,
    "vibration": OF_VIBRATION,
}
CHANNELS_OF_KIND = {
    "current": CURRENTS,
    "demodulated": CURRENTS,
    "envelope": VIBRATIONS,
    "vibration": VIBRATIONS,
}
MAX_POINTS = 8000
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}
}
FAMILY = Field(
    None, description="only records of this fault family; left out: the one that shows most"
)


class _ShownQuery(TableQuery):
    """The number of points returned."""

    channel: str | None = Field(
        None, max_length=32, description="a channel of the record; left out: the first that fits"
    )
    points: int = Field(
        2000, ge=100, le=MAX_POINTS, description="largest number of points; no peak is lost"
    )


class _SpectrumQuery(_ShownQuery):
    """The spectrum, and the part of it."""

    kind: SpectrumKind = Field(
        "current",
        description="of one current; of the modulation of all currents, in which sidebands are "
        "diagnosed (it takes no channel); of the envelope, in which bearings are; of vibration",
    )
    low_hz: float = Field(0.0, ge=0, description="lower end of the range")
    high_hz: float | None = Field(None, gt=0, description="upper end; left out: all there is")


class _WaveformQuery(_ShownQuery):
    """The part of a waveform."""

    format: Literal["json", "csv", "wav"] = Field(  # type: ignore[assignment]
        "json", description="`csv`: a table; `wav`: sound, of every sample in the range"
    )
    start_s: float = Field(0.0, ge=0, description="from the start of the record")
    end_s: float | None = Field(None, gt=0, description="left out: the end of the record")


class _MachineSpectrumQuery(_SpectrumQuery):
    """The spectrum of a machine."""

    family: FamilyName | None = FAMILY


class _PhasorsQuery(EmptyQuery):
    """The phasors of a machine."""

    family: FamilyName | None = FAMILY


class _MachineWaveformQuery(_WaveformQuery):
    """The waveform of a machine."""

    family: FamilyName | None = FAMILY


@router.get(
    "/machines/{machine_id}/spectrum",
    dependencies=needs("read"),
    summary="Spectrum of a machine's newest record",
)
def machine_spectrum(
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_MachineSpectrumQuery, Query()],
) -> Data[Spectrum]:
    """Return levels, noise floor and the lines that diagnoses expect, at the slip measured.

    The record is the latest diagnosed one while its windows are in the raw stream, else the newest
    one that is stored behind a warning or fault.
    """
    _check_channel(query.channel)
    families = (query.family,) if query.family else FAMILIES_OF_KIND[query.kind]
    channels = (query.channel,) if query.channel else CHANNELS_OF_KIND[query.kind]
    return Data(
        data=_spectrum(backend, latest_record(backend, machine_id, families, channels), query)
    )


@router.get(
    "/evidence/{record}/spectrum",
    dependencies=needs("read"),
    summary="Spectrum of a stored record",
)
def record_spectrum(
    record: str, backend: OpenBackend, query: Annotated[_SpectrumQuery, Query()]
) -> Data[Spectrum]:
    """Return levels, noise floor and lines of a record that is stored behind a warning or fault."""
    _check_channel(query.channel)
    return Data(data=_spectrum(backend, stored_record(backend, record), query))


@router.get(
    "/machines/{machine_id}/waveform",
    dependencies=needs("read"),
    summary="Waveform of a machine's newest record",
    response_model=Data[WaveformPart],
    responses=_SOUND,
)
def machine_waveform(
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_MachineWaveformQuery, Query()],
) -> Response | Data[WaveformPart]:
    """Return samples of one channel of the newest record that is kept."""
    _check_channel(query.channel)
    families = (query.family,) if query.family else OF_CURRENTS
    channels = (query.channel,) if query.channel else tuple(CHANNEL_UNITS)
    return _waveform(latest_record(backend, machine_id, families, channels), query)


@router.get(
    "/evidence/{record}/waveform",
    dependencies=needs("read"),
    summary="Waveform of a stored record",
    response_model=Data[WaveformPart],
    responses=_SOUND,
)
def record_waveform(
    record: str, backend: OpenBackend, query: Annotated[_WaveformQuery, Query()]
) -> Response | Data[WaveformPart]:
    """Return samples of one channel of a record that is stored behind a warning or fault."""
    _check_channel(query.channel)
    return _waveform(stored_record(backend, record), query)


@router.get(
    "/machines/{machine_id}/phasors",
    dependencies=needs("read"),
    summary="Phasors of a machine's newest record",
)
def machine_phasors(
    machine_id: MachineId, backend: OpenBackend, query: Annotated[_PhasorsQuery, Query()]
) -> Data[Phasors]:
    """Return currents and voltages as they are wired, and their unbalance."""
    families = (query.family,) if query.family else OF_PHASORS
    return Data(data=phasors_of(backend, latest_record(backend, machine_id, families, CURRENTS)))


@router.get(
    "/evidence/{record}/phasors",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Phasors of a stored record",
)
def record_phasors(record: str, backend: OpenBackend) -> Data[Phasors]:
    """Return currents, voltages and unbalance of a record stored behind a warning or fault."""
    return Data(data=phasors_of(backend, stored_record(backend, record)))


def _check_channel(channel: str | None) -> None:
    if channel is not None and channel not in CHANNEL_UNITS:
        expected = ", ".join(CHANNEL_UNITS)
        detail = f"channel: {channel!r}, expected one of {expected}"
        raise Problem("unknown_channel", detail, field="channel")


def _spectrum(backend: Backend, kept: KeptRecord, query: _SpectrumQuery) -> Spectrum:
    # scipy takes 0.3 s and 40 MB, which a process that shows no spectrum does without.
    from vtox.motor.diagnosis.spectra.record import spectrum
    from vtox.motor.diagnosis.spectra.spectrum import thinned

    with backend.computing():
        whole = spectrum(
            kept.recording,
            kept.motor,
            kept.baseline,
            kind=query.kind,
            channel=query.channel,
            faults=kept.faults,
        )
        end_hz = float(whole.hz[-1])
        low_hz, high_hz = _range("high_hz", query.low_hz, query.high_hz, end_hz)
        part = thinned(whole, low_hz, high_hz, query.points)
    band_low_hz, band_high_hz = part.band_hz or (None, None)
    return Spectrum.of(
        part,
        record=kept.info,
        low_hz=low_hz,
        high_hz=high_hz,
        end_hz=end_hz,
        band_low_hz=band_low_hz,
        band_high_hz=band_high_hz,
    )


def phasors_of(backend: Backend, kept: KeptRecord) -> Phasors:
    """Return the phasors of a record."""
    from vtox.motor.diagnosis.spectra.phasors import phasors

    with backend.computing():
        found = phasors(kept.recording, kept.motor)
    return Phasors.of(found, record=kept.info)


def _waveform(kept: KeptRecord, query: _WaveformQuery) -> Response | Data[WaveformPart]:
    recording = kept.recording
    channel = query.channel or next(iter(recording.channels))
    if channel not in recording.channels:
        recorded = ", ".join(recording.channels)
        detail = f"the record has no channel {channel!r}, only {recorded}"
        raise Problem("channel_not_recorded", detail, field="channel")
    start_s, end_s = _range("end_s", query.start_s, query.end_s, recording.duration_s)
    first, stop = (round(t * recording.fs_hz) for t in (start_s, end_s))
    x = recording.channels[channel][first:stop]
    if query.format == "wav":
        name = f'attachment; filename="vtox-{kept.info.machine_id}-{channel}.wav"'
        headers = {"content-disposition": name}
        return Response(wav(x, recording.fs_hz), media_type="audio/wav", headers=headers)
    kept_at = np.arange(len(x)) if len(x) <= query.points else extremes(x, query.points // 2)
    part = WaveformPart(
        record=kept.info,
        channel=channel,
        unit=CHANNEL_UNITS[channel],
        start_s=start_s,
        end_s=end_s,
        samples=len(x),
        t_s=np.round((first + kept_at) / recording.fs_hz, 6).tolist(),
        values=[float(f"{v:.5g}") if isfinite(v) else None for v in x[kept_at].tolist()],
    )
    return Data(data=part)


def _range(field: str, low: float, high: float | None, end: float) -> tuple[float, float]:
    """Return the range that is shown.

    Raises `Problem`: it is empty, or begins behind the end.
    """
    if low >= end or (high is not None and high <= low):
        detail = (
            f"{field}: the range from {low:g} to {high or end:g} is empty, the end is at {end:g}"
        )
        raise Problem("invalid", detail, field=field)
    return low, min(high or end, end)
