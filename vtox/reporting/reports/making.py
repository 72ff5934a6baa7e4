"""Records of a report: samples packed, and the verdicts that they give."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from vtox.motor.diagnosis.diagnosis import diagnose, read_energy
from vtox.motor.faults import METERED
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis, Motor, Recording
from vtox.motor.values.plain_data import plain
from vtox.reporting.reports.contents import Energy, ReportRecord, channel_of
from vtox.reporting.reports.samples import Packed, pack


def record(
    name: str,
    recording: Recording,
    verdicts: list[dict[str, Any]],
    energy: Energy | None,
    *,
    family: str = "",
    t_start: float | None = None,
    counts: Mapping[str, Packed] | None = None,
) -> ReportRecord:
    """Return a record with its verdicts; `counts` are the channels that came as whole numbers."""
    packed = {n: (counts or {}).get(n) or pack(x) for n, x in recording.channels.items()}
    return ReportRecord(
        name=name,
        family=family,
        t_start=t_start,
        fs_hz=float(recording.fs_hz),
        speed_rpm=recording.speed_rpm,
        temperature_c=recording.temperature_c,
        channels=[channel_of(n, p) for n, p in packed.items()],
        verdicts=verdicts,
        energy=energy,
    )


def verdicts(
    recording: Recording,
    motor: Motor | None,
    baseline: Baseline | None,
    faults: Collection[str] | None,
) -> list[dict[str, Any]]:
    """Return the diagnoses of a recording as plain data.

    One thread computes them, as in the workers: several may add in another order.
    """
    with _one_thread():
        return [_verdict(d) for d in diagnose(recording, motor, baseline, faults=faults)]


def energy(
    recording: Recording, motor: Motor | None, faults: Collection[str] | None
) -> Energy | None:
    """Return the energy of a recording, None if its fault is not asked."""
    if faults is not None and METERED not in faults:
        return None
    with _one_thread():
        reading = read_energy(recording, motor)._asdict()
    del reading["counts"]
    return Energy(**plain(reading))


def _one_thread() -> AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:  # a small installation: last bits may differ, printed digits do not
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _verdict(d: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain data, without the sentence, which its code gives."""
    found: dict[str, Any] = plain(asdict(d))
    return found
