"""What hosts carry of a typical machine, by the table of `vtox doctor --machines N --hosts M`.

Nothing here is a measurement of more than one box: what a machine takes was measured on one, and
the resource that carries the fewest machines is the answer.
"""

from collections.abc import Iterable

from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.requirements import TYPICAL, Box, resources

GIGABIT, GB = 125e6, 1e9
SETTINGS = Settings.model_construct()


def host(cores: int, memory_gb: int, **other: float) -> Box:
    """Return a host with a worker for each core, and half of its memory for the server."""
    return Box(
        limit_bytes=memory_gb * GB / 2,
        memory_bytes=memory_gb * GB,
        disk_free_bytes=200 * GB,
        workers=cores,
        cores=cores,
        **{"link_bytes_per_s": GIGABIT, **other},  # type: ignore[arg-type]
    )


# Name -> one cell, and how many of them.
HOSTS = {
    "one box, 2 cores, 4 GB": (host(2, 4), 1),
    "one box, 8 cores, 16 GB": (host(8, 16), 1),
    "three such boxes, workers on two; 1 Gbit/s": (host(8, 16, hosts=3), 1),
    "the same, 10 Gbit/s": (host(8, 16, hosts=3, link_bytes_per_s=10 * GIGABIT), 1),
    "the same, server with two replicas": (
        host(8, 16, hosts=3, link_bytes_per_s=10 * GIGABIT, replicas=2),
        1,
    ),
    "three such boxes, each a cell": (host(8, 16), 3),
    "ten such boxes, each a cell": (host(8, 16), 10),
}


def carried() -> Iterable[list[str]]:
    """Yield what hosts carry, by what limits it."""
    for name, (box, cells) in HOSTS.items():
        first, second = resources(TYPICAL, SETTINGS, box)[:2]
        limit, following = (r.code.replace("_", " ") for r in (first, second))
        yield [
            name,
            f"{cells * first.carries:,}",
            limit,
            f"{following}, {cells * second.carries:,}",
        ]
