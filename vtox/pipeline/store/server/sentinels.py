"""Clients of a Sentinel group: each new connection asks where the primary is now."""

import time
from typing import Any

import redis
from redis.sentinel import (
    MasterNotFoundError,
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from vtox.pipeline.configuration.sentinel_urls import SentinelUrl, parse
from vtox.pipeline.store.server.overlimit import OverLimit

# The time-out of one sentinel: if its host is away, the next one is asked. redis-py would try ten
# times.
TIMEOUT_S = 1.0
# After this long without a command a connection may lead to a primary that was replaced meanwhile.
IDLE_S = 1.0
UNANSWERED_S = 5.0


class PrimaryConnection(SentinelManagedConnection):
    """A connection that asks the sentinels before every connect, and before use after a pause.

    When redis-py repeats a command it would connect to the former address. A primary there may
    hang, or it was restarted and does not know yet that it is a primary no longer. A primary that
    hangs holds the user of an idle connection until the time-out of the socket.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._used_t = self._ask_after_t = 0.0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command."""
        now = time.monotonic()
        idle, self._used_t = now - self._used_t > IDLE_S, now
        if check_health and idle and self.is_of_former_primary():
            self.disconnect()  # type: ignore[no-untyped-call]
        if self._sock is None:
            self.connect()  # type: ignore[no-untyped-call]
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def is_of_former_primary(self) -> bool:
        """Return whether it is connected, and the sentinels name another server as the primary.

        If none answers, or the primary is down without a successor, nothing is known. Then they are
        not asked again for a while, as each of them may take its time-out.
        """
        if self._sock is None or time.monotonic() < self._ask_after_t:
            return False
        try:
            primary = self.connection_pool.get_master_address()
        except (redis.ConnectionError, redis.TimeoutError):
            self._ask_after_t = time.monotonic() + UNANSWERED_S
            return False
        return bool(primary != (self.host, self.port))


class PrimarySSLConnection(PrimaryConnection, SentinelManagedSSLConnection):
    """The same with TLS."""


class _Sentinels(Sentinel):
    """The sentinels, with an error that can be read."""

    def __init__(self, group: SentinelUrl, **options: Any) -> None:
        super().__init__(group.sentinels, sentinel_kwargs=sentinel_options(group), **options)  # type: ignore[no-untyped-call]
        self.names = group.names

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return the address of the primary.

        Raises `MasterNotFoundError`: no sentinel answers, or none names a primary that is up.
        """
        try:
            address: tuple[str, int] = super().discover_master(service_name)  # type: ignore[no-untyped-call]
            return address
        except MasterNotFoundError as error:
            what = "none of them answers" if " : " in str(error) else "the primary is down"
            raise MasterNotFoundError(
                f"no primary of {service_name!r} by the sentinels at {self.names}: {what}"
            ) from error


def primary_client(url: str, **options: Any) -> OverLimit:
    """Return a client of the primary of a group. Opens nothing yet."""
    group = parse(url)
    sentinels = _Sentinels(group, username=group.user, password=group.password, db=group.db)
    client: OverLimit = sentinels.master_for(  # type: ignore[no-untyped-call]
        group.service,
        OverLimit,
        SentinelConnectionPool,
        connection_class=PrimarySSLConnection if group.tls else PrimaryConnection,
        **tls_arguments(group),
        **options,
    )
    return client


def sentinel_options(group: SentinelUrl) -> dict[str, Any]:
    """Return how a sentinel is connected to, for redis-py and for kombu."""
    return {
        "username": group.sentinel_user,
        "password": group.sentinel_password,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        # As the options of Celery it must be plain data: None means no retry.
        "retry": None,
        "ssl": bool(group.tls),
        **tls_arguments(group),
    }


def tls_arguments(group: SentinelUrl) -> dict[str, Any]:
    """Return the TLS options of a URL as redis-py takes them as arguments."""
    return {k: v == "true" if k == "ssl_check_hostname" else v for k, v in group.tls.items()}
