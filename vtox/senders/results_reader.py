"""What the system has answered to the windows of one sender, read from the results stream."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vtox import keys
from vtox.domain import STATES
from vtox.faults import FAMILIES
from vtox.store.client import MAX_BLOCK_MS, Client

READ_COUNT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One diagnosis as it stands in `fault_diagnosis_results`, as far as a summary needs it."""

    run: str
    family: str
    fault: str
    t_start: float
    t_end: float
    first_seq: int
    last_seq: int
    state: str
    reason: str


@dataclass(slots=True)
class Answers:
    """The answers to some runs; `windows` is run -> number of its windows."""

    windows: Mapping[str, int]
    found: list[Answer] = field(default_factory=list)

    def missing(self) -> int:
        """Return how many windows some family has not answered yet, added up over families."""
        records = {(a.run, a.family, a.first_seq, a.last_seq) for a in self.found}
        answered = sum(last - first + 1 for _, _, first, last in records)
        return max(0, sum(self.windows.values()) * len(FAMILIES) - answered)

    def of(self, run: str, fault: str) -> list[Answer]:
        """Return the answers for one fault in one run, in order of time."""
        mine = [a for a in self.found if a.run == run and a.fault == fault]
        return sorted(mine, key=lambda a: a.t_start)

    def counts(self, run: str, fault: str) -> dict[str, int]:
        """Return state -> number of records that were answered so."""
        states = [a.state for a in self.of(run, fault)]
        return {s: states.count(s) for s in STATES if s in states}


def last_id(client: Client) -> str:
    """Return the id of the newest result, to read on from there."""
    newest = client.xrevrange(keys.RESULTS, count=1)
    return newest[0][0].decode() if newest else "0-0"


def follow(
    client: Client, answers: Answers, machine_id: str, after: str, quiet_s: float
) -> Iterator[Answers]:
    """Add the answers that come in, until none is missing or none came for `quiet_s`."""
    heard = time.monotonic()
    while answers.missing() and time.monotonic() - heard < quiet_s:
        reply = client.xread({keys.RESULTS: after}, count=READ_COUNT, block=MAX_BLOCK_MS // 2)
        for entry_id, raw in reply[0][1] if reply else []:
            after = entry_id.decode()
            answer = _answer(raw, machine_id)
            if answer and answer.run in answers.windows:
                answers.found.append(answer)
                heard = time.monotonic()
        yield answers


def _answer(raw: Mapping[bytes, bytes], machine_id: str) -> Answer | None:
    if raw.get(b"machine_id") != machine_id.encode():
        return None
    text = {k.decode(): v.decode() for k, v in raw.items() if k != b"detail"}
    return Answer(
        run=text["run"],
        family=text["family"],
        fault=text["fault"],
        t_start=float(text["t_start"]),
        t_end=float(text["t_end"]),
        first_seq=int(text["first_seq"]),
        last_seq=int(text["last_seq"]),
        state=text["state"],
        reason=text["reason"],
    )
