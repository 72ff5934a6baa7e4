"""The seeded schedule of disturbances: kind, time, target and length of each."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vtox.motor.faults import FAMILIES

# Targets with a link, and targets that are processes: the server has no link.
WORKERS = tuple(FAMILIES)
LINKED = ("owner", "standby", *WORKERS, "api", "sender")
PROCESSES = ("server", *LINKED, *(f"pool:{f}" for f in WORKERS))
# Kind -> its targets, and the range of its duration, s. For `kill` and `term` the duration is the
# pause before the restart.
Kinds = Mapping[str, tuple[tuple[str, ...], tuple[float, float]]]
KINDS: Kinds = {
    "kill": (PROCESSES, (0.1, 4.0)),
    "stop": (PROCESSES, (1.0, 20.0)),
    "cut": (LINKED, (0.0, 0.0)),
    "term": (("owner", "standby", "api", *WORKERS), (0.1, 4.0)),
    "half_open": (LINKED, (2.0, 15.0)),
    "freeze": (LINKED, (2.0, 15.0)),
    "cut_message": (LINKED, (0.0, 0.0)),
    "flap": (LINKED, (1.0, 4.0)),
    "delay": (LINKED, (2.0, 10.0)),
    "lapse": (("owner",), (0.0, 0.0)),
}
# Kinds that a test counts.
COUNTED = ("kill", "stop", "cut")
# Without these two nothing runs: every kind of disturbance that can affects them.
ALWAYS = ("server", "owner")


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A disturbance that begins `at_s` after the first acknowledged window."""

    n: int
    at_s: float
    kind: str
    target: str
    lasts_s: float

    def __str__(self) -> str:
        return f"{self.at_s:7.2f} s  {self.kind:<11} {self.target:<16} {self.lasts_s:.2f} s"


def schedule(
    seed: int,
    span_s: float,
    counted: int,
    others: int = 0,
    *,
    longest_s: float = 20.0,
    targets: Sequence[str] = (),
    of: Kinds = KINDS,
) -> list[Disturbance]:
    """Return `counted` kills, stops and cuts and `others` of the other kinds, in order of time.

    With `targets` only those are disturbed.
    """
    rng = random.Random(seed)
    kinds = [COUNTED[i % len(COUNTED)] for i in range(counted)]
    rest = [k for k in of if k not in COUNTED]
    kinds += [rest[i % len(rest)] for i in range(others)]
    rng.shuffle(kinds)
    decks = {k: _deck(rng, of[k][0], kinds.count(k), targets) for k in dict.fromkeys(kinds)}
    # One in each part of the span: at random, but not all at once.
    part = 0.9 * span_s / len(kinds)
    made = []
    for n, kind in enumerate(kinds):
        least, most = of[kind][1]
        most = max(min(most, longest_s), least)
        lasts = math.exp(rng.uniform(math.log(least), math.log(most))) if least else 0.0
        at = 0.03 * span_s + (n + rng.random()) * part
        made.append(Disturbance(n, round(at, 2), kind, decks[kind].pop(), round(lasts, 2)))
    return made


def _deck(rng: random.Random, possible: Sequence[str], n: int, targets: Sequence[str]) -> list[str]:
    """Return `n` targets of a kind: server and owner always, the others by chance."""
    possible = [t for t in possible if not targets or t in targets]
    rest = [t for t in possible if t not in ALWAYS]
    rng.shuffle(rest)
    order = [t for t in possible if t in ALWAYS] + rest
    deck = [order[i % len(order)] for i in range(n)]
    rng.shuffle(deck)
    return deck
