"""The allocator of the embedded server: jemalloc if this host has it (docs/adr/0022)."""

import os
import subprocess
from pathlib import Path

# The program is linked with the C library's allocator. jemalloc takes its place if the loader finds
# it; the loader itself ignores a library that cannot be loaded.
JEMALLOC = "libjemalloc.so.2"
# glibc keeps 7 free pieces of each size at hand, and else takes the one that was free the longest,
# which no cache holds. Up to 33 MB stay at hand.
TUNABLES = "glibc.malloc.tcache_count=1000"
# jemalloc writes this at the end of a process that is asked to.
TELL = {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "stats_print:true,stats_print_opts:gmdablxe"}
TOLD = b"Begin jemalloc statistics"
TRY_TIMEOUT_S = 10.0


def environment(program: Path) -> dict[str, str]:
    """Return the environment for the server's program; variables already set stay as they are."""
    ours = {"GLIBC_TUNABLES": TUNABLES}
    if "LD_PRELOAD" not in os.environ and _runs_with_jemalloc(program):
        ours["LD_PRELOAD"] = JEMALLOC
    return ours | os.environ


def _runs_with_jemalloc(program: Path) -> bool:
    """Return whether the program runs on this host with jemalloc in place of its allocator.

    This needs a trial: the library may be missing, of another machine or page size, or its name
    taken out of the environment.
    """
    try:
        tried = subprocess.run(
            [program, "--version"],
            env=os.environ | TELL,
            capture_output=True,
            timeout=TRY_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0 and TOLD in tried.stderr
