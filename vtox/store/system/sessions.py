"""Sessions of people who signed in on the page with an API key: kept here, and they expire."""

import hashlib
import secrets

from vtox import keys
from vtox.store.server.client import Client
from vtox.store.system.apikeys import ApiKey, valid_key

LIFETIME_S = 12 * 3600


def begin(client: Client, key: ApiKey) -> str:
    """Begin a session of a key; return what the cookie carries. Only its hash is kept."""
    token = secrets.token_urlsafe(32)
    client.set(_name(token), key.id, ex=LIFETIME_S)
    return token


def key_of(client: Client, token: str) -> ApiKey | None:
    """Return the key of a session, None where the session or its key has ended."""
    key_id = client.get(_name(token))
    return valid_key(client, key_id.decode()) if key_id else None


def end(client: Client, token: str) -> None:
    """End a session."""
    client.delete(_name(token))


def _name(token: str) -> str:
    return keys.session(hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
