"""The embedded server's allocator: jemalloc if the host has it, and never an obstacle."""

from pathlib import Path

import pytest

from vtox.pipeline.cluster import server_allocator
from vtox.pipeline.cluster.embedded_server import EmbeddedServer, program
from vtox.pipeline.configuration.settings import load


def test_the_server_has_the_allocator_that_was_found(server: EmbeddedServer) -> None:
    preloaded = "LD_PRELOAD" in server_allocator.environment(program())
    maps = Path(f"/proc/{server.pid}/maps")
    assert maps.exists() or not preloaded
    if maps.exists():
        assert ("libjemalloc" in maps.read_text()) == preloaded


@pytest.mark.parametrize("library", ["libnowhere.so.2", "/etc/hosts", ""])
def test_a_library_that_cannot_be_loaded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """The name is empty if something takes the variable out of the environment."""
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    monkeypatch.setitem(server_allocator.TELL, "LD_PRELOAD", library)
    assert "LD_PRELOAD" not in server_allocator.environment(program())
    with EmbeddedServer(load(data_dir=tmp_path)) as running:
        assert running.alive()


def test_what_the_environment_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=7")
    found = server_allocator.environment(program())
    assert found["LD_PRELOAD"] == ""
    assert found["GLIBC_TUNABLES"] == "glibc.malloc.tcache_count=7"
