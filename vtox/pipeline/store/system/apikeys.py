"""API keys: made here, shown once, kept only as a hash.

`admin` includes every scope but `proxy`, `engineer` includes `operate`, `operate` includes `read`;
docs/reference/access.md has the rights of each.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, get_args

from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.entries import time_s

Scope = Literal["read", "operate", "engineer", "ingest", "proxy", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# Scope -> the scopes that include it, in addition to `admin`.
_WIDER: dict[str, tuple[str, ...]] = {"read": ("operate", "engineer"), "operate": ("engineer",)}

MAKE_ONE = (
    "make one with `vtox keys create NAME --scopes read` (operate for who handles alarms, engineer "
    "for who adds machines, ingest for a sender, admin for everything)"
)
NO_KEY = f"VTOX_CLUSTER_MODE=production needs an API key and there is none: {MAKE_ONE}"
_PREFIX = "vtox"
_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept; the key itself is `vtox_<id>_<secret>`."""

    id: str
    # A later version may know scopes that we do not: they allow nothing here.
    scopes: tuple[str, ...]
    name: str
    created_t: float
    # No default: a key whose end cannot be read opens nothing.
    expires_t: float | None
    sha256: str

    def allows(self, scope: Scope, machine_id: str = "") -> bool:
        """Whether this key has the right `scope`, for a machine if one is given.

        A scope for some machines is `ingest:V0*`.
        """
        if scope in self.scopes or ("admin" in self.scopes and scope != "proxy"):
            return True
        if any(wider in self.scopes for wider in _WIDER.get(scope, ())):
            return True
        patterns = [s.removeprefix(f"{scope}:") for s in self.scopes if s.startswith(f"{scope}:")]
        return any(fnmatchcase(machine_id, p) for p in patterns)

    def expired(self, now: float) -> bool:
        """Whether its time is over at `now`, by the server's clock."""
        return self.expires_t is not None and now >= self.expires_t


def new_id() -> str:
    """Return an id for a key."""
    return secrets.token_hex(4)


def create(
    client: Client,
    scopes: Sequence[str],
    name: str = "",
    *,
    lifetime_s: float | None = None,
    key_id: str = "",
) -> tuple[str, ApiKey]:
    """Make a key and return it with its record; nothing can show it a second time.

    A plain SHA-256 is enough for a secret of 256 random bits: there is nothing to guess.
    """
    key_id = key_id or new_id()
    text = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    now = server_time(client)
    record = ApiKey(
        id=key_id,
        scopes=tuple(scopes),
        name=name,
        created_t=now,
        expires_t=None if lifetime_s is None else now + lifetime_s,
        sha256=_hash(text),
    )
    client.hset(keys.API_KEYS, key_id, codec.encode(record))
    return text, record


def list_keys(client: Client) -> list[ApiKey]:
    """Return all keys that can be read, oldest first."""
    records = [codec.decode_or_none(ApiKey, row) for row in client.hvals(keys.API_KEYS)]
    return sorted((r for r in records if r), key=lambda r: r.created_t)


def unreadable(client: Client) -> list[str]:
    """Return the ids of keys whose row is damaged; they open nothing."""
    rows = client.hgetall(keys.API_KEYS)
    damaged = (i for i, row in rows.items() if not codec.decode_or_none(ApiKey, row))
    return sorted(i.decode("utf-8", "replace") for i in damaged)


def last_uses(client: Client) -> dict[str, float]:
    """Return key id -> time of its last use, to about a minute; absent: never used."""
    used = client.hgetall(keys.API_KEY_USES).items()
    times = {k.decode("utf-8", "replace"): time_s(t) for k, t in used}
    return {k: t for k, t in times.items() if t is not None}


def note_use(client: Client, key_id: str) -> None:
    """Keep the time of a use. Not in the key's row: that could bring back a revoked key."""
    client.hset(keys.API_KEY_USES, key_id, f"{server_time(client):.0f}")


def revoke(client: Client, key_id: str) -> bool:
    """Forget a key, which ends its sessions; False if there was none of that id."""
    client.hdel(keys.API_KEY_USES, key_id)
    return bool(client.hdel(keys.API_KEYS, key_id))


def verify(client: Client, text: str) -> ApiKey | None:
    """Return the record of a key, None if it is not one of ours or has expired."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not secret:
        return None
    record = valid_key(client, key_id)
    if record is None:
        return None
    return record if hmac.compare_digest(record.sha256, _hash(text)) else None


def id_of(text: str) -> str:
    """Return the id that a text of a key names, empty if it names none."""
    prefix, _, rest = text.partition("_")
    key_id = rest.partition("_")[0]
    return key_id if prefix == _PREFIX and _ID.fullmatch(key_id) else ""


def valid_key(client: Client, key_id: str) -> ApiKey | None:
    """Return the record of the key with this id, None if there is none or it has expired."""
    row = client.hget(keys.API_KEYS, key_id)
    record = codec.decode_or_none(ApiKey, row)
    if record is None or record.expires_t is None:
        return record
    return None if record.expired(server_time(client)) else record


def without_admin(key: ApiKey) -> ApiKey:
    """Return a key that may do all but administer."""
    wider = (*key.scopes, "engineer", "ingest") if "admin" in key.scopes else key.scopes
    return replace(key, scopes=tuple(s for s in wider if s != "admin"))


def any_exist(client: Client) -> bool:
    """Whether a key exists, be it expired: from the first one on, requests must carry one.

    While a restore brings them back, or if it was interrupted, they count as there.
    """
    return bool(client.exists(keys.API_KEYS, keys.RESTORING))


def required(settings: Settings) -> bool:
    """Whether every request must carry a key, even before one exists."""
    return settings.cluster_mode == "production"


def require_keys(client: Client, settings: Settings) -> None:
    """Refuse to start in production mode before a key exists.

    Raises `SettingsError`: there is none; the message says how to make one.
    """
    if required(settings) and not any_exist(client):
        raise SettingsError(NO_KEY)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
