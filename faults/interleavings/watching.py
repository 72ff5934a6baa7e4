"""The rules that must hold at every command (docs/explanation/guarantees.md).

They are checked by the content of the server before a command, and by its reply.
"""

from collections.abc import Callable
from typing import Any

import redis

from faults.interleavings.commands import Command, ask
from faults.interleavings.truth import RAWS, Broken, Truth
from vtox.pipeline.configuration import keys

Answered = Callable[[Any], None]

FENCED = frozenset(("admit", "refuse", "dispatch", "move", "retire_partition", "release"))


class Watch:
    """Looks at the commands of a run. `now_s` is the time by the server's clock."""

    def __init__(self, plain: redis.Redis, truth: Truth, now_s: Callable[[], float]) -> None:
        self.plain = plain
        self.truth = truth
        self.now_s = now_s
        self.tokens: set[Any] = set()
        # Processes that got the reply that they lost their lease.
        self.deposed: set[str] = set()
        # Family and record -> token, and time by the server's clock, of its last start.
        self.starts: dict[tuple[str, str], tuple[str, float]] = {}

    def observe(self, command: Command, process: str) -> Answered | None:
        """Look at a command before the server has it; return a check of its reply.

        `process` is empty for a command that its sender has given up.
        """
        watch = getattr(self, f"_watch_{command.name}", None)
        if watch:
            return self._both(self._watch_fence(command), watch(command, process))
        if command.name in FENCED:
            return self._watch_fence(command)
        if any(p[0] == "XADD" and p[1] in RAWS for p in command.parts):
            return lambda reply: self.truth.note_entries(command, reply)
        return None

    def _both(self, fence: Answered | None, own: Answered | None) -> Answered:
        def answered(reply: Any) -> None:
            for look in (fence, own):
                if look:
                    look(reply)

        return answered

    def _watch_fence(self, command: Command) -> Answered | None:
        """Check that no process acts on a lease that it has lost."""
        if command.name not in FENCED:
            return None
        lease, token = command.keys[0], command.argv[0]
        (holder,) = ask(self.plain, ("GET", lease))

        def answered(reply: Any) -> None:
            nothing = command.name == "release" and not reply
            if holder != token.encode() and not nothing:
                raise Broken(
                    "lease", f"{command.name} was accepted of {token}, {lease} is {holder!r}"
                )

        return answered

    def _watch_lease(self, command: Command, process: str) -> Answered:
        what, token = command.argv[:2]
        (holder,) = ask(self.plain, ("GET", command.keys[0]))

        def answered(reply: Any) -> None:
            if not reply and what == "renew":
                self.deposed.add(process)
            if not reply:
                return
            if what == "renew" and holder != token.encode():
                raise Broken("lease", f"{token} was renewed, the lease was {holder!r}")
            if what == "take" and token in self.tokens:
                raise Broken("lease", f"{token} was the token of an earlier ownership")
            if what == "take":
                self.tokens.add(token)
                self.deposed.discard(process)

        return answered

    def _watch_XREADGROUP(self, command: Command, process: str) -> None:
        """Check that no process reads for an ownership that it knows it has lost."""
        if process in self.deposed and process:
            raise Broken("lease", f"{process} reads on, and was told that its lease is lost")

    def _watch_number(self, key: str, number: Any, name: str) -> Answered:
        """Check that a choice by another number of partitions is refused."""
        (in_force,) = ask(self.plain, ("HGET", key, "number"))

        def answered(_: Any) -> None:
            if int(in_force or 1) != int(number):
                raise Broken("partitions", f"{name} was accepted for {number}, not {in_force!r}")

        return answered

    def _watch_admit(self, command: Command, process: str) -> Answered:
        number = self._watch_number(command.keys[4], command.argv[5], "admit")
        return self._both(number, lambda _: self._check_arrivals(command.argv))

    def _watch_move(self, command: Command, process: str) -> Answered:
        number = self._watch_number(command.keys[1], command.argv[2], "move")
        return self._both(number, lambda _: self.truth.note_moved())

    def _check_arrivals(self, argv: list[Any]) -> None:
        """No machine is heard of later than now: it would be silent for that much longer."""
        machines = [_text(m) for m in argv[7 : 7 + 2 * int(argv[6]) : 2]]
        if not machines:
            return
        arrivals = ask(self.plain, ("ZMSCORE", keys.MACHINES, *machines))[0]
        now_s = self.now_s() + 1e-3
        for machine, arrived in zip(machines, arrivals, strict=True):
            if arrived is not None and float(arrived) > now_s:
                raise Broken("clocks", f"{machine} came at {arrived}, and it is {now_s}")

    def _watch_retire_partition(self, command: Command, process: str) -> Answered:
        """A partition in force stays, and so do windows that are kept."""
        raw, (_, _, number, kept_ms) = command.keys[2], command.argv
        in_force, newest = ask(
            self.plain,
            ("HGET", command.keys[1], "number"),
            ("XREVRANGE", raw, "+", "-", "COUNT", "1"),
        )
        age_ms = 1000 * self.now_s() - int(newest[0][0].partition(b"-")[0]) if newest else 1e12

        def answered(reply: Any) -> None:
            if reply and int(number) < int(in_force or 1):
                raise Broken("partitions", f"{raw} is gone, and {in_force!r} are in force")
            if reply and 0 <= age_ms < int(kept_ms) - 1:
                raise Broken("kept", f"{raw} is gone, with a window of {age_ms:.0f} ms")

        return answered

    def _watch_keep_alarms(self, command: Command, process: str) -> Answered:
        """Check that no process changes the alarm book on an outdated state."""
        (version,) = ask(self.plain, ("HGET", command.keys[0], "#version"))
        read = command.argv[0]

        def answered(reply: Any) -> None:
            if reply and _text(version or "0") != _text(read):
                raise Broken("states", f"the alarm book was {version!r}, not {read!r}")

        return answered

    def _watch_commit(self, command: Command, process: str) -> Answered:
        """No record commits on a state of its machine that is not there any more."""
        machines, argv = command.keys[17:], command.argv
        at, versions = 13 + len(machines), []
        for _ in range(int(argv[at - 1])):  # shapes: signs, names, the values that are the same
            at += 1 + len(argv[at]) + _text(argv[at]).count("1")
        for _ in machines:
            versions.append(argv[at + 1])
            at += 1 + int(argv[at])
        ids = [m.rpartition(":")[2] for m in machines]
        found = ask(
            self.plain,
            *(("HGET", m, "version") for m in machines),
            ("ZMSCORE", keys.MACHINES, *(ids or [""])),
        )
        newest = {m: v or b"0" for m, v in zip(machines, found[:-1], strict=True)}
        # This script takes no machine off the list.
        unlisted = {m for m, t in zip(machines, found[-1], strict=False) if t is None}

        def answered(reply: Any) -> None:
            for machine, version, answer in zip(machines, versions, reply, strict=True):
                if not isinstance(answer, int):
                    raise Broken("scripts", f"commit answers {answer!r}")
                if answer != 1 or machine in unlisted:
                    continue
                if newest[machine] not in (None, _text(version).encode()):
                    raise Broken("states", f"{machine} was {newest[machine]}, not {version}")
                newest[machine] = None  # the next record builds on this one

        return answered

    def _watch_start(self, command: Command, process: str) -> Answered:
        """Only one is at work on a record, until its start is reported or old; then another may be.

        The server counts by its clock. One that was set back to before the start holds nothing up;
        when it comes by the time of the start again, the rest of the hold counts again.
        """
        family, argv = _part(command.keys[0]), [_text(a) for a in command.argv]
        token, hold_s, ids = argv[6], float(argv[7]), argv[8:]

        def answered(reply: Any) -> None:
            now_s = self.now_s()
            for record_id, row in zip(ids, reply, strict=True):
                other, at_s = self.starts.get((family, record_id), ("", now_s))
                age_s = now_s - at_s
                if row is None:
                    free = not -0.01 <= age_s < hold_s + 0.01
                    if free and ask(self.plain, ("HEXISTS", command.keys[0], record_id))[0]:
                        raise Broken("starts", f"{record_id} is held up")
                    continue
                if other not in ("", token) and 0.0 <= age_s < hold_s - 0.01:
                    raise Broken("starts", f"two are at work on {record_id}")
                if other == token and 0.0 <= age_s < hold_s:
                    continue  # asked for twice, as the first reply was lost: it counts once
                self.starts[family, record_id] = token, now_s

        return answered

    def _watch_report(self, command: Command, process: str) -> Answered:
        family, (token, _, *ids) = _part(command.keys[0]), [_text(a) for a in command.argv]

        def answered(_: Any) -> None:
            for record_id in ids:
                if self.starts.get((family, record_id), ("",))[0] == token:
                    del self.starts[family, record_id]

        return answered


def _part(name: str) -> str:
    """Return family and partition of a key: `bearing`, in the second partition `bearing:1`."""
    return name.split(":", 2)[2]


def _text(x: Any) -> str:
    return x.decode() if isinstance(x, bytes) else str(x)
