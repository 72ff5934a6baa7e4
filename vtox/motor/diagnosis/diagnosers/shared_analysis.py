"""The analysis of a batch that the diagnosers share, and the rows of their registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.diagnosers.decision import Verdicts
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VOLTAGES, Recording


@dataclass(frozen=True, slots=True)
class SharedAnalysis:
    """Analysis of a batch of one shape: the currents, and the slip if a fault needs it."""

    analysis: CurrentAnalysis
    slip: SlipAnalysis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnoser:
    """Functions that diagnose one fault, and the parts of the shared analysis that they need."""

    # The verdicts on a batch, each recording against its baseline if there is one.
    diagnose: Callable[[SharedAnalysis, Sequence[Baseline | None]], Verdicts]
    # The channels that it reads, if present.
    channels: tuple[str, ...] = (*CURRENTS, *VOLTAGES, *LINE_VOLTAGES)
    # Its features for a baseline (`vtox.motor.diagnosis.diagnosers.features`): name -> (batch,),
    # NaN if absent.
    features: Callable[[SharedAnalysis], dict[str, Float64]] | None = None
    needs_frames: bool = False
    needs_slip: Callable[[Sequence[Recording]], bool] = lambda _: False


def load_a(shared: SharedAnalysis) -> Float64:
    """Return the load of each recording, positive-sequence A rms; NaN without usable currents."""
    analysis = shared.analysis
    if not analysis.currents or not analysis.envelope.shape[-1]:
        return np.full(len(analysis.recordings), np.nan)
    usable = np.array([not p for p in analysis.problems])
    return np.where(usable, analysis.current_rms_a, np.nan)
