"""How much of a host's memory the ring of windows takes by default."""

from pathlib import Path

import pytest

from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.stream import shared_memory
from vtox.pipeline.store.stream.shared_memory import MAX_MB, memory_bytes, ring_mb

GB = 1 << 30


@pytest.mark.parametrize(
    ("memory", "free", "megabytes"),
    [
        (4 * GB, 2 * GB, 256),
        (64 * GB, 32 * GB, MAX_MB),
        (4 * GB, 64 << 20, 32),
        (4 * GB, 20 << 20, 0),
        (4 * GB, 0, 0),
    ],
)
def test_its_size_is_bounded_by_the_memory_and_by_what_is_free(
    monkeypatch: pytest.MonkeyPatch, memory: int, free: int, megabytes: int
) -> None:
    monkeypatch.setattr(shared_memory, "memory_bytes", lambda: memory)
    monkeypatch.setattr(shared_memory, "free_bytes", lambda _: free)
    assert ring_mb(load()) == megabytes
    assert ring_mb(load(shared_windows_mb=7)) == 7
    assert ring_mb(load(shared_windows_mb=0)) == 0


def test_where_workers_may_run_elsewhere_there_is_none(tmp_path: Path) -> None:
    url = "redis://10.0.0.1:6379"
    assert ring_mb(load(redis_url=url), tmp_path) == 0
    assert ring_mb(load(redis_url=url, shared_windows_mb=64), tmp_path) == 64


def test_a_container_has_the_memory_of_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(shared_memory, "_LIMITS", (tmp_path / "none", limit))
    everything = memory_bytes()
    for text, expected in (("max\n", everything), (f"{GB}\n", GB)):
        limit.write_text(text)
        assert memory_bytes() == expected


def test_without_the_folder_nothing_is_free(tmp_path: Path) -> None:
    assert shared_memory.free_bytes(tmp_path / "none") == 0
    assert ring_mb(load(), tmp_path / "none") == 0
