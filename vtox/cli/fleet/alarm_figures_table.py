"""The figures of the alarms on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from vtox.alarms.false_alarms import FalseAlarmRate
from vtox.alarms.figures import Chatter, Frequency
from vtox.alarms.promise import PROMISED_PER_MACHINE_DAY
from vtox.records.history.alarm_figures import RecordedAlarms

MOST = 10


def print_figures(
    console: Console,
    days: int,
    found: RecordedAlarms,
    false: FalseAlarmRate,
    frequent: Sequence[Frequency],
    chatter: Sequence[Chatter],
) -> None:
    """Print what the alarms of some days amount to."""
    n, machine_days = len(found.of_machines), found.machine_days
    rate = f", {n / machine_days:.3g} a machine-day" if machine_days else ""
    console.print(f"{n} alarms of machines in {days} days, {machine_days:.3g} machine-days{rate}")
    console.print(f"{len(found.alarms) - n} of the system")
    console.print(_false(false))
    if frequent:
        table = _table("most frequent", "fault", "alarms", "share")
        for f in frequent:
            table.add_row(f.machine_id or "system", f.fault, str(f.alarms), f"{f.share:.0%}")
        console.print(table)
    if chatter:
        table = _table("chattering", "fault", "times", "within")
        for c in chatter:
            table.add_row(c.machine_id or "system", c.fault, str(c.times), f"{c.window_s:g} s")
        console.print(table)


def _false(f: FalseAlarmRate) -> str:
    promise = f"promised: {PROMISED_PER_MACHINE_DAY:g}, {f.verdict} ({f.code})"
    if f.per_machine_day is None:
        return f"false alarms: not known; {promise}"
    interval = f"{f.per_machine_day:.3g} a machine-day ({f.low:.3g} to {f.high:.3g})"
    return f"false alarms: {interval}, {f.undecided} without a decision; {promise}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in (first, *others):
        table.add_column(name)
    return table
