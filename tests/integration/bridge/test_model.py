"""Bridges against a model of the stream, in orders of events that hypothesis chooses.

The bridge, the intake, the ledger and the scripts are the real ones on a real server. The clock of
the bridges is the test's, and so is the lease: it runs out when a rule says so. A bridge that gets
no turn is a stopped one. Between any two commands of a bridge another event may come: a commit, the
end of the lease, a turn of the other bridge, a lost connection, a command that arrives late.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.integration.helpers import counters, end_starts
from vtox import keys
from vtox.bridge.loop import Bridge
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import Record
from vtox.errors import LeaseLost, StaleState
from vtox.faults import FAMILIES
from vtox.settings import Settings, load
from vtox.store import deadletters, machines
from vtox.store.client import connect
from vtox.store.ledger import Ledger, Outcome
from vtox.store.scripts import source
from vtox.store.shared_windows import SharedReader
from vtox.store.streams import group_info
from vtox.store.windows import entries_of

HORIZON = 8
# So few windows in flight that some families run out of room while others have some.
IN_FLIGHT = 24
MAX_RECORD_WINDOWS = 10  # broken bars, the first record of a machine
WINDOW_S = 2.0
SAMPLES = np.arange(200, dtype="<i2").tobytes()
MACHINES = ("M1", "M2")
BRIDGES = ("A", "B")
START = "start"
EVENTS = ("commit", "lease_ends", "takeover", "cut", "dispatch_is_late")
# Commands before which an event does most; by chance few would come just there.
FENCED = ("admit", "refuse", "dispatch")
# So many turns that a bridge reads and dispatches what was sent at once: its first reads are small.
TURNS = 6

Interruption = Callable[[tuple[Any, ...]], None]


class DrivenBridge:
    """A bridge that makes one turn when told, and calls `interruption` before each command."""

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
        self.bridge = Bridge(self.client, settings, send, clock=clock)

    def turn(self) -> None:
        """Take over, or serve once, as `Bridge.run` does."""
        try:
            if not self.bridge.owner:
                self.bridge.take_over()
            else:
                self.bridge.serve_once()
        except (LeaseLost, StaleState, redis.RedisError):
            self.bridge.owner = False


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
        self.ledger = Ledger(self.client, self.settings)
        shared = ("refuse", "dispatch")
        texts = {name: source(name, shared=name in shared) for name in FENCED}
        self.shas = {n: self.client.register_script(text).sha for n, text in texts.items()}
        self.bridges = {name: self.new_bridge() for name in BRIDGES}
        self.tasks: list[tuple[str, list[str]]] = []
        self.started: list[tuple[str, str, Record]] = []
        # Entry id -> families that must finish it, each once.
        self.expected: dict[str, frozenset[str]] = {}
        # Entry id of a window sent again -> that of its first entry. Either may be diagnosed: the
        # first can lie unadmitted in the pending list while the second is read.
        self.copies: dict[str, str] = {}
        self.sent: dict[str, list[tuple[int, str]]] = {m: [] for m in MACHINES}
        self.next_seq = dict.fromkeys(MACHINES, 0)
        self.late_commands: list[tuple[Any, ...]] = []
        self.buried: Counter[tuple[str, str]] = Counter()
        # Where machines retire, the counters are not compared.
        self.may_retire = self.retired = False

    @initialize(may_retire=st.sampled_from((False, False, True)))
    def choose(self, may_retire: bool) -> None:
        self.may_retire = may_retire

    def new_bridge(self) -> DrivenBridge:
        return DrivenBridge(
            self.url,
            self.settings,
            lambda: self.now,
            lambda family, ids: self.tasks.append((family, list(ids))),
        )

    # Senders

    def add_entry(self, machine_id: str, seq: int) -> str:
        fields = {"machine_id": machine_id, "seq": seq, "t0": 1.7e9 + seq * WINDOW_S}
        entry = fields | {"fs_hz": 100, "dtype": "i2", "ia": SAMPLES}
        return str(self.client.xadd(keys.RAW, entry).decode())

    def add_new(self, machine_id: str, seq: int) -> None:
        entry = self.add_entry(machine_id, seq)
        self.expected[entry] = frozenset(FAMILIES)
        self.sent[machine_id].append((seq, entry))

    @rule(machine_id=st.sampled_from(MACHINES), n=st.integers(1, 12))
    def add(self, machine_id: str, n: int) -> None:
        for _ in range(n):
            self.add_new(machine_id, self.next_seq[machine_id])
            self.next_seq[machine_id] += 1

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
        self.bridges[name].client.close()
        self.bridges[name].bridge.shared.close()
        self.bridges[name] = self.new_bridge()

    @rule(name=st.sampled_from(BRIDGES))
    def end_in_order(self, name: str) -> None:
        self.bridges[name].bridge.release()
        self.kill(name)

    @rule()
    def lease_ends(self) -> None:
        self.client.delete(keys.LEASE)

    def dead_owners_lease_ends(self) -> None:
        owners = [d.bridge.token.encode() for d in self.bridges.values() if d.bridge.owner]
        if self.client.get(keys.LEASE) not in owners:
            self.lease_ends()

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
        owners = [name for name, d in self.bridges.items() if d.bridge.owner]
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

    def start_task(self, family: str, record_ids: list[str]) -> None:
        rows = self.ledger.start(family, record_ids, START)
        with SharedReader() as reader:
            for row in rows.values():
                sent = entries_of(self.client, keys.RAW, row)
                found = reader.windows(row)
                assert all(w in (None, sent and sent[k]) for k, w in enumerate(found))
        self.started += [(family, record_id, row) for record_id, row in rows.items()]

    def commit_record(self, family: str, record_id: str, row: Record) -> None:
        result: list[str | bytes] = ["ids", row.ids, "family", family]
        version = (self.client.hget(keys.machine(row.machine_id), "version") or b"0").decode()
        outcome = Outcome(record_id, version, version, ["x", "1"], [result], [], [], False)
        self.ledger.commit(family, [outcome])

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
        family, record_id, _ = data.draw(st.sampled_from(self.started))
        self.ledger.report(family, [record_id], START, interrupted=interrupted)
        self.tasks.append((family, [record_id]))

    @precondition(lambda self: self.started)
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        family, record_id, _ = data.draw(st.sampled_from(self.started))
        self.ledger.bury(family, record_id, "poison", "by the test")

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
        for task in [t for t in self.tasks if t[0] == family]:
            self.start_task(*task)
        for row in [r for r in self.started if r[0] == family]:
            self.commit_record(*row)
        self.tasks = [t for t in self.tasks if t[0] != family]
        self.started = [r for r in self.started if r[0] != family]

    @rule()
    def resend_dead_letters(self) -> None:
        for letter_id, fields in self.client.xrange(keys.DEAD_LETTERS):
            letter = deadletters.decode(letter_id, fields)
            self.buried[letter.stream_id, letter.family] += 1
            self.expected[deadletters.resend(self.client, letter)] = frozenset({letter.family})
        # They count within the horizon too.
        self.sent = {m: [] for m in MACHINES}

    @precondition(lambda self: self.may_retire)
    @rule(machine_id=st.sampled_from(MACHINES))
    def retire(self, machine_id: str) -> None:
        # What was sent before is no duplicate for a machine that is new again.
        machines.retire(self.client, machine_id)
        self.sent[machine_id].clear()
        for first in self.copies.values():
            self.expected.pop(first, None)
        self.copies.clear()
        self.retired = True

    # What must hold

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Count results and dead letters of each window and family, resent ones included.

        A window is named by its first entry.
        """
        entries: Counter[tuple[str, str]] = Counter()
        for _, e in self.client.xrange(keys.RESULTS):
            entries.update((i, e[b"family"].decode()) for i in e[b"ids"].decode().split())
        entries.update(self.buried)
        for _, e in self.client.xrange(keys.DEAD_LETTERS):
            entries[e[b"stream_id"].decode(), e[b"family"].decode()] += 1
        outcomes: Counter[tuple[str, str]] = Counter()
        for (entry, family), n in entries.items():
            outcomes[self.copies.get(entry, entry), family] += n
        return outcomes

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if self.client.exists(keys.LEASE):
            self.client.persist(keys.LEASE)
        outcomes = self.outcomes()
        assert {k: n for k, n in outcomes.items() if n > 1} == {}, "a window has two results"
        group = group_info(self.client, keys.RAW) if self.client.exists(keys.RAW) else None
        if group is None:
            return
        read = _id_order(group.last_delivered)
        pending = self.client.xpending_range(keys.RAW, keys.GROUP, "-", "+", 100_000)
        reachable = {p["message_id"].decode() for p in pending}
        reachable |= {e for e in (*self.expected, *self.copies) if _id_order(e) > read}
        reachable |= {first for copy, first in self.copies.items() if copy in reachable}
        lost = {
            (entry, family)
            for entry, families in self.expected.items()
            for family in families
            if not outcomes[entry, family] and entry not in reachable
        }
        assert lost == set(), "a window has no result and nobody will look at it"

    @invariant()
    def what_is_in_flight_is_bounded(self) -> None:
        c = counters(self.client)
        in_flight = {f: c.get(f"in_flight_windows:{f}", 0) for f in FAMILIES}
        assert {f: n for f, n in in_flight.items() if n >= IN_FLIGHT + MAX_RECORD_WINDOWS} == {}

    def drain(self) -> None:
        """Let bridges and workers run undisturbed for as long as the promise says."""
        self.late_commands.clear()
        for step_s in (*[3.0] * 12, 100.0, *[3.0] * 6):
            self.now += step_s
            self.dead_owners_lease_ends()
            for family in FAMILIES:
                end_starts(self.client, family)
                if ids := self.client.zrange(keys.due(family), 0, -1):
                    self.client.zadd(keys.due(family), dict.fromkeys(ids, 0), xx=True)
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
                driven.client.close()
                driven.bridge.shared.close()
            self.client.close()

    def check_end(self) -> None:
        outcomes = self.outcomes()
        missing = [(e, f) for e, fs in self.expected.items() for f in fs if not outcomes[e, f]]
        assert missing == [], "windows without a result after everything had time to run"
        c = counters(self.client)
        assert [c.get(f"in_flight_windows:{f}", 0) for f in FAMILIES] == [0] * len(FAMILIES)
        if not self.retired:
            done = c.get("windows_done", 0) + c.get("windows_dead", 0)
            assert done == len(self.expected)
            assert c.get("windows_in", 0) == len(self.expected)
            assert c.get("windows_duplicate", 0) == len(self.copies)
        assert self.client.hlen(keys.PROGRESS) == 0


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


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_in_any_order_of_events(model: type[BridgeModel]) -> None:
    run_state_machine_as_test(
        model,
        settings=hypothesis_settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
