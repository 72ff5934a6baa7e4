"""The row of this fault in the registry of diagnosers."""

from vtox.motor.diagnosis.diagnosers.eccentricity.diagnoser import diagnose, features
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser

ROW = Diagnoser(
    diagnose=lambda shared, baselines: diagnose(
        shared.analysis, baselines, slip_analysis=shared.slip
    ),
    features=lambda shared: features(shared.analysis, slip_analysis=shared.slip),
    needs_slip=lambda _: True,
)
