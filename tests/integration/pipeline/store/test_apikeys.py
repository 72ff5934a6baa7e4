"""API keys on the real server."""

import json
import time

import pytest

from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys, sessions


def test_a_key_is_known_by_its_text_alone(client: Client) -> None:
    text, record = apikeys.create(client, ["ingest"], "gateway")
    found = apikeys.verify(client, text)
    assert found == record
    assert found.allows("ingest")
    assert not found.allows("read")
    assert not found.allows("admin")


def test_admin_may_everything(client: Client) -> None:
    _, record = apikeys.create(client, ["admin"])
    assert [s for s in apikeys.SCOPES if not record.allows(s)] == ["proxy"]


@pytest.mark.parametrize(
    ("scope", "machine_id", "allowed"),
    [
        ("operate", "", False),
        ("ingest", "V012", True),
        ("ingest", "PUMP-1", True),
        ("ingest", "V112", False),
        ("ingest", "v012", False),
        ("ingest", "PUMP-12", False),
        ("ingest", "", False),
        ("read", "V012", False),
        ("admin", "V012", False),
    ],
)
def test_a_key_for_some_machines_sends_for_no_other(
    client: Client, scope: apikeys.Scope, machine_id: str, allowed: bool
) -> None:
    text, _ = apikeys.create(client, ["ingest:V0*", "ingest:PUMP-?"])
    key = apikeys.verify(client, text)
    assert key is not None
    assert key.allows(scope, machine_id) is allowed


def test_the_server_keeps_no_key(client: Client) -> None:
    text, record = apikeys.create(client, ["read"])
    kept = client.hgetall(keys.API_KEYS)
    assert list(kept) == [record.id.encode()]
    assert text.split("_", 2)[2].encode() not in kept[record.id.encode()]


@pytest.mark.parametrize("wrong", ["", "vtox", "vtox__", "x_1_2", "vtox_00000000_secret", "vtox_1"])
def test_anything_else_is_unknown(client: Client, wrong: str) -> None:
    apikeys.create(client, ["admin"])
    assert apikeys.verify(client, wrong) is None


def test_the_right_id_with_another_secret_is_unknown(client: Client) -> None:
    text, _ = apikeys.create(client, ["admin"])
    assert apikeys.verify(client, text[:-1] + ("a" if text[-1] != "a" else "b")) is None


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("operate", ["read", "operate"]), ("engineer", ["read", "operate", "engineer"])],
)
def test_a_scope_includes_the_smaller_ones(
    client: Client, scope: apikeys.Scope, allowed: list[str]
) -> None:
    _, record = apikeys.create(client, [scope])
    assert [s for s in apikeys.SCOPES if record.allows(s)] == allowed


def test_a_revoked_key_is_unknown(client: Client) -> None:
    text, record = apikeys.create(client, ["read"])
    assert apikeys.revoke(client, record.id)
    assert apikeys.verify(client, text) is None
    assert not apikeys.revoke(client, record.id)


def test_the_list_is_by_age(client: Client) -> None:
    made = [apikeys.create(client, [scope])[1] for scope in apikeys.SCOPES]
    assert apikeys.list_keys(client) == made


def test_production_needs_a_key(client: Client) -> None:
    apikeys.require_keys(client, load())
    production = load(cluster_mode="production")
    with pytest.raises(SettingsError, match="vtox keys create"):
        apikeys.require_keys(client, production)
    apikeys.create(client, ["admin"])
    apikeys.require_keys(client, production)


def test_a_key_opens_nothing_once_it_has_expired(client: Client) -> None:
    text, _ = apikeys.create(client, ["admin"], lifetime_s=-1)
    assert apikeys.verify(client, text) is None
    assert apikeys.any_exist(client), "it still makes keys required"


def test_a_row_of_a_later_version_is_understood(client: Client) -> None:
    text, record = apikeys.create(client, ["read"], "gateway")
    row = json.loads(client.hget(keys.API_KEYS, record.id))
    later = row | {"colour": "blue", "scopes": ["read", "paint"]}
    client.hset(keys.API_KEYS, record.id, json.dumps(later))
    key = apikeys.verify(client, text)
    assert key is not None
    assert [s for s in apikeys.SCOPES if key.allows(s)] == ["read"]


@pytest.mark.parametrize("end", ["soon", [], {}])
def test_a_key_whose_end_cannot_be_read_opens_nothing(client: Client, end: object) -> None:
    text, record = apikeys.create(client, ["admin"], lifetime_s=60)
    row = json.loads(client.hget(keys.API_KEYS, record.id)) | {"expires_t": end}
    client.hset(keys.API_KEYS, record.id, json.dumps(row))
    assert apikeys.verify(client, text) is None


@pytest.mark.parametrize(
    "row", [b"{", b"[]", b"7", b"null", b"\xff", b"{}", b'{"id": 1}', b'{"created_t": "x"}']
)
def test_a_damaged_row_harms_no_other_key(client: Client, row: bytes) -> None:
    text, record = apikeys.create(client, ["read"])
    client.hset(keys.API_KEYS, "0badc0de", row)
    assert apikeys.verify(client, "vtox_0badc0de_secret") is None
    assert apikeys.verify(client, text) == record
    assert apikeys.list_keys(client) == [record]
    assert apikeys.unreadable(client) == ["0badc0de"]


def test_the_last_use_is_kept_until_the_key_is_revoked(client: Client) -> None:
    _, record = apikeys.create(client, ["read"])
    assert apikeys.last_uses(client) == {}
    apikeys.note_use(client, record.id)
    assert apikeys.last_uses(client)[record.id] == pytest.approx(time.time(), abs=5)
    apikeys.revoke(client, record.id)
    assert apikeys.last_uses(client) == {}


def test_a_session_reads_and_sends_but_never_administers(client: Client) -> None:
    _, admin = apikeys.create(client, ["admin"])
    token = sessions.begin(client, admin)
    own = sessions.key_of(client, token)
    assert own is not None
    key = apikeys.without_admin(own)
    assert [s for s in apikeys.SCOPES if key.allows(s)] == [*apikeys.SCOPES[:4]]
    assert not any(token.encode() in name for name in client.scan_iter())


def test_a_session_ends_with_its_key_its_time_or_by_signing_out(client: Client) -> None:
    _, record = apikeys.create(client, ["read"])
    by_hand, by_key = sessions.begin(client, record), sessions.begin(client, record)
    (_, ttl) = (client.ttl(name) for name in client.scan_iter("vtox:session:*"))
    assert 0 < ttl <= sessions.LIFETIME_S
    sessions.end(client, by_hand)
    assert sessions.key_of(client, by_hand) is None
    assert sessions.key_of(client, by_key) is not None
    apikeys.revoke(client, record.id)
    assert sessions.key_of(client, by_key) is None
