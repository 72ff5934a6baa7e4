"""The shared memory of a host: the room in it for the ring of windows (`shared_windows`)."""

from contextlib import suppress
from pathlib import Path

import psutil

from vtox.pipeline.configuration.settings import Settings

FOLDER = Path("/dev/shm")
PREFIX = "vtox-windows-"
# At most so much of the memory that the host has, or that its container may use: 256 MB of 4 GB.
MEMORY_SHARE = 1 / 16
# And of the free space in the folder, where others have files too.
FREE_SHARE = 1 / 2
# 1,000 machines of 80 kB/s fill it in 13 s: more would hold a few more of their longest records.
MAX_MB = 1024
# Less holds too few windows to be worth the writing: a container's usual 64 MB give 32.
MIN_MB = 16
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def ring_mb(settings: Settings, folder: Path = FOLDER) -> int:
    """Return the size of the ring in MB, 0 for none: as it is set, else by this host's memory.

    With the embedded server, which listens on the loopback alone, all workers run on the host of
    the bridge. Workers of another server may run anywhere: then there is no ring unless it is
    set.
    """
    if settings.shared_windows_mb is not None:
        return settings.shared_windows_mb
    if settings.redis_url:
        return 0
    share = min(MEMORY_SHARE * memory_bytes(), FREE_SHARE * free_bytes(folder))
    megabytes = min(int(share) >> 20, MAX_MB)
    return megabytes if megabytes >= MIN_MB else 0


def memory_bytes() -> int:
    """Return the memory that the processes of this host, or of this container, may take."""
    total = int(psutil.virtual_memory().total)
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # there is no limit, or it reads `max`
            total = min(total, int(path.read_text()))
    return total


def free_bytes(folder: Path = FOLDER) -> int:
    """Return the bytes of the folder that this host's rings may take; 0 if there is none."""
    try:
        return _free_bytes(folder)
    except OSError:
        return 0


def shortage(capacity: int, folder: Path = FOLDER) -> str:
    """Return why there is no room for a ring of some bytes, empty if there is."""
    try:
        free = _free_bytes(folder)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if free >= capacity:
        return ""
    return f"{folder} has {free >> 20} MB free, needs {capacity >> 20} MB"


def _free_bytes(folder: Path) -> int:
    free = psutil.disk_usage(str(folder)).free
    # Space that VTOX's own rings have taken already is no shortage: one of them may be this one.
    taken = 0
    for path in folder.glob(PREFIX + "*"):
        with suppress(OSError):
            taken += 512 * path.stat().st_blocks
    return int(free) + taken
