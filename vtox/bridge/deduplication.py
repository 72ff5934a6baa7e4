"""Which windows of a machine were already taken in: duplicates, and senders that restarted.

Pure bookkeeping of the bridge; what must outlive it is written beside it to `keys.seen`.
"""

from dataclasses import dataclass, field
from typing import Literal

from vtox.wire import Header

Verdict = Literal["new", "again", "duplicate"]


def mark(h: Header) -> str:
    """Return what names a window: run, seq and start, and for a dead letter sent again its id."""
    return f"{h.run}|{h.seq}|{round(h.t0 * 1e6)}|{h.replay_of}"


@dataclass(slots=True)
class Seen:
    """The windows of one machine within the horizon.

    `marks` maps a window to its entry id, oldest first. A known seq with another start is a sender
    that began anew: `epoch` tells its runs apart.
    """

    horizon: int
    marks: dict[str, str] = field(default_factory=dict)
    starts: dict[tuple[str, int], int] = field(default_factory=dict)
    epoch: dict[str, int] = field(default_factory=dict)

    @classmethod
    def restored(cls, horizon: int, stored: dict[str, str]) -> "Seen":
        """Return the memory that `stored` (mark -> entry id) describes."""
        seen = cls(horizon)
        for name, entry_id in sorted(stored.items(), key=lambda item: _order(item[1])):
            run, seq, start, replay_of = name.split("|")
            seen.marks[name] = entry_id
            if not replay_of:
                seen._begin(run, int(seq), int(start))
        return seen

    def admit(self, h: Header, entry_id: str) -> tuple[Verdict, list[str]]:
        """Judge a window and remember it; also return the marks that fell out of the horizon.

        `again` is the very entry met before: a bridge reads its pending list after a restart.
        """
        name = mark(h)
        if (known := self.marks.get(name)) is not None:
            return ("again" if known == entry_id else "duplicate"), []
        self.marks[name] = entry_id
        if not h.replay_of:
            self._begin(h.run, h.seq, round(h.t0 * 1e6))
        forgotten = []
        while len(self.marks) > self.horizon:
            oldest = next(iter(self.marks))
            del self.marks[oldest]
            run, seq, start, replay_of = oldest.split("|")
            if not replay_of and self.starts.get((run, int(seq))) == int(start):
                del self.starts[run, int(seq)]
            forgotten.append(oldest)
        return "new", forgotten

    def run_of(self, h: Header) -> str:
        """Return the run a window belongs to, restarts of its sender counted."""
        if h.replay_of:
            return f"{h.run}~replay-{h.replay_family}"
        n = self.epoch.get(h.run, 0)
        return f"{h.run}#{n}" if n else h.run

    def _begin(self, run: str, seq: int, start: int) -> None:
        if self.starts.get((run, seq), start) != start:
            self.epoch[run] = self.epoch.get(run, 0) + 1
            for key in [k for k in self.starts if k[0] == run]:
                del self.starts[key]
        self.starts[run, seq] = start


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, n = entry_id.partition("-")
    return int(ms), int(n)
