"""The diagnosers on recordings of other rigs: bearings (hit), misaligned driven shafts (ghent).

`ghent` is one phase current of a sound motor, the same second by two clamps. These decoys are
compared below the verdict, as single records are too short and of one phase. The test searches the
line of the driven shaft; the baseline is learnt from the aligned shaft.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.outcome import Outcome, outcome
from evaluation.runs.recordings import DEFECT, bearing_motor
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import MIN_EXCESS, SOUND_DBC
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.diagnosis.diagnosers.eccentricity import diagnoser as eccentricity
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.dsp import modulation_spectrum, sideband_test
from vtox.motor.values.baseline import Baseline, bands_of
from vtox.motor.values.domain import Motor, Recording

# The driven shaft turns at a set point; its line is searched within this share of it.
SHAFT_TOLERANCE = 0.1
CLAMPS = ("low", "high")


@dataclass(frozen=True, slots=True)
class ClampPair:
    """The results of two clamps for the same second; each pair is that of (low, high)."""

    name: str
    offset_mm: float
    shaft_hz: float
    line_hz: tuple[float, float]  # the strongest between 0.5 and 20 Hz from the supply line
    is_line: tuple[bool, bool]
    beyond_sound: tuple[bool, bool]  # the sideband test at the shaft's frequency
    states: tuple[str, str]  # of eccentricity, against a baseline learnt at 0 mm
    bin_hz: float


def hit_outcomes(where: Path) -> list[Outcome] | None:
    """Return the outcomes of the bearings of two rigs, None if there are none."""
    folder = where / "hit"
    if not (folder / "labels.csv").exists():
        return None
    motor = Motor(supply="inverter", bearing=bearing_motor().bearing)
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    questions = [DiagnosisInput(_hit(folder, row), motor) for row in rows]
    return [
        outcome(
            d[0],
            faulty=row["fault"] != "healthy",
            machine=row["recording"].rpartition("_")[0],  # one bearing at three speeds
            tags=row | {"defect": DEFECT[row["fault"]], "arc_deg": int(row["arc_deg"])},
        )
        for row, d in zip(rows, diagnose_batch(questions, ["bearing"]), strict=True)
    ]


def _hit(folder: Path, row: Mapping[str, str]) -> Recording:
    with np.load(folder / f"{row['recording']}.npz") as data:
        return Recording({"vibration": data["vibration"]}, float(data["fs_hz"]), float(row["rpm"]))


def ghent_pairs(where: Path) -> list[ClampPair] | None:
    """Return the results of both clamps for every second, None if there are no recordings."""
    folder = where / "ghent"
    if not (folder / "labels.csv").exists():
        return None
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    answers: dict[str, dict[str, tuple[float, bool, bool, str]]] = {}
    bin_hz = 1.0
    for shaft_rpm in sorted({row["shaft_rpm"] for row in rows}):
        for clamp in CLAMPS:
            some = [
                r for r in rows if r["shaft_rpm"] == shaft_rpm and r["recording"].endswith(clamp)
            ]
            found, bin_hz = _clamp_answers(folder, some, float(shaft_rpm) / 60)
            for row, answer in zip(some, found, strict=True):
                name = row["recording"].rpartition("_")[0]
                answers.setdefault(name, {})[clamp] = answer
    about = {row["recording"].rpartition("_")[0]: row for row in rows}
    return [_pair(name, about[name], [x[c] for c in CLAMPS], bin_hz) for name, x in answers.items()]


def _pair(
    name: str,
    row: Mapping[str, str],
    answers: Sequence[tuple[float, bool, bool, str]],
    bin_hz: float,
) -> ClampPair:
    (hz, line, beyond, state), (hz_2, line_2, beyond_2, state_2) = answers
    return ClampPair(
        name,
        float(row["offset_mm"]),
        float(row["shaft_rpm"]) / 60,
        (hz, hz_2),
        (line, line_2),
        (beyond, beyond_2),
        (state, state_2),
        bin_hz,
    )


def _clamp_answers(
    folder: Path, rows: Sequence[Mapping[str, str]], shaft_hz: float
) -> tuple[list[tuple[float, bool, bool, str]], float]:
    """Return line, whether it is one, the sideband test and the state, per recording of a clamp."""
    made = [_ghent(folder, row) for row in rows]
    analysis = front_end(made, [Motor()] * len(made))
    shaft = _searched_at(analysis, shaft_hz)
    m, n = shaft.modulation, len(made)
    widest = modulation_spectrum.strongest(m, np.full(n, 0.5), np.full(n, 20.0))
    line = modulation_spectrum.strongest(
        m,
        np.full(n, shaft_hz * (1 - SHAFT_TOLERANCE)),
        np.full(n, shaft_hz * (1 + SHAFT_TOLERANCE)),
    )
    am, pm = (np.take_along_axis(x, line.index[:, None], axis=1)[:, 0] for x in (m.am, m.pm))
    excess = sideband_test.excess(am, pm, line.am_floor, line.pm_floor, 10 ** (SOUND_DBC / 20))
    states = _eccentricity_states(analysis, shaft, [float(row["offset_mm"]) == 0 for row in rows])
    answers = zip(
        widest.hz.tolist(),
        (line.statistic > modulation_spectrum.MIN_OVER_FLOOR).tolist(),
        (excess > MIN_EXCESS).tolist(),
        states,
        strict=True,
    )
    return list(answers), m.bin_hz


def _eccentricity_states(
    analysis: CurrentAnalysis, shaft: SlipAnalysis, aligned: Sequence[bool]
) -> list[str]:
    """Return the states of eccentricity against a baseline of the aligned recordings."""
    features = eccentricity.features(analysis, slip_analysis=shaft)
    healthy = np.array(aligned)
    load_a = analysis.current_rms_a
    baseline = Baseline(
        bands=bands_of({n: x[healthy] for n, x in features.items()}, load_a[healthy])
    )
    answers = eccentricity.diagnose(analysis, [baseline] * len(aligned), slip_analysis=shaft)
    return [d.state if d.state != "unknown" else d.code for d in answers.diagnoses()]


def _searched_at(analysis: CurrentAnalysis, shaft_hz: float) -> SlipAnalysis:
    """Return the analysis as if a motor of 6 poles turned at the speed of the driven shaft."""
    pairs = 3
    slips = []
    for f0_hz in analysis.f0_hz:
        value = 1 - pairs * shaft_hz / float(f0_hz)
        half = SHAFT_TOLERANCE * pairs * shaft_hz / float(f0_hz)
        slips.append(Slip(value, half, "speed sensor"))
    found = analyse_slip(analysis)
    assert found is not None
    return replace(found, pole_pairs=(pairs,) * len(slips), slips=tuple(slips))


def _ghent(folder: Path, row: Mapping[str, str]) -> Recording:
    with np.load(folder / f"{row['recording']}.npz") as data:
        return Recording({"ia": data["ia"]}, float(data["fs_hz"]))
