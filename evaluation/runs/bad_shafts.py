"""The bearing diagnoser on the simulated vibration of bad shafts, bearings sound and damaged."""

from dataclasses import replace

import numpy as np

from evaluation.bad_shafts import TROUBLES, random_shaft, recording
from evaluation.outcome import Answers, Outcome, outcome
from evaluation.vibration import Shaft
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch

# Seeds of records that thresholds were set on, and of those that the page shows.
DESIGN, SHOWN = 1, 20_261_126
SOUND = "sound"
# Motion in the records of damaged races: none, elements that lag, a speed that swings.
DAMAGED = ("steady", "cage lags", "speed swings")
LAG = (0.015, 0.04)
SWING = 0.02
# Damage over the noise, RMS: 0 dB in its band and more. The shaft is not the worse of the two.
DAMAGE = (0.5, 5.0)
MAX_SIZE_BESIDE_DAMAGE = 1.0
BATCH = 16


def bad_shaft_answers(*, sound: int, damaged: int, seed: int = SHOWN) -> Answers:
    """Return the outcomes of this many records of each trouble, by the state of the bearing."""
    answers: Answers = {SOUND: _outcomes(SOUND, sound, seed)}
    for kind in DAMAGED:
        answers[kind] = _outcomes(kind, damaged, seed)
    return answers


def _outcomes(kind: str, records: int, seed: int) -> list[Outcome]:
    places = [(i, k) for i in range(len(TROUBLES)) for k in range(records)]
    outcomes = []
    for start in range(0, len(places), BATCH):
        cases = [_case(kind, *place, seed) for place in places[start : start + BATCH]]
        diagnoses = diagnose_batch([case for _, case in cases], ["bearing"])
        for (s, _), (d,) in zip(cases, diagnoses, strict=True):
            tags = {"trouble": s.trouble, "defect": s.defect, "lag": s.lag}
            outcomes.append(outcome(d, faulty=bool(s.defect), machine=s.trouble, tags=tags))
    return outcomes


def _case(kind: str, trouble: int, k: int, seed: int) -> tuple[Shaft, DiagnosisInput]:
    rng = np.random.default_rng([seed, trouble, k, (SOUND, *DAMAGED).index(kind)])
    s = random_shaft(rng, list(TROUBLES)[trouble])
    if kind != SOUND:
        damage = float(np.exp(rng.uniform(*np.log(DAMAGE))))
        s = replace(s, defect=("BPFO", "BPFI")[k % 2], damage=damage)
        s = replace(s, size=min(s.size, MAX_SIZE_BESIDE_DAMAGE))
    if kind == "cage lags":
        s = replace(s, lag=float(rng.uniform(*LAG)))
    if kind == "speed swings":
        s = replace(s, swing=SWING)
    return s, DiagnosisInput(recording(s, rng), s.motor)
