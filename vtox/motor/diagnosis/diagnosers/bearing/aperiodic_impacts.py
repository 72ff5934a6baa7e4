"""Impacts that no comb explains: a machine whose speed changes, cavitation, sparks.

Tested if no comb is found: a speed that changes within the record smears the lines of a damaged
bearing until none is left, but not its impacts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.diagnosers.bearing.severity import decibels
from vtox.motor.diagnosis.dsp import envelope_spectrum, envelope_variance
from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import Reason, Value, reason

# Variance over the squared mean of an envelope that varies irregularly by half its mean.
# docs/calibration/bearing.md#aperiodic-impacts
MIN_VARIANCE = 0.25
# Shaft turns in a piece: a bearing cage turns once in 2.5, so each holds impacts of any defect.
PIECE_TURNS = 3
# Pieces of a record: of seven the outer two do not count, and single knocks leave the middle alone.
MIN_PIECES = 7


@dataclass(frozen=True, slots=True)
class AperiodicImpacts:
    """Impacts without a repetition rate, as a reason and as indicators."""

    reason: Reason
    indicators: Mapping[str, Value]


def find_aperiodic_impacts(views: EnvelopeViews) -> AperiodicImpacts | None:
    """Return the band whose envelope varies irregularly all along the record, if there is one."""
    # All views, lines included: most healthy machines need no more.
    highest = views.variance.max()
    if envelope_variance.irregular_variance(highest, 0) < MIN_VARIANCE:
        return None
    bands = views.single_bands
    power, total = views.power[bands], views.variance[bands]
    lines = envelope_variance.line_variance(power)
    whole = envelope_variance.irregular_variance(total, lines)
    if whole.max() < MIN_VARIANCE:
        return None
    local = envelope_variance.irregular_variance(_local_variance(views), lines)
    variance = np.minimum(whole, local)
    at = int(variance.argmax())
    if variance[at] < MIN_VARIANCE:
        return None
    modulation = float(variance[at]) ** 0.5
    channel, low_hz, high_hz = views.band(int(bands[at]))
    why = reason(
        "aperiodic_impacts",
        channel=channel,
        band_low_hz=low_hz,
        band_high_hz=high_hz,
        modulation=modulation,
    )
    return AperiodicImpacts(why, {"irregular_modulation_db": round(decibels(modulation), 1)})


def _local_variance(views: EnvelopeViews) -> Float32:
    """Return the variance within pieces of some turns, by channel and band; none if too short."""
    setup = views.setup
    bands, segments = views.bands, views.segments
    x = [setup.recording.channels[n] for n in views.channels]
    envelopes = envelope_spectrum.envelopes(x, bands=bands, segments=segments)
    turns = envelopes.length / setup.recording.fs_hz * setup.speed.hz
    pieces = int(turns / PIECE_TURNS)
    if pieces < MIN_PIECES:
        return np.zeros(len(x) * bands, np.float32)
    return envelope_variance.local_variance(envelopes, pieces).reshape(-1)
