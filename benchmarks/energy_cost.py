"""What energy costs: CPU a window of 1 s, of the worker, the server and the recorder.

    python -m benchmarks.energy_cost [--batch 32]

Worker: a batch of records of 1 s at 10 kHz with three currents and voltages, through what
`turn_short` and `insulation` share; the parts that are of energy are timed where they run. Memory
is kept, and imports are out of collections, as in a worker. Server: commits of the batch with
energy and without, in turns. Recorder: results into SQLite. Figures are the least of many turns, as
other programs only add.
"""

import argparse
import gc
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from time import process_time
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from benchmarks import energy as accuracy
from benchmarks.history_cost import results
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from tests.integration.helpers import add_window
from tests.signals.loaded_motor import loaded, nameplate
from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.configuration.settings import Settings, load
from vtox.diagnosis import diagnosis as diagnosing
from vtox.diagnosis.diagnosers.current import front_end
from vtox.diagnosis.diagnosis import DiagnosisInput, answer_batch
from vtox.records.history import writing
from vtox.records.history.recorder import Recorder
from vtox.store.ledger.ledger import COMMITTED, Ledger, Outcome
from vtox.store.machines.energy import ENERGY, metered
from vtox.store.server.client import Client, connect, server_time
from vtox.store.stream.window_log import create_group
from vtox.values.domain import Answer, Record
from vtox.values.energy import MeterCounts, MeterRow
from workers.malloc import keep_freed_memory

FS_HZ, TURNS = 10_000.0, 60
FAULTS = ("turn_short", "insulation")
RECORD = Record(
    machine_id="M", run="", first_seq=0, last_seq=0, t_start=0.0, t_end=1.0, ids="1-1",
    windows=1, bytes=120_000,
)  # fmt: skip


# What a meter has counted in a year.
YEAR = metered(b"", MeterRow(counts=[10**11] * len(MeterCounts._fields)), RECORD).meter


class Entry(NamedTuple):
    """What a worker writes of energy for one record: with its result, and to its machine."""

    counts: bytes = b""
    machine: tuple[str | bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """CPU a window without energy and with it, us."""

    without: float
    with_energy: float

    @property
    def more(self) -> float:
        """What energy adds."""
        return self.with_energy - self.without


@dataclass(slots=True)
class Stopwatch:
    """CPU time of works by name, s: what of a whole is spent in its parts, where they run."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return a work whose time is added to that of the name."""

        def run(*arguments: Any, **more: Any) -> Any:
            before = process_time()
            found = work(*arguments, **more)
            self.spent[name] += process_time() - before
            return found

        return run


def inputs(size: int) -> list[DiagnosisInput]:
    """Return a batch of one motor at several loads."""
    plant = machine(FAMILIES[0], 0, accuracy.SEED).case.plant
    motor, rng = nameplate(plant, resistance=True), np.random.default_rng(0)
    with patch.object(accuracy, "FS_HZ", FS_HZ):
        loads = np.linspace(0.3, 1.1, size).tolist()
        records = [accuracy.recording(loaded(plant, x), 0.005, 10.0, rng) for x in loads]
    return [DiagnosisInput(r, replace(motor)) for r in records]


def entries(answers: list[list[Answer]]) -> list[Entry]:
    """Return what a worker writes of energy."""
    read = [a.energy for (a, *_) in answers]
    made = [metered(YEAR, r, RECORD) for r in read if r]
    return [Entry(m.counts, (*m.fields, ENERGY, m.reading)) for m in made]


def diagnosis(size: int) -> tuple[dict[str, float], list[Entry]]:
    """Return the least time of each part in the diagnosis of a batch, us a window; and entries."""
    batch = inputs(size)
    best: dict[str, float] = defaultdict(lambda: np.inf)
    for _ in range(TURNS):
        watch = Stopwatch()
        sums = watch.timed("phasors and sums", front_end._power_sums)
        read = watch.timed("readings", diagnosing.readings)
        with (
            patch.object(front_end, "_power_sums", sums),
            patch.object(diagnosing, "readings", read),
        ):
            answers = watch.timed("all of the diagnosis", answer_batch)(batch, FAULTS)
        texts = watch.timed("entries", entries)(answers)
        for name, seconds in watch.spent.items():
            best[name] = min(best[name], 1e6 * seconds / size)
    return best, texts


def server(client: Client, settings: Settings, texts: list[Entry]) -> Pair:
    """Return what commits cost the server."""
    create_group(client, keys.RAW)
    ledger = Ledger(client, settings)
    if not ledger.take_lease("b", "", 600_000):
        raise RuntimeError("no lease")
    machines = [f"M{k:03d}" for k in range(len(texts))]
    client.zadd(keys.MACHINES, dict.fromkeys(machines, 1))
    best = {False: np.inf, True: np.inf}
    for turn in range(2 * TURNS):
        energetic = bool(turn % 2)
        records = []
        for k, name in enumerate(machines):
            entry = add_window(client, name, seq=turn)
            client.hset(keys.PROGRESS, entry, "---")
            records.append(replace(RECORD, machine_id=name, ids=entry, first_seq=turn, last_seq=k))
        client.xreadgroup(keys.GROUP, "bridge", {keys.RAW: ">"}, count=len(texts))
        ledger.dispatch("b", "turn_short", records)
        own = texts if energetic else [Entry()] * len(texts)
        outcomes = [_outcome(r, turn, text) for r, text in zip(records, own, strict=True)]
        began = _cpu_s(client)
        replies = ledger.commit("turn_short", outcomes)
        best[energetic] = min(best[energetic], _cpu_s(client) - began)
        if set(replies) != {COMMITTED}:
            raise RuntimeError(f"not committed: {replies}")
    return Pair(*(1e6 * s / len(texts) for s in best.values()))


def _outcome(r: Record, turn: int, own: Entry) -> Outcome:
    result: list[str | bytes] = ["machine_id", r.machine_id, "detail", "{}" * 200]
    if own.counts:
        result += [ENERGY, own.counts]
    kept = ["health", "{}" * 100, *own.machine]
    of_record = (r.record_id("turn_short"), str(turn), str(turn + 1), kept, [result], [], [])
    return Outcome(*of_record, evidence=False)


def _cpu_s(client: Client) -> float:
    used = client.info("cpu")
    return float(used["used_cpu_user_main_thread"] + used["used_cpu_sys_main_thread"])


def history(client: Client, settings: Settings, counts: bytes, machines: int = 400) -> Pair:
    """Return what recording costs without and with the rows of energy, the least of six turns."""
    stop, recorder = Event(), Recorder(client, settings)
    recorder.record(stop)
    began = server_time(client) - 3600
    found: list[Pair] = []
    for turn in range(6):
        watch = Stopwatch()
        with patch.object(writing, "add_energy", watch.timed("energy", writing.add_energy)):
            t = began + 5 * turn
            pipe = client.pipeline(transaction=False)
            for number in range(machines):
                for texts in results(number, t, t + 5):
                    more = (ENERGY, counts) if "turn_short" in texts else ()
                    pipe.execute_command("XADD", keys.RESULTS, "*", *texts, *more)
            pipe.execute()
            watch.timed("all", recorder.record)(stop)
        whole, own = (1e6 * watch.spent[n] / (5 * machines) for n in ("all", "energy"))
        found.append(Pair(whole - own, whole))
    recorder.close()
    return min(found, key=lambda pair: pair.more)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=32, help="records")
    keep_freed_memory()
    gc.freeze()
    parts, texts = diagnosis(parser.parse_args().batch)
    with tempfile.TemporaryDirectory() as folder:
        own = load(data_dir=Path(folder))
        with EmbeddedServer(own) as embedded:
            settings = load(redis_url=embedded.url, data_dir=Path(folder))
            with connect(settings.working_url(), "benchmark") as client:
                committed = server(client, settings, texts)
                client.delete(keys.RESULTS)
                recorded = history(client, settings, texts[0].counts)
    whole = parts.pop("all of the diagnosis")
    table = {
        "of the worker's diagnosis": (whole, sum(parts.values())),
        **{f"- {name}": (None, us) for name, us in parts.items()},
        "of the server's commit": (committed.with_energy, committed.more),
        "of the recorder, SQLite": (recorded.with_energy, recorded.more),
    }
    print("| part | us a window | of that energy |")
    print("|---|---:|---:|")
    for name, (all_us, us) in table.items():
        print(f"| {name} | {'' if all_us is None else f'{all_us:.0f}'} | {us:.1f} |")
    print(f"| all | | {sum(parts.values()) + committed.more + recorded.more:.1f} |")


if __name__ == "__main__":
    main()
