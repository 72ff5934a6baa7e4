"""Blows that no comb explains: a machine whose speed changes, cavitation, sparks.

Asked once neither a comb of the bearing nor a strong one elsewhere stands: a speed that changes
within the record smears the lines of a damaged bearing until none is left, but not its blows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Float32
from vtox.diagnosers.bearing.envelope_views import Look
from vtox.diagnosers.bearing.reasons import decibels
from vtox.domain import Value
from vtox.dsp import envelope_spectrum, envelope_variance

# Variance of an envelope that varies irregularly by half its mean. A sound machine that modulates
# its noise by 70 % once a turn comes so far if a changing speed smears its lines as well; gross
# damage under a changing speed comes to 0.2 to 1.1.
IRREGULAR = 0.25
# Turns of the shaft in a piece: a cage turns once in 2.5, so each holds blows of any defect.
PIECE_TURNS = 3
# In seven pieces, of which the outer two are not heard, single knocks leave the middle alone.
LEAST_PIECES = 7


@dataclass(frozen=True, slots=True)
class Irregular:
    """Blows without a pace, in words and as indicators."""

    words: str
    indicators: Mapping[str, Value]


def found(look: Look) -> Irregular | None:
    """Return that a band is impulsive all along the record and has no lines to show for it."""
    # All views, lines included: 8 us, and of most healthy machines nothing more is asked.
    total = envelope_variance.variance(look.power)
    if envelope_variance.beyond(total, 0).max() < IRREGULAR:
        return None
    bands = look.single_bands
    power, total = look.power[bands], total[bands]
    lines = envelope_variance.line_variance(power)
    whole = envelope_variance.beyond(total, lines)
    if whole.max() < IRREGULAR:
        return None
    variance = np.minimum(whole, envelope_variance.beyond(_local(look), lines))
    at = int(variance.argmax())
    if variance[at] < IRREGULAR:
        return None
    size = float(variance[at]) ** 0.5
    channel, low_hz, high_hz = look.place(int(bands[at]))
    return Irregular(
        f"impulsive, but not periodic at a steady speed: the envelope at {low_hz:.0f} to "
        f"{high_hz:.0f} Hz of {channel} varies irregularly by {size:.0%} of its mean, as it does "
        "with blows of a damaged bearing whose speed changes within the record, of cavitation or "
        "of sparks",
        {"irregular_modulation_db": round(decibels(size), 1)},
    )


def _local(look: Look) -> Float32:
    """Return the variance within pieces of some turns, by channel and band; none if too short."""
    bands, segments, _ = look.job.layout
    x = np.asarray([look.job.recording.channels[n] for n in look.channels])
    seen = envelope_spectrum.envelopes(
        x.astype(np.float32, copy=False), bands=bands, segments=segments
    )
    turns = seen.length / look.job.recording.fs_hz * look.job.speed.hz
    pieces = int(turns / PIECE_TURNS)
    if pieces < LEAST_PIECES:
        return np.zeros(len(x) * bands, np.float32)
    return envelope_variance.local_variance(seen, pieces).reshape(-1)
