"""CPU of the server alone for a window that comes live, by its start and its configuration.

    python -m benchmarks.server_alone [--silent 3000] [--laps 8] [--way glibc --way jemalloc ...]
        [--configuration "hz 1" ...]

Servers take turns on the same windows, 80 kB each. The scripts of bridge and workers read, admit,
enter, start and commit them in batches as 300 machines make them, with states and results of usual
size, and trim them. No samples are fetched again, as workers next to the bridge read its ring. CPU
of the server and of its rewrites of the log.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, quantiles
from unittest.mock import patch

import psutil

from benchmarks.bench.workload import windows
from benchmarks.results import Run
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Record
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.server_allocator import JEMALLOC, TUNABLES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.ledger.retention import server_memory, trim_outputs
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.admissions import Admission, record
from vtox.pipeline.store.stream.window_log import create_group, group_info, read_new
from vtox.pipeline.windows.wire import UNLIMITED, Header, decode_header

# Name -> environment of the server.
WAYS: Mapping[str, Mapping[str, str]] = {
    "jemalloc": {"LD_PRELOAD": JEMALLOC},
    "background": {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "background_thread:true"},
    "glibc": {"LD_PRELOAD": "", "GLIBC_TUNABLES": TUNABLES},
    "plain": {"LD_PRELOAD": "", "GLIBC_TUNABLES": ""},
}
# Windows in a record of each family.
LENGTHS = dict(zip(FAMILIES, (1, 2, 10), strict=True))
SENDING, BATCH, DIFFERENT, LAP = 300, 8, 200, 600
# Windows that stay: longer than the longest records take, so that trimming finds no gaps.
RETAINED = 12 * SENDING
# Bytes of a machine's memory, health, and of the latest diagnosis of a fault.
MEMORY, HEALTH, LATEST, FIELDS = 2_000, 1_250, 700, 18
# Fields that a worker reads of a machine's state.
READ = ("version", "motor", "baseline", "baseline_info", "memory")
TEXT = random.Random(1).randbytes(1 << 16).hex().encode()


def text(n: int) -> bytes:
    """Return some text of about `n` bytes."""
    n = int(n * random.uniform(0.8, 1.2))
    at = random.randrange(len(TEXT) - n)
    return TEXT[at : at + n]


@dataclass(slots=True)
class Side:
    """One server, and the costs of its laps."""

    settings: Settings
    server: EmbeddedServer
    client: Client
    sender: Client
    ledger: Ledger = field(init=False)
    next_window: int = 0
    open: dict[str, list[bytes]] = field(default_factory=dict)
    cpu_us: list[float] = field(default_factory=list)
    version: dict[str, str] = field(default_factory=dict)
    ids: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.client, self.settings)
        create_group(self.client, keys.RAW)
        assert self.ledger.take_lease("token", "", 10**9)
        self.client.zadd(keys.MACHINES, {f"M{k:05d}": 1.0 for k in range(SENDING)})

    def cpu_s(self) -> float:
        """Return the CPU time of the server and of its rewrites that have ended, s."""
        return sum(psutil.Process(self.server.pid).cpu_times()[:4])

    def add_silent(self, machines: int) -> None:
        """Give the server machines that have sent once."""
        for k in range(machines):
            m = f"S{k:05d}"
            self.client.hset(keys.machine(m), mapping=_state())  # type: ignore[arg-type]
            self.client.hset(
                keys.known_windows(m), mapping={f"m{i}": f"{k}-{i}" for i in range(40)}
            )
            self.client.zadd(keys.MACHINES, {m: 1.0})

    def lap(self, sent: Sequence[dict[str, str | bytes]], n: int) -> None:
        """Take `n` windows all the way."""
        before = self.cpu_s()
        for _ in range(0, n, BATCH):
            self.step(sent)
        while self.client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.02)
        self.cpu_us.append(1e6 * (self.cpu_s() - before) / n)

    def step(self, sent: Sequence[dict[str, str | bytes]]) -> None:
        """Take a batch of windows all the way; records of 1, 2 and 10 of them."""
        pipe = self.sender.pipeline(transaction=False)
        for k in range(self.next_window, self.next_window + BATCH):
            own = {"machine_id": f"M{k % SENDING:05d}", "seq": k // SENDING}
            pipe.xadd(keys.RAW, sent[k % len(sent)] | own)  # type: ignore[arg-type]
        pipe.execute()
        entries = read_new(self.client, BATCH, 500)
        admitted: list[Admission] = []
        full: dict[str, list[str]] = {family: [] for family in FAMILIES}
        for entry_id, fields in entries:
            head = decode_header(fields, UNLIMITED)
            self.ids.append(entry_id)
            admitted.append(_admission(entry_id.decode(), head))
            for family in FAMILIES:
                self.open.setdefault(f"{family}|{head.machine_id}", []).append(entry_id)
        record(self.client, "token", admitted)
        for family, length in zip(FAMILIES, (1, 2, 10), strict=True):
            full = [
                k for k, ids in self.open.items() if k.startswith(family) and len(ids) >= length
            ]
            if rows := [self._record(k) for k in full]:
                self._diagnose(family, rows)
        self.next_window += BATCH
        # Once a second, as the bridge does.
        if self.next_window // SENDING > (self.next_window - BATCH) // SENDING:
            self._keep_house()

    def _record(self, key: str) -> Record:
        ids = self.open.pop(key)
        n = len(ids)
        return Record(
            machine_id=key.partition("|")[2], run="", first_seq=0, last_seq=n - 1, t_start=0.0,
            t_end=float(n), ids=b" ".join(ids).decode(), windows=n, bytes=80_000 * n,
            shared="vtox-ring-0123456789abcdef " + " ".join("123456789 80000" for _ in ids),
        )  # fmt: skip

    def _diagnose(self, family: str, rows: Sequence[Record]) -> None:
        assert all(self.ledger.dispatch("token", family, rows))
        self.client.lpush("queue", text(900))
        self.client.brpop("queue")
        names = [r.record_id(family) for r in rows]
        self.ledger.start(family, names)
        pipe = self.client.pipeline(transaction=False)
        for row in rows:
            pipe.hmget(keys.machine(row.machine_id), *READ)
        outcomes = []
        for name, state in zip(names, pipe.execute(), strict=True):
            found = {f"field{i}": text(22) for i in range(FIELDS)}
            results = [(tuple(found), [*found.values()]) for _ in FAMILIES[family].faults]
            state_now = _state(*FAMILIES[family].faults)
            kept = tuple(state_now), [*state_now.values()]
            version = text(32).decode()
            outcomes.append(
                Outcome(name, (state[0] or b"0").decode(), version, kept, results, [], [], False)  # type: ignore[arg-type]
            )
        assert all(n == 1 for n in self.ledger.commit(family, outcomes))

    def _keep_house(self) -> None:
        memory = server_memory(self.client)
        group_info(self.client, keys.RAW)
        if len(self.ids) > RETAINED:
            self.client.xtrim(keys.RAW, minid=self.ids[-RETAINED].decode(), approximate=False)
            del self.ids[:-RETAINED]
        trim_outputs(self.client, self.settings, memory)


def _state(*faults: str) -> dict[str, bytes]:
    latest = {f"latest:{f}": text(LATEST) for f in faults}
    return {"memory": text(MEMORY), "health": text(HEALTH)} | latest


def _admission(entry_id: str, head: Header) -> Admission:
    forgotten = (f"{head.seq - 40}",) if head.seq >= 40 else ()
    return Admission(
        entry_id=entry_id, header=head, decision="new", mark=str(head.seq), epoch=0,
        forgotten=forgotten, run="", restarted=False, families=frozenset(FAMILIES), progress=b"---",
    )  # fmt: skip


def main() -> None:
    """Measure, and print the CPU of each server next to that of the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--silent", type=int, default=0)
    parser.add_argument("--laps", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=4.0, help="no further laps after these")
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("--configuration", action="append", default=[], help="of one more server")
    options = parser.parse_args()
    print(Run(), flush=True)
    sent = [w.fields for w in windows(DIFFERENT)]
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vtox-alone-")))
        sides: dict[str, Side] = {}
        ways = options.way or list(WAYS)
        for name, way, more in [(w, w, "") for w in ways] + [
            (line, ways[0], f"{line}\n") for line in options.configuration
        ]:
            settings = load(data_dir=top / str(len(sides)), keep={"results": "8MB"})
            with patch.dict("os.environ", WAYS[way]):
                server = stack.enter_context(EmbeddedServer(settings, more))
            client, sender = (connect(settings.samples_url(), "benchmark") for _ in range(2))
            sides[name] = Side(settings, server, client, sender)
            sides[name].add_silent(options.silent)
        end = time.monotonic() + 60 * options.minutes
        for n in range(2 + options.laps):
            if time.monotonic() > end and n > 4:
                break
            for side in sides.values():
                side.lap(sent, LAP)
        report(sides)


def report(sides: Mapping[str, Side]) -> None:
    """Print the means, and the ratios to the first in each lap."""
    first = next(iter(sides.values()))
    for name, side in sides.items():
        laps = side.cpu_us[2:]  # the first take new memory
        ratios = [a / b for a, b in zip(laps, first.cpu_us[2:], strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        info = side.client.info("all")
        print(
            f"{name:28} {mean(laps):5.0f} us a window, {middle:.2f} ({low:.2f} to {high:.2f}); "
            f"{info['used_memory'] / 1e6:.0f} MB used, "
            f"{info['used_memory_rss'] / 1e6:.0f} resident, {info['total_forks']} rewrites"
        )


if __name__ == "__main__":
    main()
