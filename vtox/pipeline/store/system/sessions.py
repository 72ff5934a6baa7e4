"""Sessions of people who signed in on the page, with a key or at a provider; they expire."""

import hashlib
import secrets
from dataclasses import dataclass

from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.apikeys import ApiKey, Scope, valid_key

LIFETIME_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom an OIDC provider has signed in.

    `subject` is its own id for the account, which never changes; people know the `login`.
    """

    issuer: str
    subject: str
    login: str
    name: str
    scope: Scope

    @property
    def key(self) -> ApiKey:
        """The person's rights, as a key that no text opens."""
        return ApiKey(
            id=self.login,
            scopes=(self.scope,),
            name=self.name,
            created_t=0.0,
            expires_t=None,
            sha256="",
        )


def begin(client: Client, who: ApiKey | Person) -> str:
    """Begin a session; return the value of the cookie. Only its hash is kept.

    For a key its id is kept: the session ends with the key. For a person everything is kept.
    """
    token = secrets.token_urlsafe(32)
    row = who.id if isinstance(who, ApiKey) else codec.encode(who)
    client.set(_name(token), row, ex=LIFETIME_S)
    return token


def key_of(client: Client, token: str, issuer: str = "") -> ApiKey | None:
    """Return the key of a session, None if the session or its key has ended.

    For a person signed in by the provider `issuer`, the key has the person's rights.
    """
    row = client.get(_name(token))
    if row and row.startswith(b"{"):
        person = codec.decode_or_none(Person, row)
        return person.key if person and person.issuer == issuer else None
    return valid_key(client, row.decode()) if row else None


def end(client: Client, token: str) -> None:
    """End a session."""
    client.delete(_name(token))


def use_once(client: Client, state: str, lifetime_s: int) -> bool:
    """Return whether a way back from the provider is used for the first time."""
    return bool(client.set(_name(f"sign-in {state}"), b"", ex=lifetime_s, nx=True))


def _name(token: str) -> str:
    return keys.session(hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
