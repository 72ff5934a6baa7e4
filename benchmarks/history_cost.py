"""The cost of the history: CPU of recorder, server and database a window, and bytes a row.

The results of a fleet with windows of 1 s are added to the stream in turns of one pause of the
recorder, and recorded after each turn. Nothing waits, so that a busy machine changes nothing;
the CPU is that between begin and end of the recording, of each process.
`python -m benchmarks.history_cost [--postgresql]`
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import psutil

from tests.integration.reporting.history.entries import RESULT
from tests.naive_entries import encode_result
from tests.postgresql import postgresql
from vtox.motor.faults import FAMILIES
from vtox.motor.values.bearing import DEFECTS
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream.entries import Result, Texts
from vtox.reporting.history.recorder import PAUSE_S, Recorder

STOP = Event()
# As many as the entries of the demo's fleet have, within a factor of two.
INDICATORS = {f"indicator_{i}_dbc": -40.123456789 - i for i in range(12)}
INDICATORS |= {f"{side}_sideband_dbc": -42.5 for side in ("lower", "upper")}
EVIDENCE: tuple[dict[str, object], ...] = (
    {"kind": "line", "lower_hz": 49.1, "upper_hz": 50.9, "lower_dbc": -51.5, "upper_dbc": -52.5},
    *(
        {"defect": name, "expected_hz": 76.34, "found_order": 3.585, "statistic": 0.807}
        | {"threshold": 1.0, "sidebands": "plain"}
        for name in DEFECTS
    ),
)


def results(machine: int, from_t: float, to_t: float) -> Iterator[Texts]:
    """Yield the results of the records of a machine that end in a time."""
    for family in FAMILIES.values():
        length_s = int(family.min_record_s)
        # Machines began at different seconds, so that their records end at different ones.
        first = int(from_t) + (machine - int(from_t)) % length_s
        for ends in range(first, int(to_t), length_s):
            for fault in family.faults:
                table = {name: getattr(RESULT, name) for name in RESULT.__dataclass_fields__} | {
                    "machine_id": f"M{machine:04d}",
                    "fault": fault,
                    "marks": "nnnnn" if fault == "turn_short" else "n",
                    "t_start": float(ends - length_s),
                    "t_end": float(ends),
                    "first_seq": ends - length_s,
                    "last_seq": ends - 1,
                    "statistic": 1.0 + 0.001 * (ends % 997),
                    "indicators": INDICATORS,
                    "evidence": EVIDENCE,
                }
                yield encode_result(Result(**table))[0]


def add_turn(client: Client, machines: int, from_t: float) -> int:
    """Add the results of one turn, in the order of their times; return how many."""
    pipe = client.pipeline(transaction=False)
    for second in range(int(PAUSE_S)):
        for machine in range(machines):
            for texts in results(machine, from_t + second, from_t + second + 1):
                pipe.execute_command("XADD", keys.RESULTS, "*", *texts)
    return len(pipe.execute())


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and its children, user and system; 0 without one."""
    if not pid:
        return 0.0
    process = psutil.Process(pid)
    parts = [process, *process.children(recursive=True)]
    return sum(sum(p.cpu_times()[:2]) for p in parts)


def measure(settings: Settings, machines: int, turns: int, server: int, database: int) -> None:
    """Print the cost of recording so many turns."""
    n, spent = 0, [0.0, 0.0, 0.0]
    with connect(settings.working_url(), "benchmark") as client:
        recorder = Recorder(client, settings)
        recorder.record(STOP)
        began = server_time(client) - turns * PAUSE_S
        for turn in range(turns):
            n += add_turn(client, machines, began + turn * PAUSE_S)
            before = time.process_time(), cpu_s(server), cpu_s(database)
            recorder.record(STOP)
            after = time.process_time(), cpu_s(server), cpu_s(database)
            spent = [s + b - a for s, a, b in zip(spent, before, after, strict=True)]
        entry = client.memory_usage(keys.RESULTS, samples=0) / n
        recorder.close()
    windows = machines * turns * int(PAUSE_S)
    each = [round(1e6 * s / windows) for s in spent]
    print(f"{machines} machines, {windows} windows, {n} results of {entry:.0f} bytes in the stream")
    print(f"us a window: recorder {each[0]}, server {each[1]}, database {each[2]}")


def row_sizes(settings: Settings) -> None:
    """Print the bytes of a row of each table, by SQLite's own count of pages."""
    with closing(sqlite3.connect(settings.history_file)) as db:
        for table in ("records", "minutes", "hours"):
            (rows,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
            (size,) = db.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name = ?", [table]
            ).fetchone()
            print(f"{table}: {rows} rows of {size / max(rows, 1):.0f} bytes")


def main() -> None:
    """Measure on SQLite, or on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=800)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(EmbeddedServer(load(data_dir=folder)))
        settings, database = load(redis_url=server.url, data_dir=folder), 0
        if given.postgresql:
            other = stack.enter_context(postgresql())
            assert other.process is not None
            database = other.process.pid
            settings = settings.model_copy(update={"database_url": other.new_database()})
        measure(settings, given.machines, given.turns, server.pid, database)
        if not database:
            row_sizes(settings)


if __name__ == "__main__":
    main()
