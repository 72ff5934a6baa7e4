"""What else a comb at a defect order may be: lines of the shaft, of the supply, or a guessed speed.

Asked once combs were judged by surrogates, before they become words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vtox.arrays import Float32
from vtox.diagnosers.bearing.reasons import FAULT_CONFIDENCE, PLACES
from vtox.diagnosers.bearing.search_setup import CAGE_TURNS, Job
from vtox.diagnosers.bearing.shaft_speed import Speed
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding

# A search wider than slip alone by this much is one among lines of a shaft of guessed speed.
WIDE = 0.01
LARGEST_SLIP = 0.1


@dataclass(frozen=True, slots=True)
class Doubts:
    """What to say beside the verdict, and the factor on its confidence."""

    notes: tuple[str, ...]
    factor: float


def doubts(job: Job, plan: Plan, name: str, found: Finding, speed: Speed) -> Doubts:
    """Return the doubts about the comb named."""
    notes, factor = [], 1.0
    close = [n for n, o in job.orders.items() if plan.hides(o)]
    if close:
        listed = ", ".join(f"{n} ({job.orders[n]:.3f})" for n in close)
        notes.append(f"{listed} may hide behind lines of the shaft or the supply")
    # Fans, pumps and couplings strike at multiples of shaft speed: a comb that the speed does not
    # tell from them is a warning at most.
    if found.ratio >= 1 and _whole(found.order, plan, speed):
        notes.append(f"blows {round(found.order)} times a turn, of blades or a coupling, fit too")
        factor *= FAULT_CONFIDENCE
    if speed.tolerance > WIDE:
        notes.append(f"speed known to {speed.tolerance:.1%} only, so the search is wide")
        factor *= 0.8
    pairs = job.motor.pole_pairs
    if pairs and not job.mains_hz and 1 <= job.orders[name] / (2 * pairs) < 1 + LARGEST_SLIP:
        notes.append("twice the supply frequency, not known here, may lie there too")
        factor *= 0.6
    bearing = job.motor.bearing
    if bearing and "FTF" in bearing.defect_orders and "FTF" not in job.orders:
        notes.append(f"cage not judged below {CAGE_TURNS} turns")
    return Doubts(tuple(notes), factor)


def of_shaft(findings: Mapping[str, Finding], plan: Plan, speed: Speed) -> list[str]:
    """Return the targets whose comb is found, and is the shaft's if the speed errs so much."""
    return [n for n, f in findings.items() if f.ratio >= 1 and _whole(f.order, plan, speed)]


def hidden(job: Job, plan: Plan, lines: Float32, speed: Speed) -> str:
    """Return in words which damage may stand behind lines that are left out, if lines stand there.

    `lines` (views, bins) over their floor; all three harmonics count, in one view.
    """
    behind = []
    for name, order in job.orders.items():
        place = plan.hidden[name]
        if not place.size:
            continue
        found = lines.take(place, axis=1, mode="clip") > plan.single
        if found.all(axis=1).any():
            behind.append(f"{PLACES[name]} ({name}, {order:.3f} times a turn)")
    if not behind:
        return ""
    return (
        f"not told apart: at {speed.rpm:.0f} rpm ({speed.source}) lines stand where damage of the "
        f"{' or '.join(behind)} would, and where shaft or supply may have theirs"
    )


def not_told(findings: Mapping[str, Finding], speed: Speed, other: Speed) -> str:
    """Return in words that combs are those of the bearing at one speed, of the shaft at another.

    Empty if nothing is found.
    """
    above = {n: f.order for n, f in findings.items() if f.ratio >= 1}
    if not above:
        return ""
    bearing = " or ".join(
        f"damage of the {PLACES[n]} ({n}, {order:.3f} times a turn)" for n, order in above.items()
    )
    whole = sorted({max(1, round(order * speed.hz / other.hz)) for order in above.values()})
    blows = " or ".join(str(n) for n in whole)
    return (
        f"not told apart: {bearing} at {speed.rpm:.0f} rpm ({speed.source}), or blows {blows} "
        f"times a turn, of blades or a coupling, at {other.rpm:.0f} rpm (shaft lines)"
    )


def _whole(order: float, plan: Plan, speed: Speed) -> bool:
    """Return whether an order may be a multiple of the shaft's, as well as comb and speed tell."""
    whole = max(1, round(order))
    return abs(order - whole) <= whole * speed.tolerance + plan.order(1)
