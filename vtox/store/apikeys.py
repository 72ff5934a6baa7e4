"""API keys: made here, shown once, kept only as a hash. `admin` includes every scope."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from vtox import keys
from vtox.errors import SettingsError
from vtox.settings import Settings
from vtox.store.client import Client

Scope = Literal["read", "ingest", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

NO_KEY = (
    "VTOX_CLUSTER_MODE=production needs an API key and there is none: make one with "
    "`vtox keys create --scope read` (ingest for a sender, admin for who registers machines)"
)
_PREFIX = "vtox"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept; the key itself is `vtox_<id>_<secret>`."""

    id: str
    scope: Scope
    name: str
    created_t: float
    sha256: str

    def allows(self, scope: Scope) -> bool:
        """Whether this key may do what needs `scope`."""
        return self.scope in ("admin", scope)


def create(client: Client, scope: Scope, name: str = "") -> tuple[str, ApiKey]:
    """Make a key and return it with its record; nothing can show it a second time.

    A plain SHA-256 is enough for a secret of 256 random bits: there is nothing to guess.
    """
    key_id = secrets.token_hex(4)
    text = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    record = ApiKey(id=key_id, scope=scope, name=name, created_t=time.time(), sha256=_hash(text))
    client.hset(keys.API_KEYS, key_id, json.dumps(asdict(record)))
    return text, record


def list_keys(client: Client) -> list[ApiKey]:
    """Return all keys, oldest first."""
    found = [ApiKey(**json.loads(text)) for text in client.hvals(keys.API_KEYS)]
    return sorted(found, key=lambda k: k.created_t)


def revoke(client: Client, key_id: str) -> bool:
    """Forget a key; False where there was none of that id."""
    return bool(client.hdel(keys.API_KEYS, key_id))


def verify(client: Client, text: str) -> ApiKey | None:
    """Return the record of a key, None where it is not one of ours."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not secret:
        return None
    kept = client.hget(keys.API_KEYS, key_id)
    if kept is None:
        return None
    record = ApiKey(**json.loads(kept))
    return record if hmac.compare_digest(record.sha256, _hash(text)) else None


def required(settings: Settings) -> bool:
    """Whether requests must carry a key."""
    return settings.cluster_mode == "production"


def require_keys(client: Client, settings: Settings) -> None:
    """Refuse to start in production mode before a key exists.

    Raises
    ------
    SettingsError
        There is none; the message says how to make one.
    """
    if required(settings) and not client.hlen(keys.API_KEYS):
        raise SettingsError(NO_KEY)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
