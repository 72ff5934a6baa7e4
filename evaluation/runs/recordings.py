"""The diagnosers on real recordings: turn shorts, bearings, and a set without a waveform."""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation import peers
from evaluation.outcome import Outcome, outcome
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.faults import FAMILIES
from vtox.motor.files.recordings import read
from vtox.motor.files.units import STANDARD_GRAVITY
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Diagnosis, Motor, Recording, State
from vtox.motor.values.nameplate import read_motor

ROOT = Path(__file__).resolve().parents[2]
MARGIN_S = 0.3  # around a switching instant, whose label is good to 0.1 s
SLOT_S = 0.2
RECORD_S = FAMILIES["turn_short"].min_record_s
BEARING_S = FAMILIES["bearing"].min_record_s
DEFECT = {"inner_race": "BPFI", "outer_race": "BPFO", "ball": "BSF", "healthy": ""}
# Speeds at 0 to 3 hp where the recording does not give it (Case Western Reserve University).
NOMINAL_RPM = (1797.0, 1772.0, 1750.0, 1730.0)


@dataclass(frozen=True, slots=True)
class ShortRecording:
    """One turn-short recording; the short is on from `on_s` to `off_s`, empty when healthy."""

    name: str
    recording: Recording
    phase: str
    percent: float
    on_s: float
    off_s: float

    def instants(self) -> list[float]:
        """Return when the short was switched within the record."""
        return [t for t in (self.on_s, self.off_s) if 0 < t < self.recording.duration_s]

    def label(self, start_s: float, stop_s: float) -> bool | None:
        """Whether the short is on over the whole span; None too near a switching instant."""
        if any(start_s - MARGIN_S < t < stop_s + MARGIN_S for t in self.instants()):
            return None
        return self.on_s <= (start_s + stop_s) / 2 <= self.off_s


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds from a switching instant to the slot whose state follows it, NaN without one."""

    name: str
    percent: float
    onset_s: float
    clear_s: float


@dataclass(frozen=True, slots=True)
class ShortResults:
    """Results on the turn-short recordings, with and without a baseline."""

    windows: Mapping[str, list[Outcome]]  # of 1 s
    slots: Mapping[str, list[Outcome]]  # of 0.2 s
    delays: Mapping[str, list[Delay]]


def folder() -> Path | None:
    """Return the folder of recordings: VTOX_RECORDINGS, or `../shared/data` next to the clone."""
    named = os.environ.get("VTOX_RECORDINGS")
    path = Path(named) if named else ROOT.parent / "shared" / "data"
    return path if path.is_dir() else None


def bearing_motor() -> Motor:
    """Return the motor of the bearing recordings, with the orders of its SKF 6205-2RS."""
    return read_motor(ROOT / "docs" / "motors" / "cwru.toml")


def turn_short_results(where: Path, *, hop_s: float = 0.25) -> ShortResults | None:
    """Return the results on the turn-short recordings, None if there are none."""
    if not (where / "itsc" / "labels.csv").exists():
        return None
    found = _read_short_recordings(where / "itsc")
    motor = read_motor(ROOT / "docs" / "motors" / "itsc.toml")
    sound = [s for s in found if s.percent == 0]
    of_all = learn_baseline([s.recording for s in sound], motor)
    other = {
        s.name: learn_baseline([o.recording for o in sound if o is not s] or [s.recording], motor)
        for s in sound
    }
    baselines: dict[str, dict[str, Baseline | None]] = {
        "baseline": {s.name: other.get(s.name, of_all) for s in found},
        "no baseline": {s.name: None for s in found},
    }
    slots = {k: _slot_outcomes(found, motor, b) for k, b in baselines.items()}
    return ShortResults(
        {
            k: _window_outcomes(found, motor, b, k == "no baseline", hop_s)
            for k, b in baselines.items()
        },
        {k: answers for k, (answers, _) in slots.items()},
        {k: delays for k, (_, delays) in slots.items()},
    )


def bearing_outcomes(
    where: Path, *, pieces: int = 5, every: int = 1
) -> dict[str, list[Outcome]] | None:
    """Return the outcomes of the bearing recordings, whole and in records as on the stream."""
    labels = where / "cwru" / "labels.csv"
    if not labels.exists():
        return None
    motor = bearing_motor()
    rows = [
        row
        for k, row in enumerate(csv.DictReader(labels.open()))
        if k % every == 0 or row["fault"] == "healthy"
    ]
    whole = [_vibration(where / "cwru" / f"{r['recording']}.npz", r) for r in rows]
    short = f"{BEARING_S:g} s"
    found: dict[str, list[Outcome]] = {"10 s": [], short: []}
    for row, recording in zip(rows, whole, strict=True):
        cut = _cut_into_records(recording, pieces)
        answers = diagnose_batch([DiagnosisInput(r, motor) for r in (recording, *cut)], ["bearing"])
        for k, (r, d) in enumerate(zip((recording, *cut), answers, strict=True)):
            found[short if k else "10 s"].append(
                outcome(
                    d[0],
                    faulty=row["fault"] != "healthy",
                    # One bearing carried each defect; the load only changes.
                    machine=row["recording"].rpartition("_")[0],
                    tags=row | {"defect": DEFECT[row["fault"]]},
                    peers=peers.bearing(r, motor),
                )
            )
    return found


def repeated_sample_diagnoses(where: Path) -> list[tuple[str, list[Diagnosis]]] | None:
    """Return all diagnoses of the recordings whose samples are repeated."""
    files = sorted((where / "stuck").glob("*.npz"))
    motor = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1440.0)
    cases = [DiagnosisInput(_repeated_samples(f), motor) for f in files]
    return [(f.stem, d) for f, d in zip(files, diagnose_batch(cases), strict=True)] or None


def example_vibration(where: Path) -> tuple[Recording, Motor] | None:
    """Return one inner-race recording with its motor, for a picture."""
    path = where / "cwru" / "IR007_1.npz"
    if not path.exists():
        return None
    row = {"load_hp": "1"}
    return _vibration(path, row), bearing_motor()


def _read_short_recordings(where: Path) -> list[ShortRecording]:
    found = []
    for row in csv.DictReader((where / "labels.csv").open()):
        sound = row["fault"] == "healthy"
        found.append(
            ShortRecording(
                row["recording"],
                read(where / f"{row['recording']}.csv")[0],
                "" if sound else row["faulted_phase"],
                float(row["shorted_turns_pct"]),
                np.inf if sound else float(row["fault_on_s_derived"]),
                np.inf if sound else float(row["fault_off_s_derived"]),
            )
        )
    return found


def _window_outcomes(
    found: Sequence[ShortRecording],
    motor: Motor,
    baselines: Mapping[str, Baseline | None],
    with_peers: bool,
    hop_s: float,
) -> list[Outcome]:
    """Return outcomes of 1 s records every `hop_s`, without those near a switching instant."""
    outcomes = []
    for s in found:
        starts = np.arange(0, s.recording.duration_s - RECORD_S + 1e-9, hop_s)
        scored = [(t, on) for t in starts if (on := s.label(t, t + RECORD_S)) is not None]
        cut = [_cut(s.recording, t, t + RECORD_S) for t, _ in scored]
        questions = [DiagnosisInput(r, motor, baselines[s.name]) for r in cut]
        for (t, on), r, d in zip(
            scored, cut, diagnose_batch(questions, ["turn_short"]), strict=True
        ):
            tags = {"percent": s.percent, "phase": s.phase, "start_s": t}
            other = peers.turns(r, motor) if with_peers else {}
            outcomes.append(outcome(d[0], faulty=on, machine=s.name, tags=tags, peers=other))
    return outcomes


def _slot_outcomes(
    found: Sequence[ShortRecording], motor: Motor, baselines: Mapping[str, Baseline | None]
) -> tuple[list[Outcome], list[Delay]]:
    """Return outcomes of every 0.2 s by the episodes of consecutive 1 s records, and delays."""
    outcomes, delays = [], []
    for s in found:
        starts = np.arange(0, s.recording.duration_s - RECORD_S + 1e-9, RECORD_S)
        questions = [
            DiagnosisInput(_cut(s.recording, t, t + RECORD_S), motor, baselines[s.name])
            for t in starts
        ]
        flags: list[tuple[float, bool | None]] = []
        for start, (d,) in zip(starts, diagnose_batch(questions, ["turn_short"]), strict=True):
            for t in np.arange(0, RECORD_S - 1e-9, SLOT_S):
                flag = _slot_state(d, float(t))
                flags.append((float(start + t), flag))
                if (on := s.label(start + t, start + t + SLOT_S)) is not None:
                    state: State = "unknown" if flag is None else "fault" if flag else "normal"
                    slot = replace(d, state=state, confidence=0.0)
                    tags = {"percent": s.percent, "start_s": float(start + t)}
                    outcomes.append(outcome(slot, faulty=on, machine=s.name, tags=tags))
        if s.percent:
            delays.append(_delay(s, flags))
    return outcomes, delays


def _slot_state(d: Diagnosis, t: float) -> bool | None:
    """Return whether at least half of a slot lies in an episode; None for an abstention."""
    if d.state == "unknown":
        return None
    inside = [
        min(e["t_end_s"], t + SLOT_S) - max(e["t_start_s"], t)
        for e in d.evidence
        if e.get("kind") == "episode"
    ]
    return bool(sum(max(x, 0.0) for x in inside) >= SLOT_S / 2)


def _delay(s: ShortRecording, flags: Sequence[tuple[float, bool | None]]) -> Delay:
    """Return the seconds from each switching instant to the end of the slot that shows it."""
    on = [t + SLOT_S for t, f in flags if f and t + SLOT_S > s.on_s and t < s.off_s]
    off = [t + SLOT_S for t, f in flags if not f and t + SLOT_S > s.off_s]
    onset = on[0] - s.on_s if on and s.on_s > 0 else np.nan
    clear = off[0] - s.off_s if on and off else np.nan
    return Delay(s.name, s.percent, float(onset), float(clear))


def _cut(recording: Recording, start_s: float, stop_s: float) -> Recording:
    first, last = round(start_s * recording.fs_hz), round(stop_s * recording.fs_hz)
    return replace(recording, channels={n: x[first:last] for n, x in recording.channels.items()})


def _cut_into_records(recording: Recording, most: int) -> list[Recording]:
    whole = int(recording.duration_s / BEARING_S)
    return [_cut(recording, k * BEARING_S, (k + 1) * BEARING_S) for k in range(min(whole, most))]


def _vibration(path: Path, row: Mapping[str, str]) -> Recording:
    with np.load(path) as data:
        rpm = float(data["rpm"])
        return Recording(
            {"vibration": data["de_g"] * np.float32(STANDARD_GRAVITY)},
            float(data["fs_hz"]),
            speed_rpm=rpm if np.isfinite(rpm) else NOMINAL_RPM[int(row["load_hp"])],
        )


def _repeated_samples(path: Path) -> Recording:
    with np.load(path) as data:
        return Recording(
            dict(zip(CURRENTS, data["i"].T, strict=True)), float(data["fs_claimed_hz"])
        )
