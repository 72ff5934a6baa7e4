"""The reader: typed values from a position on, over restarts, trimming and outages."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.integration.helpers import bridging, eventually
from tests.integration.pipeline.sending.senders.test_results_reader import answer
from vtox.motor.alarms.health.alert_values import Alert
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.client.reader import Reader
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable, SettingsError
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.entries import entry_of

QUIET_S = 0.2


def answers(client: Client, *seqs: int, machine: str = "M1") -> None:
    for seq in seqs:
        answer(client, "r", "bearing", "normal", seq, machine)


def test_results_are_values_of_the_machines_that_are_named(client: Client) -> None:
    answers(client, 0, machine="M2")
    answers(client, 1, 2)
    items = list(Reader(client).results(["M1"], after="0-0", quiet_s=QUIET_S))
    assert [i.value.first_seq for i in items] == [1, 2]
    assert {(i.value.machine_id, i.value.fault, i.value.state) for i in items} == {
        ("M1", "bearing", "normal")
    }
    assert items[-1].id == Reader(client).newest_id()
    assert abs(items[-1].t - time.time()) < 60


def test_alerts_and_dead_letters_are_values(client: Client) -> None:
    raised = Alert(
        id="a", machine_id="M1", fault="bearing", level="fault", event="raised", t=1.0, code="x"
    )
    texts = iter(entry_of(raised))
    client.xadd(keys.ALERTS, dict(zip(texts, texts, strict=True)))
    letter = client.xadd(keys.DEAD_LETTERS, {"machine_id": "M1", "code": "bad_rate", "t": 5})
    reader = Reader(client)
    (alert,) = reader.alerts(after="0-0", quiet_s=QUIET_S)
    assert alert.value == raised
    (dead,) = reader.dead_letters(["M1"], after="0-0", quiet_s=QUIET_S)
    assert (dead.value.code, dead.value.id) == ("bad_rate", letter.decode())


def test_without_a_position_it_begins_now_and_waits(client: Client) -> None:
    answers(client, 0)
    coming = threading.Timer(0.7, answers, (client, 1))
    following = Reader(client).results()
    coming.start()
    assert next(following).value.first_seq == 1
    coming.join()


def test_it_goes_on_where_it_was(client: Client, tmp_path: Path) -> None:
    answers(client, 0, 1, 2)
    file = tmp_path / "positions"
    with Reader(client, positions=file) as first:
        following = first.results(after="0-0", quiet_s=QUIET_S)
        assert [next(following).value.first_seq for _ in range(2)] == [0, 1]
        following.close()
    answers(client, 3)
    with Reader(client, positions=file) as second:
        rest = [i.value.first_seq for i in second.results(quiet_s=QUIET_S)]
    assert rest == [1, 2, 3], "it never asked for what comes after 1"
    assert list(Reader(client, positions=file).results(quiet_s=QUIET_S)) == []


def test_what_was_trimmed_before_it_was_read_is_said(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "positions"
    answers(client, 0)
    list(Reader(client, positions=file).results(after="0-0", quiet_s=QUIET_S))
    answers(client, *range(1, 6))
    client.xtrim(keys.RESULTS, maxlen=2, approximate=False)
    reader = Reader(client, positions=file)
    assert [i.value.first_seq for i in reader.results(quiet_s=QUIET_S)] == [4, 5]
    assert [m.entries for m in reader.missed] == [3]


def test_a_file_of_something_else_is_named(client: Client, tmp_path: Path) -> None:
    for text in ("no json", "[1]", '{"a": 1}'):
        (tmp_path / "file").write_text(text)
        with pytest.raises(SettingsError, match="holds no positions"):
            Reader(client, positions=tmp_path / "file")


def test_what_was_refused_of_a_publisher_is_told_from_the_rest(
    client: Client, settings: Settings
) -> None:
    publisher, stranger = Publisher(client), Publisher(client)
    for sender, machine in ((publisher, "M1"), (stranger, "M2")):
        for t0 in (1e9, 1e9 + 1):
            sender.send(machine, {"ia": np.zeros(9)}, t0=t0, fs_hz=1000)
    reader = Reader(client)
    with bridging(settings.model_copy(update={"max_window_bytes": 8})):
        eventually(lambda: client.xlen(keys.DEAD_LETTERS) == 4)
        letters = list(reader.refusals(publisher, quiet_s=QUIET_S))
        assert [(i.value.machine_id, i.value.code) for i in letters] == [("M1", "too_large")] * 2
        ids = {(i.value.stream, i.value.stream_id) for i in letters}
        assert ids == set(publisher.accepted_ids)
        publisher.send("M1", {"ia": np.zeros(9)}, t0=1e9 + 2, fs_hz=1000)
        eventually(lambda: client.xlen(keys.DEAD_LETTERS) == 5)
        assert len(list(reader.refusals(publisher, quiet_s=QUIET_S))) == 1


def test_the_role_of_readers_suffices(server: EmbeddedServer, client: Client) -> None:
    answers(client, 0)
    with Reader(server.address.role_url("reader")) as reader:
        assert len(list(reader.results(after="0-0", quiet_s=QUIET_S))) == 1


def test_it_waits_for_a_server_that_was_killed(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    with EmbeddedServer(settings) as first:
        following = Reader(first.url).results(after="0-0", quiet_s=10.0)
        with connect(first.url, "test") as client:
            answers(client, 0)
            assert next(following).value.first_seq == 0
            os.kill(first.pid, signal.SIGKILL)
            with EmbeddedServer(settings):
                answers(client, 1)
                assert next(following).value.first_seq in (0, 1)
                following.close()


def test_patience_ends_with_a_reason() -> None:
    with pytest.raises(ServerUnavailable, match="for 0 s"):
        next(Reader("redis://127.0.0.1:1/0", patience_s=0.1).results(after="0-0"))
