"""How long questions about months of energy take, and how much room its rows need.

    python -m benchmarks.energy_queries [--postgresql]

Rows of 92 days of a fleet are written as the recorder leaves them: by day of every machine, by
quarter-hour of one of them and of the first and last day of all. Figures are the least of several
turns: CPU of this process for SQLite, wall time for PostgreSQL.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, insert, text

from tests.postgresql import postgresql
from vtox.motor.values.energy import QUARTER_S, MeterCounts
from vtox.pipeline.configuration.settings import load
from vtox.reporting.history import energy
from vtox.reporting.history.database import engine_to_read, engine_to_write, make_file
from vtox.reporting.history.energy import DAY_S
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.schema import energy_days, energy_quarters, series

MACHINES, DAYS, TURNS = 1000, 92, 7
FIRST_S = 1_764_000_000 // DAY_S * DAY_S
# Counts of a busy day, with as many digits as they have.
QUARTER = MeterCounts(
    900_000, 900_000, 900_000, 900_000, 19_378_123, 38_298_765, 17_012_345, 2_366_789, 1_234,
    5_678, 0, 300_000, 600_000, 0, 0, 0, 0,
)  # fmt: skip


def fill(db: Connection) -> None:
    """Write the rows."""
    db.execute(
        insert(series),
        [{"id": m, "machine_id": f"M{m:04d}", "quantity": "turn_short"} for m in range(MACHINES)],
    )
    ends = (0, DAYS - 1)
    for table, machines, days, step_s in (
        (energy_days, range(MACHINES), range(DAYS), DAY_S),
        (energy_quarters, range(1), range(DAYS), QUARTER_S),
        (energy_quarters, range(1, MACHINES), ends, QUARTER_S),
    ):
        counts = QUARTER if step_s == QUARTER_S else MeterCounts(*(96 * n for n in QUARTER))
        for day in days:
            times = range(FIRST_S + day * DAY_S, FIRST_S + (day + 1) * DAY_S, step_s)
            rows = [{"series_id": m, "t": t, **counts._asdict()} for m in machines for t in times]
            db.execute(insert(table), rows)


def least_ms(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Return the least time of several turns."""
    found = []
    for _ in range(TURNS):
        began = clock()
        work()
        found.append(1000 * (clock() - began))
    return min(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings, clock = load(data_dir=folder), time.process_time
        if given.postgresql:
            other = stack.enter_context(postgresql())
            settings = settings.model_copy(update={"database_url": other.new_database()})
            clock = time.perf_counter
        else:
            make_file(settings)
        engine = engine_to_write(settings)
        migrate(engine)
        with engine.begin() as db:
            fill(db)
        engine.dispose()
        engine = engine_to_read(settings)
        begin, end = FIRST_S, FIRST_S + DAYS * DAY_S
        within = begin + 7 * 3600, end - 17 * 3600
        with engine.connect() as db:
            questions: dict[str, Callable[[], object]] = {
                "one machine by day": lambda: energy.quarters(db, "M0000", begin, end, DAY_S),
                "one machine by hour": lambda: energy.quarters(db, "M0000", begin, end, 3600),
                f"{MACHINES} machines, each": lambda: energy.fleet(db, begin, end),
                f"{MACHINES} machines, each, from 7 to 7 h": lambda: energy.fleet(db, *within),
                f"{MACHINES} machines together, by day": lambda: energy.fleet_days(db, begin, end),
            }
            for name, work in questions.items():
                print(f"| {DAYS} days of {name} | {least_ms(work, clock):.0f} ms |")
            size_of = (
                "pg_total_relation_size('energy_quarters')"
                if given.postgresql
                else "sum(pgsize) FROM dbstat WHERE name = 'energy_quarters'"
            )
            size = db.execute(text(f"SELECT {size_of}")).scalar_one()
            rows = db.execute(text("SELECT count(*) FROM energy_quarters")).scalar_one()
            year = 365 * DAY_S // QUARTER_S
            print(f"{size / rows:.0f} bytes a row, {size / rows * year / 1e6:.1f} MB a year")
        engine.dispose()


if __name__ == "__main__":
    main()
