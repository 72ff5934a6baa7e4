"""How long windows gather before they are read, and records before they are dispatched. Pure.

A read, and a task, cost much the same with one window as with sixty. A host with time to spare
answers fast; on a busy one more gathers, so that a window gets cheaper as the load grows.
"""

# While a batch fills, windows are read this often and when it is due. One read of ten windows costs
# bridge and server less than ten reads of one.
READ_EVERY_S = 0.02
# Used shares of the time of the cores that VTOX may use. Up to the first nothing is spared, from
# the second on as much as possible. At the second, waiting for a core begins to cost as much time
# as gathering does.
IDLE_SHARE, BUSY_SHARE = 0.5, 0.75
# On a busy host reads pause, and batches gather, up to MAX_FACTOR times as long. A batch never
# gathers longer than MAX_GATHERING_S (s), unless VTOX_BATCH_WAIT_MS itself asks for more: p95 of
# latency is to stay below a second.
MAX_FACTOR = 8.0
MAX_GATHERING_S = 0.3


def gathering_factor(used_share: float) -> float:
    """Return the factor by which gathering takes longer than on an idle host."""
    busy = (used_share - IDLE_SHARE) / (BUSY_SHARE - IDLE_SHARE)
    return 1.0 + (MAX_FACTOR - 1.0) * min(max(busy, 0.0), 1.0)


def gathering_s(idle_s: float, factor: float) -> float:
    """Return how long a batch gathers that would gather for `idle_s` on an idle host."""
    return max(idle_s, min(idle_s * factor, MAX_GATHERING_S))
