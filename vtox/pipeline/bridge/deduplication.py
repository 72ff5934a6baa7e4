"""Duplicates and sender restarts among the windows of a machine. Pure.

The bridge keeps the marks on the server too (`keys.known_windows`) and restores filters from them.
"""

from dataclasses import dataclass, field
from typing import Literal

from vtox.pipeline.windows.prints import LAST_PRINT
from vtox.pipeline.windows.wire import Header

Decision = Literal["new", "again", "duplicate"]


def mark(h: Header) -> str:
    """Return the identity of a window: run, seq and start, and the dead letter it repeats."""
    return f"{h.run}|{h.seq}|{_start_us(h)}|{h.replay_of}"


@dataclass(slots=True)
class DuplicateFilter:
    """The last windows of one machine, `horizon` of them.

    `marks` maps a window to its entry id, oldest first. `starts` are those of the windows of each
    run, by seq. A known seq with another start shows that the sender has restarted: `restarts`
    counts them for each run, `epochs` keeps for each window how many there were when it came (not
    if none). `last_print` has the mark and the print of the last window that was no replay.
    """

    horizon: int
    marks: dict[str, str] = field(default_factory=dict)
    starts: dict[str, dict[int, int]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    last_print: tuple[str, str] = ("", "")

    @classmethod
    def restored(cls, horizon: int, stored: dict[str, str]) -> "DuplicateFilter":
        """Return the filter that had the windows `stored` (`KnownMachine.marks`)."""
        restored = cls(horizon)
        windows = [(name, *value.partition("#")[::2]) for name, value in stored.items()]
        last, _, print_ = stored.get(LAST_PRINT, "").partition("#")[2].rpartition(" ")
        restored.last_print = last, print_
        windows = [w for w in windows if w[0] != LAST_PRINT]
        for name, entry_id, epoch in sorted(windows, key=lambda w: _id_order(w[1])):
            try:
                run, seq, start, replay_of = name.split("|")
            except ValueError:  # of another version
                continue
            restored.marks[name] = entry_id
            if not replay_of:
                if epoch:
                    restored._begin_epoch(run, int(epoch))
                restored._note_start(name, run, int(seq), int(start))
        return restored

    def classify(self, h: Header, entry_id: str) -> tuple[Decision, list[str]]:
        """Decide on a window and remember it; also return the marks beyond the horizon.

        `again` is an entry that was classified before: after a restart the bridge reads its pending
        list.
        """
        name = mark(h)
        if (first := self.marks.get(name)) is not None:
            return ("again" if first == entry_id else "duplicate"), []
        self._remember(name, entry_id)
        if not h.replay_of:
            self._note_start(name, h.run, h.seq, _start_us(h))
        return "new", self._forget()

    def is_copy(self, h: Header, print_: str) -> bool:
        """Return whether a window has the samples of the last one, which is another window.

        The same window is never a copy, however often it comes, and by any way.
        """
        last, samples = self.last_print
        name = mark(h)
        return samples == print_ and last != name and name not in self.marks and not h.replay_of

    def run_of(self, h: Header, entry_id: str = "") -> str:
        """Return the run that a window belongs to: restarts of its sender make new ones.

        A window read again after a restart of the bridge belongs to the run that it had then.
        """
        if h.replay_of:
            return f"{h.run}~replay-{h.replay_family}"
        n = self.epoch_of(h, entry_id)
        return f"{h.run}#{n}" if n else h.run

    def newest(self) -> tuple[float, float]:
        """Return start and arrival, s, of the window with the latest start; zeros without one."""
        starts = (
            (int(start) / 1e6, _id_order(entry_id)[0] / 1000)
            for name, entry_id in self.marks.items()
            for _, _, start, replay_of in [name.split("|")]
            if not replay_of
        )
        return max(starts, default=(0.0, 0.0))

    def _remember(self, name: str, entry_id: str) -> None:
        """Keep a mark in the order of the entries, which is that of forgetting.

        Windows that a deposed bridge had read are admitted after later ones.
        """
        newest = next(reversed(self.marks.values()), entry_id)
        self.marks[name] = entry_id
        if _id_order(entry_id) < _id_order(newest):
            self.marks = dict(sorted(self.marks.items(), key=lambda item: _id_order(item[1])))

    def epoch_of(self, h: Header, entry_id: str = "") -> int:
        """Return how often the sender had restarted its run when a window came.

        For a window before the horizon it is the epoch of the oldest one of its run.
        """
        name = mark(h)
        if name in self.marks:
            return self.epochs.get(name, 0)
        oldest = next(iter(self.marks.values()), entry_id)
        if entry_id and _id_order(entry_id) < _id_order(oldest):
            of_run = (self.epochs.get(m, 0) for m in self.marks if m.partition("|")[0] == h.run)
            return next(of_run, self.restarts.get(h.run, 0))
        return self.restarts.get(h.run, 0)

    def _forget(self) -> list[str]:
        forgotten = []
        while len(self.marks) > self.horizon:
            oldest = next(iter(self.marks))
            del self.marks[oldest]
            self.epochs.pop(oldest, None)
            run, seq, start, replay_of = oldest.split("|")
            starts = self.starts.get(run, {})
            if not replay_of and starts.get(int(seq)) == int(start):
                del starts[int(seq)]
                if not starts:
                    del self.starts[run]
            forgotten.append(oldest)
        return forgotten

    def _note_start(self, name: str, run: str, seq: int, start: int) -> None:
        if self.starts.get(run, {}).get(seq, start) != start:
            self._begin_epoch(run, self.restarts.get(run, 0) + 1)
        self.starts.setdefault(run, {})[seq] = start
        if epoch := self.restarts.get(run, 0):
            self.epochs[name] = epoch

    def _begin_epoch(self, run: str, epoch: int) -> None:
        if self.restarts.get(run, 0) != epoch:
            self.restarts[run] = epoch
            self.starts.pop(run, None)


def _start_us(h: Header) -> int:
    return round(h.t0 * 1e6)


def _id_order(entry_id: str) -> tuple[int, int]:
    ms, _, n = entry_id.partition("-")
    return int(ms), int(n)
