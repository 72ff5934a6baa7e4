"""The rules that must hold at the end (docs/explanation/guarantees.md).

They are checked by the replies to senders and readers, and by the content of the server in the end.
`watching` has the rules that must hold at every command.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import redis

from faults.interleavings.commands import Command, ask
from faults.interleavings.letters import Entry, Happened, unexplained
from faults.interleavings.workload import RETIRING
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values.energy import NOTHING, MeterCounts, counts_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.energy import meters
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.windows.partitions import Partition

# As many as there ever are in a run.
PARTITIONS = tuple(map(Partition, range(3)))
RAWS = frozenset(p.raw for p in PARTITIONS)

# Machine, run, seq: the name that a sender gives to a window.
Name = tuple[str, str, int]


class Broken(AssertionError):
    """Something that must hold does not; `rule` names it."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


class Truth:
    """The truth about a run, as seen from outside the product."""

    def __init__(self, plain: redis.Redis, horizon: int, *, retires: bool = False) -> None:
        self.plain = plain
        self.horizon = horizon
        # Whether partitions that are not in force are gone soon.
        self.retires = retires
        self.sent: set[Name] = set()
        self.acknowledged: set[Name] = set()
        # Stream and id of each entry that the server has ever had -> the window, None: malformed.
        self.entries: dict[tuple[str, str], Name | None] = {}
        # The same for all entries in the streams of partitions, also moved ones.
        self.moved: dict[tuple[str, str], Name | None] = {}
        # Windows of a machine in the order in which they came, a window more than once.
        self.arrivals: defaultdict[str, list[Name]] = defaultdict(list)
        self.read: dict[bytes, Mapping[bytes, bytes]] = {}
        self.retired = False
        # Entries that an operator deletes.
        self.to_delete: set[Entry] = set()
        # Count of deletions of a window before it could be distinguished from its copies.
        self.deleted: Counter[Name] = Counter()
        # Dead letters that are windows again.
        self.resent = 0

    # Acts of senders

    def note_entries(self, command: Command, reply: Any) -> None:
        """Note the entries that a command has added."""
        replies = reply if len(command.parts) > 1 else [reply]
        for args, entry_id in zip(command.parts, replies, strict=True):
            if args[0] == "XADD" and args[1] in RAWS and isinstance(entry_id, bytes):
                fields = dict(zip(args[3::2], args[4::2], strict=True))
                self.note_entry(str(args[1]), entry_id.decode(), fields)
            elif args[:2] == ("XDEL", keys.DEAD_LETTERS):
                self.resent += int(entry_id)

    def note_entry(self, raw: str, entry_id: str, fields: Mapping[Any, Any]) -> None:
        """Note an entry that the server has now."""
        name = name_of(fields)
        self.entries[raw, entry_id] = name
        if name:
            self.arrivals[name[0]].append(name)

    def note_moved(self) -> None:
        """Note the windows that have another id in another partition now."""
        for p in PARTITIONS:
            for entry_id, fields in self.plain.xrange(p.raw):
                self.moved.setdefault((p.raw, entry_id.decode()), name_of(fields))

    # Results that readers see

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
        """Return the first unfinished work, empty once all is done."""
        hashes = [name for p in PARTITIONS for name in (p.progress, *map(p.ledger, FAMILIES))]
        rows = ask(self.plain, *(("HLEN", name) for name in hashes))
        if left := [f"{name}: {n} rows" for name, n in zip(hashes, rows, strict=True) if n]:
            return left[0]
        there = [self.is_served(p) for p in PARTITIONS]
        for p in itertools.compress(PARTITIONS, there):
            group = self._group(p) if self.plain.exists(p.raw) else None
            pending = group["pending"] if group else 0
            # Not the group's `lag`, which the server does not know once entries are deleted.
            after = group["last-delivered-id"] if group else b"0-0"
            unread = self.plain.xrange(p.raw, b"(" + after, count=1)
            if pending or unread:
                return f"{p.raw}: {pending} pending, {len(unread)} or more unread"
            if self.retires and p.number >= self._in_force():
                return f"{p.raw} is not retired"
        return ""

    def is_served(self, p: Partition) -> bool:
        """Return whether a partition is in force, or still has a stream."""
        number, there = ask(self.plain, ("HGET", keys.PARTITIONS, "number"), ("EXISTS", p.raw))
        return p.number < int(number or 1) or bool(there)

    def _in_force(self) -> int:
        return int(ask(self.plain, ("HGET", keys.PARTITIONS, "number"))[0] or 1)

    def _group(self, p: Partition) -> dict[str, Any] | None:
        groups = self.plain.xinfo_groups(p.raw)
        return next((g for g in groups if g["name"] == keys.GROUP.encode()), None)

    def check(self, happened: Happened) -> None:
        """Check the rules once everything is finished, after the events that happened."""
        self._check_read()
        outcomes = self._outcomes(happened)
        self._check_windows(outcomes)
        self._check_sums()

    def _outcomes(self, happened: Happened) -> Counter[tuple[Name, str]]:
        """Count for each window and fault its results, and for each family its dead letters."""
        outcomes: Counter[tuple[Name, str]] = Counter()
        of_all: list[Name] = []
        buried: Counter[tuple[str, str]] = Counter()
        for _, e in self.plain.xrange(keys.RESULTS):
            machine, run = e[b"machine_id"].decode(), _run(e[b"run"].decode())
            for seq in range(int(e[b"first_seq"]), int(e[b"last_seq"]) + 1):
                outcomes[(machine, run, seq), e[b"fault"].decode()] += 1
        of_windows: list[deadletters.DeadLetter] = []
        for letter_id, e in self.plain.xrange(keys.DEAD_LETTERS):
            letter = deadletters.decode(letter_id, e)
            of = letter.stream, letter.stream_id
            buried[of] += not letter.family
            name = self.entries.get(of) or self.moved.get(of)
            of_windows += [letter] * bool(name)
            if name and letter.family:
                outcomes.update((name, f) for f in FAMILIES[letter.family].faults)
            elif name:
                of_all.append(name)
        if more := unexplained(of_windows, happened, self.to_delete):
            at = more[0]
            what = f"{at.machine_id} {at.seq} has a dead letter {at.code} that no event explains"
            raise Broken("exists", what)
        if twice := [of for of, n in buried.items() if n > 1]:
            raise Broken("once", f"{twice[0]} has dead letters {buried[twice[0]]}")
        # Families that had assigned it before have their own results or letters.
        self.deleted = Counter(of_all)
        for name in of_all:
            most = max(outcomes[name, f] for f in FAULTS)
            behind = [f for f in FAULTS if outcomes[name, f] < most]
            outcomes.update((name, f) for f in behind or FAULTS)
        return outcomes

    def _check_windows(self, outcomes: Counter[tuple[Name, str]]) -> None:
        for name in sorted(self.sent):
            counts = [outcomes[name, f] for f in FAULTS]
            if name in self.acknowledged and 0 in counts:
                raise Broken("exists", f"{name} was acknowledged and has results {counts}")
            if len(set(counts)) > 1:
                raise Broken("whole", f"{name} has results {counts}")
            if max(counts) > self._allowed(name) + self.deleted[name]:
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
        self._check_meters(results)
        names = [n for p in PARTITIONS for f in FAMILIES for n in (p.due(f), p.attempts(f))]
        left = ask(self.plain, *(("EXISTS", n) for n in names))
        _equal("kept of finished records", list(itertools.compress(names, left)), [])
        buckets = {k.decode(): int(v) for k, v in self.plain.hgetall(keys.LATENCY).items()}
        for family, n in latencies.items():
            of_family = sum(v for k, v in buckets.items() if k.startswith(f"{family}:"))
            _equal(f"latencies counted of {family}, and records", of_family, n)
        letters = Counter(e[b"code"].decode() for _, e in self.plain.xrange(keys.DEAD_LETTERS))
        counted = {k.partition(":")[2]: n for k, n in c.items() if k.startswith("dead_letters:")}
        ever = letters.total() + self.resent
        _equal("dead letters counted, and there or sent again", sum(counted.values()), ever)
        _equal("dead letters by code that nobody counted", letters - Counter(counted), Counter())

    def _check_meters(self, results: list[Mapping[bytes, bytes]]) -> None:
        """Compare the meters of machines with the counts of their results."""
        found = metered(results)
        ids = {e[b"machine_id"].decode() for e in results} - {RETIRING}
        for machine_id in sorted(ids):
            (meter,) = meters(self.plain, [machine_id])
            _equal(
                f"meter of {machine_id}, and results", meter.counts, found.get(machine_id, NOTHING)
            )

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


def metered(results: Iterable[Mapping[bytes, bytes]]) -> dict[str, MeterCounts]:
    """Return the sums of the results of each machine that has any."""
    sums: defaultdict[str, MeterCounts] = defaultdict(lambda: NOTHING)
    for e in results:
        counts = MeterCounts(*counts_of(e.get(b"energy", b"")))
        if any(counts):
            machine_id = e[b"machine_id"].decode()
            sums[machine_id] = sums[machine_id].plus(counts)
    return dict(sums)


def name_of(fields: Mapping[Any, Any]) -> Name | None:
    """Return the name of a window by the fields of its entry, None if it has no number."""
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
