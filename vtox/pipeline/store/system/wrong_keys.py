"""Wrong API keys: counted for each address, logged, kept in the audit, and slowed down.

A key of 256 random bits cannot be guessed. The limit is on the cost of trying. An address that has
sent `DIFFERENT_AT_MOST` wrong keys within a minute is refused for the rest of it, and the server is
not asked. Keys that this process has confirmed pass all the same: others may share the address.
Memory and cost of an attempt are bounded. Each process counts for itself.

Failed sign-ins at a provider are counted and slowed down alike, in a separate list.
"""

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import redis
import structlog

from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys, audit
from vtox.pipeline.store.system.apikeys import ApiKey
from vtox.pipeline.store.system.audit import Actor

log = structlog.get_logger()

# The same wrong key again is a program that does not know the new one, and no guess.
DIFFERENT_AT_MOST = 10
MINUTE_S, HOUR_S = 60.0, 3600.0
# Addresses, and confirmed keys; of more, the ones that came least lately are forgotten.
REMEMBERED = 1000
# Addresses that the audit names in an hour; the others are counted together. Attempts from millions
# of addresses must not push people's deeds out of it.
NAMED_AT_MOST = 20
# The counts at which the audit gets an entry.
ENTRY_AT = frozenset(10**n for n in range(12))
OTHERS = ""


class Attempts(NamedTuple):
    """The number of wrong keys in this hour from an address; empty: from those not named."""

    address: str
    so_far: int


@dataclass(slots=True)
class _Address:
    """The attempts of one address: their count in this hour, and the keys in this minute."""

    minute_began: float
    count: int = 0
    keys: set[bytes] = field(default_factory=set)


class WrongKeys:
    """Safe between the threads that serve requests."""

    def __init__(
        self, event: str = "wrong API keys", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._event = event
        self._now = now
        self._lock = Lock()
        self._hour_began = now()
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._named: set[str] = set()
        self._confirmed: OrderedDict[bytes, bool] = OrderedDict()

    def verify(
        self, client: Callable[[], Client], address: str, text: str
    ) -> tuple[ApiKey | None, float]:
        """Return the key that came from an address, None for a wrong one, and for how long to wait.

        A wrong one is counted, and kept in the audit.
        """
        wait_s = self.wait_s(address, text)
        key = None if wait_s else apikeys.verify(client(), text)
        if key is not None:
            self.confirm(text)
        elif attempts := self.note(address, text):
            _audit(client, attempts, text)
        return key, wait_s

    def wait_s(self, address: str, text: str) -> float:
        """Return for how long a key from an address is not looked at, 0 if it is.

        An address of this host is that of a proxy which does not say whom it serves, or of an
        administrator: it never waits.
        """
        address = _network(address)
        with self._lock:
            known = self._addresses.get(address)
            if known is None or len(known.keys) < DIFFERENT_AT_MOST or is_loopback(address):
                return 0.0
            if _digest(text) in self._confirmed:
                return 0.0
            return max(known.minute_began + MINUTE_S - self._now(), 0.0)

    def confirm(self, text: str) -> None:
        """Note that a key is right."""
        with self._lock:
            self._confirmed[_digest(text)] = True
            _shorten(self._confirmed, _digest(text))

    def note(self, address: str, text: str) -> Attempts | None:
        """Count a wrong key; return the attempts to note in the audit, None for nothing."""
        address, now = _network(address), self._now()
        with self._lock:
            if now - self._hour_began >= HOUR_S:
                self._hour_began = now
                self._addresses.clear()
                self._named.clear()
            known = self._addresses.setdefault(address, _Address(now))
            _shorten(self._addresses, address)
            if now - known.minute_began >= MINUTE_S:
                known.minute_began, known.keys = now, set()
            if len(known.keys) < DIFFERENT_AT_MOST:
                known.keys.add(_digest(text))
            return self._counted(address, known, now)

    def _counted(self, address: str, known: _Address, now: float) -> Attempts | None:
        if address not in self._named and len(self._named) >= NAMED_AT_MOST:
            address, known = OTHERS, self._addresses.setdefault(OTHERS, _Address(now))
            _shorten(self._addresses, OTHERS)
        else:
            self._named.add(address)
        known.count += 1
        if known.count not in ENTRY_AT:
            return None
        log.warning(self._event, address=address, in_this_hour=known.count)
        return Attempts(address, known.count)


@lru_cache(maxsize=256)
def is_loopback(address: str) -> bool:
    """Whether an address by number is of this host alone."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(number, "ipv4_mapped", None)
    return bool((mapped or number).is_loopback)


@lru_cache(maxsize=REMEMBERED)
def _network(address: str) -> str:
    """Return the unit of counting for an address: for IPv6 its network of 64 bits, one customer's.

    >>> _network("2001:db8::7"), _network("::ffff:10.0.0.7"), _network("10.0.0.7")
    ('2001:db8::/64', '10.0.0.7', '10.0.0.7')
    """
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(number, ipaddress.IPv4Address):
        return address
    if number.ipv4_mapped:
        return str(number.ipv4_mapped)
    return address if number.is_loopback else str(ipaddress.ip_network((number, 64), strict=False))


def _audit(client: Callable[[], Client], attempts: Attempts, text: str) -> None:
    actor, code = Actor(address=attempts.address), "wrong_keys_elsewhere"
    if attempts.address:
        actor, code = replace(actor, key_id=apikeys.id_of(text)), "wrong_keys"
    # A server that takes no writes is no reason to answer otherwise.
    with suppress(redis.RedisError, ServerUnavailable):
        audit.write(client(), actor.deed(code, attempts=attempts.so_far))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _shorten(
    kept: OrderedDict[str, _Address] | OrderedDict[bytes, bool], last: str | bytes
) -> None:
    """Put one at the end, and forget the first if there are too many."""
    kept.move_to_end(last)  # type: ignore[arg-type]
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)
