"""Checks from one snapshot whether windows are diagnosed."""

from dataclasses import dataclass
from typing import Literal

from vtox import keys
from vtox.store.status import Server, Snapshot

Status = Literal["pass", "warn", "fail"]

# Above these shares of the memory limit writes will soon be refused.
MEMORY_WARN_SHARE, MEMORY_FAIL_SHARE = 0.80, 0.95
# What the monitor measures is stale when it is older than this many of its intervals.
STALE_INTERVALS = 3
# Three of the recorder's pauses.
RECORDER_SILENT_S = 30.0
# A bridge that last reported longer ago than this does not hang: none was started since.
BRIDGE_FORGOTTEN_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition; `remedy` says what to do where it does not hold."""

    name: str
    status: Status
    observed: str
    remedy: str = ""


def checks(snapshot: Snapshot) -> list[Check]:
    """Return all checks, in the order in which windows flow."""
    bridge = "start one: `vtox up` or `vtox bridge`"
    return [
        _memory(snapshot.server),
        *_disk(snapshot.server),
        _check("group", bool(snapshot.group), f"{keys.GROUP} reads {keys.RAW}", "no group", bridge),
        _bridge(snapshot, bridge),
        *_broker(snapshot),
        _monitor(snapshot),
        _recorder(snapshot),
        *(
            _check(
                f"workers:{name}",
                queue.workers > 0,
                f"{queue.workers} live",
                "no live worker",
                f"`vtox up` starts its own again within a minute; without it "
                f"`celery -A vtox worker -Q {name}`",
            )
            for name, queue in snapshot.queues.items()
        ),
    ]


def _bridge(snapshot: Snapshot, remedy: str) -> Check:
    last = snapshot.bridge
    silent_s = snapshot.t - last.last_seen_t if last else BRIDGE_FORGOTTEN_S
    if last is None or snapshot.bridge_alive or silent_s >= BRIDGE_FORGOTTEN_S:
        return _check("bridge", snapshot.bridge_alive, "owns the stream", "no bridge runs", remedy)
    return Check(
        name="bridge",
        status="fail",
        observed=f"the bridge (pid {last.pid} on host {last.host}) has not reported for "
        f"{silent_s:.0f} s: it hangs, or was stopped or killed",
        remedy=f"`vtox up` ends one that hangs and starts another within a minute; without it, "
        f"`kill -9 {last.pid}` on {last.host} and `vtox bridge`",
    )


def _broker(snapshot: Snapshot) -> list[Check]:
    """Return whether Celery's broker takes tasks, where it is another one than the server."""
    broker = snapshot.broker
    if broker is None:
        return []
    holds = not broker.why_unknown(snapshot.t)
    remedy = "start it, or correct VTOX_BROKER_URL; `vtox doctor` tries to connect"
    return [_check("broker", holds, broker.address, broker.why_unknown(snapshot.t), remedy)]


def _monitor(snapshot: Snapshot) -> Check:
    """Return whether somebody watches: only an own process can say that the monitor does not."""
    watch = snapshot.watch
    if watch is None:
        return Check(name="monitor", status="pass", observed="has not looked yet")
    age_s = max(snapshot.t - watch.t, 0.0)
    observed = f"looked {age_s:.0f} s ago, at an interval of {watch.interval_s:g} s"
    if age_s <= STALE_INTERVALS * watch.interval_s:
        return Check(name="monitor", status="pass", observed=observed)
    remedy = "alarms of the system are of then: restart the bridge; cluster.log says why"
    return Check(name="monitor", status="warn", observed=observed, remedy=remedy)


def _recorder(snapshot: Snapshot) -> Check:
    """Return whether the history is recorded; windows are diagnosed without it."""
    beat = snapshot.recorder
    if beat is None:
        return Check(name="recorder", status="pass", observed="none has run yet: no history")
    silent_s = max(snapshot.t - beat.last_seen_t, 0.0)
    if silent_s > RECORDER_SILENT_S:
        observed = (
            f"the recorder (pid {beat.pid} on host {beat.host}) has not reported for "
            f"{silent_s:.0f} s: what the streams lose now will be missing in the history"
        )
        remedy = f"`vtox up` or `vtox recorder`; if it was stopped, `kill -9 {beat.pid}` first"
        return Check(name="recorder", status="warn", observed=observed, remedy=remedy)
    if beat.problem:
        remedy = "until then nothing is recorded; cluster.log says more"
        return Check(name="recorder", status="warn", observed=beat.problem, remedy=remedy)
    if beat.missed:
        observed = f"these were trimmed before they were recorded: {beat.missed}"
        remedy = "raise VTOX_RESULTS_MB, so that the streams hold more than an absence"
        return Check(name="recorder", status="warn", observed=observed, remedy=remedy)
    age_s = max(snapshot.t - (beat.recorded_t or snapshot.t), 0.0)
    return Check(name="recorder", status="pass", observed=f"up to date {age_s:.0f} s ago")


def _check(name: str, holds: bool, good: str, bad: str, remedy: str) -> Check:
    if holds:
        return Check(name=name, status="pass", observed=good)
    return Check(name=name, status="fail", observed=bad, remedy=remedy)


def _disk(server: Server | None) -> list[Check]:
    if server is None:
        return []
    return [
        _check(
            "disk",
            server.log_writable,
            "the server's log is written",
            "the server cannot write its append-only log and refuses windows and results",
            "is its disk full, or its folder (VTOX_DATA_DIR) read-only? It goes on by itself once "
            "it can write",
        )
    ]


def _memory(server: Server | None) -> Check:
    if server is None:
        return Check(name="server", status="warn", observed="answers, but denies INFO")
    what = f"{server.product} {server.version}"
    share = server.memory_share
    if share is None:
        return Check(name="server", status="pass", observed=f"{what}, no memory limit")
    observed = f"{what}, {share:.0%} of its memory in use"
    if share < MEMORY_WARN_SHARE:
        return Check(name="server", status="pass", observed=observed)
    status: Status = "warn" if share < MEMORY_FAIL_SHARE else "fail"
    remedy = "add workers, raise VTOX_REDIS_MAXMEMORY_MB (your own server: maxmemory), or send less"
    return Check(name="server", status=status, observed=observed, remedy=remedy)
