"""The memory that a pool process may take: a record that needs more fails alone.

Without it the system would end a process of its choice, the server among them.
"""

import resource

import structlog

log = structlog.get_logger()


def limit_memory(limit_mb: int) -> None:
    """Let allocations beyond the limit raise `MemoryError`; 0 is no limit.

    RLIMIT_DATA counts private writable memory. RLIMIT_AS would count the reserves of libraries too.
    """
    if not limit_mb:
        return
    limit = limit_mb << 20
    try:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    except (ValueError, OSError) as error:  # a lower limit of the system holds
        log.warning("memory limit not set", limit_mb=limit_mb, reason=str(error))
