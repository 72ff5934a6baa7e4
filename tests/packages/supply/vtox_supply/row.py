"""Whether the supply frequency is more than 5 % off that of the nameplate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Indicator,
    Stated,
    Verdicts,
    always,
    rule,
    stated,
    verdicts,
)
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser, SharedAnalysis
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS

MOST = 0.05  # of the rated frequency


@dataclass(frozen=True, slots=True)
class Evidence:
    """Columns of a batch."""

    problems: Stated
    f0_hz: Float64
    off: Float64


RULES = DecisionTable[Evidence](
    stated("problems"),
    rule("supply_unrated", lambda x: np.isnan(x.off)),
    rule("supply_off", lambda x: x.off > MOST, "f0_hz", state="warning"),
    rule("supply_as_rated", always, "f0_hz", state="normal"),
)


def diagnose(shared: SharedAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    """Return the verdicts on a batch."""
    analysis = shared.analysis
    rated_hz = np.array([m.supply_hz or np.nan for m in analysis.motors])
    x = Evidence(analysis.problems, analysis.f0_hz, np.abs(analysis.f0_hz / rated_hz - 1))
    decided = RULES.decide(x, len(rated_hz))
    return verdicts(
        "supply_frequency",
        RULES,
        x,
        decided,
        severity=0.5,
        confidence=1.0,
        statistic=x.off,
        threshold=MOST,
        indicators={"supply_frequency_off": Indicator(x.off, ~np.isnan(x.off))},
    )


ROW = Diagnoser(diagnose=diagnose, channels=CURRENTS)
