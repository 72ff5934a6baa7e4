"""What is changed outside the HTTP service is in the audit too."""

from vtox import keys
from vtox.configuration.settings import load, settings_table
from vtox.store.server.client import Client
from vtox.store.system.audit import Actor, decode
from vtox.store.system.deeds import note_settings


def test_changed_settings_are_recorded_at_the_next_start(client: Client) -> None:
    ada = Actor(by="ada", address="host1")
    secret = "redis://u:hush@127.0.0.1:1"
    first = settings_table(load(redis_url=secret, results_mb=40.0))
    for _ in range(2):
        note_settings(client, ada, first)
    assert client.xlen(keys.AUDIT) == 0, "nothing is known of before, and nothing changed"
    note_settings(client, Actor(by="bob", address="host2"), settings_table(load(results_mb=1.0)))
    note_settings(
        client, ada, settings_table(load(redis_url=secret, results_mb=80.0, max_attempts=4))
    )
    ((_, fields),) = client.xrange(keys.AUDIT)
    deed = decode(fields)
    assert (deed.code, deed.actor) == ("settings_changed", ada)
    assert deed.values["changes"] == (
        "VTOX_MAX_ATTEMPTS: none -> 4",
        "VTOX_RESULTS_MB: 40.0 -> 80.0",
    )
    assert b"hush" not in b"".join(client.hvals(keys.SETTINGS))
