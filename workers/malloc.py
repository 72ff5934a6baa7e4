"""Memory of batches: kept in the process when freed, and in large pages."""

import ctypes
import mmap
import platform

# Numbers of glibc's mallopt(3).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 256 << 20
TOP_PAD_BYTES = 16 << 20
# The arrays of a batch and its source take 40 to 60 MB.
LARGE_PAGE_BYTES = 64 << 20


def keep_freed_memory() -> None:
    """Make glibc's allocator reuse the memory that a batch freed; no effect on other C libraries.

    Arrays of a batch have a few megabytes each, which glibc maps and unmaps every time. The page
    faults took 28 % of a worker's CPU time in the throughput benchmark (2.55 against 1.85 ms
    a window over all families, light load).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    libc.mallopt(M_TOP_PAD, TOP_PAD_BYTES)
    _put_heap_in_large_pages(libc)


def _put_heap_in_large_pages(libc: ctypes.CDLL) -> None:
    """Ask the system for pages of 2 MB (on x86) where the heap grows next.

    Passes over arrays of megabytes then miss no page: all diagnosers take 0.95 of the time
    (docs/appendix/trials.md). Memory that is not used is not taken. No effect if the system has
    such pages always or never.
    """
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    # Below the threshold of `mallopt`, so at the end of the heap, where it remains when freed.
    start = libc.malloc(LARGE_PAGE_BYTES)
    if start is None:
        return
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    libc.madvise(first, start + LARGE_PAGE_BYTES - first, mmap.MADV_HUGEPAGE)
    libc.free(start)
