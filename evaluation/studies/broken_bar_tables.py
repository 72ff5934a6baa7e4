"""The tables of the study of broken bars: levels without error in one line, the rest in rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation import scenarios
from evaluation.outcome import Answers, Outcome, Table, abstentions, alarms, select, shorten
from vtox.motor.values.arrays import Float64

CALM = tuple(w for w in scenarios.WANDERS_HZ if w <= 0.005)
ROUGH = tuple(w for w in scenarios.WANDERS_HZ if w > 0.005)
CAGES = ("natural cage", scenarios.SOUND_CAGE)
BROKEN_DBC = tuple(d for d in scenarios.LEVELS_DBC if d > scenarios.NATURAL_DBC[1])
SHOWN = 15


def level_table(found: Mapping[str, Sequence[Outcome]]) -> Table:
    """Return detection by slip, wander and level; rows in which all is found are left out."""
    rows = []
    whole: dict[str, list[str]] = {}
    for known, outcomes in found.items():
        for slip in scenarios.SLIPS:
            at = [o for o in select(outcomes, slip=slip) if o.faulty]
            if at and abstentions(at).value == 1:
                rows.append((known, f"{slip:.1%}", "any", *["abstained"] * len(BROKEN_DBC)))
                continue
            for wander in scenarios.WANDERS_HZ:
                some = select(at, wander=wander)
                if some and alarms(some).value < 1:
                    cells = (_cell(select(some, dbc=dbc)) for dbc in BROKEN_DBC)
                    rows.append((known, f"{slip:.1%}", f"{1e3 * wander:g} mHz", *cells))
                elif some:
                    whole.setdefault(known, []).append(f"{len(some)}/{len(some)}")
    cells = "; ".join(f"{k}: {len(w)} of these rows, {w[0]} each" for k, w in whole.items())
    note = (
        "A cell reads: found of decided, and how many abstained. All three levels found in all "
        f"records, and left out here: {cells or 'none'}."
    )
    heads = tuple(f"{dbc:g} dBc" for dbc in BROKEN_DBC)
    columns = ("known", "slip", "wander", *heads)
    return Table("Found by slip, wander and level", columns, tuple(rows), note, detail=True)


def _cell(some: Sequence[Outcome]) -> str:
    rate, undecided = alarms(some, of_decided=True), abstentions(some).hits
    return f"{rate.hits}/{rate.n}" + (f", {undecided} abstained" if undecided else "")


def false_alarm_table(healthy: Answers, oscillation: Answers) -> Table:
    """Return the false alarms of all healthy records, and of a load at twice slip frequency."""
    rows = [(known, *_alarm_row("all", some)) for known, some in healthy.items()]
    for known, some in oscillation.items():
        rows.append(
            (f"10 s, {known}", *_alarm_row("apart: load oscillates at 2sf within 5 %", some))
        )
    note = (
        "The set apart: a load that oscillates at twice slip frequency makes lines where a broken "
        "bar makes them, and most of them require an abstention. At 8640 records a day 0.1 % would "
        "be 9 raw alarms a machine-day, before persistence."
    )
    columns = ("known", "healthy records", "warning or fault", "of these fault", "of decided")
    return Table("False alarms on healthy records", columns, tuple(rows), note)


def _alarm_row(name: str, some: Sequence[Outcome]) -> tuple[str, str, str, str]:
    faults = sum(o.state == "fault" for o in some)
    return name, str(alarms(some)), str(faults), str(alarms(some, of_decided=True))


def false_alarm_cell_table(slow: Sequence[Outcome]) -> Table:
    """Return the slips, wanders and machines at which 20 s records alarm."""
    rows = []
    for slip in scenarios.SLIPS:
        for wander in scenarios.WANDERS_HZ:
            some = select(slow, slip=slip, wander=wander)
            rate = alarms(some)
            if rate.hits:
                machines = ", ".join(sorted({o.machine for o in some if o.alarm}))
                decided = str(alarms(some, of_decided=True))
                rows.append((f"{slip:.1%}", f"{1e3 * wander:g} mHz", machines, str(rate), decided))
    note = f"Of {len(slow)} records; slips and wanders without a false alarm are left out."
    columns = ("slip", "wander", "machines", "warning or fault", "of decided")
    title = "Where 20 s records raise false alarms, speed sensor"
    return Table(title, columns, tuple(rows), note, detail=True)


def false_alarm_list(healthy: Sequence[Outcome]) -> Table:
    """Return false alarms one by one."""
    rows = [
        (
            o.machine,
            str(o.tags["kind"]),
            f"{o.tags['seconds']:g} s",
            f"{o.tags['slip']:.1%}",
            f"{1e3 * o.tags['wander']:g} mHz",
            o.state,
            o.code or shorten(o.reason, 60),
        )
        for o in healthy
        if o.alarm
    ]
    columns = ("machine", "healthy record", "length", "slip", "wander", "state", "code")
    more = f"; the first {SHOWN}" if len(rows) > SHOWN else ""
    note = f"{len(rows)} in all{more}."
    return Table("False alarms one by one, speed sensor", columns, tuple(rows[:SHOWN]), note)


def short_record_table(short: Answers) -> Table:
    """Return the answers to records that are too short for their slip."""
    rows = []
    for known, found in short.items():
        below = [o for o in found if o.tags["bins"] * o.tags["seconds"] < 8]
        bars, sound = [o for o in below if o.faulty], [o for o in below if not o.faulty]
        rows.append((known, str(abstentions(below)), str(alarms(bars)), str(alarms(sound))))
    columns = ("known", "abstained", "found, of broken bars of -42 dBc", "false alarms, of healthy")
    note = "Without a measured slip the record looks longer than it is where the slip is small."
    return Table("Records of 2*s*f*T from 2 to 7.5", columns, tuple(rows), note, detail=True)


def level_errors_db(found: Sequence[Outcome]) -> Float64:
    """Return |error| in dB of the lower sideband in alarms that report it."""
    return np.array(
        [
            abs(o.indicators["lower_sideband_dbc"] - o.tags["true_lower_dbc"])
            for o in found
            if o.alarm and o.faulty and o.indicators.get("lower_sideband_dbc") is not None
        ],
        np.float64,
    )


def level_error_table(found: Sequence[Outcome]) -> Table:
    """Return the error of the reported levels, by slip and wander."""
    rows = []
    for slip in scenarios.SLIPS:
        for name, wander in (("to 5 mHz", CALM), ("10 and 20 mHz", ROUGH)):
            some = select(found, slip=slip, wander=wander)
            error = level_errors_db(some)
            alarm_count = sum(bool(o.alarm) and o.faulty for o in some)
            if len(error):
                within = f"{np.mean(error <= 1):.1%}"
                text = f"{np.median(error):.2f} / {np.quantile(error, 0.95):.2f} dB"
                rows.append((f"{slip:.1%}", name, f"{len(error)} of {alarm_count}", text, within))
    columns = ("slip", "wander", "reported", "|error| median / 95 %", "within 1 dB")
    note = (
        "Against the sideband in the currents before clamps and noise of the instruments. A level "
        "is reported where its deviation in the noise is 1 dB or less."
    )
    title = "Levels where found, 10 s, speed sensor"
    return Table(title, columns, tuple(rows), note, detail=True)
