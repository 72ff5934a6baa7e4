"""A server's clock that is years ahead for a while deletes no data that retention keeps."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.server_clock import ServerClock
from faults.slow_fsync import compiler
from tests.conftest import wipe
from tests.integration.helpers import add_window
from tests.integration.reporting.history.entries import add_result
from tests.integration.reporting.history.test_recorder import count
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.monitoring.silence import SilenceWatch
from vtox.pipeline.store.ledger.retention import BOUNDED, trim_outputs
from vtox.pipeline.store.ledger.retention_clock import RetentionClock, keep_time
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream.window_log import create_group, read_new, trim_raw
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import hours, minutes, records

pytestmark = [
    pytest.mark.skipif(compiler() is None, reason="needs a C compiler and LD_PRELOAD"),
    pytest.mark.long,
]

STOP = threading.Event()
DAY_S = 86_400.0
TWO_YEARS_S = 2 * 365 * DAY_S
KEPT = (keys.RESULTS, keys.DEAD_LETTERS, keys.EVIDENCE)


class System:
    """The parts that delete by time, with a server whose clock the test sets."""

    def __init__(self, client: Client, clock: ServerClock, settings: Settings) -> None:
        self.client, self.clock, self.settings = client, clock, settings

    def set_clock(self, ahead_s: float) -> None:
        self.clock.set(ahead_s)
        self.client.time()  # the first command after a step gets the time before it

    def start_and_delete(self, settings: Settings | None = None) -> None:
        """Start monitor, bridge and recorder again, and let each delete its old data."""
        s = settings or self.settings
        recorder = Recorder(self.client, s)
        keep_time(RetentionClock(self.client), BOUNDED)
        trim_outputs(self.client, s)
        SilenceWatch(self.client, s).forget_unregistered(server_time(self.client))
        assert recorder.try_once(STOP), recorder.problem
        recorder.close()

    def held(self) -> dict[str, int]:
        tables = {t.name: count(self.settings, t) for t in (records, minutes, hours)}
        streams = {s: self.client.xlen(s) for s in KEPT}
        return tables | streams | {"machines": self.client.zcard(keys.MACHINES)}


@pytest.fixture(scope="module")
def stepping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ServerClock]]:
    """The URL of a server whose clock can be set, and that clock."""
    folder = tmp_path_factory.mktemp("stepping")
    clock = ServerClock(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clock.variables.items():
            patch.setenv(name, value)
        running = EmbeddedServer(load(data_dir=folder))
        running.start()
    yield running.url, clock
    running.stop()


@pytest.fixture
def system(
    stepping: tuple[str, ServerClock], settings: Settings, tmp_path: Path
) -> Iterator[System]:
    """A system with a history of 700 days, 300 entries of each stream and a machine."""
    url, clock = stepping
    clock.set(0.0)
    wipe(url)
    with connect(url, "test") as client:
        now = server_time(client)
        for k in range(300):
            add_result(client, now - k * 700 / 300 * DAY_S)
            client.xadd(keys.DEAD_LETTERS, {"seq": k})
            client.xadd(keys.EVIDENCE, {"seq": k, "ia": bytes(8000)})
        client.hset(keys.machine("M1"), "version", 1)
        client.zadd(keys.MACHINES, {"M1": now})
        found = System(client, clock, settings.model_copy(update={"redis_url": url}))
        found.start_and_delete()
        yield found


def test_a_clock_two_years_ahead_deletes_nothing(system: System) -> None:
    before = system.held()
    assert before["hours"] == 300
    assert {before[s] for s in KEPT} == {300}
    add_result(system.client, server_time(system.client))  # not recorded yet
    for ahead_s in (TWO_YEARS_S, 0.0, TWO_YEARS_S):
        system.set_clock(ahead_s)
        system.start_and_delete()
        system.start_and_delete()
    added = {"records": 1, "minutes": 0, "hours": 0, keys.RESULTS: 1}
    assert system.held() == {n: before[n] + added.get(n, 0) for n in before}


def test_what_is_not_history_goes_on_with_the_clock(system: System) -> None:
    client = system.client
    create_group(client, keys.RAW)
    for seq in range(3):
        add_window(client, seq=seq)
    client.xack(keys.RAW, keys.GROUP, *(entry_id for entry_id, _ in read_new(client, 10, 1)))
    client.set(keys.session("digest"), "key", ex=3600)
    system.set_clock(TWO_YEARS_S)
    system.start_and_delete(system.settings.model_copy(update={"keep": Keep(evidence="1MB")}))
    assert trim_raw(client, keys.RAW, system.settings.keep.windows.s) == 2
    assert not client.exists(keys.session("digest"))
    assert client.xlen(keys.EVIDENCE) < 200


def test_once_the_clock_is_right_again_retention_deletes(system: System) -> None:
    system.set_clock(TWO_YEARS_S)
    system.start_and_delete()
    system.set_clock(0.0)
    shorter = Keep(
        history_records="1h",
        history_minutes="1d",
        history_hours="350d",
        dead_letters="0.004s",
        unregistered="0.004s",
    )
    system.start_and_delete(system.settings.model_copy(update={"keep": shorter}))
    held = system.held()
    assert (held["records"], held["hours"]) == (1, 150)
    assert held[keys.DEAD_LETTERS] < 150
    assert not is_listed(system.client, "M1")


def test_a_new_server_that_is_ahead_deletes_no_history(system: System) -> None:
    """Its streams are empty, and no time is kept there."""
    before = system.held()
    wipe(system.settings.working_url())
    system.set_clock(TWO_YEARS_S)
    system.start_and_delete()
    assert system.held()["hours"] == before["hours"]
