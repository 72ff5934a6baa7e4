"""Bridges against a model of the stream, in orders of events that hypothesis chooses.

The bridge, the intake, the ledger and the scripts are the real ones on a real server. The clock of
the bridges is the test's, and so is the lease: it runs out when a rule says so. A bridge that gets
no turn is a stopped one. Another event may come between any two commands of a bridge: a commit, the
end of the lease, a turn of the other bridge, a lost connection, a late command.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.integration.helpers import counters, end_starts
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import LeaseLost, StaleState
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.server.partition_table import Addresses, number_in_force, set_number
from vtox.pipeline.store.server.scripts import source
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.stream.shared_windows import SharedReader
from vtox.pipeline.store.stream.window_log import group_info
from vtox.pipeline.store.stream.windows import entries_of
from vtox.pipeline.windows.partitions import Partition

HORIZON = 8
# So few windows in flight that some families run out of room while others have some.
IN_FLIGHT = 24
MAX_RECORD_WINDOWS = 10  # broken bars, the first record of a machine
WINDOW_S = 2.0
SAMPLES = np.arange(200, dtype="<i2").tobytes()
MACHINES = ("M1", "M2")
BRIDGES = ("A", "B")
START = "start"
PARTITIONS = tuple(Partition(n) for n in range(3))
EVENTS = ("commit", "lease_ends", "takeover", "cut", "partitions", "dispatch_is_late")
# Commands before which an event does most; by chance few would come just there.
FENCED = ("admit", "refuse", "move", "dispatch")
# Enough turns for a bridge to read and dispatch entries sent at once: its first reads are small.
TURNS = 6

Interruption = Callable[[tuple[Any, ...]], None]


class DrivenBridge:
    """A bridge process that makes one turn per call, and calls `interruption` before each command.

    It takes every partition without an owner.
    """

    def __init__(self, url: str, settings: Settings, clock: Callable[[], float], send: Any) -> None:
        self.client = connect(url, "bridge", retries=0)
        self.interruption: Interruption = lambda _: None
        command, pipeline, read = (
            self.client.execute_command,
            self.client.pipeline,
            self.client.xreadgroup,
        )

        def execute(*args: Any, **kw: Any) -> Any:
            self.interruption(args)
            return command(*args, **kw)

        def pipelined(*args: Any, **kw: Any) -> Any:
            pipe = pipeline(*args, **kw)
            run = pipe.execute
            pipe.execute = lambda *a, **k: (self.interruption(("PIPELINE",)), run(*a, **k))[1]
            return pipe

        def read_at_once(*args: Any, **kw: Any) -> Any:
            # Without `block`: a server looks ten times a second at how long its readers waited.
            return read(*args, **(kw | {"block": None}))

        self.client.execute_command = execute
        self.client.pipeline = pipelined
        self.client.xreadgroup = read_at_once
        self.bridges = [
            Bridge(self.client, settings, partial(send, p.number), clock=clock, partition=p)
            for p in PARTITIONS
        ]

    def turn(self) -> None:
        """Take over, or serve once, as `Bridge.run` does."""
        for bridge in self.bridges:
            try:
                if not bridge.owner:
                    bridge.take_over()
                else:
                    bridge.serve_once()
            except (LeaseLost, StaleState, redis.RedisError):
                bridge.owner = False

    @property
    def owns_any(self) -> bool:
        return any(b.owner for b in self.bridges)

    def close(self) -> None:
        self.client.close()
        for bridge in self.bridges:
            bridge.shared.close()


class BridgeModel(RuleBasedStateMachine):
    """Two bridges, two machines, workers of all families."""

    url = ""
    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        self.client = connect(self.url, "test")
        if names := list(self.client.scan_iter(count=1000)):
            self.client.unlink(*names)
        self.now = 1000.0
        self.ledgers = [Ledger(self.client, self.settings, p) for p in PARTITIONS]
        shared = ("refuse", "dispatch")
        texts = {name: source(name, shared=name in shared) for name in FENCED}
        self.shas = {n: self.client.register_script(text).sha for n, text in texts.items()}
        self.bridges = {name: self.new_bridge() for name in BRIDGES}
        # Partition, family and record ids; `started` has the row too.
        self.tasks: list[tuple[int, str, list[str]]] = []
        self.started: list[tuple[int, str, str, Record]] = []
        # Tag of a window -> families that must finish it, each once.
        self.expected: dict[str, frozenset[str]] = {}
        # Tag of a window sent again -> its first tag. Either may be diagnosed: the first
        # can lie unadmitted in the pending list while the second is read.
        self.copies: dict[str, str] = {}
        self.sent: dict[str, list[tuple[int, str]]] = {m: [] for m in MACHINES}
        self.next_seq = dict.fromkeys(MACHINES, 0)
        self.late_commands: list[tuple[Any, ...]] = []
        self.buried: Counter[tuple[str, str]] = Counter()
        # If machines retire, the counters are not compared.
        self.may_retire = self.retired = False
        self.partitioned = False
        self.tags = count()

    @initialize(may_retire=st.sampled_from((False, False, True)), n=st.integers(0, 3))
    def choose(self, may_retire: bool, n: int) -> None:
        self.may_retire = may_retire
        if n == 0:
            return
        # Moved entries come later than entries sent after them: by more than a short horizon.
        self.partitioned = True
        self.settings = self.settings.model_copy(update={"duplicate_horizon": 10_000})
        set_number(self.client, n)
        self.bridges = {name: self.new_bridge() for name in BRIDGES}

    def new_bridge(self) -> DrivenBridge:
        return DrivenBridge(
            self.url,
            self.settings,
            lambda: self.now,
            lambda number, family, ids: self.tasks.append((number, family, list(ids))),
        )

    # Senders

    def add_entry(self, machine_id: str, seq: int, raw: str = "") -> str:
        tag = f"w{next(self.tags)}"
        fields = {"machine_id": machine_id, "seq": seq, "t0": 1.7e9 + seq * WINDOW_S, "tag": tag}
        entry = fields | {"fs_hz": 100, "dtype": "i2", "ia": SAMPLES}
        self.client.xadd(raw or Addresses(self.client).raw(machine_id), entry)
        return tag

    def add_new(self, machine_id: str, seq: int, raw: str = "") -> None:
        tag = self.add_entry(machine_id, seq, raw)
        self.expected[tag] = frozenset(FAMILIES)
        self.sent[machine_id].append((seq, tag))

    @rule(machine_id=st.sampled_from(MACHINES), n=st.integers(1, 12))
    def add(self, machine_id: str, n: int, raw: str = "") -> None:
        for _ in range(n):
            self.add_new(machine_id, self.next_seq[machine_id], raw)
            self.next_seq[machine_id] += 1

    @precondition(lambda self: self.partitioned)
    @rule(
        machine_id=st.sampled_from(MACHINES),
        n=st.integers(1, 6),
        raw=st.sampled_from([p.raw for p in PARTITIONS]),
    )
    def add_to_any_partition(self, machine_id: str, n: int, raw: str) -> None:
        """A sender that does not know the number of partitions, or an old one."""
        self.add(machine_id, n, raw)

    @precondition(lambda self: self.partitioned)
    @rule(n=st.integers(1, len(PARTITIONS)))
    def change_partitions(self, n: int) -> None:
        set_number(self.client, n)

    @rule(machine_id=st.sampled_from(MACHINES))
    def add_late_window(self, machine_id: str) -> None:
        seq = self.next_seq[machine_id]
        self.next_seq[machine_id] += 2
        self.add_new(machine_id, seq + 1)
        self.add_new(machine_id, seq)

    @rule(machine_id=st.sampled_from(MACHINES), back=st.integers(1, HORIZON - 2))
    def add_duplicate(self, machine_id: str, back: int) -> None:
        if len(self.sent[machine_id]) >= back:
            seq, first = self.sent[machine_id][-back]
            self.copies[self.add_entry(machine_id, seq)] = first

    # Bridges

    @rule(name=st.sampled_from(BRIDGES), n=st.integers(1, 3))
    def take_turns(self, name: str, n: int) -> None:
        for _ in range(n):
            self.turn(name, 1)
            self.now += 0.01

    @rule(machine_id=st.sampled_from(MACHINES), name=st.sampled_from(BRIDGES))
    def send_and_serve(self, machine_id: str, name: str) -> None:
        self.add(machine_id, 3)
        self.take_turns(name, TURNS)

    def turn(self, name: str, n: int) -> None:
        for _ in range(n):
            self.bridges[name].turn()

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 8.0, 30.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(name=st.sampled_from(BRIDGES))
    def kill(self, name: str) -> None:
        self.bridges[name].close()
        self.bridges[name] = self.new_bridge()

    @rule(name=st.sampled_from(BRIDGES))
    def end_in_order(self, name: str) -> None:
        for bridge in self.bridges[name].bridges:
            bridge.release()
        self.kill(name)

    @rule()
    def lease_ends(self) -> None:
        self.client.delete(*(p.lease for p in PARTITIONS))

    def dead_owners_leases_end(self) -> None:
        for p in PARTITIONS:
            bridges = [d.bridges[p.number] for d in self.bridges.values()]
            owners = [b.token.encode() for b in bridges if b.owner]
            if self.client.get(p.lease) not in owners:
                self.client.delete(p.lease)

    @rule(name=st.sampled_from(BRIDGES), after=st.integers(0, 12), event=st.sampled_from(EVENTS))
    def interrupt_turn(self, name: str, after: int, event: str) -> None:
        if event == "dispatch_is_late":
            self.interrupt_before(name, "dispatch", event)
            return
        commands = count()
        self.interrupt_once(name, lambda _: next(commands) == after, event)

    @rule(
        n=st.integers(0, 3),
        script=st.sampled_from(("admit", *FENCED)),
        event=st.sampled_from(("takeover", *EVENTS[:-1])),
    )
    def interrupt_owner(self, n: int, script: str, event: str) -> None:
        self.add("M1", n)
        owners = [name for name, d in self.bridges.items() if d.owns_any]
        self.interrupt_before((owners or BRIDGES)[0], script, event)

    def interrupt_before(self, name: str, script: str, event: str) -> None:
        sha = self.shas[script]
        self.interrupt_once(name, lambda args: args[:2] == ("EVALSHA", sha), event)

    def interrupt_once(
        self, name: str, is_reached: Callable[[tuple[Any, ...]], bool], event: str
    ) -> None:
        """Let a bridge make one turn, with an event before the first command that is meant."""
        driven = self.bridges[name]
        happened: list[bool] = []

        def interruption(args: tuple[Any, ...]) -> None:
            if not happened and is_reached(args):
                happened.append(True)
                self.interrupt(name, event, args)

        driven.interruption = interruption
        driven.turn()
        driven.interruption = lambda _: None

    def interrupt(self, name: str, event: str, args: tuple[Any, ...]) -> None:
        if event == "commit":
            self.work()
        if event == "partitions" and self.partitioned:
            self.change_partitions(1 + number_in_force(self.client) % len(PARTITIONS))
        if event in ("lease_ends", "takeover"):
            self.lease_ends()
        if event == "takeover":
            other = self.bridges[BRIDGES[1 - BRIDGES.index(name)]]
            other.turn()
            other.turn()
        if event == "dispatch_is_late":
            self.late_commands.append(args)
        if event in ("cut", "dispatch_is_late"):
            raise redis.ConnectionError("cut")

    @precondition(lambda self: self.late_commands)
    @rule()
    def late_command_arrives(self) -> None:
        with suppress(redis.ResponseError):  # the fence
            self.client.execute_command(*self.late_commands.pop(0))

    # Workers

    def start_task(self, number: int, family: str, record_ids: list[str]) -> None:
        rows = self.ledgers[number].start(family, record_ids, START)
        with SharedReader() as reader:
            for row in rows.values():
                sent = entries_of(self.client, PARTITIONS[number].raw, row)
                found = reader.windows(row)
                assert all(w in (None, sent and sent[k]) for k, w in enumerate(found))
        self.started += [(number, family, record_id, row) for record_id, row in rows.items()]

    def commit_record(self, number: int, family: str, record_id: str, row: Record) -> None:
        windows = entries_of(self.client, PARTITIONS[number].raw, row) or []
        tags = " ".join(tag_of(w) for w in windows)
        result = (("tags", "family"), [tags, family])
        version = (self.client.hget(keys.machine(row.machine_id), "version") or b"0").decode()
        outcome = Outcome(record_id, version, version, (("x",), ["1"]), [result], [], [], False)
        self.ledgers[number].commit(family, [outcome])

    @precondition(lambda self: self.tasks)
    @rule()
    def lose_tasks(self) -> None:
        """The broker forgets, or a worker ends that had taken them."""
        self.tasks.clear()

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.start_task(*data.draw(st.sampled_from(self.tasks)))

    @precondition(lambda self: self.started)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        self.commit_record(*data.draw(st.sampled_from(self.started)))

    @precondition(lambda self: self.started)
    @rule(data=st.data(), interrupted=st.booleans())
    def fail(self, data: st.DataObject, interrupted: bool) -> None:
        """A diagnosis raises, or the server is away: the worker reports it, or it is killed."""
        number, family, record_id, _ = data.draw(st.sampled_from(self.started))
        self.ledgers[number].report(family, [record_id], START, interrupted=interrupted)
        self.tasks.append((number, family, [record_id]))

    @precondition(lambda self: self.started)
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        number, family, record_id, _ = data.draw(st.sampled_from(self.started))
        self.ledgers[number].bury(family, record_id, "poison", "by the test")

    @rule()
    def work(self) -> None:
        for task in self.tasks:
            self.start_task(*task)
        for row in self.started:
            self.commit_record(*row)
        self.tasks.clear()
        self.started.clear()

    @rule(family=st.sampled_from(list(FAMILIES)))
    def work_of_one_family(self, family: str) -> None:
        for task in [t for t in self.tasks if t[1] == family]:
            self.start_task(*task)
        for row in [r for r in self.started if r[1] == family]:
            self.commit_record(*row)
        self.tasks = [t for t in self.tasks if t[1] != family]
        self.started = [r for r in self.started if r[1] != family]

    @rule()
    def resend_dead_letters(self) -> None:
        for letter_id, fields in self.client.xrange(keys.DEAD_LETTERS):
            letter = deadletters.decode(letter_id, fields)
            self.buried[tag_of(letter.entry), letter.family] += 1
            deadletters.resend(self.client, letter)
            again = tag_of(letter.entry | {b"replay_of": letter_id})
            self.expected[again] = frozenset({letter.family})
        # They count within the horizon too.
        self.sent = {m: [] for m in MACHINES}

    @precondition(lambda self: self.may_retire)
    @rule(machine_id=st.sampled_from(MACHINES))
    def retire(self, machine_id: str) -> None:
        # Windows sent before are no duplicates for a machine that is new again.
        machines.retire(self.client, machine_id)
        self.sent[machine_id].clear()
        for first in self.copies.values():
            self.expected.pop(first, None)
        self.copies.clear()
        self.retired = True

    # Invariants

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Count results and dead letters of each window and family, resent ones included.

        A window is named by its first entry.
        """
        entries: Counter[tuple[str, str]] = Counter()
        for _, e in self.client.xrange(keys.RESULTS):
            entries.update((i, e[b"family"].decode()) for i in e[b"tags"].decode().split())
        entries.update(self.buried)
        for letter_id, e in self.client.xrange(keys.DEAD_LETTERS):
            letter = deadletters.decode(letter_id, e)
            entries[tag_of(letter.entry), letter.family] += 1
        outcomes: Counter[tuple[str, str]] = Counter()
        for (tag, family), n in entries.items():
            outcomes[self.copies.get(tag, tag), family] += n
        return outcomes

    def reachable(self) -> set[str]:
        """Return the tags of windows that a bridge reads, or would read again."""
        tags = set()
        for p in PARTITIONS:
            if not self.client.exists(p.raw):
                continue
            group = group_info(self.client, p.raw)
            read = _id_order(group.last_delivered if group else "0-0")
            found = self.client.xpending_range(p.raw, keys.GROUP, "-", "+", 9999) if group else []
            pending = {x["message_id"] for x in found}
            for entry_id, fields in self.client.xrange(p.raw):
                if entry_id in pending or _id_order(entry_id.decode()) > read:
                    tags.add(tag_of(fields))
        return tags | {first for copy, first in self.copies.items() if copy in tags}

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        for p in PARTITIONS:
            self.client.persist(p.lease)
        outcomes = self.outcomes()
        assert {k: n for k, n in outcomes.items() if n > 1} == {}, "a window has two results"
        reachable = self.reachable()
        lost = {
            (tag, family)
            for tag, families in self.expected.items()
            for family in families
            if not outcomes[tag, family] and tag not in reachable
        }
        assert lost == set(), "a window has no result and nobody will look at it"

    @invariant()
    def what_is_in_flight_is_bounded(self) -> None:
        in_flight = {
            (p, f): n for p, led in enumerate(self.ledgers) for f, (n, _) in led.in_flight().items()
        }
        assert {k: n for k, n in in_flight.items() if n >= IN_FLIGHT + MAX_RECORD_WINDOWS} == {}

    def drain(self) -> None:
        """Let bridges and workers run undisturbed for as long as the promise says."""
        self.late_commands.clear()
        for step_s in (*[3.0] * 12, 100.0, *[3.0] * 6):
            self.now += step_s
            self.dead_owners_leases_end()
            for p in PARTITIONS:
                for family in FAMILIES:
                    end_starts(self.client, p.attempts(family))
                    if ids := self.client.zrange(p.due(family), 0, -1):
                        self.client.zadd(p.due(family), dict.fromkeys(ids, 0), xx=True)
            for _ in range(4):
                for driven in self.bridges.values():
                    driven.turn()
                    driven.turn()
                self.work()

    def teardown(self) -> None:
        try:
            self.drain()
            self.nothing_is_lost_or_doubled()
            self.check_end()
        finally:
            for driven in self.bridges.values():
                driven.close()
            self.client.close()

    def check_end(self) -> None:
        outcomes = self.outcomes()
        missing = [(e, f) for e, fs in self.expected.items() for f in fs if not outcomes[e, f]]
        assert missing == [], "windows without a result after everything had time to run"
        c = counters(self.client)
        assert {n for led in self.ledgers for n, _ in led.in_flight().values()} == {0}
        if not self.retired:
            done = c.get("windows_done", 0) + c.get("windows_dead", 0)
            assert done == len(self.expected)
            assert c.get("windows_in", 0) == len(self.expected)
            assert c.get("windows_duplicate", 0) == len(self.copies)
        assert [self.client.hlen(p.progress) for p in PARTITIONS] == [0] * len(PARTITIONS)


def tag_of(fields: Mapping[bytes, bytes]) -> str:
    """The name of a window; a dead letter that is sent again is another one."""
    return (fields[b"tag"] + b"+" + fields.get(b"replay_of", b"")).decode().rstrip("+")


def _id_order(entry_id: str) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split("-")))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[BridgeModel]]:
    folder = tmp_path_factory.mktemp("model")
    with EmbeddedServer(load(data_dir=folder)) as server:
        BridgeModel.url = server.url
        BridgeModel.settings = load(
            redis_url=server.url,
            data_dir=folder,
            duplicate_horizon=HORIZON,
            in_flight_windows=IN_FLIGHT,
            batch_wait_ms=1,
            shared_windows_mb=1,
        )
        yield BridgeModel


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_in_any_order_of_events(model: type[BridgeModel]) -> None:
    settings = hypothesis_settings(
        # Others each time; `make interleavings` plays thousands, with all processes.
        max_examples=15,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )
    try:
        run_state_machine_as_test(model, settings=settings)
    except FlakyStrategyDefinition:
        # Batches wait for a millisecond of real time, so that the same order of events may have
        # one task more. This is unrelated to the tested behaviour.
        run_state_machine_as_test(model, settings=settings)
