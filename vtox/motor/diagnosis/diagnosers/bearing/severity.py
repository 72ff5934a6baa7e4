"""Severity and confidence of a comb at a defect order, from its ratio and its modulation."""

from collections.abc import Mapping
from math import log10

from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE
from vtox.motor.diagnosis.dsp.surrogates import Finding

# Ratio of a comb to its threshold at which its name is as likely right as wrong. Slope of the
# confidence over the logarithm of the ratio. docs/calibration/bearing.md#confidence
EVEN_RATIO = 5.0
STEEPNESS = 1.2
# Lines at the bearing cage frequency alone may be those of another shaft.
MAX_BEARING_CAGE_CONFIDENCE = 0.4
# A comb of a race that comes with the bearing cage's, and modulates less than `SURE_MODULATION`, is
# as likely of a rolling element. docs/calibration/bearing.md#races-or-elements
RACES, MAX_ELEMENT_CONFIDENCE = ("BPFO", "BPFI"), 0.5
# `fault` needs this confidence, and an envelope modulated by this much: below, a comb of a long
# record may be the ball pass of a healthy bearing. Impacts at an order that no geometry names have
# this confidence at most: the part is unknown, and the bearing may be another.
FAULT_CONFIDENCE = 0.5
FAULT_MODULATION = 0.15
# A warning needs half of that. Below, the comb is reported, but no part is called damaged.
# docs/calibration/bearing.md#weak-combs
WARNING_MODULATION = 0.075
# A comb that is below both is decided by no record alone, only if it stays or grows. One at an
# order of no part must exceed the first: all orders are searched, not four.
# docs/calibration/bearing.md#combs-that-stay
SURE_RATIO = 2.0
SURE_MODULATION = 10 ** (-12 / 20)
# Impacts at an order that no geometry names are as those of damage from -11 dB on at three times
# their threshold. docs/calibration/bearing.md#impacts-without-geometry
IMPACTS_MODULATION, IMPACTS_RATIO = 10 ** (-11 / 20), 3.0
# In records of fewer segments, four independent ones, sound elements reach this much.
# docs/calibration/bearing.md#sound-elements-in-short-records
SHORT_WARNING_MODULATION = 0.1
LONG_SEGMENTS = 7
# Modulation of severity 0 and 1, dB; vibration does not show the size of the damage.
MILD_DB, SEVERE_DB = -30.0, 0.0


def decibels(modulation: float) -> float:
    """Return a modulation in dB."""
    return 20 * log10(max(modulation, 1e-6))


def severity(modulation: float) -> float:
    """Return the severity of a comb that modulates the envelope so much."""
    return round(min(1.0, max(0.0, (decibels(modulation) - MILD_DB) / (SEVERE_DB - MILD_DB))), 3)


def is_weak(
    modulation: float, whole_modulation: float, segments: int, deviation: float = 0.0
) -> bool:
    """Return whether sound elements may modulate a band, and the vibration as a whole, so much.

    If the order deviates from kinematics by more than slippage, it must be as in a fault.
    """
    if abs(deviation) > SLIPPAGE and modulation < FAULT_MODULATION:
        return True
    if segments >= LONG_SEGMENTS:
        return modulation < WARNING_MODULATION
    # A record too short for two segments shows the strength of a line only once, in the best of
    # some twenty bands. So the vibration as a whole must reach a warning, or that band four times
    # as much. docs/calibration/bearing.md#short-records
    if segments > 1 or modulation >= 4 * WARNING_MODULATION:
        return modulation < SHORT_WARNING_MODULATION
    return modulation < SHORT_WARNING_MODULATION or whole_modulation < WARNING_MODULATION


def confidence(findings: Mapping[str, Finding], defect: str, penalty: float) -> float:
    """Return the confidence in the name of the defect, or in none if none is found.

    Parameters
    ----------
    findings : mapping of Finding
        The best comb of each defect, by name.
    defect : str
        The leading one.
    penalty : float
        Factor of the ambiguities.
    """
    ratio = findings[defect].ratio
    if ratio < 1:
        return round(max(0.5, 1 - ratio / 2) * penalty, 3)
    own = float(1 / (1 + (EVEN_RATIO / ratio) ** STEEPNESS))
    rivals = [f.ratio for n, f in findings.items() if n not in (defect, "FTF")]
    rival = max((r for r in rivals if r >= 1), default=0.0)
    return min(0.95, own * (1 - 0.5 * min(1.0, rival / ratio)) * penalty)
