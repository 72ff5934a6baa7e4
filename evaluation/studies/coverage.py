"""The coverage of each set-up: states and finds by set-up, machine and baseline, as tables."""

from collections import Counter
from collections.abc import Sequence

from evaluation.outcome import Answers, Goal, Outcome, Study, Table, alarms, select
from evaluation.runs.coverage import BARS, SETUPS, SHORT, SHORTED, WATCHED
from evaluation.seeds import Stage
from vtox.motor.alarms.coverage.unlocks import unlock

PLATE = next(iter(SETUPS))
PUMPS, GEARS = ("pump", "fan, 2 poles"), ("gear, conveyor", "piston compressor")
OPEN, CLOSED = "drive, fixed speed, V/f", "drive, fixed speed, vector control"
DEVELOPING_DBC, CLEAR_DBC, STRONG_DBC = -54.0, -48.0, -42.0
# Most of the finds of currents alone that more channels may lose.
LOST_SHARE = 0.02
Cells = dict[tuple[str, str, bool], list[Outcome]]


def coverage_study(answers: Answers, stage: Stage) -> Study:
    """Return the table of set-ups, and the goals of currents alone."""
    cells = {
        (setup, kind, learnt): select(some, setup=setup, learnt=learnt)
        for setup in SETUPS
        for kind, some in answers.items()
        for learnt in (False, True)
    }
    text = (
        f"Motor model, {stage.name} sets. Sound machines as normal/alarm/unknown in %, each fault "
        "at the record length of the stream (20 s at most); then what is reported of broken bars "
        f"and of shorted turns, {SHORTED[False]:.0%} on the grid and {SHORTED[True]:.0%} behind a "
        "drive. The level of bars is that of an open loop."
    )
    tables = (
        Table("What you get with what you have", _heads(), tuple(map(_row, cells.items()))),
        _undecided_table(cells),
        _lost_table(cells),
    )
    return Study(f"Coverage, {stage.name} sets", text, tables, _goals(cells, stage))


def _heads() -> tuple[str, ...]:
    finds = (f"bars of {CLEAR_DBC:.0f} dBc and above", f"of {STRONG_DBC:.0f} dBc", "shorted turns")
    return ("set-up", "machine", "baseline", *WATCHED, *finds)


def _row(cell: tuple[tuple[str, str, bool], list[Outcome]]) -> tuple[str, ...]:
    (setup, kind, learnt), some = cell
    states = [_state_shares(_sound(some, fault)) for fault in WATCHED]
    finds = [str(alarms(x)) for x in (_bars(some, CLEAR_DBC), _bars(some, STRONG_DBC))]
    return (
        setup,
        kind,
        "after" if learnt else "before",
        *states,
        *finds,
        str(alarms(select(some, kind=SHORT))),
    )


def _sound(some: Sequence[Outcome], fault: str) -> list[Outcome]:
    return [o for o in some if not o.faulty and o.tags["d"].fault == fault]


def _bars(some: Sequence[Outcome], dbc: float) -> list[Outcome]:
    return [o for o in select(some, kind=BARS) if o.tags["dbc"] >= dbc]


def _state_shares(some: Sequence[Outcome]) -> str:
    if not some:
        return ""
    normal = sum(o.state == "normal" for o in some)
    alarm, unknown = sum(o.alarm is True for o in some), sum(o.alarm is None for o in some)
    return "/".join(f"{100 * n / len(some):.0f}" for n in (normal, alarm, unknown))


def _undecided_table(cells: Cells) -> Table:
    """Return the cells in which no sound record is decided, and the remedy that would decide."""
    rows = []
    for (setup, kind, learnt), some in cells.items():
        for fault in WATCHED:
            sound = _sound(some, fault)
            if sound and all(o.alarm is None for o in sound):
                code = Counter(o.code for o in sound).most_common(1)[0][0]
                when = "after" if learnt else "before"
                rows.append((setup, kind, when, fault, code, unlock(code)))
    heads = ("set-up", "machine", "baseline", "fault", "commonest code", "what would decide it")
    return Table("Always undecided on sound machines", heads, tuple(rows))


def lost_finds(cells: Cells) -> dict[tuple[str, str, bool], tuple[list[Outcome], int]]:
    """Return by set-up, kind and baseline the finds of currents alone that it loses, of how many.

    Bars below the developing level are none: more channels may show that they are weak.
    """
    found = {}
    for (setup, kind, learnt), some in cells.items():
        alone = cells[PLATE, kind, learnt]
        pairs = [
            (x, y)
            for x, y in zip(alone, some, strict=True)
            if x.faulty and x.alarm and x.tags.get("dbc", 0.0) >= DEVELOPING_DBC
        ]
        found[setup, kind, learnt] = [y for _, y in pairs if not y.alarm], len(pairs)
    return found


def _lost_table(cells: Cells) -> Table:
    """Return the finds of currents alone that more channels lose, each one."""
    rows = []
    for (setup, kind, learnt), (lost, finds) in lost_finds(cells).items():
        when = "after" if learnt else "before"
        for o in lost:
            level = f"{o.tags['dbc']:.1f} dBc" if "dbc" in o.tags else o.tags["kind"]
            rows.append((setup, kind, when, level, o.state, o.code, f"1 of {finds}"))
    heads = ("set-up", "machine", "baseline", "fault", "state", "code", "of the finds")
    return Table("Finds of currents alone that more channels lose", heads, tuple(rows))


def _goals(cells: Cells, stage: Stage) -> tuple[Goal, ...]:
    def of(kinds: Sequence[str], *, learnt: bool = False) -> list[Outcome]:
        return [o for kind in kinds for o in cells.get((PLATE, kind, learnt), [])]

    pumps, gears = (alarms(_bars(of(kinds), CLEAR_DBC)) for kinds in (PUMPS, GEARS))
    grid = alarms(_sound(of((*PUMPS, *GEARS)), "broken_bar"))
    bars = [alarms(_bars(of((kind,)), STRONG_DBC)) for kind in (OPEN, CLOSED)]
    turns = [alarms(select(of((kind,), learnt=True), kind=SHORT)) for kind in (OPEN, CLOSED)]
    sound = [
        alarms([o for f in WATCHED for o in _sound(of((OPEN, CLOSED), learnt=learnt), f)])
        for learnt in (False, True)
    ]
    lost = lost_finds(cells).values()
    name = stage.name
    return (
        Goal(
            f"finds of currents alone that more channels lose ({name})",
            "<= 2 % of each kind and set-up",
            f"{sum(len(x) for x, _ in lost)} of {sum(n for _, n in lost)}",
            all(len(x) <= LOST_SHARE * n for x, n in lost),
        ),
        Goal(
            f"pumps and fans, currents and nameplate: bars of -48 dBc and above ({name})",
            ">= 85 % reported; sound <= 0.5 %",
            f"{pumps}; sound {grid}",
            pumps.at_least(0.85),
        ),
        Goal(
            f"gears and compressors, the same ({name})",
            ">= 50 % reported",
            str(gears),
            gears.at_least(0.5),
        ),
        Goal(
            f"drive, currents alone: bars of -42 dBc ({name})",
            ">= 75 % reported, open loop",
            f"{bars[0]}; vector control {bars[1]}",
            bars[0].at_least(0.75),
        ),
        Goal(
            f"drive, currents and baseline: shorts of 5 % ({name})",
            ">= 90 % found, open loop; sound not alarmed",
            f"{turns[0]}; vector control {turns[1]}; sound {sound[0]} before, {sound[1]} after",
            turns[0].at_least(0.9),
        ),
    )
