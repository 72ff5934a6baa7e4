"""Turn shorts switched on and off in a real motor, window by window as a stream would see them.

The baseline is learnt from the healthy recordings, each of which is diagnosed with the other's.
Windows within 0.3 s of a switching instant are not scored: the labels give it to 0.1 s.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.folder import recordings
from vtox import Motor, diagnose, learn_baseline
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.files.recordings import read
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis, Recording

pytestmark = pytest.mark.recordings

MOTOR = Motor(pole_pairs=2, supply_hz=60.0, rated_speed_rpm=1725.0)
HEALTHY = ("SC_HLT_001", "SC_HLT_002")
UNSCORED_S = 0.3
DETECTED = ("warning", "fault")


@dataclass(frozen=True, slots=True)
class Truth:
    name: str
    phase: str
    percent: int
    on_s: float
    off_s: float

    def label(self, start_s: float, end_s: float) -> str | None:
        """What a window holds: `10` to `40` percent, `off`, `healthy`, or None (not scored)."""
        if not self.percent:
            return "healthy"
        if start_s >= self.on_s + UNSCORED_S and end_s <= self.off_s - UNSCORED_S:
            return str(self.percent)
        if end_s <= self.on_s - UNSCORED_S or start_s >= self.off_s + UNSCORED_S:
            return "off"
        return None


@cache
def folder() -> Path:
    return recordings("itsc")


@cache
def truths() -> tuple[Truth, ...]:
    with (folder() / "labels.csv").open() as file:
        return tuple(
            Truth(
                row["recording"],
                row["faulted_phase"].lower(),
                int(row["shorted_turns_pct"]),
                float(row["fault_on_s_derived"] or "nan"),
                float(row["fault_off_s_derived"] or "nan"),
            )
            for row in csv.DictReader(file)
        )


@cache
def whole_recording(name: str) -> Recording:
    return read(folder() / f"{name}.csv")[0]


@cache
def baseline(name: str) -> Baseline:
    """The baseline of a recording: from the healthy ones, but never from itself."""
    return learn_baseline([whole_recording(h) for h in HEALTHY if h != name], MOTOR)


def windows(name: str, seconds: float) -> Iterator[tuple[float, Recording]]:
    x = whole_recording(name)
    length = round(seconds * x.fs_hz)
    for start in range(0, x.samples - length + 1, length // 2):
        cut = {c: y[start : start + length] for c, y in x.channels.items()}
        yield start / x.fs_hz, Recording(cut, x.fs_hz)


@cache
def scored_windows(
    seconds: float, *, with_baseline: bool
) -> tuple[tuple[Truth, str, Diagnosis], ...]:
    """Every scored window of every recording, with its truth and its diagnosis."""
    scored = []
    for truth in truths():
        cut = list(windows(truth.name, seconds))
        learnt = baseline(truth.name) if with_baseline else None
        diagnoses = diagnose_batch(
            [DiagnosisInput(x, MOTOR, learnt) for _, x in cut], ["turn_short"]
        )
        for (start_s, _), (diagnosis,) in zip(cut, diagnoses, strict=True):
            label = truth.label(start_s, start_s + seconds)
            if label is not None:
                scored.append((truth, label, diagnosis))
    return tuple(scored)


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_shorts_are_detected_while_they_are_on_and_only_then(seconds: float) -> None:
    states = Counter(
        (label, d.state) for _, label, d in scored_windows(seconds, with_baseline=True)
    )
    scored = Counter(label for _, label, _ in scored_windows(seconds, with_baseline=True))
    assert scored["healthy"] >= 18
    assert scored["off"] >= 30
    for label in ("healthy", "off"):
        assert states[label, "normal"] == scored[label], states
    for label in ("20", "30", "40"):
        assert states[label, "warning"] + states[label, "fault"] == scored[label] > 5, states
    ten = states["10", "warning"] + states["10", "fault"]
    assert ten >= 0.9 * scored["10"], states


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_the_phase_is_the_shorted_one(seconds: float) -> None:
    right = [
        d.indicators["phase"] == truth.phase
        for truth, _, d in scored_windows(seconds, with_baseline=True)
        if d.state in DETECTED
    ]
    assert np.mean(right) >= 0.95


def test_without_a_baseline_only_large_shorts_are_warnings() -> None:
    for _, label, d in scored_windows(1.0, with_baseline=False):
        if label in ("healthy", "off"):
            assert d.state == "unknown"
            assert d.code == "no_baseline"
        elif d.state in DETECTED:
            assert d.state == "warning"
            assert d.confidence <= 0.3


def test_a_short_within_a_recording_is_one_episode() -> None:
    for truth in truths():
        (diagnosis,) = diagnose(
            whole_recording(truth.name), MOTOR, faults=["turn_short"], baseline=baseline(truth.name)
        )
        episodes = [e for e in diagnosis.evidence if e["kind"] == "episode"]
        if not truth.percent:
            assert (diagnosis.state, episodes) == ("normal", [])
            continue
        assert diagnosis.state in DETECTED
        assert len(episodes) == 1
        assert abs(episodes[0]["t_start_s"] - truth.on_s) < 0.3, truth
        assert abs(episodes[0]["t_end_s"] - truth.off_s) < 0.3, truth
        assert diagnosis.indicators["phase"] == truth.phase
