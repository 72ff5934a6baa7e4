"""Every test of the history runs on SQLite and on a real PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest

from tests.postgresql import PostgreSQL, needs_postgresql, postgresql
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.recorder import Recorder


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    """One server for the whole run."""
    with postgresql() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Settings with an empty history in a database of each kind."""
    if request.param == "sqlite":
        return settings
    server: PostgreSQL = request.getfixturevalue("database_server")
    return settings.model_copy(update={"database_url": server.new_database()})


@pytest.fixture
def new_recorder(client: Client, settings: Settings) -> Iterator[Callable[[], Recorder]]:
    """Makes recorders, which are closed at the end."""
    made: list[Recorder] = []

    def make() -> Recorder:
        made.append(Recorder(client, settings))
        return made[-1]

    yield make
    for recorder in made:
        recorder.close()


@pytest.fixture
def recorder(new_recorder: Callable[[], Recorder]) -> Recorder:
    """One recorder."""
    return new_recorder()
