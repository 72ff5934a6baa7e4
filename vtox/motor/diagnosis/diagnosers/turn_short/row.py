"""The row of this fault in the registry of diagnosers."""

from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser
from vtox.motor.diagnosis.diagnosers.turn_short.diagnoser import diagnose

ROW = Diagnoser(
    diagnose=lambda shared, baselines: diagnose(shared.analysis, baselines),
    needs_frames=True,
)
