"""The study of the recordings of other rigs, as tables and goals."""

from collections import Counter
from collections.abc import Callable, Sequence

from evaluation.metrics import Rate
from evaluation.outcome import Goal, Outcome, Study, Table, alarms
from evaluation.runs.other_rigs import ClampPair

# Arcs of a defect that the goal is about; the smallest may show nothing.
CLEAR_ARCS = (5, 8)


def other_rig_study(bearings: Sequence[Outcome] | None, pairs: Sequence[ClampPair] | None) -> Study:
    """Return the results on the recordings, and whether two clamps get the same answer."""
    text = (
        "`hit`: two rigs of the Harbin Institute of Technology, 6205 bearings at 600 to 1,200 rpm "
        "(Wang et al. 2022, MST 33:105109); one bearing is recorded at three speeds. `ghent`: one "
        "phase current of a sound motor that drives a misaligned shaft, the same second by two "
        "clamps (University of Ghent): decoys, compared below the verdict, as one phase and 1 s "
        "decide nothing. Eccentricity is compared with a baseline of the aligned shaft, learnt by "
        "the same clamp."
    )
    tables: tuple[Table, ...] = ()
    goals: tuple[Goal, ...] = ()
    if bearings is not None:
        tables += (_bearing_table(bearings),)
        goals += _bearing_goals(bearings)
    if pairs is not None:
        tables += (_clamp_table(pairs),)
        goals += (_clamp_goal(pairs),)
    return Study("Recordings of other rigs", text, tables, goals)


def _bearing_table(outcomes: Sequence[Outcome]) -> Table:
    rows = []
    for rig in dict.fromkeys(o.tags["rig"] for o in outcomes):
        for fault, arc in dict.fromkeys((o.tags["fault"], o.tags["arc_deg"]) for o in outcomes):
            some = [
                o
                for o in outcomes
                if (o.tags["rig"], o.tags["fault"], o.tags["arc_deg"]) == (rig, fault, arc)
            ]
            named = sum(o.indicators.get("defect") == o.tags["defect"] for o in some if o.alarm)
            bearings = len({o.machine for o in some})
            codes = ", ".join(sorted({o.code for o in some}))
            rows.append(
                (rig, f"{fault}, {arc} deg", str(bearings), str(alarms(some)), str(named), codes)
            )
    columns = ("rig", "bearing", "bearings", "recordings alarmed", "rightly named", "codes")
    return Table("Bearings of two rigs", columns, tuple(rows), detail=True)


def _bearing_goals(outcomes: Sequence[Outcome]) -> tuple[Goal, ...]:
    sound = alarms([o for o in outcomes if not o.faulty])
    clear = [o for o in outcomes if o.tags["arc_deg"] in CLEAR_ARCS]
    named = Rate(sum(o.indicators.get("defect") == o.tags["defect"] for o in clear), len(clear))
    return (
        Goal("sound bearings of `hit`", "<= 5 % of recordings", str(sound), sound.at_most(0.05)),
        Goal("races of `hit`, 5 and 8 degrees", "all rightly named", str(named), named.at_least(1)),
    )


def _same(pairs: Sequence[ClampPair], same: Callable[[ClampPair], bool]) -> Rate:
    return Rate(sum(map(same, pairs)), len(pairs))


def _clamp_table(pairs: Sequence[ClampPair]) -> Table:
    rows = []
    for hz in sorted({p.shaft_hz for p in pairs}):
        some = [p for p in pairs if p.shaft_hz == hz]
        states = Counter(s for p in some for s in p.states)
        rows.append(
            (
                f"{hz:.1f} Hz",
                str(_same(some, _same_line)),
                str(_same(some, lambda p: p.is_line[0] == p.is_line[1])),
                str(_same(some, lambda p: p.beyond_sound[0] == p.beyond_sound[1])),
                f"{sum(sum(p.beyond_sound) for p in some)} of {2 * len(some)}",
                str(_same(some, lambda p: p.states[0] == p.states[1])),
                ", ".join(f"{state} {n}" for state, n in states.most_common()),
            )
        )
    columns = (
        "driven shaft",
        "strongest line within 20 Hz: same, to a bin",
        "a line at the shaft: same",
        "sideband test: same",
        "beyond a sound cage, were it 2sf",
        "eccentricity: same",
        "states",
    )
    return Table("Two clamps, one current", columns, tuple(rows))


def _same_line(p: ClampPair) -> bool:
    return abs(p.line_hz[0] - p.line_hz[1]) <= p.bin_hz


def _clamp_goal(pairs: Sequence[ClampPair]) -> Goal:
    same = _same(pairs, lambda p: p.states[0] == p.states[1])
    faults = sum(s == "fault" for p in pairs for s in p.states)
    return Goal(
        "eccentricity by two clamps, driven shaft misaligned",
        "the same answer; no fault",
        f"{same}; faults {faults}",
        same.at_least(1) is True and faults == 0,
    )
