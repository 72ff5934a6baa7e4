"""Clients that may read by OPC UA."""

from dataclasses import dataclass

import redis
from asyncua.crypto.permission_rules import User, UserRole

from vtox.motor.errors import VtoxError
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import WrongKeys


@dataclass
class _KeyUser(User):  # type: ignore[misc]  # asyncua's type
    """The user of a session: two of the same key are the same one, whatever their names."""

    role: UserRole = UserRole.User
    key_id: str = ""


class Users:
    """Clients that may read: the password is an API key with scope `read`, the name is free.

    Without a password only if no API key exists, and this host alone can connect. An address
    that tries keys is slowed down as over HTTP.
    """

    def __init__(self, client: Client, *, may_be_anonymous: bool) -> None:
        self._client = client
        self._may_be_anonymous = may_be_anonymous
        self._wrong_keys = WrongKeys()
        #: Address of the session that asks next; asyncua does not pass it on.
        self.address = ""

    def get_user(
        self,
        iserver: object,
        username: str | None = None,
        password: str | bytes | None = None,
        certificate: object = None,
    ) -> User | None:
        """Return the user of a session; None refuses it."""
        try:
            if not password:
                anyone = self._may_be_anonymous and not apikeys.any_exist(self._client)
                return _KeyUser() if anyone else None
            text = password.decode("utf-8", "replace") if isinstance(password, bytes) else password
            key, _ = self._wrong_keys.verify(lambda: self._client, self.address, text)
        except (redis.RedisError, VtoxError):
            return None
        return _KeyUser(key_id=key.id) if key is not None and key.allows("read") else None
