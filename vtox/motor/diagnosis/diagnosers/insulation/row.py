"""The row of this fault in the registry of diagnosers."""

from vtox.motor.diagnosis.diagnosers.insulation import admittance
from vtox.motor.diagnosis.diagnosers.insulation.diagnoser import diagnose
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VOLTAGES

ROW = Diagnoser(
    diagnose=lambda shared, baselines: diagnose(shared.analysis, baselines),
    channels=(*CURRENTS, *VOLTAGES, *LINE_VOLTAGES, "leakage"),
    features=lambda shared: admittance.features(shared.analysis),
)
