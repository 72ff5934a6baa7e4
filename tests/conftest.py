"""The real embedded server for every test that asks for one, and an environment without VTOX_*."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client, connect

KEPT = {"VTOX_RECORDINGS"}
UNIT = Path(__file__).parent / "unit"
# A test run that a script starts in the background ignores Ctrl-C, and so would all it starts: the
# tests of stopping would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Its own form of an exception, with the values of all variables, takes a second of a core.
structlog.configure(
    [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
)
# On a busy box any example may be slow.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


# Files that take half a minute and more: begun last, they would leave cores idle at the end.
BEGUN_FIRST = (
    "test_up",
    "test_interleavings",
    "test_model",
    "test_demo",
    "test_processes",
    "test_api_owned",
    "test_rate",
    "test_evaluation",
    "test_mqtt",
    "test_hand_started",
    "test_up_end",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file by which `make test-long`, two runs, shows at its end the skips of both."""
    parser.addoption("--skips", type=Path, help="file with what the runs before skipped")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of whole systems by their folder, and tests that run alone as long ones.

    Files that take long come first and pure tests last: they fill the gaps. The order counts with
    `--no-loadscope-reorder`.
    """
    items.sort(key=lambda i: (i.path.stem not in BEGUN_FIRST, UNIT in i.path.parents))
    for item in items:
        if "system" in item.path.parts[-2:-1]:
            item.add_marker("system")
        if item.get_closest_marker("alone"):
            item.add_marker("long")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the skips of the runs before, and add the skips of this one to the file."""
    file: Path | None = config.getoption("--skips")
    if file is None:
        return
    if file.exists() and (before := file.read_text()):
        terminalreporter.section("skipped by the runs before")
        terminalreporter.write(before)
    skipped = [
        r for r in terminalreporter.stats.get("skipped", []) if isinstance(r.longrepr, tuple)
    ]
    with file.open("a") as lines:
        lines.writelines(f"{r.nodeid}: {r.longrepr[2]}\n" for r in skipped)


def pytest_collection_finish() -> None:
    """Leave present objects out of garbage collections: thousands of tests, and modules.

    A full one took 0.1 s and more, and the readers of damaged files ask for one each time.
    """
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the developer's own reaches a test: not by variable, `.env` or TOML file."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - KEPT:
            if name.startswith("VTOX_"):
                patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def server(
    clean_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    """One embedded server for the whole run, in a separate folder."""
    with EmbeddedServer(load(data_dir=tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture
def settings(server: EmbeddedServer, tmp_path: os.PathLike[str]) -> Settings:
    """Settings that lead to the embedded server, emptied for this test."""
    wipe(server.url)
    return load(redis_url=server.url, data_dir=tmp_path)


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    """A client of the emptied embedded server."""
    with connect(settings.working_url(), "test") as opened:
        yield opened


def wipe(url: str) -> None:
    """Delete every key; FLUSHDB is denied to clients of the embedded server."""
    with connect(url, "wipe") as opened:
        if names := list(opened.scan_iter(count=1000)):
            opened.unlink(*names)
