"""The possible events at a command of a process, chosen by the seed for each command separately.

The choice depends on the seed, the process and the number of its command alone. So a schedule
without one of its events keeps the others where they were, as long as it can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random

# Kinds of events. At a command: others run first; it is not executed, and its sender gets an error.
# Or it is executed and its reply is lost; or it is executed late, when its sender has given up. The
# process dies before or after it; the server has no disk for a write; the server's or the host's
# clock is set. At a task: it is lost, sent twice, or of another version. At a diagnosis: it raises.
DELAY, CUT, LOST, LATE, DIE, DIE_AFTER = "delay", "cut", "lost", "late", "die", "die_after"
REFUSED, CLOCK, HOST_CLOCK = "refused", "clock", "host_clock"
TASK_LOST, TASK_TWICE, TASK_OTHER = "task_lost", "task_twice", "task_other"
RAISES = "raises"
AT_COMMAND = (DELAY, DELAY, CUT, LOST, LATE, DIE, DIE_AFTER, REFUSED, CLOCK, HOST_CLOCK)
OF_READS = tuple(k for k in AT_COMMAND if k != REFUSED)
OF_TASK, OF_DIAGNOSIS = (CUT, LOST, TASK_LOST, TASK_TWICE, TASK_OTHER), (RAISES,)
OF_SQL, OF_MESSAGE, OF_PORTION = (DIE, REFUSED), (CUT, LOST), (DELAY, DIE)
KINDS = tuple(dict.fromkeys((*AT_COMMAND, *OF_TASK, *OF_DIAGNOSIS)))

# Others run first for a time in this range, s; the longest outlasts a lease and an orphan search.
SHORTEST_S, LONGEST_S = 0.001, 16.0
# Higher chances for the commands at which events matter most: often such a command comes at a place
# where an event has no effect.
WEIGHTS = {
    "admit": 8.0,
    "refuse": 8.0,
    "dispatch": 8.0,
    "move": 8.0,
    "commit": 4.0,
    "start": 4.0,
    "lease": 2.0,
    "XREADGROUP": 3.0,
    "HMGET": 3.0,
    "XADD": 2.0,
    "task": 4.0,
    "diagnosis": 4.0,
    "SQL": 4.0,
    "message": 4.0,
    "keep_alarms": 8.0,
    "portion": 8.0,
    # Rare ones, in a run.
    **dict.fromkeys(("bury_record", "report", "release", "retire", "retire_partition"), 16.0),
    **dict.fromkeys(("family_progress", "move"), 16.0),
    **dict.fromkeys(("unassigned_entries", "set_flag", "SADD", "HDEL", "ZADD", "HINCRBY"), 8.0),
    **dict.fromkeys(("summarise_refusals", "trim_between", "set_alarm", "SET", "HSETNX"), 4.0),
    **dict.fromkeys(("GET", "LLEN", "ZCOUNT", "SMISMEMBER", "ZMSCORE", "backlog"), 4.0),
}
# Half of the events at a command are of these kinds: others hardly lead to the cases of its guards.
OFTEN = {
    "family_progress": (DELAY,),  # windows are finished while a bridge rebuilds
    "XREADGROUP": (LATE,),  # windows are read for a reader that has gone
    **dict.fromkeys(("admit", "move", "dispatch", "refuse", "retire_partition"), (DELAY,)),
    **dict.fromkeys(("report", "keep_alarms", "portion"), (DELAY,)),
    "set_flag": (DELAY, LOST),
    "commit": (CUT, LOST),
    "start": (CLOCK, DELAY),
}
# These events are most often long, so that much happens meanwhile.
LONG = frozenset(OFTEN) - {"XREADGROUP", "commit"}

# The last digit of a seed chooses the events: 0 to 3 any, 4 few except at the commands below,
# 5 to 9 one aim each (`aims`). So every stretch of seeds has all of them.
GENERAL_DIGITS, RARE_DIGIT = (0, 1, 2, 3), 4
# Commands to which general seeds hardly come.
OF_RARE = {"XREADGROUP": 8.0, "refuse": 64.0, "set_flag": 256.0, "move": 128.0}
OF_RARE["retire_partition"] = 64.0

# Size of a clock event that sets the server's clock back by an hour (`commands.CLOCK_SHARE`).
HOUR_BACK_S = LONGEST_S / 4 - 900.0

Place = tuple[str, int]


def is_general(seed: int) -> bool:
    """Whether anything may happen in the run of a seed, at any command."""
    return seed % 10 in GENERAL_DIGITS


def possible(command: str, is_write: bool) -> tuple[str, ...]:
    """Return the possible events at a command."""
    of_own = {"task": OF_TASK, "diagnosis": OF_DIAGNOSIS, "SQL": OF_SQL, "message": OF_MESSAGE}
    of_own["portion"] = OF_PORTION
    return of_own.get(command, AT_COMMAND if is_write else OF_READS)


@dataclass(frozen=True, slots=True)
class Event:
    """The kind of an event, and its size in s if it has one."""

    kind: str
    size_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely one of some kinds is at a command, and its size, s.

    It happens among the first `before` commands of a process.
    """

    share: float
    kinds: Sequence[str]
    least_s: float = 0.0
    most_s: float = 0.0
    before: int = 1_000_000


@dataclass(slots=True)
class Events:
    """The events of a run: the ones that a seed chooses, or `plan` alone.

    A seed uses some of the kinds, more or less often: seeds with few other events find the rare
    combinations. With `chances` (by command, empty for any other) only those happen.
    """

    seed: int
    plan: Mapping[Place, Event] | None = None
    chances: Mapping[str, Chance] | None = None
    rate: float = field(init=False)
    kinds: Sequence[str] = field(init=False)
    happened: dict[Place, tuple[str, Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = Random(f"events {self.seed}")
        self.rate = 10 ** rng.uniform(-2.7, -1.3 if is_general(self.seed) else -2.3)
        some = [k for k in sorted(set(AT_COMMAND)) if rng.random() < 0.5]
        self.kinds = [k for k in AT_COMMAND if k in (some or AT_COMMAND)]

    def at(self, place: Place, command: str, possible: Sequence[str]) -> Event | None:
        """Return the event at a place, None if none or if it is not among the `possible` ones."""
        if self.plan is not None:
            event = self.plan.get(place)
        elif self.chances is not None:
            event = self._of_chances(place, self.chances.get(command) or self.chances.get(""))
        else:
            event = self._choose(place, command, possible)
        if event is None or event.kind not in possible:
            return None
        self.happened[place] = command, event
        return event

    def _choose(self, place: Place, command: str, possible: Sequence[str]) -> Event | None:
        rare = not is_general(self.seed)
        weight = (OF_RARE if rare else WEIGHTS).get(command, 1.0)
        happens, which, share = self._drawn(place)
        if happens >= self.rate * weight:
            return None
        kinds = [k for k in self.kinds if k in possible] or possible
        if command in OFTEN and which % 2:
            kinds = OFTEN[command]
        kind = kinds[which // 2 % len(kinds)]
        if command in LONG or (rare and command == "XREADGROUP"):
            share **= 0.5
        return Event(kind, round(SHORTEST_S * (LONGEST_S / SHORTEST_S) ** share, 6))

    def _of_chances(self, place: Place, chance: Chance | None) -> Event | None:
        happens, which, share = self._drawn(place)
        if chance is None or happens >= chance.share or place[1] >= chance.before:
            return None
        size_s = chance.least_s + share * (chance.most_s - chance.least_s)
        return Event(chance.kinds[which % len(chance.kinds)], round(size_s, 6))

    def _drawn(self, place: Place) -> tuple[float, int, float]:
        """Return a share, a number and a share that belong to a place."""
        text = f"{self.seed} {place[0]} {place[1]}".encode()
        digest = blake2b(text, digest_size=12).digest()
        happens, which, size = (int.from_bytes(digest[i : i + 4]) for i in (0, 4, 8))
        return happens / 2**32, which, size / 2**32
