"""All turn-short recordings as one machine's life: one alert per episode, with its own times."""

from dataclasses import dataclass, replace

import pytest

from tests.recordings.test_itsc import MOTOR, baseline, truths, whole_recording
from vtox import diagnose
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import LEAST_PERIODS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Record, Recording

pytestmark = pytest.mark.recordings

# The labels give the switching instants to 0.1 s, a slot is 0.2 s long.
WITHIN_S = 0.35


@dataclass(slots=True)
class Episode:
    on_s: float
    off_s: float | None = None


def test_each_short_is_one_alert_with_its_onset_and_its_end() -> None:
    history = MachineHistory()
    found: dict[str, Episode] = {}
    true: list[Episode] = []
    begin_s = 0.0
    for truth in truths():
        x = whole_recording(truth.name)
        step_n = round(x.fs_hz)
        for k in range(x.samples // step_n):
            piece = {c: y[k * step_n : (k + 1) * step_n] for c, y in x.channels.items()}
            answer = diagnose(
                Recording(piece, x.fs_hz),
                MOTOR,
                faults=["turn_short"],
                baseline=known_for_days(baseline(truth.name)),
            )
            after = update(history, _record(truth.name, k, begin_s), answer)
            history = after.history
            for a in after.alerts:
                if a.event == "raised":
                    found[a.id] = Episode(a.t)
                elif a.event == "cleared":
                    found[a.id].off_s = a.t
        if truth.percent:
            true.append(Episode(begin_s + truth.on_s, begin_s + truth.off_s))
        begin_s += x.samples // step_n
    assert len(found) == len(true)
    for seen, real in zip(found.values(), true, strict=True):
        assert seen.off_s is not None
        assert real.off_s is not None
        assert abs(seen.on_s - real.on_s) <= WITHIN_S
        assert abs(seen.off_s - real.off_s) <= WITHIN_S


def known_for_days(learnt: Baseline) -> Baseline:
    """Return a baseline as if its supply had been the same on so many days that alerts count."""
    assert learnt.asymmetry is not None
    return replace(learnt, asymmetry=replace(learnt.asymmetry, recordings=LEAST_PERIODS))


def _record(run: str, k: int, begin_s: float) -> Record:
    return Record(
        machine_id="M",
        run=run,
        first_seq=k,
        last_seq=k,
        t_start=begin_s + k,
        t_end=begin_s + k + 1,
        ids=f"{round(begin_s) + k}-0",
        windows=1,
        bytes=1,
    )
