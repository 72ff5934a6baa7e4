"""Decides which conditions of the system hold, from the monitor's latest observation. Pure.

docs/reference/alarms.md says of each the reason for its limit and the remedy.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from vtox.motor.values.domain import Reason, reason
from vtox.motor.values.record_lengths import MAX_RECORD_S
from vtox.pipeline.bridge.loop import ORPHAN_SEARCH_EVERY_S
from vtox.pipeline.bridge.record_joiner import MAX_SILENCE_WINDOWS
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.system_limits import AlarmLimits
from vtox.pipeline.monitoring.readiness import (
    LOST_SHOWN_S,
    MEMORY_FAIL_SHARE,
    MEMORY_WARN_SHARE,
    NOTIFIER_SILENT_S,
    RECORDER_BEHIND_S,
    RECORDER_SILENT_S,
    TARGET_FAILS,
    recorder_behind_s,
)
from vtox.pipeline.store.alarms.system_alarms import Condition, Watch
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.backlog import Backlog
from vtox.pipeline.store.ledger.heartbeats import NotifierHeartbeat
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.ledger.retention import NOT_FROM_SHARE
from vtox.pipeline.store.system.status import QueueStatus, Snapshot, dead_letters

# An alarm that was raised at a limit is cleared below this share of it.
CLEAR_SHARE = 0.8
# Finished windows stay below this share; an alarm of memory is of windows that wait.
MEMORY_CLEAR_SHARE = NOT_FROM_SHARE
# The first record of a run may be twice as long as others, and its windows may come so slowly that
# they just do not end it. Nothing waits longer in an open record.
OPEN_RECORD_MAX_S = 2 * MAX_SILENCE_WINDOWS * MAX_RECORD_S
# Two searches of the bridge, which fix it, lie between.
ORPHAN_SEARCHES_S = 2 * ORPHAN_SEARCH_EVERY_S
# A worker that was restarted reports within seconds; that of one that was killed ends by itself.
NO_WORKER_S = float(heartbeats.LIFE_S)
# The first worker of a queue has taken up to 250 s to start on a host at a load of 50. Until then
# `/health/ready` lists the missing workers.
FIRST_WORKER_S = 300.0
# After a longer pause of the monitor the system was started again; a standby takes over sooner.
RESTART_PAUSE_S = 30.0
# A batch takes less than a second of a core, one with a record that hangs up to 19 s.
STALLED_S = 90.0
# Dead letters are counted over this time.
DEAD_LETTERS_S = 300.0
# Alerts carry the senders' times, everything else the server's: a second shows.
CLOCK_LIMIT_S = 1.0
# An alarm of deleted windows stays this long after the last one, so that people see it.
DELETED_CLEAR_S = 600.0
# This long before its end operators plan a new certificate, which each client must trust.
CERTIFICATE_S = 30 * 86_400.0
# It reports every few seconds; one that was taken away has no certificate to renew.
OPCUA_SILENT_S = 60.0
# The name of the alarm of a process that does not start.
ABSENT = "process:"
# A problem of the recorder, or the notifier, that is over at its next pass lost nothing.
RECORDER_STOPPED_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The monitor's latest reading of the system."""

    snap: Snapshot
    backlog: Backlog
    deleted_unread: int | None
    host: str
    clock_offset_s: float


def unassigned_limit_s(settings: Settings) -> float:
    """Return the age from which a pending window in no record is held by no process."""
    return OPEN_RECORD_MAX_S + ORPHAN_SEARCH_EVERY_S + settings.redispatch_after_s


def next_watch(
    now: Observation, before: Watch | None, raised: Collection[str], s: Settings
) -> Watch:
    """Return the values that the monitor remembers of this pass."""
    t, last = now.snap.t, before.deleted_unread if before else None
    kept = (x for x in before.dead_letters if x[0] <= t) if before else ()
    readings = (*kept, (t, dead_letters(now.snap.counters)))
    # The first is the newest one that is as old as the time over which they are counted.
    while len(readings) > 1 and t - readings[1][0] >= DEAD_LETTERS_S:
        readings = readings[1:]
    growth = 0
    if now.deleted_unread is not None and last is not None:
        growth = max(now.deleted_unread - last, 0)
    return Watch(
        t=t,
        interval_s=s.monitor_interval_s,
        finished={name: _finished(queue) for name, queue in now.snap.queues.items()},
        dead_letters=readings,
        deleted_unread=last if now.deleted_unread is None else now.deleted_unread,
        deleted_windows=_deleted_before(before, raised) + growth,
        unread_age_s=now.backlog.unread_age_s,
        unfinished_age_s=now.backlog.unfinished_age_s,
        served=_served(now.snap, before),
    )


def conditions(
    now: Observation,
    before: Watch | None,
    watch: Watch,
    raised: Collection[str],
    s: Settings,
    limits: AlarmLimits,
) -> Iterator[Condition]:
    """Yield every condition that can be decided, whether it holds or not.

    `before` and `watch` are the remembered values of the last pass and of this one; `raised` are
    the names of the alarms that are raised.
    """
    share = {name: CLEAR_SHARE for name in raised}
    yield _backlog(now.backlog, limits.backlog_s * share.get("backlog", 1.0))
    # The bridge closes records of machines that fell silent when it has read all there is, and
    # dispatches those of a family when it has room.
    if max(now.backlog.unread_age_s or 0.0, now.backlog.waiting_age_s or 0.0) <= (
        ORPHAN_SEARCH_EVERY_S
    ):
        yield _orphans(now.backlog, unassigned_limit_s(s))
    for name, queue in now.snap.queues.items():
        yield _workers(name, queue, name in watch.served)
        yield _stalled(name, queue, before)
    yield _dead_letters_grow(watch, 1 if "dead_letters" in raised else limits.dead_letters)
    yield from _memory(now.snap, "memory" in raised)
    yield _clocks(now, CLOCK_LIMIT_S * share.get("clocks", 1.0))
    yield _stream_ids(now.backlog, CLOCK_LIMIT_S * share.get("stream_ids", 1.0))
    yield _deleted(watch, _deleted_before(before, raised))
    yield from _recorder(now.snap)
    yield from _notifier(now.snap, "notifier" in raised)
    yield from _absent(now.snap, raised)
    yield from _certificate(now.snap)


def _backlog(backlog: Backlog, limit_s: float) -> Condition:
    unread_s, waiting_s = backlog.unread_age_s or 0.0, backlog.waiting_age_s or 0.0
    holds = max(unread_s, waiting_s) > limit_s
    why = reason("windows_read_in_time")
    if holds and unread_s >= waiting_s:
        why = reason("windows_unread", age_s=unread_s)
    elif holds:
        why = reason("records_waiting", age_s=waiting_s)
    return Condition(name="backlog", holds=holds, why=why)


def _orphans(backlog: Backlog, limit_s: float) -> Condition:
    age_s = backlog.unassigned_age_s or 0.0
    holds = age_s > limit_s
    why = reason("window_in_no_record", age_s=age_s) if holds else reason("windows_in_records")
    return Condition(
        name="orphans", holds=holds, why=why, level="fault", raise_after_s=ORPHAN_SEARCHES_S
    )


def _served(snap: Snapshot, before: Watch | None) -> tuple[str, ...]:
    """Return the families that have had a worker since the system started."""
    served = {name for name, queue in snap.queues.items() if queue.workers}
    if before and _has_run_since(snap, before):
        served.update(before.served)
    return tuple(sorted(served))


def _has_run_since(snap: Snapshot, before: Watch) -> bool:
    """Return whether the system has run without a break since the monitor last looked."""
    pause_s = snap.t - before.t
    if snap.server and pause_s > snap.server.uptime_s:
        return False
    return pause_s <= max(STALE_INTERVALS * before.interval_s, RESTART_PAUSE_S)


def _workers(name: str, queue: QueueStatus, had_one: bool) -> Condition:
    holds = not queue.workers
    why = (
        reason("queue_without_worker", queue=name, windows=queue.in_flight)
        if holds
        else reason("queue_has_worker", queue=name)
    )
    return Condition(
        name=f"workers:{name}",
        holds=holds,
        why=why,
        level="fault",
        raise_after_s=NO_WORKER_S if had_one else FIRST_WORKER_S,
    )


def _stalled(name: str, queue: QueueStatus, before: Watch | None) -> Condition:
    same = before is not None and before.finished.get(name) == _finished(queue)
    holds = same and queue.workers > 0 and queue.in_flight > 0
    why = (
        reason("queue_stalled", queue=name, workers=queue.workers, windows=queue.in_flight)
        if holds
        else reason("queue_moves", queue=name)
    )
    return Condition(
        name=f"stalled:{name}", holds=holds, why=why, level="fault", raise_after_s=STALLED_S
    )


def _dead_letters_grow(watch: Watch, limit: int) -> Condition:
    (t0, first), (t, last) = watch.dead_letters[0], watch.dead_letters[-1]
    by_code = {code: n - first.get(code, 0) for code, n in last.items() if n > first.get(code, 0)}
    total = sum(by_code.values())
    codes = tuple(sorted(by_code, key=lambda code: (-by_code[code], code)))
    holds = total >= limit
    why = (
        reason("dead_letters_grow", dead_letters=total, interval_s=t - t0, codes=codes)
        if holds
        else reason("dead_letters_stopped", interval_s=DEAD_LETTERS_S)
    )
    return Condition(name="dead_letters", holds=holds, why=why)


def _memory(snap: Snapshot, raised: bool) -> Iterator[Condition]:
    share = snap.server.memory_share if snap.server else None
    if share is None:
        return
    limit = MEMORY_CLEAR_SHARE if raised else MEMORY_WARN_SHARE
    holds = share >= limit
    percent = 100 * share
    why = reason("memory_high" if holds else "memory_free", used_percent=percent)
    yield Condition(
        name="memory",
        holds=holds,
        why=why,
        level="fault" if share >= MEMORY_FAIL_SHARE else "warning",
    )


def _recorder(snap: Snapshot) -> Iterator[Condition]:
    """Yield whether the history is recorded; nothing if no recorder has ever run."""
    beat = snap.recorder
    if beat is None:
        return
    silent_s = beat.age_s(snap.t)
    why = reason("history_recorded")
    if silent_s > RECORDER_SILENT_S:
        why = reason("recorder_silent", silence_s=silent_s)
    elif beat.needed_mb:
        why = reason("history_disk_full", free_mb=beat.free_mb, needed_mb=beat.needed_mb)
    elif beat.problem:
        why = reason("history_not_written")
    elif (behind_s := recorder_behind_s(beat, snap.t)) > RECORDER_BEHIND_S:
        why = reason("history_behind", behind_s=behind_s)
    elif beat.lost_t is not None and snap.t - beat.lost_t < LOST_SHOWN_S:
        why = reason("history_lost", address=beat.address)
    yield Condition(
        name="recorder",
        holds=why.code != "history_recorded",
        why=why,
        raise_after_s=0.0 if why.code == "history_lost" else RECORDER_STOPPED_S,
    )


def _notifier(snap: Snapshot, raised: bool) -> Iterator[Condition]:
    """Yield whether others are notified of alarms; nothing if none are wanted."""
    beat = snap.notifier
    if beat is None and not raised:
        return
    why = _notifier_reason(snap.t, beat) if beat else None
    yield Condition(
        name="notifier",
        holds=why is not None,
        why=why or reason("notification_goes_on"),
        raise_after_s=RECORDER_STOPPED_S,
    )


def _notifier_reason(t: float, beat: NotifierHeartbeat) -> Reason | None:
    silent_s = beat.age_s(t)
    if silent_s > NOTIFIER_SILENT_S:
        return reason("notifier_silent", silence_s=silent_s)
    if beat.problem:
        return reason("nobody_notified")
    if unusable := next((n for n, t in beat.targets.items() if t.unusable), ""):
        return reason("target_unusable", target=unusable)
    name, worst = max(beat.targets.items(), key=lambda x: x[1].failures, default=("", None))
    if worst and worst.failures >= TARGET_FAILS:
        about = {"failures": worst.failures, "waiting": worst.waiting}
        return reason("target_not_reached", target=name, **about)
    return reason("messages_not_delivered", messages=beat.dead) if beat.dead else None


def _absent(snap: Snapshot, raised: Collection[str]) -> Iterator[Condition]:
    """Yield each optional process that does not start, and the ones that did not lately."""
    hosts: dict[str, tuple[str, ...]] = {name: () for name in raised if name.startswith(ABSENT)}
    for p in snap.absent:
        name = f"{ABSENT}{p.name}"
        hosts[name] = (*hosts.get(name, ()), p.host)
    for name, on in hosts.items():
        process = name.removeprefix(ABSENT)
        absent = reason("process_absent", process=process, hosts=on)
        why = absent if on else reason("process_back", process=process)
        yield Condition(name=name, holds=bool(on), why=why)


def _certificate(snap: Snapshot) -> Iterator[Condition]:
    """Yield whether the certificate of the OPC UA server ends soon; nothing if none ever ran."""
    beat = snap.opcua
    if beat is None:
        return
    left_s = beat.certificate_end_t - snap.t
    holds = left_s < CERTIFICATE_S and beat.age_s(snap.t) < OPCUA_SILENT_S
    why = reason("certificate_renewed")
    if holds:
        why = reason("certificate_ends", host=beat.host, days=max(left_s, 0.0) / 86_400)
    yield Condition(name="opcua_certificate", holds=holds, why=why)


def _clocks(now: Observation, limit_s: float) -> Condition:
    offsets = {
        w.host: w.clock_offset_s for w in now.snap.workers if w.clock_offset_s is not None
    } | {now.host: now.clock_offset_s}
    wrong = {host: s for host, s in offsets.items() if abs(s) > limit_s}
    if not wrong:
        return Condition(name="clocks", holds=False, why=reason("clocks_agree"))
    worst = max(wrong.values(), key=abs)
    why = reason("clocks_differ", hosts=tuple(sorted(wrong)), offset_s=worst)
    return Condition(name="clocks", holds=True, why=why)


def _stream_ids(backlog: Backlog, limit_s: float) -> Condition:
    holds = backlog.ids_ahead_s > limit_s
    why = (
        reason("stream_ids_ahead", ahead_s=backlog.ids_ahead_s)
        if holds
        else reason("stream_ids_right")
    )
    return Condition(name="stream_ids", holds=holds, why=why)


def _deleted_before(before: Watch | None, raised: Collection[str]) -> int:
    """Return how many windows the alarm that is raised was about when the monitor last looked."""
    return before.deleted_windows if before and "deleted_windows" in raised else 0


def _deleted(watch: Watch, earlier: int) -> Condition:
    holds = watch.deleted_windows > earlier
    why = (
        reason("windows_deleted_unread", windows=watch.deleted_windows)
        if holds
        else reason("deletion_stopped")
    )
    return Condition(
        name="deleted_windows",
        holds=holds,
        why=why,
        level="fault",
        clear_after_s=DELETED_CLEAR_S,
    )


def _finished(queue: QueueStatus) -> int:
    return queue.done + queue.dead
