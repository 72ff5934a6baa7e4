"""Changes outside the HTTP service are in the audit too."""

from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import given_settings, load
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.audit import Actor, Deed
from vtox.pipeline.store.system.deeds import note_settings


def table_of(results: str, **more: object) -> dict[str, str]:
    return given_settings(load(keep={"results": results}, **more))


def test_changed_settings_are_recorded_at_the_next_start(client: Client) -> None:
    ada = Actor(by="ada", address="host1")
    secret = "redis://u:hush@127.0.0.1:1"
    first = table_of("40MB", redis_url=secret)
    for _ in range(2):
        note_settings(client, ada, first)
    assert client.xlen(keys.AUDIT) == 0, "nothing is known of before, and nothing changed"
    note_settings(client, Actor(by="bob", address="host2"), table_of("1MB"))
    note_settings(
        client,
        ada,
        table_of("80MB", redis_url=secret, batch_windows=4),
    )
    ((_, fields),) = client.xrange(keys.AUDIT)
    deed = codec.decode_fields(Deed, fields)
    assert (deed.code, deed.by, deed.address) == ("settings_changed", "ada", "host1")
    assert deed.values["changes"] == (
        "VTOX_BATCH_WINDOWS: none -> 4",
        "VTOX_KEEP__RESULTS: 1d, 40MB -> 1d, 80MB",
    )
    assert b"hush" not in b"".join(client.hvals(keys.SETTINGS))
