"""Why `turn_short` cannot decide, or decides with less than was measured, in words."""

from vtox.baseline import Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.turn_short import applicability


def unpaired(analysis: CurrentAnalysis, i: int) -> str:
    """Return why the voltages, which were measured, were not used."""
    problem = analysis.pairing_problems[i]
    return f"; {problem.sentence}" if problem else ""


def lacking(analysis: CurrentAnalysis, i: int, baseline: Baseline | None) -> str:
    """Return what a better judgement would need."""
    if baseline is None or baseline.asymmetry is None:
        return "no baseline"
    if not applicability.holds(baseline, analysis, i):
        hz = applicability.learnt_hz(baseline)
        known = f"learnt at {hz:.1f} Hz" if hz else "learn it anew"
        return f"no baseline at this frequency, {analysis.f0_hz[i]:.1f} Hz ({known})"
    return "no baseline at this load" if baseline.asymmetry.base_v is None else "no voltage"


def blind(basis: str, what: str, ratio: float, limit: float, *, rated: bool) -> str:
    """Return why a recording under its limit is not `normal`: the limit says too little."""
    if not basis.endswith("no baseline"):
        return f"limit too high: the baseline leaves {limit:.0%} of I1 open ({basis})"
    unrated = "" if rated else " at a load that is not known without the rated current"
    return (
        f"{what}: |I2|/I1 of {ratio:.1%} alone does not decide, supply and clamps may cause up to "
        f"{limit:.0%}{unrated}"
    )
