"""Counts in hashes of the server, which another program may have written over.

No process ends by one: it is read as 0, and begins again if it is added to. The scripts do the same
(`add_to`).
"""

from collections.abc import Mapping

import redis

from vtox.pipeline.store.server.client import Client

# Beyond this nothing was counted here.
_DIGITS = 18


def read_count(text: bytes | None) -> int:
    """Return a count; 0 for none, and for text that is no whole number.

    >>> read_count(b"-3"), read_count(b"1e400"), read_count(None)
    (-3, 0, 0)
    """
    digits = (text or b"").removeprefix(b"-")
    return int(text) if text and digits.isdigit() and len(digits) <= _DIGITS else 0


def read_counts(fields: Mapping[bytes, bytes]) -> dict[str, int]:
    """Return the counts of a hash, by name."""
    return {k.decode("utf-8", "replace"): read_count(n) for k, n in fields.items()}


def add_count(client: Client, key: str, name: str, n: int) -> int:
    """Add to a count, and return the sum."""
    try:
        return int(client.hincrby(key, name, n))
    except redis.ResponseError:
        client.hset(key, name, str(n))
        return n
