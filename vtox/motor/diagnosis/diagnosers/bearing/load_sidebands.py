"""Test of a comb for the sidebands that load gives the part that it is named for.

A damaged inner race turns through the load zone once a turn of the shaft, a damaged element once a
turn of the bearing cage. Their impacts swell and fade, and sidebands appear next to the lines
(Randall & Antoni 2011, section 2.2). Impacts of another machine that come as often have none at
these distances.
"""

from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, HARMONICS, SHAFT, Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import TINY

# Power of sidebands over that of their lines below which no load modulates the impacts: that of a
# depth of 7 %. docs/calibration/bearing.md#load-sidebands
MIN_SIDEBAND_SHARE = 0.07**2 / 2


def lacks_load_sidebands(plan: Plan, finding: Finding, views: EnvelopeViews, defect: str) -> bool:
    """Return whether a comb is modulated by less than load modulates the impacts of its part.

    The margin is twice the scatter of the noise, so only a comb far above it can lack sidebands.
    """
    shares = _sideband_shares(plan, finding, views, defect)
    return shares is not None and shares[1] < MIN_SIDEBAND_SHARE


def has_load_sidebands(plan: Plan, finding: Finding, views: EnvelopeViews, defect: str) -> bool:
    """Return whether load certainly modulates a comb as it does the impacts of its part."""
    shares = _sideband_shares(plan, finding, views, defect)
    return shares is not None and shares[0] >= MIN_SIDEBAND_SHARE


def has_sidebands(plan: Plan, finding: Finding, views: EnvelopeViews) -> bool:
    """Return whether shaft or bearing cage certainly modulate a comb of any part."""
    both = (_sideband_shares(plan, finding, views, kind=kind) for kind in (SHAFT, BEARING_CAGE))
    return any(shares is not None and shares[0] >= MIN_SIDEBAND_SHARE for shares in both)


def _sideband_shares(
    plan: Plan, finding: Finding, views: EnvelopeViews, defect: str = "", kind: str = ""
) -> tuple[float, float] | None:
    """Return the power of the sidebands over that of their lines, at least and at most.

    `kind` is by default that of the defect.
    """
    # The impacts of the outer race need no modulation.
    kind = kind or {"BPFI": SHAFT, "BSF": BEARING_CAGE}.get(defect, "")
    shift = plan.shifts.get(kind, 0)
    if not shift:
        return None
    bins = comb_plan.comb_bins(np.array([finding.number]), shift)[:, 0]
    power = views.power[finding.view].take(bins, mode="clip")
    noise = power / np.maximum(views.lines[finding.view].take(bins, mode="clip"), TINY)
    over = power - noise
    scatter = 2 * float(np.linalg.norm(noise[HARMONICS:])) / sqrt(views.n_averages)
    sidebands, lines = float(over[HARMONICS:].sum()), max(float(over[:HARMONICS].sum()), 1e-12)
    return (sidebands - scatter) / lines, (sidebands + scatter) / lines
