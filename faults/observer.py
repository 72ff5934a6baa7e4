"""Reads the answers of VTOX straight from the server, and notes them in the history."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from faults.days import days_of
from faults.history import Event, History
from vtox.motor.faults import FAMILIES
from vtox.motor.values.energy import MeterCounts, counts_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.energy import meters
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import served
from vtox.pipeline.store.stream.window_log import group_info, sum_groups
from vtox.pipeline.store.system.status import over_partitions

BLOCK_MS = 200
# After a loss of the server it is looked for again.
RETRY_S = 0.2
COUNT = 1000


class Observer:
    """A thread that follows the server, and takes a sample after every reading."""

    def __init__(
        self,
        connect: Callable[[], Client],
        history: History,
        *,
        fails_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.connect = connect
        self.fails_over = fails_over
        self._run_id = ""
        self.history = history
        self.last = {keys.RESULTS: "0-0", keys.DEAD_LETTERS: "0-0"}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    @contextmanager
    def observing(self) -> Iterator["Observer"]:
        """Observe until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._end()

    def unfinished(self) -> int | None:
        """Return the windows that are not finished; None while the server does not answer."""
        try:
            with self.connect() as client:
                group = sum_groups([group_info(client, p.raw) for p in served(client)])
                return group.backlog if group else 0
        except redis.RedisError:
            return None

    def finish(self, executions: Path | None) -> None:
        """Stop observing, read the rest, and note the state at the end."""
        self._end()  # two readers would note an answer twice
        with self.connect() as client:
            self._meet(client)
            while self._read(client):
                pass
            some = served(client)
            self.history.add(
                "final",
                **state(client),
                counters=counters(client),
                progress=sum(int(client.hlen(p.progress)) for p in some),
                ledger={f: sum(int(client.hlen(p.ledger(f))) for p in some) for f in FAMILIES},
                results=int(client.xlen(keys.RESULTS)),
                dead=int(client.xlen(keys.DEAD_LETTERS)),
                joules=metered(client),
                days=days_of(client, machine_ids(client)),
                executed=executed(executions) if executions else None,
            )

    def _end(self) -> None:
        self._stop.set()
        self._thread.join(timeout=120)
        if self._thread.is_alive():
            raise TimeoutError("the observer does not end: the server does not answer it")

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(redis.RedisError), self.connect() as client:
                self._meet(client)
                while not self._stop.is_set():
                    self._read(client)
                    self.history.add("sample", **state(client))
                    self._stop.wait(BLOCK_MS / 1000)
            self._stop.wait(RETRY_S)

    def _meet(self, client: Client) -> None:
        """Read all again from another primary: answers that only the old one had do not count."""
        if not self.fails_over():
            return
        run_id = str(client.info("server")["run_id"])
        if self._run_id and run_id != self._run_id:
            self.history.add("timeline", run_id=run_id)
            self.last = dict.fromkeys(self.last, "0-0")
        self._run_id = run_id

    def _read(self, client: Client) -> int:
        read = 0
        for stream, entries in client.xread(self.last, count=COUNT) or []:
            name = stream.decode()
            for entry_id, fields in entries:
                self._note(name, entry_id.decode(), fields)
                self.last[name] = entry_id
                read += 1
        return read

    def _note(self, stream: str, entry_id: str, fields: dict[bytes, bytes]) -> None:
        text = {k.decode(): v.decode("utf-8", "replace") for k, v in fields.items()}
        if stream == keys.RESULTS:
            self.history.add(
                "result",
                id=entry_id,
                machine=text["machine_id"],
                run=text["run"],
                fault=text["fault"],
                first=int(text["first_seq"]),
                last=int(text["last_seq"]),
                state=text["state"],
                t_start=float(text["t_start"]),
                t_end=float(text["t_end"]),
                latency_ms=float(text["latency_ms"]),
                joules=MeterCounts(*counts_of(fields.get(b"energy", b""))).energy_j,
            )
        else:
            self.history.add(
                "dead",
                machine=text["machine_id"],
                family=text["family"],
                seq=text["seq"],
                code=text["code"],
            )


def state(client: Client) -> Event:
    """Return queues, pending and lag."""
    group = sum_groups([group_info(client, p.raw) for p in served(client)])
    return {
        "queues": {f: int(client.llen(keys.CELERY_PREFIX + f)) for f in FAMILIES},
        "pending": group.pending if group else 0,
        "lag": group.lag if group else 0,
    }


def counters(client: Client) -> dict[str, int]:
    """Return the counters of the scripts; counters of each partition are added up."""
    found = {k.decode(): int(v) for k, v in client.hgetall(keys.COUNTERS).items()}
    for f in FAMILIES:
        for what in ("windows", "bytes"):
            name = f"in_flight_{what}:{f}"
            found[name] = over_partitions(found, name)
    return found


def metered(client: Client) -> dict[str, int]:
    """Return the energy counted by the meter of each machine, J."""
    ids = machine_ids(client)
    return {m: meter.counts.energy_j for m, meter in zip(ids, meters(client, ids), strict=True)}


def machine_ids(client: Client) -> list[str]:
    """Return the machines that have sent windows."""
    return [m.decode() for m in client.zrange(keys.MACHINES, 0, -1)]


def executed(path: Path) -> dict[str, int]:
    """Return how often records were executed, by family (`faults.counted`)."""
    counts = Counter[str]()
    with suppress(FileNotFoundError):
        for line in path.read_text().splitlines():
            family, n = line.split()
            counts[family] += int(n)
    return dict(counts)
