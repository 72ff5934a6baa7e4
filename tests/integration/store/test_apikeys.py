"""API keys on the real server."""

import pytest

from vtox import keys
from vtox.errors import SettingsError
from vtox.settings import load
from vtox.store import apikeys
from vtox.store.client import Client


def test_a_key_is_known_by_its_text_alone(client: Client) -> None:
    text, record = apikeys.create(client, "ingest", "gateway")
    found = apikeys.verify(client, text)
    assert found == record
    assert found.allows("ingest")
    assert not found.allows("read")
    assert not found.allows("admin")


def test_admin_may_everything(client: Client) -> None:
    _, record = apikeys.create(client, "admin")
    assert all(record.allows(scope) for scope in apikeys.SCOPES)


def test_the_server_keeps_no_key(client: Client) -> None:
    text, record = apikeys.create(client, "read")
    kept = client.hgetall(keys.API_KEYS)
    assert list(kept) == [record.id.encode()]
    assert text.split("_", 2)[2].encode() not in kept[record.id.encode()]


@pytest.mark.parametrize("wrong", ["", "vtox", "vtox__", "x_1_2", "vtox_00000000_secret", "vtox_1"])
def test_anything_else_is_unknown(client: Client, wrong: str) -> None:
    apikeys.create(client, "admin")
    assert apikeys.verify(client, wrong) is None


def test_the_right_id_with_another_secret_is_unknown(client: Client) -> None:
    text, _ = apikeys.create(client, "admin")
    assert apikeys.verify(client, text[:-1] + ("a" if text[-1] != "a" else "b")) is None


def test_a_revoked_key_is_unknown(client: Client) -> None:
    text, record = apikeys.create(client, "read")
    assert apikeys.revoke(client, record.id)
    assert apikeys.verify(client, text) is None
    assert not apikeys.revoke(client, record.id)


def test_every_lists_them_by_age(client: Client) -> None:
    made = [apikeys.create(client, scope)[1] for scope in apikeys.SCOPES]
    assert apikeys.list_keys(client) == made


def test_production_needs_a_key(client: Client) -> None:
    apikeys.require_keys(client, load())
    production = load(cluster_mode="production")
    with pytest.raises(SettingsError, match="vtox keys create"):
        apikeys.require_keys(client, production)
    apikeys.create(client, "admin")
    apikeys.require_keys(client, production)
