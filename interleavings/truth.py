"""What must hold, at every command and at the end (docs/explanation/guarantees.md).

It is judged by what the processes said to the server, by what senders and readers were told, and by
what is on the server in the end.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import redis

from interleavings.commands import Command
from interleavings.workload import RETIRING
from vtox import keys
from vtox.faults import FAMILIES, FAULTS
from vtox.store.stream import deadletters
from vtox.windows.partitions import Partition

FENCED = frozenset(("admit", "refuse", "dispatch", "move", "retire_partition"))
# As many as there ever are in a run.
PARTITIONS = tuple(map(Partition, range(3)))
RAWS = frozenset(p.raw for p in PARTITIONS)

# Machine, run, seq: what a sender calls a window.
Name = tuple[str, str, int]


class Broken(AssertionError):
    """Something that must hold does not; `rule` names it."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


class Truth:
    """What is known of a run, from outside of the product."""

    def __init__(self, plain: redis.Redis, horizon: int) -> None:
        self.plain = plain
        self.horizon = horizon
        self.sent: set[Name] = set()
        self.acknowledged: set[Name] = set()
        # Stream and id of each entry that the server has ever had -> the window, None: malformed.
        self.entries: dict[tuple[str, str], Name | None] = {}
        # Windows of a machine in the order in which they came, a window more than once.
        self.arrivals: defaultdict[str, list[Name]] = defaultdict(list)
        self.read: dict[bytes, Mapping[bytes, bytes]] = {}
        self.tokens: set[Any] = set()
        self.retired = False
        self.moved = False

    # At every command

    def observe(self, command: Command) -> Callable[[Any], None] | None:
        """Look at a command before the server has it; return what looks at its reply."""
        if command.name in FENCED:
            return self._watch_fence(command)
        if command.name == "lease":
            return self._watch_lease(command)
        if command.name == "commit":
            return self._watch_commit(command)
        if any(p[0] == "XADD" and p[1] in RAWS for p in command.parts):
            return lambda reply: self._note_entries(command, reply)
        return None

    def _watch_fence(self, command: Command) -> Callable[[Any], None]:
        lease, token = command.keys[0], command.argv[0]
        holder = self.plain.get(lease)

        def answered(_: Any) -> None:
            if holder != token.encode():
                raise Broken(
                    "lease", f"{command.name} was accepted of {token}, {lease} is {holder!r}"
                )
            if command.name == "admit":
                self._check_arrivals(command.argv)

        return answered

    def _check_arrivals(self, argv: list[Any]) -> None:
        """No machine is heard of later than now: it would be silent for that much longer."""
        machines = [_text(m) for m in argv[9 : 9 + 2 * int(argv[8]) : 2]]
        seconds, micros = self.plain.time()
        for machine in machines:
            arrived = self.plain.zscore(keys.MACHINES, machine)
            if arrived is not None and arrived > seconds + micros / 1e6:
                raise Broken("clocks", f"{machine} came at {arrived}, and it is {seconds}.{micros}")

    def _watch_commit(self, command: Command) -> Callable[[Any], None]:
        """Look for records that commit on a state of their machine that is not there any more."""
        machines, argv = command.keys[17:], command.argv
        at, versions = 12 + len(machines), []
        for _ in machines:
            versions.append(argv[at + 1])
            at += 1 + int(argv[at])
        states = [self.plain.hget(m, "version") or b"0" for m in machines]
        newest = dict(zip(machines, states, strict=True))

        def answered(reply: Any) -> None:
            for machine, version, answer in zip(machines, versions, reply, strict=True):
                if not isinstance(answer, int):
                    raise Broken("scripts", f"commit answers {answer!r}")
                listed = self.plain.zscore(keys.MACHINES, machine.rpartition(":")[2])
                if answer != 1 or listed is None:
                    continue
                if newest[machine] not in (None, _text(version).encode()):
                    raise Broken("states", f"{machine} was {newest[machine]}, not {version}")
                newest[machine] = None  # the next record builds on this one

        return answered

    def _watch_lease(self, command: Command) -> Callable[[Any], None]:
        what, token = command.argv[:2]
        holder = self.plain.get(command.keys[0])

        def answered(reply: Any) -> None:
            if not reply:
                return
            if what == "renew" and holder != token.encode():
                raise Broken("lease", f"{token} was renewed, the lease was {holder!r}")
            if what == "take" and token in self.tokens:
                raise Broken("lease", f"{token} was the token of an earlier ownership")
            if what == "take":
                self.tokens.add(token)

        return answered

    def _note_entries(self, command: Command, reply: Any) -> None:
        replies = reply if len(command.parts) > 1 else [reply]
        for args, entry_id in zip(command.parts, replies, strict=True):
            if args[0] == "XADD" and args[1] in RAWS and isinstance(entry_id, bytes):
                fields = dict(zip(args[3::2], args[4::2], strict=True))
                self.note_entry(str(args[1]), entry_id.decode(), fields)

    def note_entry(self, raw: str, entry_id: str, fields: Mapping[Any, Any]) -> None:
        """Note an entry that the server has now."""
        name = name_of(fields)
        self.entries[raw, entry_id] = name
        if name:
            self.arrivals[name[0]].append(name)

    # What readers see

    def read_results(self) -> None:
        """Read the results that are new, as a reader does."""
        last = next(reversed(self.read), b"0")
        self.read |= dict(self.plain.xrange(keys.RESULTS, b"(" + last))

    def _check_read(self) -> None:
        now = dict(self.plain.xrange(keys.RESULTS))
        for entry_id, fields in self.read.items():
            if now.get(entry_id) != fields:
                raise Broken("results", f"{entry_id!r} was read and is another one now")

    # At the end

    def unfinished(self) -> str:
        """Return what is still to be done, empty once all is."""
        for p in PARTITIONS:
            if not self.plain.exists(p.raw):
                continue
            group = self._group(p)
            pending = group["pending"] if group else 0
            lag = group["lag"] if group else self.plain.xlen(p.raw)
            if pending or lag:
                return f"{p.raw}: {pending} pending, {lag} unread"
            if rows := self.plain.hlen(p.progress):
                return f"{p.progress}: {rows} rows"
            for family in FAMILIES:
                if rows := self.plain.hlen(p.ledger(family)):
                    return f"{p.ledger(family)}: {rows} rows"
        return ""

    def _group(self, p: Partition) -> dict[str, Any] | None:
        groups = self.plain.xinfo_groups(p.raw)
        return next((g for g in groups if g["name"] == keys.GROUP.encode()), None)

    def check(self) -> None:
        """Check what must hold once everything is finished."""
        self._check_read()
        outcomes = self._outcomes()
        self._check_windows(outcomes)
        self._check_sums()

    def _outcomes(self) -> Counter[tuple[Name, str]]:
        """Count for each window and fault its results, and for each family its dead letters."""
        outcomes: Counter[tuple[Name, str]] = Counter()
        for _, e in self.plain.xrange(keys.RESULTS):
            machine, run = e[b"machine_id"].decode(), _run(e[b"run"].decode())
            for seq in range(int(e[b"first_seq"]), int(e[b"last_seq"]) + 1):
                outcomes[(machine, run, seq), e[b"fault"].decode()] += 1
        for letter_id, e in self.plain.xrange(keys.DEAD_LETTERS):
            letter = deadletters.decode(letter_id, e)
            name = self.entries.get((letter.stream, letter.stream_id))
            faults = FAMILIES[letter.family].faults if letter.family else tuple(FAULTS)
            if name:
                outcomes.update((name, f) for f in faults)
        return outcomes

    def _check_windows(self, outcomes: Counter[tuple[Name, str]]) -> None:
        for name in sorted(self.sent):
            counts = [outcomes[name, f] for f in FAULTS]
            if name in self.acknowledged and 0 in counts:
                raise Broken("exists", f"{name} was acknowledged and has results {counts}")
            if len(set(counts)) > 1:
                raise Broken("whole", f"{name} has results {counts}")
            if max(counts) > self._allowed(name):
                raise Broken("once", f"{name} has results {counts}")

    def _allowed(self, name: Name) -> int:
        """Return how often a window may have been taken for a new one."""
        machine_id = name[0]
        if machine_id == RETIRING and self.retired:
            return 99
        came = self.arrivals[machine_id]
        at = [i for i, n in enumerate(came) if n == name]
        beyond = sum(len(set(came[a:b])) > self.horizon for a, b in itertools.pairwise(at))
        return 1 + beyond

    def _check_sums(self) -> None:
        c = Counter({k.decode(): int(v) for k, v in self.plain.hgetall(keys.COUNTERS).items()})
        ended = c["windows_done"] + c["windows_dead"]
        _equal("windows admitted, and ended", c["windows_in"], ended)
        rest = c["windows_duplicate"] + c["windows_refused"]
        _equal("entries ever added, and ended", len(self.entries), ended + rest)
        in_flight = {k: n for k, n in c.items() if k.startswith("in_flight") and n}
        _equal("in flight", in_flight, {})
        results = [e for _, e in self.plain.xrange(keys.RESULTS)]
        latencies = self._check_families(c, results)
        buckets = {k.decode(): int(v) for k, v in self.plain.hgetall(keys.LATENCY).items()}
        for family, n in latencies.items():
            of_family = sum(v for k, v in buckets.items() if k.startswith(f"{family}:"))
            _equal(f"latencies counted of {family}, and records", of_family, n)
        letters = Counter(e[b"code"].decode() for _, e in self.plain.xrange(keys.DEAD_LETTERS))
        counted = {k.partition(":")[2]: n for k, n in c.items() if k.startswith("dead_letters:")}
        _equal("dead letters by code", counted, dict(letters))

    def _check_families(
        self, c: Counter[str], results: list[Mapping[bytes, bytes]]
    ) -> Counter[str]:
        """Compare the counts of records with the results of one fault of each family."""
        records: Counter[str] = Counter()
        for family, f in FAMILIES.items():
            own = [e for e in results if e[b"fault"].decode() == f.faults[0]]
            windows = sum(int(e[b"last_seq"]) - int(e[b"first_seq"]) + 1 for e in own)
            _equal(f"records of {family}, and results", c[f"records:{family}"], len(own))
            _equal(f"windows of {family}, and results", c[f"windows:{family}"], windows)
            latency_ms = sum(int(e[b"latency_ms"]) for e in own)
            _equal(f"latency of {family}, and results", c[f"latency_ms:{family}"], latency_ms)
            records[family] = len(own)
        return records


def name_of(fields: Mapping[Any, Any]) -> Name | None:
    """Return the name of a window by the fields of its entry, None where it has no number."""
    text = {_text(k): v for k, v in fields.items()}
    seq = _text(text.get("seq", ""))
    if not seq.isdigit():
        return None
    return _text(text["machine_id"]), _text(text.get("run", "")), int(seq)


def _run(run: str) -> str:
    return run.partition("#")[0].partition("~")[0]


def _text(x: Any) -> str:
    return x.decode() if isinstance(x, bytes) else str(x)


def _equal(what: str, counted: Any, found: Any) -> None:
    if counted != found:
        raise Broken("sums", f"{what}: {counted} and {found}")
