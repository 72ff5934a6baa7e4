"""Profiles of machines in the history: kept with the position in the results, so each counts once.

Their alarms are flags of the server. The minute of the last change of each is kept next to it, so
that a change which is read again after a crash is not made again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, bindparam, select

from vtox.motor.alarms.profile.advance import accept, advance, end_all
from vtox.motor.alarms.profile.minutes import RecordFigures, gather
from vtox.motor.alarms.profile.values import (
    CONDITIONS,
    Change,
    Profile,
    Site,
    decode_pending,
    decode_profile,
    encode_pending,
    encode_profile,
    site_of,
)
from vtox.motor.values.energy import MeterCounts, counts_of, operation_of
from vtox.pipeline.store.alarms.flags import FlagChange, set_flags
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.machines.points import Point
from vtox.pipeline.store.machines.profile_words import ProfileWords, change_order, note_change
from vtox.pipeline.store.machines.profile_words import profile_words as words_of
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.database import execute_many, insert
from vtox.reporting.history.schema import profiles

_MACHINES_PER_QUERY = 500
_MOST_KEPT = 1 << 14


@dataclass(slots=True)
class _Kept:
    """A profile, its stored bytes, and the last word of a person that it has followed, ms."""

    profile: Profile
    state: bytes
    word_ms: int = 0


@dataclass(slots=True)
class ProfileBook:
    """The profiles of a recorder: followed by points, written with the position behind them."""

    client: Client
    zone: ZoneInfo
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)

    def follow(self, engine: Engine, points: Iterable[Point]) -> None:
        """Add the records of results to the profiles, and change the alarms of their machines.

        Call it before the points are written: after a crash they come again, which changes nothing.
        """
        found: dict[str, list[RecordFigures]] = {}
        for p in points:
            if p.energy is not None and (r := _figures(p)):
                found.setdefault(p.machine_id, []).append(r)
        if not found:
            return
        ids = list(found)
        self._load(engine, ids)
        motors = dict(zip(ids, load_motors(self.client, ids), strict=True))
        words = dict(zip(ids, words_of(self.client, ids), strict=True))
        changes: list[tuple[str, Change]] = []
        for m, records in found.items():
            own = self._advanced(m, records, site_of(motors[m], self.zone), words[m])
            changes += ((m, c) for c in own)
        self._tell(changes)

    def write(self, db: Connection) -> None:
        """Write the profiles that have changed since; call `keep` when the transaction is done."""
        rows = [
            {
                "machine_id": m,
                "state": self._kept[m].state,
                "pending": encode_pending(self._kept[m].profile.pending),
                "word_ms": self._kept[m].word_ms,
            }
            for m in sorted(self._touched)
        ]
        if rows:
            statement = insert(db, profiles)
            new = {n: statement.excluded[n] for n in ("state", "pending", "word_ms")}
            key = profiles.primary_key
            execute_many(
                db,
                statement.on_conflict_do_update(index_elements=key, set_=new),
                [tuple(row.values()) for row in rows],
            )

    def keep(self) -> None:
        """Note that all is written."""
        self._touched.clear()
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()

    def forget(self) -> None:
        """Read all from the tables again."""
        self._kept.clear()
        self._touched.clear()

    def forget_machine(self, machine_id: str) -> None:
        """Forget a machine that is no more."""
        self._kept.pop(machine_id, None)
        self._touched.discard(machine_id)

    def _load(self, engine: Engine, machine_ids: Sequence[str]) -> None:
        new = [m for m in machine_ids if m not in self._kept]
        with engine.connect() as db:
            for first in range(0, len(new), _MACHINES_PER_QUERY):
                self._kept |= _read(db, new[first : first + _MACHINES_PER_QUERY])
        for m in new:
            self._kept.setdefault(m, _Kept(Profile(), encode_profile(Profile())))

    def _advanced(
        self, machine_id: str, records: Sequence[RecordFigures], site: Site, words: ProfileWords
    ) -> list[Change]:
        kept = self._kept[machine_id]
        self._touched.add(machine_id)
        changes, moved = self._with_words(kept, words, records[0].t_ms // 60_000)
        for r in records:
            if minute := gather(kept.profile, r):
                moved = True
                changes += advance(kept.profile, minute, site)
        if moved:
            kept.state = encode_profile(kept.profile)
        return changes

    def _with_words(
        self, kept: _Kept, words: ProfileWords, minute: int
    ) -> tuple[list[Change], bool]:
        """Follow the words of people that are new; return the changes, and whether there were."""
        new = {t: ms for t, ms in words.accepted.items() if ms > kept.word_ms}
        reset = words.reset_ms > kept.word_ms
        if not (new or reset):
            return [], False
        changes = []
        if reset:
            changes += end_all(kept.profile, minute)
            kept.profile = Profile(pending=kept.profile.pending)
        for condition in CONDITIONS:
            if new.get(condition, 0) > words.reset_ms:
                changes += accept(kept.profile, condition, minute)
        kept.word_ms = max(words.reset_ms, *new.values(), kept.word_ms)
        return changes, True

    def _tell(self, changes: Sequence[tuple[str, Change]]) -> None:
        """Raise and end alarms, each once: the minute of the last change is kept next to them."""
        for machine_id, c in changes:
            # A condition may begin again in the minute in which it ended, and never the reverse.
            order = 2 * c.minute + c.on
            if order <= change_order(self.client, machine_id, c.condition):
                continue
            set_flags(self.client, c.condition, [FlagChange(machine_id, c.on, c.reasons)])
            note_change(self.client, machine_id, c.condition, order)


def stored_profile(db: Connection, machine_id: str) -> Profile | None:
    """Return the profile of a machine, None if there is none."""
    kept = _read(db, [machine_id]).get(machine_id)
    return kept.profile if kept else None


def _read(db: Connection, machine_ids: Sequence[str]) -> Mapping[str, _Kept]:
    c = profiles.c
    wanted = c.machine_id.in_(bindparam("ids", expanding=True))
    found = {}
    for row in db.execute(select(profiles).where(wanted), {"ids": list(machine_ids)}):
        profile = decode_profile(row.state)
        profile.pending = decode_pending(row.pending)
        found[row.machine_id] = _Kept(profile, row.state, row.word_ms)
    return found


def _figures(p: Point) -> RecordFigures | None:
    """Return the figures of a record; None if they cannot be read."""
    try:
        counts = MeterCounts(*counts_of(p.energy or b"")[: len(MeterCounts._fields)])
    except ValueError:
        return None
    if not counts.observed_ms > 0:
        return None
    healthy = p.state not in ("warning", "fault")
    return RecordFigures(p.t_ms, counts, operation_of(p.operation or b""), healthy)
