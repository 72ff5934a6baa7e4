"""One entry never ends or stops its reader: one that cannot be read is refused, with a code.

Streams, hashes and messages may hold anything: another version wrote them, another program, or a
broken sender. Every loop over them takes each by `read`. Readers that follow a stream from a
position also log and count the entries they skip, by `note_skipped`.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import redis

from vtox.motor.errors import InputError, VtoxError
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import ServerFull, ServerUnavailable
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.counts import add_count

# Not structlog, which takes longer to load than all else that `vtox.pipeline.client` needs.
log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

# The code of an entry on which its decoder fails without a code.
UNREADABLE = "unreadable"
MAX_REASON = 500
# A key of another type, or with a value on which a script of ours fails: another program wrote it.
_OF_A_KEY = ("WRONGTYPE", "user_script")
_OF_THE_VALUE = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an entry is refused: a stable code, and its fault."""

    code: str
    reason: str


def read(decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Unreadable:
    """Return the value that `decode` makes of an entry, or why it cannot be used, after any error.

    Trouble of server or disk is raised: it says nothing of the entry.
    """
    try:
        return decode(*args, **kwargs)
    except Exception as error:
        if is_trouble(error):
            raise
        code = getattr(error, "code", UNREADABLE) if isinstance(error, InputError) else UNREADABLE
        return Unreadable(code, reason_of(error))


def read_or_none(decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return the same, None for an entry that cannot be used."""
    found = read(decode, *args, **kwargs)
    return None if isinstance(found, Unreadable) else found


def read_each(
    entries: Iterable[tuple[bytes, dict[bytes, bytes]]],
    decode: Callable[[bytes, dict[bytes, bytes]], T],
) -> tuple[list[tuple[bytes, T]], list[tuple[bytes, Unreadable]]]:
    """Return the ids and values of the entries that can be read, and the ids of the others."""
    values: list[tuple[bytes, T]] = []
    skipped: list[tuple[bytes, Unreadable]] = []
    for entry_id, fields in entries:
        value = read(decode, entry_id, fields)
        if isinstance(value, Unreadable):
            skipped.append((entry_id, value))
        else:
            values.append((entry_id, value))
    return values, skipped


def note_skipped(
    client: Client, reader: str, stream: str, skipped: Sequence[tuple[bytes, Unreadable]]
) -> None:
    """Log and count the entries that a reader has passed over for good, one line for all."""
    if not skipped:
        return
    entry_id, last = skipped[-1]
    said = {"stream": stream, "entries": len(skipped), "last": entry_id.decode()}
    said |= {"code": last.code, "reason": last.reason}
    log.warning("entries that cannot be read are passed over", extra=said)
    try:
        add_count(client, keys.UNREADABLE, reader, len(skipped))
    except redis.RedisError as error:  # the log has said it
        log.warning("they were not counted", extra={"reason": str(error)})


def is_trouble(error: Exception) -> bool:
    """Return whether server or disk are at fault, so that trying again later may go well."""
    of_a_key = isinstance(error, redis.ResponseError) and str(error).startswith(_OF_A_KEY)
    if of_a_key or isinstance(error, _OF_THE_VALUE):
        return False
    trouble = redis.RedisError | sqlite3.Error | OSError | ServerUnavailable | ServerFull
    return isinstance(error, trouble)


def reason_of(error: Exception) -> str:
    """Return the message of an error, as a text that can be stored anywhere."""
    text = str(error) if isinstance(error, VtoxError) else f"{type(error).__name__}: {error}"
    return text[:MAX_REASON].encode("utf-8", "replace").decode()
