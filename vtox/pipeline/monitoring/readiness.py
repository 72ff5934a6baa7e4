"""Checks from one snapshot whether windows are diagnosed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from vtox.motor.words.rendering import advice, render
from vtox.pipeline.configuration import keys
from vtox.pipeline.monitoring.capacity import BRIDGE, CPU, SERVER, capacity, last_minute_metrics
from vtox.pipeline.store.ledger.heartbeats import Heartbeat, RecorderHeartbeat
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.system.agreement import differences, in_words, title
from vtox.pipeline.store.system.status import ServerInfo, Snapshot

Status = Literal["pass", "warn", "fail"]

# Above these shares of the memory limit writes will soon be refused.
MEMORY_WARN_SHARE, MEMORY_FAIL_SHARE = 0.80, 0.95
# Three of the recorder's pauses.
RECORDER_SILENT_S = 30.0
# A pass takes seconds. The data that waits for it is kept for hours, and must not grow unseen until
# then.
RECORDER_BEHIND_S = 120.0
# People see that the history was lost for a day.
LOST_SHOWN_S = 86_400.0
# Six of the notifier's reports.
NOTIFIER_SILENT_S = 30.0
# The back-off has reached its longest wait by then, at its defaults.
TARGET_FAILS = 6
# From this share of cores or workers on, windows wait for their turn.
FULL_SHARE = 0.95
# Records are answered within a second while there is room (docs/appendix/performance.md).
LATE_MS = 5000.0
# A bridge that last reported longer ago than this does not hang: none was started since.
BRIDGE_FORGOTTEN_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition; `remedy` is the advice if it does not hold.

    Conditions of the running system have a `code` with `values`: both sentences come from them.
    """

    name: str
    status: Status
    observed: str
    remedy: str = ""
    code: str = ""
    values: Mapping[str, str | int | float] = field(default_factory=dict)


def coded_check(name: str, status: Status, code: str, **values: str | int | float) -> Check:
    """Return a check with the sentences of its code."""
    return Check(
        name=name,
        status=status,
        observed=render(code, values),
        remedy=advice(code, values),
        code=code,
        values=values,
    )


def checks(snapshot: Snapshot) -> list[Check]:
    """Return all checks, in the order in which windows flow."""
    return [
        _memory(snapshot.server),
        *_disk(snapshot.server),
        _group(snapshot),
        _bridge(snapshot),
        *_hosts(snapshot.parties),
        *_broker(snapshot),
        _monitor(snapshot),
        *_load(snapshot),
        *_latency(snapshot),
        _recorder(snapshot),
        *_notifier(snapshot),
        *_absent(snapshot),
        *(_workers(name, snapshot) for name in snapshot.queues),
    ]


def _group(snapshot: Snapshot) -> Check:
    if snapshot.group:
        return coded_check("group", "pass", "group_reads", group=keys.GROUP, stream=keys.RAW)
    return coded_check("group", "fail", "no_group")


def _workers(family: str, snapshot: Snapshot) -> Check:
    if workers := snapshot.queues[family].workers:
        return coded_check(f"workers:{family}", "pass", "workers_live", workers=workers)
    live = any(family in w.queues for w in snapshot.workers)
    code = "worker_without_process" if live else "no_live_worker"
    return coded_check(f"workers:{family}", "fail", code, queue=family)


def _bridge(snapshot: Snapshot) -> Check:
    if snapshot.bridge_alive:
        return coded_check("bridge", "pass", "bridge_owns_stream")
    alone = [str(p.number) for p in snapshot.partitions if not p.owned]
    if 0 < len(alone) < len(snapshot.partitions):
        return coded_check(
            "bridge", "fail", "partition_without_bridge", partitions=", ".join(alone)
        )
    last = snapshot.bridge
    silent_s = last.age_s(snapshot.t) if last else BRIDGE_FORGOTTEN_S
    if last is None or silent_s >= BRIDGE_FORGOTTEN_S:
        return coded_check("bridge", "fail", "no_bridge")
    return coded_check(
        "bridge", "fail", "bridge_hangs", pid=last.pid, host=last.host, silent_s=silent_s
    )


def _hosts(parties: Sequence[Heartbeat]) -> list[Check]:
    """Return whether bridge and workers of all hosts work on the same terms, with one version."""
    for party in parties[1:]:
        if differences(parties[0].terms, party.terms):
            what = in_words(parties[0].terms, party.terms, title(parties[0]), title(party))
            return [coded_check("hosts", "warn", "hosts_differ", differences=what)]
    by_version: dict[str, set[str]] = {}
    for party in parties:
        by_version.setdefault(party.version or "an earlier one", set()).add(party.host)
    versions = "; ".join(f"{v} on {', '.join(sorted(by_version[v]))}" for v in sorted(by_version))
    if len(by_version) > 1:
        return [coded_check("hosts", "warn", "versions_differ", versions=versions)]
    return [coded_check("hosts", "pass", "hosts_agree", versions=versions)] if parties else []


def _broker(snapshot: Snapshot) -> list[Check]:
    """Return whether Celery's broker takes tasks, if it is another one than the server."""
    broker = snapshot.broker
    if broker is None:
        return []
    if problem := broker.unknown_reason(snapshot.t):
        return [coded_check("broker", "fail", "broker_is_away", problem=problem)]
    return [coded_check("broker", "pass", "broker_takes_tasks", address=broker.address)]


def _monitor(snapshot: Snapshot) -> Check:
    """Return whether the monitor watches: only another process can say that it does not."""
    watch = snapshot.watch
    if watch is None:
        return coded_check("monitor", "pass", "monitor_begins")
    times = {"age_s": max(snapshot.t - watch.t, 0.0), "interval_s": watch.interval_s}
    if times["age_s"] <= STALE_INTERVALS * watch.interval_s:
        return coded_check("monitor", "pass", "monitor_looks", **times)
    return coded_check("monitor", "warn", "monitor_is_away", **times)


_FULL = {CPU: "cores_are_full", SERVER: "server_is_full", BRIDGE: "bridge_is_full"}


def _load(snapshot: Snapshot) -> list[Check]:
    """Return whether cores and workers have time left; nothing if the monitor does not say."""
    used = capacity(snapshot.metrics, snapshot.t).used
    if not used:
        return []
    limit = max(used, key=lambda name: used[name])
    share = used[limit]
    if share < FULL_SHARE:
        return [coded_check("load", "pass", "load_is_carried", share=share)]
    if limit in _FULL:
        return [coded_check("load", "warn", _FULL[limit], share=share)]
    return [coded_check("load", "warn", "workers_are_full", queue=limit, share=share)]


def _latency(snapshot: Snapshot) -> list[Check]:
    """Return whether records are answered soon; nothing if none was."""
    recent = last_minute_metrics(snapshot.metrics, snapshot.t)
    known = [m.latency_p95_ms for m in recent if m.latency_p95_ms is not None]
    if not known:
        return []
    p95_ms = median(known)
    late = p95_ms >= LATE_MS
    code = "answers_are_late" if late else "answers_in_time"
    return [coded_check("latency", "warn" if late else "pass", code, p95_s=p95_ms / 1000)]


def _recorder(snapshot: Snapshot) -> Check:
    """Return whether the history is recorded; windows are diagnosed without it."""
    beat = snapshot.recorder
    if beat is None:
        return coded_check("recorder", "pass", "no_recorder")
    silent_s = beat.age_s(snapshot.t)
    if silent_s > RECORDER_SILENT_S:
        return coded_check(
            "recorder",
            "warn",
            "recorder_is_away",
            pid=beat.pid,
            host=beat.host,
            silent_s=silent_s,
        )
    if beat.problem:
        return coded_check("recorder", "warn", "recorder_cannot_record", problem=beat.problem)
    if (behind_s := recorder_behind_s(beat, snapshot.t)) > RECORDER_BEHIND_S:
        return coded_check("recorder", "warn", "recorder_is_behind", behind_s=behind_s)
    if beat.lost_t is not None and snapshot.t - beat.lost_t < LOST_SHOWN_S:
        what = {"address": beat.address, "missed": beat.missed or "-"}
        return coded_check("recorder", "warn", "recorder_lost_history", **what)
    if beat.missed:
        return coded_check("recorder", "warn", "recorder_missed", missed=beat.missed)
    age_s = recorder_behind_s(beat, snapshot.t)
    return coded_check("recorder", "pass", "recorder_is_up_to_date", age_s=age_s)


def recorder_behind_s(beat: RecorderHeartbeat, now_t: float) -> float:
    """Return how long ago all streams were last recorded to their end; 0 if none was yet."""
    return 0.0 if beat.recorded_t is None else max(now_t - beat.recorded_t, 0.0)


def _notifier(snapshot: Snapshot) -> list[Check]:
    """Return whether alarms reach others, if that is set up."""
    beat = snapshot.notifier
    if beat is None:
        return []
    silent_s = beat.age_s(snapshot.t)
    if silent_s > NOTIFIER_SILENT_S:
        return [
            coded_check(
                "notifier",
                "warn",
                "notifier_is_away",
                pid=beat.pid,
                host=beat.host,
                silent_s=silent_s,
            )
        ]
    if beat.problem:
        return [coded_check("notifier", "warn", "notifier_cannot_work", problem=beat.problem)]
    for state in beat.targets.values():
        if state.unusable:
            return [coded_check("notifier", "warn", "target_misconfigured", problem=state.unusable)]
    name, worst = max(beat.targets.items(), key=lambda t: t[1].failures, default=("", None))
    if worst and worst.failures >= TARGET_FAILS:
        return [
            coded_check(
                "notifier",
                "warn",
                "target_fails",
                target=name,
                problem=worst.problem,
                failures=worst.failures,
                waiting=worst.waiting,
            )
        ]
    if beat.dead:
        return [coded_check("notifier", "warn", "messages_given_up", messages=beat.dead)]
    waiting = sum(t.waiting for t in beat.targets.values())
    return [
        coded_check(
            "notifier", "pass", "notifier_works", targets=len(beat.targets), waiting=waiting
        )
    ]


def _absent(snapshot: Snapshot) -> list[Check]:
    """Return the optional processes that do not start; windows are diagnosed without them."""
    return [
        coded_check(
            f"process:{p.name}", "warn", "process_does_not_start", host=p.host, problem=p.problem
        )
        for p in snapshot.absent
    ]


def _disk(server: ServerInfo | None) -> list[Check]:
    if server is None:
        return []
    if server.log_writable:
        return [coded_check("disk", "pass", "log_is_written")]
    return [coded_check("disk", "fail", "log_is_not_written")]


def _memory(server: ServerInfo | None) -> Check:
    if server is None:
        return coded_check("server", "warn", "server_denies_info")
    what = {"product": server.product, "version": server.version}
    share = server.memory_share
    if share is None:
        return coded_check("server", "pass", "server_has_no_limit", **what)
    if share < MEMORY_WARN_SHARE:
        return coded_check("server", "pass", "server_has_memory", **what, share=share)
    status: Status = "warn" if share < MEMORY_FAIL_SHARE else "fail"
    return coded_check("server", status, "server_memory_fills", **what, share=share)
