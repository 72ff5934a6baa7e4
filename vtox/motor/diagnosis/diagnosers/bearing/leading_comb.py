"""The comb of the likeliest defect: measured first, decided then."""

from dataclasses import dataclass, replace

from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import (
    Ambiguities,
    ambiguities_of,
)
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import (
    EnvelopeViews,
    Harmonic,
    measure_comb,
)
from vtox.motor.diagnosis.diagnosers.bearing.load_sidebands import (
    has_load_sidebands,
    has_sidebands,
    lacks_load_sidebands,
)
from vtox.motor.diagnosis.diagnosers.bearing.other_shafts import other_shaft_is_louder
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE
from vtox.motor.diagnosis.diagnosers.bearing.severity import is_weak
from vtox.motor.diagnosis.dsp.surrogates import Finding


@dataclass(frozen=True, slots=True)
class LeadingComb:
    """The comb of the likeliest defect, above its threshold or not, and how it was observed."""

    defect: str
    finding: Finding
    ambiguities: Ambiguities
    # The rest is known of a comb above its threshold.
    harmonics: tuple[Harmonic, ...] = ()
    modulation: float = 0.0
    #: Sound elements may modulate the vibration so much.
    weak: bool = False
    #: It may be another shaft's: it lacks the sidebands that damage of its part would show.
    foreign: bool = False
    #: Shaft or bearing cage modulate it; asked only beyond slippage from its order.
    modulated: bool = False
    channel: str = ""
    band_low_hz: float = 0.0
    band_high_hz: float = 0.0
    #: Relative distance from the order of its defect, beyond the spread of makers.
    deviation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _CombMeasurement:
    """Measurements of a comb above its threshold, before any decision on it.

    `whole_modulation` is that of the vibration as a whole. `sidebands` of shaft or bearing cage are
    searched beyond slippage only. `louder_shaft` (another shaft, louder, turns next to ours) is
    searched only if sidebands decide nothing.
    """

    harmonics: tuple[Harmonic, ...]
    modulation: float
    whole_modulation: float
    deviation: float
    band: tuple[str, float, float]
    sidebands: bool
    load_sidebands: bool
    lacks_load_sidebands: bool
    louder_shaft: bool


def leading_comb(views: EnvelopeViews, search: CombSearch) -> LeadingComb | None:
    """Return the comb of the likeliest defect: first all is measured, then it is decided."""
    if not search.findings:
        return None
    defect = search.leading
    finding = search.findings[defect]
    ambiguities = ambiguities_of(views.setup, search.plan, defect, finding, search.speed)
    if finding.ratio < 1:
        return LeadingComb(defect, finding, ambiguities)
    m = _measure_comb(views, search, defect)
    channel, low_hz, high_hz = m.band
    return LeadingComb(
        defect,
        finding,
        ambiguities,
        harmonics=m.harmonics,
        modulation=m.modulation,
        weak=is_weak(m.modulation, m.whole_modulation, views.segments, m.deviation),
        foreign=_may_be_foreign(defect, m),
        modulated=m.sidebands,
        channel=channel,
        band_low_hz=low_hz,
        band_high_hz=high_hz,
        deviation=m.deviation,
    )


def _measure_comb(views: EnvelopeViews, search: CombSearch, defect: str) -> _CombMeasurement:
    finding, plan = search.findings[defect], search.plan
    harmonics, modulation = measure_comb(plan, finding, views)
    deviation = views.setup.deviation(finding.order, defect)
    beyond_slippage = abs(deviation) > SLIPPAGE
    band = views.band(finding.view)
    of_load = has_load_sidebands(plan, finding, views, defect)
    other_part = not of_load and defect != "BPFI"
    lacking = other_part and lacks_load_sidebands(plan, finding, views, defect)
    doubtful = defect == "BSF" or (defect == "BPFO" and beyond_slippage)
    asked = other_part and doubtful and not lacking
    return _CombMeasurement(
        harmonics=harmonics,
        modulation=modulation,
        whole_modulation=max(
            measure_comb(plan, replace(finding, view=view), views)[1]
            for view in views.whole_views.tolist()
        ),
        deviation=deviation,
        band=band,
        sidebands=beyond_slippage and has_sidebands(plan, finding, views),
        load_sidebands=of_load,
        lacks_load_sidebands=lacking,
        louder_shaft=asked and other_shaft_is_louder(views.setup, search.speed, band[0]),
    )


def _may_be_foreign(defect: str, m: _CombMeasurement) -> bool:
    """Return whether a comb lacks the sidebands of a damaged part, and another shaft may make it.

    An inner race turns through the load with the shaft, and always shows them. Sidebands of an
    element may be too weak for a short record, and an outer race needs none. If a louder shaft
    turns next to ours, an element must show them, and an outer race be at its order.
    """
    if defect == "BPFI":
        return not m.load_sidebands
    return not m.load_sidebands and (m.lacks_load_sidebands or m.louder_shaft)
