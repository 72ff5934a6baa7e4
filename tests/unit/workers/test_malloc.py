"""Memory of a worker's batches; in separate processes, as malloc belongs to a whole process."""

import subprocess
import sys
from pathlib import Path

import pytest

ALLOCATE = """
import numpy as np
from workers.malloc import keep_freed_memory
keep_freed_memory()
x = np.ones(2_000_000, np.float32)
middle = x.__array_interface__["data"][0] + x.nbytes // 2
for line in open("/proc/self/smaps"):
    if "-" in line.split()[0]:
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
    elif line.startswith("VmFlags") and low <= middle < high:
        print(line)
"""


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="no large pages here"
)
def test_arrays_of_a_batch_lie_in_large_pages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=True
    )
    assert "hg" in done.stdout.split()
