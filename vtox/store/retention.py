"""What VTOX writes is kept for a time and up to a size; the raw stream has its own rule."""

from vtox import keys
from vtox.settings import Settings
from vtox.store.client import Client

# Stream -> the settings `<name>_hours` and `<name>_mb` that bound it.
BOUNDED = {
    keys.RESULTS: "results",
    keys.ASSESSMENTS: "assessments",
    keys.ALERTS: "alerts",
    keys.METRICS: "metrics",
    keys.DEAD_LETTERS: "dead_letters",
    keys.EVIDENCE: "evidence",
}
# The server estimates a stream's size from so many of its nodes.
SAMPLES = 20
MB = 1_000_000


def trim_outputs(client: Client, settings: Settings) -> int:
    """Delete the oldest entries beyond the bounds in time and size; return how many.

    Whole nodes of the server's tree go (about 100 small entries), so a little more than the bound
    may stay.
    """
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for stream in BOUNDED:
        pipe.xlen(stream)
        pipe.memory_usage(stream, samples=SAMPLES)
    (seconds, _), *sizes = pipe.execute()
    for i, (stream, name) in enumerate(BOUNDED.items()):
        entries, used = sizes[2 * i], sizes[2 * i + 1] or 0
        oldest_s = seconds - 3600 * getattr(settings, f"{name}_hours")
        pipe.xtrim(stream, minid=max(0, round(oldest_s * 1000)), approximate=True)
        allowed = MB * getattr(settings, f"{name}_mb")
        if used > allowed:
            pipe.xtrim(stream, maxlen=int(entries * allowed / used), approximate=True)
    return sum(pipe.execute())
