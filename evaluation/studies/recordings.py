"""The studies on real recordings, as tables and goals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evaluation import metrics, peers, tables
from evaluation.metrics import Rate
from evaluation.outcome import Goal, Outcome, Study, Table, alarms, scores, shorten
from evaluation.runs.recordings import Delay, ShortResults
from vtox.motor.faults import FAULTS
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Diagnosis

RACES = ("inner_race", "outer_race")


def turn_short_study(s: ShortResults) -> Study:
    """Return the detection of the turn shorts."""
    best = s.windows["baseline"]
    on = [o for o in best if o.faulty]
    big = [o for o in on if o.tags["percent"] >= 20]
    small = [o for o in on if o.tags["percent"] == 10]
    off = [o for o in best if not o.faulty]
    off += [o for o in s.slots["baseline"] if not o.faulty]
    phase = _phase_rate([o for o in on if o.alarm])
    onset = np.array([d.onset_s for d in s.delays["baseline"]])
    clear = np.array([d.clear_s for d in s.delays["baseline"]])
    slow = float(np.nanmax(np.concatenate([onset, clear])))
    text = (
        "26 recordings of one motor (Baldor CM3542, no load, currents only); one motor proves no "
        "generality. Records are of 1 s, one every 0.25 s, and slots of 0.2 s inside them; a "
        "record with a switching instant within 0.3 s is not scored.\n\nA `baseline` is learnt "
        "from both healthy recordings, for each healthy one from the other. Overlapping records "
        "are not independent: intervals are too narrow. Delays run from the labelled instant "
        "(good to 0.1 s) to the end of the slot."
    )
    return Study(
        "Turn shorts, recorded",
        text,
        (
            _size_table("1 s records", s.windows),
            replace(_size_table("0.2 s slots", s.slots), detail=True),
            _delay_table(s.delays),
            tables.peer_table(
                "Other packages on the same 1 s records",
                s.windows["no baseline"],
                peers.TURNS,
                "Speed was not measured; the motor ran without load, at less slip than the "
                "nameplate's. Verdicts on records that a package calls unreliable itself are "
                "counted. None of the others takes a baseline; VTOX with one is above.",
                "VTOX, no baseline",
            ),
        ),
        (
            Goal("shorts of 20 % and more", "every recording", *_rate_of_recordings(big, 1.0)),
            Goal("shorts of 10 %", ">= 90 % of recordings", *_rate_of_recordings(small, 0.9)),
            Goal(
                "outside, and healthy",
                "no alarm",
                str(alarms(off)),
                alarms(off).at_most(0),
            ),
            Goal("phase of recorded shorts", ">= 95 %", str(phase), phase.at_least(0.95)),
            Goal("state follows a switching", "within 0.5 s", f"slowest {slow:.2f} s", slow <= 0.5),
        ),
    )


def _rate_of_recordings(found: Sequence[Outcome], share: float) -> tuple[str, bool | None]:
    """Count a recording as found when every scored record while the short is on says so."""
    names = sorted({o.machine for o in found})
    hits = sum(all(o.alarm for o in found if o.machine == n) for n in names)
    rate = Rate(hits, len(names))
    return str(rate), rate.at_least(share)


def _phase_rate(found: Sequence[Outcome]) -> Rate:
    return Rate(
        sum(str(o.indicators.get("phase")).upper() == o.tags["phase"] for o in found), len(found)
    )


def _size_table(title: str, answers: Mapping[str, list[Outcome]]) -> Table:
    """Return detection by size; sizes without an error or an abstention in one row."""
    rows = []
    for known, found in answers.items():
        sizes = sorted({o.tags["percent"] for o in found})
        some = {p: [o for o in found if o.tags["percent"] == p] for p in sizes}
        fine = [p for p in sizes if all(_is_right(o) for o in some[p])]
        rows += [_size_row(known, f"{p:g} %", some[p]) for p in sizes if p not in fine]
        if fine:
            name = ("each of " if len(fine) > 1 else "") + f"{', '.join(f'{p:g}' for p in fine)} %"
            rows.append(_size_row(known, name, [o for p in fine for o in some[p]]))
    columns = ("known", "turns shorted", "found while on", "alarms while off", "abstained", "phase")
    return Table(title, columns, tuple(rows))


def _is_right(o: Outcome) -> bool:
    return o.alarm == o.faulty and (
        not o.faulty or "phase" not in o.tags or _phase_rate([o]).hits == 1
    )


def _size_row(known: str, name: str, some: Sequence[Outcome]) -> tuple[str, ...]:
    on, off = [o for o in some if o.faulty], [o for o in some if not o.faulty]
    named = [o for o in on if o.alarm and "phase" in o.tags]
    return (
        known,
        name,
        str(alarms(on)) if on else "",
        str(alarms(off)),
        str(sum(o.alarm is None for o in some)),
        str(_phase_rate(named)) if named else "",
    )


def _delay_table(delays: Mapping[str, list[Delay]]) -> Table:
    rows = []
    for known, found in delays.items():
        for what in ("onset", "clear"):
            t = np.array([getattr(d, f"{what}_s") for d in found])
            finite = t[np.isfinite(t)]
            if len(finite):
                text = f"{np.median(finite):.2f} / {finite.max():.2f} s"
                rows.append((known, what, f"{len(finite)} of {len(t)}", text))
    note = "Not all instants lie within a recording: two never clear, one begins shorted."
    return Table("Delays", ("known", "instant", "observed", "median / largest"), tuple(rows), note)


def bearing_study(found: Mapping[str, list[Outcome]]) -> Study:
    """Return the bearing defects that are named."""
    whole = found["10 s"]
    races = [o for o in whole if o.tags["fault"] in RACES]
    right = [_is_named(o) for o in races]
    first = sum(_is_nearest(o) for o in races)
    weak = sum(
        o.state == "unknown" and o.code == "weak_defect_lines" and _is_nearest(o) for o in races
    )
    sound = [o for o in whole if not o.faulty]
    balls = [o for o in whole if o.tags["fault"] == "ball"]
    wrong = sum(
        o.state == "fault"
        and o.indicators.get("defect") in ("BPFI", "BPFO")
        and o.confidence >= 0.5
        for o in balls
    )
    areas = [_auc_by_bearing(whole, f) for f in ("inner_race", "outer_race", "ball")]
    each = ", ".join(f"{a:.3f}" for a in areas)
    text = (
        "62 recordings of drive-end vibration of one rig; each defect is another bearing. Named "
        "right means: the `defect` of the diagnosis is that of the label; for the others, what "
        "they call the likeliest. predictive-maintenance-mcp grades the strength of a defect in "
        "four steps and breaks ties by the order it is asked in: its own is outer race, inner "
        "race, ball, cage; the other order is shown next to it.\n\nmcp-server-mcsa gives bearings "
        "a level in the current and no verdict, statorscope none: not compared. Some labelled "
        "defects are known to show no clean line (balls, outer race 0.014 in: Smith & Randall "
        "2015, MSSP 64-65:100)."
    )
    return Study(
        "Bearings, recorded",
        text,
        (
            *(_naming_table(f"{length} records", o) for length, o in found.items()),
            _missed_races_table(races),
            tables.detection_table("All records", found),
            tables.ranking_table("Healthy against defect, by the statistic", found),
        ),
        (
            Goal(
                "race named first",
                ">= 38 of 44",
                f"{sum(right)} of {len(right)} named in an alarm; {sum(right) + weak} with combs "
                f"too weak for one record, that count if they stay; {first} with the nearest "
                "where nothing was found",
                sum(right) + weak >= 38,
            ),
            Goal("healthy bearings", "no alarm", str(alarms(sound)), alarms(sound).at_most(0)),
            Goal(
                "balls not called a race with confidence",
                "none",
                f"{wrong} of {len(balls)}",
                wrong == 0,
            ),
            Goal(
                "macro-AUROC by bearing",
                ">= 0.88",
                f"{np.mean(areas):.3f} (inner, outer, ball: {each})",
                bool(np.mean(areas) >= 0.88),
            ),
        ),
    )


def _is_named(o: Outcome) -> bool:
    return bool(o.indicators.get("defect") == o.tags["defect"])


def _is_nearest(o: Outcome) -> bool:
    return bool(o.indicators.get("defect", o.indicators.get("leading")) == o.tags["defect"])


def _auc_by_bearing(found: Sequence[Outcome], fault: str) -> float:
    """Area for one defect against the healthy records, each bearing counted once.

    Abstentions score zero.
    """
    by: dict[str, list[float]] = {}
    for o in found:
        if o.tags["fault"] == fault:
            by.setdefault(o.machine, []).append(o.score if np.isfinite(o.score) else 0.0)
    sound = [o.score if np.isfinite(o.score) else 0.0 for o in found if not o.faulty]
    return float(np.mean([metrics.auc(np.array(sound), np.array(x)) for x in by.values()]))


def _naming_table(title: str, found: Sequence[Outcome]) -> Table:
    rows = []
    packages = ("VTOX", *peers.BEARING)
    versions = peers.versions()
    for fault in ("inner_race", "outer_race", "ball", "healthy"):
        some = [o for o in found if o.tags["fault"] == fault]
        cells = []
        for name in packages:
            if versions.get(name.partition(",")[0], "") is None:
                cells.append("not installed")
            elif fault == "healthy":
                alarm = [o.alarm if name == "VTOX" else o.peers[name] != "no" for o in some]
                cells.append(f"alarm {Rate(sum(bool(a) for a in alarm), len(alarm))}")
            elif name == "VTOX":
                cells.append(str(Rate(sum(_is_named(o) for o in some), len(some))))
            else:
                hits = sum(o.peers[name] == o.tags["defect"] for o in some)
                cells.append(str(Rate(hits, len(some))))
        undecided = sum(o.alarm is None for o in some)
        rows.append((fault, *cells, str(alarms(some)), str(undecided)))
    columns = ("label", *(f"{n}: named right" for n in packages), "VTOX: alarm", "VTOX: abstained")
    return Table(title, columns, tuple(rows))


def _missed_races_table(races: Sequence[Outcome]) -> Table:
    rows = [
        (
            o.tags["recording"],
            o.tags["defect"],
            str(o.indicators.get("defect", "")),
            o.state,
            o.code or shorten(o.reason, 60),
            o.tags["note"],
        )
        for o in races
        if not _is_named(o)
    ]
    columns = ("recording", "label", "named", "state", "code", "note of the data set")
    return Table("Races not named first", columns, tuple(rows))


def repeated_samples_study(found: Sequence[tuple[str, list[Diagnosis]]]) -> Study:
    """Return whether recordings without a waveform are answered `unknown`, and why."""
    refused = sum(all(d.state == "unknown" for d in answers) for _, answers in found)
    rows = [
        _repeated_samples_row(f, [d for _, answers in found for d in answers if d.fault == f])
        for f in FAULTS
    ]
    columns = ("fault", "abstained", "code and reason of the first")
    return Study(
        "Repeated samples",
        "Three recordings whose rows repeat about 45 times; no waveform is left.",
        (Table("Answers", columns, tuple(rows), detail=True),),
        (
            Goal(
                "repeated samples are unknown",
                "3 of 3",
                f"{refused} of {len(found)}",
                refused == len(found),
            ),
        ),
    )


def _repeated_samples_row(fault: str, answers: Sequence[Diagnosis]) -> tuple[str, str, str]:
    abstained = sum(d.state == "unknown" for d in answers)
    first = answers[0]
    why = f"{first.code}: {first.reason}" if first.code else first.reason
    return fault, f"{abstained} of {len(answers)}", shorten(why, 110)


def roc_scores(
    found: Mapping[str, list[Outcome]],
) -> dict[str, tuple[Float64, Float64]]:
    """Return the scores of the decided bearing records, healthy and faulty, for the ROC."""
    return {f"bearing, {k}": (scores(o, False), scores(o, True)) for k, o in found.items()}
