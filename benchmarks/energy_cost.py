"""The cost of energy: CPU a window of 1 s, of the worker, the server and the recorder.

    python -m benchmarks.energy_cost [--batch 32] [--pairs 50]

Tasks of records of 1 s at 10 kHz, three currents and voltages of 16 bits, go through the steps of a
worker on a real server: start, fetch, diagnosis, health, commit. Another family has changed every
machine since. Tasks with energy and without take turns, in changing order. The parts of energy are
also timed where they run, as the difference of a pair moves more than all of energy. Memory is
kept, and imports are out of collections, as in a worker. Server: commits of such records alone, in
turns too. Recorder: results into SQLite, the part of energy where it runs.
"""

import argparse
import gc
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from threading import Event
from time import thread_time
from typing import Any
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import energy as accuracy
from benchmarks.history_cost import results
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from tests.integration.helpers import T0, add_window
from tests.signals.loaded_motor import loaded, nameplate
from vtox.motor.diagnosis import diagnosis as diagnosing
from vtox.motor.diagnosis.diagnosers.current import front_end
from vtox.motor.values.domain import Motor, Record
from vtox.motor.values.energy import KEPT, MeterCounts, MeterRow
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.ledger import COMMITTED, Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines.energy import ENERGY, metered
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream.window_log import create_group
from vtox.reporting.history import writing
from vtox.reporting.history.recorder import Recorder
from workers import batch
from workers.celery_signals import process
from workers.malloc import keep_freed_memory

FS_HZ, WARM_UP = 10_000, 4
RECORD = Record(
    machine_id="M", run="", first_seq=0, last_seq=0, t_start=0.0, t_end=1.0, ids="1-1",
    windows=1, bytes=120_000,
)  # fmt: skip
# The counts of a record, and the counts of a meter after a year.
ROW = MeterRow(bytes(8 * KEPT), MeterCounts.pack([1000] * 4 + [7532, 5086, 6876, 655] + [0] * 9))
YEAR = MeterCounts.pack([10**11] * len(MeterCounts._fields))
# Parts of a worker that are of energy, by the modules that call them.
PARTS = {
    "phasors, harmonics, power": (front_end, "_power_sums"),
    "readings": (diagnosing, "readings"),
    "meter, entries": (batch, "_energies"),
}


@dataclass(slots=True)
class Costs:
    """CPU a window of each turn, us, by part; of pairs the difference, with less without."""

    size: int
    spent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, seconds: float) -> None:
        """Add the time of a turn."""
        self.spent[name].append(1e6 * seconds / self.size)

    def row(self, name: str) -> str:
        """Return a row of the table: median and quartiles."""
        low, _, high = quantiles(self.spent[name], n=4)
        return f"| {name} | {median(self.spent[name]):.1f} ({low:.1f} to {high:.1f}) |"


def waveforms(size: int) -> tuple[Motor, list[dict[str, Any]]]:
    """Return a motor, and fields of its windows at several loads."""
    plant = machine(FAMILIES[0], 0, accuracy.SEED).case.plant
    motor, rng = nameplate(plant, resistance=True), np.random.default_rng(0)
    with patch.object(accuracy, "FS_HZ", float(FS_HZ)):
        loads = np.linspace(0.3, 1.1, size).tolist()
        records = [accuracy.recording(loaded(plant, x), 0.005, 10.0, rng) for x in loads]
    windows = []
    for r in records:
        scales = {c: float(np.abs(x).max()) / 30_000 for c, x in r.channels.items()}
        counts = {c: np.rint(x / scales[c]).astype("<i2").tobytes() for c, x in r.channels.items()}
        windows.append({**counts, **{f"scale_{c}": s for c, s in scales.items()}})
    return motor, windows


@contextmanager
def timed(costs: dict[str, float]) -> Iterator[None]:
    """Add the time of each part where it runs.

    The clock is that of the thread. The clock of the process counts in steps of 4 ms while a limit
    of CPU time is set, as it is for a diagnosis.
    """
    with ExitStack() as stack:
        for name, (module, function) in PARTS.items():
            work = _timed(costs, name, getattr(module, function))
            stack.enter_context(patch.object(module, function, work))
        yield


def _timed(costs: dict[str, float], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        before = thread_time()
        found = work(*arguments)
        costs[name] += thread_time() - before
        return found

    return run


@contextmanager
def without_energy() -> Iterator[None]:
    """Leave out energy, as if there were none."""
    with (
        patch.object(front_end, "_power_sums", lambda analysis, *_: analysis.power_sums),
        patch.object(diagnosing, "readings", lambda _: ()),
        patch.object(batch, "_energies", lambda todo, _: [None] * len(todo)),
    ):
        yield


@dataclass(slots=True)
class Tasks:
    """Tasks of a fleet of one record each, made of windows on a server."""

    client: Client
    ledger: Ledger
    windows: Sequence[dict[str, Any]]
    seq: int = 0

    def task(self) -> list[Record]:
        """Send a window of each machine; return the records, which the ledger has."""
        self.seq += 1
        records = []
        for k, fields in enumerate(self.windows):
            name = f"M{k:03d}"
            changed = {"ia": None, "scale_ia": None, "fs_hz": FS_HZ} | fields
            entry = add_window(self.client, name, self.seq, **changed)
            self.client.hset(keys.PROGRESS, entry, "---")
            self.client.hset(keys.machine(name), "version", f"other {self.seq}")
            t = T0 + self.seq
            times = {"t_start": t, "t_end": t + 1, "arrived_ms": round(1000 * t)}
            records.append(
                replace(RECORD, machine_id=name, ids=entry, first_seq=self.seq, **times)  # type: ignore[arg-type]
            )
        self.client.xreadgroup(keys.GROUP, "bridge", {keys.RAW: ">"}, count=len(records))
        self.ledger.dispatch("b", "turn_short", records)
        return records


def worker(tasks: Tasks, pairs: int) -> Costs:
    """Return the costs of energy to a worker: by part where it runs, and by pairs of tasks."""
    costs = Costs(len(tasks.windows))
    for turn in range(-WARM_UP, pairs):
        whole, parts = {}, dict.fromkeys(PARTS, 0.0)
        for energy in (True, False) if turn % 2 else (False, True):
            ids = [r.record_id("turn_short") for r in tasks.task()]
            with timed(parts) if energy else without_energy():
                before = thread_time()
                done = batch.work("turn_short", ids)
                whole[energy] = thread_time() - before
            if done != len(ids):
                raise RuntimeError(f"{done} of {len(ids)} records")
        if turn == -1:
            gc.collect()
            gc.freeze()
        if turn >= 0:
            for name, seconds in parts.items():
                costs.add(name, seconds)
            costs.add("worker", sum(parts.values()))
            costs.add("worker, difference of pairs", whole[True] - whole[False])
            costs.add("(worker, all without energy)", whole[False])
    return costs


def server(tasks: Tasks, pairs: int, costs: Costs) -> None:
    """Add the costs of energy to the server in commits."""
    for turn in range(pairs):
        spent = {}
        for energy in (True, False) if turn % 2 else (False, True):
            outcomes = [_outcome(r, tasks.seq, energy=energy) for r in tasks.task()]
            outcomes = [o._replace(version=f"other {tasks.seq}") for o in outcomes]
            before = _cpu_s(tasks.client)
            replies = [
                n
                for k in range(0, len(outcomes), 32)
                for n in tasks.ledger.commit("turn_short", outcomes[k : k + 32])
            ]
            spent[energy] = _cpu_s(tasks.client) - before
            if set(replies) != {COMMITTED}:
                raise RuntimeError(f"not committed: {replies}")
        costs.add("server", spent[True] - spent[False])


def _outcome(r: Record, turn: int, *, energy: bool) -> Outcome:
    result: dict[str, str | bytes] = {"machine_id": r.machine_id, "detail": "{}" * 200}
    kept: dict[str, str | bytes] = {"memory": "{}" * 100}
    if energy:
        own = metered(YEAR, ROW, RECORD)
        result |= {ENERGY: ROW.counts}
        kept |= {**own.fields, ENERGY: own.reading}
    entries = [(tuple(fields), [*fields.values()]) for fields in (kept, result)]
    of_record = (r.record_id("turn_short"), "", f"own {turn}", entries[0], entries[1:], [], [])
    return Outcome(*of_record, evidence=False)


def _cpu_s(client: Client) -> float:
    used = client.info("cpu")
    return float(used["used_cpu_user_main_thread"] + used["used_cpu_sys_main_thread"])


def history(client: Client, settings: Settings, turns: int, machines: int = 400) -> Costs:
    """Return the costs of the rows of energy to a recorder."""
    costs = Costs(5 * machines)
    stop, recorder = Event(), Recorder(client, settings)
    client.delete(keys.RESULTS)
    recorder.record(stop)
    began = server_time(client) - 3600
    for turn in range(turns):
        spent: dict[str, float] = defaultdict(float)
        with patch.object(writing, "add_energy", _timed(spent, "recorder", writing.add_energy)):
            t = began + 5 * turn
            pipe = client.pipeline(transaction=False)
            for number in range(machines):
                for texts in results(number, t, t + 5):
                    more = (ENERGY, ROW.counts) if "turn_short" in texts else ()
                    pipe.execute_command("XADD", keys.RESULTS, "*", *texts, *more)
            pipe.execute()
            recorder.record(stop)
        costs.add("recorder", spent["recorder"])
    recorder.close()
    return costs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=32, help="records")
    parser.add_argument("--pairs", type=int, default=50, help="tasks with energy")
    given = parser.parse_args()
    keep_freed_memory()
    threadpool_limits(1)
    motor, windows = waveforms(given.batch)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        own = load(data_dir=Path(folder))
        url = stack.enter_context(EmbeddedServer(own)).url
        os.environ |= {"VTOX_REDIS_URL": url, "VTOX_DATA_DIR": folder}
        settings = load(redis_url=url, data_dir=Path(folder))
        client = stack.enter_context(connect(settings.working_url(), "benchmark"))
        create_group(client, keys.RAW)
        ledger = Ledger(client, settings)
        if not ledger.take_lease("b", "", 3_600_000):
            raise RuntimeError("no lease")
        for k in range(given.batch):
            register(client, f"M{k:03d}", motor)
        tasks = Tasks(client, ledger, windows)
        costs = worker(tasks, given.pairs)
        server(tasks, given.pairs, costs)
        recorded = history(client, settings, max(8, given.pairs // 4))
        process().client.close()
    costs.spent |= recorded.spent
    whole = sum(median(costs.spent[name]) for name in ("worker", "server", "recorder"))
    print(f"batches of {given.batch}, {given.pairs} pairs, load {os.getloadavg()[0]:.1f}")
    print("| part | us a window |\n|---|---:|")
    print("\n".join(costs.row(name) for name in costs.spent))
    print(f"| all: worker, server, recorder | {whole:.1f} |")


if __name__ == "__main__":
    main()
