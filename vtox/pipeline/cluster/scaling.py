"""Whether a host should have one worker more or one fewer. Pure.

Calm by construction: the need for a worker must last, and more is added than removed in the same
time. A worker goes only if the others would be far from busy. So load that swings around any one
level changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vtox.motor.values.domain import Reason, reason

# A record that has waited this long waits for a worker: at rest it starts within a tenth of a
# second.
BEHIND_S = 5.0
# Below this nothing waits that a worker more would have taken.
CALM_S = 2.0
# Above this share of their time at work, workers leave little for a burst.
BUSY_SHARE = 0.85
# The others must be at work for less than this share.
IDLE_SHARE = 0.6
# The present ones will do if the waiting records grow younger by this many seconds a second.
CATCHING_UP = 0.1
# The need for another worker lasts this long; then the last one has had time to start and to show
# in the figures. A worker goes only after several of the longest records.
ADD_AFTER_S, ADD_PAUSE_S = 10.0, 20.0
REMOVE_AFTER_S, REMOVE_PAUSE_S = 120.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The load observed at `t`, s of a monotonic clock.

    `age_s` is family -> how long its oldest unfinished record has waited; `busy` the share of their
    time in which the workers of this host were at work, None if that is not known yet.
    """

    t: float
    age_s: Mapping[str, float]
    busy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The number of workers that a host may have."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingState:
    """When the number of workers changed last, and since when one more or one fewer would do.

    `looked_t` and `age_s` are of the last look.
    """

    changed_t: float
    behind_since_t: float | None = None
    idle_since_t: float | None = None
    looked_t: float | None = None
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """One worker more (1), one fewer (-1) or as many (0), and why."""

    change: int
    why: Reason


def decide(
    load: Workload, workers: int, trend: ScalingState, bounds: Bounds
) -> tuple[Decision, ScalingState]:
    """Return the decision for now, and the trend with which to ask again."""
    family, age_s = max(load.age_s.items(), key=lambda item: item[1], default=("", 0.0))
    busy = load.busy or 0.0
    behind = (age_s > BEHIND_S or busy > BUSY_SHARE) and not _catches_up(trend, load.t, age_s)
    left = workers - 1
    idle = (
        load.busy is not None
        and left > 0
        and age_s < CALM_S
        and busy * workers / left < (IDLE_SHARE)
    )
    now = ScalingState(
        changed_t=trend.changed_t,
        behind_since_t=_since(trend.behind_since_t, behind, load.t),
        idle_since_t=_since(trend.idle_since_t, idle, load.t),
        looked_t=load.t,
        age_s=age_s,
    )
    rested_s = load.t - trend.changed_t
    if _lasts(now.behind_since_t, load.t, ADD_AFTER_S) and rested_s >= ADD_PAUSE_S:
        why = (
            reason("records_wait", family=family, age_s=age_s)
            if age_s > BEHIND_S
            else reason("workers_are_busy", busy=busy)
        )
        if workers >= bounds.most:
            return Decision(
                0, reason("workers_at_most", workers=workers, busy=busy, age_s=age_s)
            ), now
        return Decision(1, why), ScalingState(changed_t=load.t, looked_t=load.t, age_s=age_s)
    if (
        workers > bounds.least
        and _lasts(now.idle_since_t, load.t, REMOVE_AFTER_S)
        and rested_s >= REMOVE_PAUSE_S
    ):
        return Decision(-1, reason("workers_are_idle", busy=busy)), ScalingState(changed_t=load.t)
    return Decision(0, reason("workers_suffice", busy=busy, age_s=age_s)), now


def _catches_up(trend: ScalingState, t: float, age_s: float) -> bool:
    return trend.looked_t is not None and trend.age_s - age_s > CATCHING_UP * (t - trend.looked_t)


def _since(before: float | None, holds: bool, t: float) -> float | None:
    return (t if before is None else before) if holds else None


def _lasts(since: float | None, t: float, seconds: float) -> bool:
    return since is not None and t - since >= seconds
