"""The search of a bearing's combs in the envelope views of records, each at its speed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import WIDE_TOLERANCE
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE, SearchSetup
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.diagnosers.bearing.smeared_lines import with_spread_power
from vtox.motor.diagnosis.diagnosers.bearing.unassigned_comb import with_impacts
from vtox.motor.diagnosis.dsp import comb, comb_plan, surrogates
from vtox.motor.diagnosis.dsp.comb_plan import Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Float32


@dataclass(frozen=True, slots=True)
class CombSearch:
    """Result of the search of one record at a speed."""

    speed: Speed
    plan: Plan
    #: Line levels from `comb.masked_lines`, shape (bins + 1, views + 1).
    rows: Float32
    #: The best comb of each defect; empty if the bearing is unknown.
    findings: Mapping[str, Finding]
    #: Tests of other findings that are needed, by the highest lines of all views.
    may_be_masked: bool = False
    may_hold_impacts: bool = False
    may_be_smeared: bool = False
    #: Those above their threshold.
    detected: tuple[Finding, ...] = field(init=False)

    def __post_init__(self) -> None:
        detected = tuple(f for f in self.findings.values() if f.ratio >= 1)
        object.__setattr__(self, "detected", detected)

    @property
    def only_bearing_cage(self) -> bool:
        """Whether the bearing cage's is the only comb found."""
        return self.detected == (self.findings.get("FTF"),)

    @property
    def leading(self) -> str:
        """The likeliest defect, whether or not its comb is above its threshold.

        Lines at the bearing cage frequency accompany damage of other parts, as elements pass the
        load zone once a turn of the bearing cage (Randall & Antoni 2011, section 2): FTF leads
        only if nothing else is found.
        """
        ratios = {n: f.ratio for n, f in self.findings.items()}
        others = [n for n, r in ratios.items() if n != "FTF" and r >= 1]
        return max(others or ratios, key=ratios.__getitem__)


def search_combs(views: Sequence[EnvelopeViews], speeds: Iterable[Speed]) -> list[CombSearch]:
    """Return the search results of records of one layout, each at its speed."""
    if not views:
        return []
    at = list(speeds)
    plans = [_plan(v, speed) for v, speed in zip(views, at, strict=True)]
    rows = comb.masked_lines([v.lines for v in views], plans)
    levels = comb.candidate_levels(rows, plans)
    factors = [_factor(v.setup, speed) for v, speed in zip(views, at, strict=True)]
    best = surrogates.best_combs(levels, plans, factors)
    stops = accumulate(p.masked.size for p in plans)
    each = zip(views, plans, rows, best, factors, stops, strict=True)
    findings = [
        _findings(own, plan, found, factor, levels[:, stop - plan.masked.size : stop])
        if v.setup.orders
        else {}
        for v, plan, own, found, factor, stop in each
    ]
    highest = np.concatenate([v.highest for v in views]).reshape(len(views), -1)
    masked, impacts = _with_masked_lines(highest, plans), with_impacts(highest, plans)
    smeared = with_spread_power(views, plans)
    return [
        CombSearch(speed, plan, own, found, k in masked, k in impacts, k in smeared)
        for k, (speed, plan, own, found) in enumerate(zip(at, plans, rows, findings, strict=True))
    ]


def _with_masked_lines(highest: Float32, plans: Sequence[Plan]) -> set[int]:
    """Return in which records the highest lines of all views make a comb at masked orders."""
    bins, of_record = comb.bins_of_records([p.masked_bins for p in plans], highest.shape[1])
    high = highest.take(bins) > plans[0].line_cap
    return set(of_record[np.logical_and.reduce(high)].tolist())


def _factor(setup: SearchSetup, speed: Speed) -> float:
    """Return the factor by which thresholds are raised."""
    # A wide search, or one of few turns, finds more by chance.
    # docs/calibration/bearing.md#wide-searches
    wide = speed.tolerance + setup.order_tolerance > WIDE_TOLERANCE
    return 1.25 if wide or setup.turns < 20 else 1.0


def _plan(views: EnvelopeViews, speed: Speed) -> Plan:
    setup = views.setup
    # Rounded, so that records share plans: the 16th multiple is off by less than half a bin.
    step_hz = views.df_hz / 40
    return comb_plan.make_plan(
        setup.targets,
        bins=views.lines.shape[1],
        df_hz=views.df_hz,
        n_averages=views.n_averages,
        shaft_hz=step_hz * round(speed.hz / step_hz),
        bearing_cage_order=setup.bearing_cage_order,
        tolerance=round(SLIPPAGE + setup.order_tolerance + speed.tolerance, 4),
        shaft_tolerance=round(speed.tolerance, 4),
        mains_hz=tuple(step_hz * round(f / step_hz) for f in setup.mains_hz),
        channels=len(views.channels),
    )


def _findings(
    rows: Float32, plan: Plan, best: Mapping[str, Finding], factor: float, levels: Float32
) -> dict[str, Finding]:
    """Return the best comb of each defect; thresholds by surrogates if it is above chance."""
    findings = dict(best)
    for t in plan.targets:
        if best[t.name].level >= 1:
            found = surrogates.compare_with_surrogates(
                rows, plan, t, levels[:, plan.spans[t.name], :-1]
            )
            findings[t.name] = replace(found, threshold=factor * found.threshold)
    return findings
