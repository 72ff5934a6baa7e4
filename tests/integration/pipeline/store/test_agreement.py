"""Processes of several hosts compare their terms before they start."""

import socket
import time
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest

from tests.integration.helpers import bridging, eventually
from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.configuration.version import version
from vtox.pipeline.monitoring.readiness import Check, checks
from vtox.pipeline.store.ledger.heartbeats import Worker, send
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system import agreement
from vtox.pipeline.store.system.agreement import (
    Part,
    api_terms,
    differences,
    reader_terms,
    require_agreement,
    terms,
)
from vtox.pipeline.store.system.status import snapshot


def report(
    client: Client, settings: Settings, host: str = "b", pid: int = 7, **changes: Any
) -> None:
    """Let a worker of another host report."""
    beat = Worker(
        name=f"bearing@{host}",
        host=host,
        pid=pid,
        queues=("bearing",),
        last_seen_t=time.time(),
        version=version(),
        terms=agreement.terms(settings),
    )
    send(client, replace(beat, **changes))


def other(settings: Settings, **changes: object) -> Settings:
    return load(redis_url=settings.redis_url, **changes)


def hosts_check(client: Client) -> Check:
    return next(c for c in checks(snapshot(client)) if c.name == "hosts")


def test_hosts_on_the_same_terms_are_welcome_whatever_their_version(
    client: Client, settings: Settings
) -> None:
    report(client, settings, version="0.0.1")
    require_agreement(client, settings)
    with bridging(settings):
        eventually(lambda: hosts_check(client).code == "versions_differ")
        assert "0.0.1 on b" in hosts_check(client).observed


def test_another_setting_is_refused_in_words_while_its_host_lives(
    client: Client, settings: Settings
) -> None:
    stop = Event()

    def report_again() -> None:
        while not stop.wait(0.2):
            report(client, other(settings, redispatch_after_s=3))

    report(client, other(settings, redispatch_after_s=3))
    thread = Thread(target=report_again)
    thread.start()
    try:
        with pytest.raises(SystemStateError) as refused:
            require_agreement(client, settings)
    finally:
        stop.set()
        thread.join()
    assert "worker bearing@b works on other terms" in refused.value.observed
    assert "VTOX_REDISPATCH_AFTER_S is 15 here and 3 there" in refused.value.observed
    require_agreement(client, other(settings, hosts_may_differ=True))


def test_one_that_was_killed_is_waited_for(client: Client, settings: Settings) -> None:
    report(client, other(settings, redispatch_after_s=3))
    Thread(target=lambda: (time.sleep(0.7), client.delete("vtox:worker:bearing@b"))).start()
    require_agreement(client, settings)
    report(client, other(settings, redispatch_after_s=3), socket.gethostname(), pid=1 << 22)
    require_agreement(client, settings, patience_s=0.0)


def test_a_bridge_on_other_terms_shows_in_the_checks(client: Client, settings: Settings) -> None:
    report(client, settings)
    with bridging(other(settings, redispatch_after_s=0.3)):
        eventually(lambda: hosts_check(client).code == "hosts_differ")
        found = hosts_check(client)
        assert "VTOX_REDISPATCH_AFTER_S is 0.3 at the bridge on" in found.observed
        with pytest.raises(SystemStateError, match=r"VTOX_REDISPATCH_AFTER_S is 15 here and 0\.3"):
            require_agreement(client, settings, patience_s=0.0)


@pytest.mark.parametrize(
    ("part", "changes", "refusal"),
    [
        (api_terms, {"keep": Keep(windows="99s")}, "VTOX_KEEP__WINDOWS is 1min here and 99s there"),
        (api_terms, {"redispatch_after_s": 3.0}, ""),
        (reader_terms, {"keep": Keep(windows="99s")}, ""),
    ],
)
def test_api_and_readers_compare_what_they_depend_on(
    client: Client, settings: Settings, part: Part, changes: dict[str, object], refusal: str
) -> None:
    report(client, other(settings, **changes))
    if not refusal:
        require_agreement(client, settings, part=part)
        return
    with pytest.raises(SystemStateError, match=refusal):
        require_agreement(client, settings, patience_s=0.0, part=part)


@pytest.mark.parametrize("role", ["api", "recorder", "notifier"])
def test_their_users_may_read_what_they_compare(
    client: Client, settings: Settings, server: EmbeddedServer, role: str
) -> None:
    report(client, settings, terms=terms(settings) | {"faults of gear": "gear"})
    with (
        connect(server.address.role_url(role), "test") as own,
        pytest.raises(SystemStateError, match="faults of gear"),
    ):
        require_agreement(own, settings, patience_s=0.0, part=reader_terms)


def test_a_family_that_one_side_lacks_is_a_difference_and_an_unknown_setting_is_none() -> None:
    ours = terms(load())
    assert differences(ours, ours | {"VTOX_OF_LATER": "1"}) == []
    assert differences(ours, ours | {"faults of gear": "gear"}) == ["faults of gear"]
    assert differences(ours, {}) == []


@pytest.mark.parametrize("damaged", ["{", "[]", "7"])
def test_terms_that_cannot_be_read_are_no_difference(
    client: Client, settings: Settings, damaged: str
) -> None:
    report(client, settings)
    client.hset(keys.worker("bearing@b"), "terms", damaged)
    require_agreement(client, settings, patience_s=0.0)
    assert terms(settings)["format of a wire"] == "1"
