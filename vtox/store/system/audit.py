"""Who changed what, and from where: the stream `audit`, an entry for each deed.

Operators' actions on alarms are in `alarm_actions` (`vtox.store.alarms.alarm_actions`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from vtox import keys
from vtox.store.server.client import Client
from vtox.store.stream.entries import reason_from_json
from vtox.values import codec
from vtox.values.codec import RawFields
from vtox.values.domain import Reason, ReasonValue

_TEXTS = ("by", "key_id", "address", "machine_id", "code")
# Of a name or an address, characters.
TEXT_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts; what is not known is empty.

    `by` is a person's name or that of the API key, `key_id` the id of that key, `address` where the
    request came from: of a command line the name of its host.
    """

    by: str = ""
    key_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did: a code with its values, about a machine or about none."""

    actor: Actor
    code: str
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    machine_id: str = ""


@contextmanager
def audited(client: Client, deed: Deed) -> Iterator[None]:
    """Write a deed before it is done, and take it back where it is refused.

    So nothing is done without an entry. Where the server goes away meanwhile, it may stand there
    although nothing was done.
    """
    entry_id = write(client, deed)
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError):
        raise
    except BaseException:
        client.xdel(keys.AUDIT, entry_id)
        raise


def write(client: Client, deed: Deed) -> str:
    """Add an entry; return its id."""
    entry_id: bytes = client.xadd(keys.AUDIT, encode(deed))
    return entry_id.decode()


def encode(deed: Deed) -> dict[str, Any]:
    """Return the fields of an entry."""
    a = deed.actor
    texts = {"by": a.by, "key_id": a.key_id, "address": a.address, "machine_id": deed.machine_id}
    fields: dict[str, Any] = {n: t[:TEXT_MAX] for n, t in texts.items()}
    return fields | {"code": deed.code, "values": codec.encode(Reason("", deed.values).values)}


def decode(fields: RawFields) -> Deed:
    """Return the deed of an entry; what is missing is empty."""
    known = {n: fields.get(n.encode(), b"").decode("utf-8", "replace") for n in _TEXTS}
    values = reason_from_json("", fields.get(b"values", b"").decode("utf-8", "replace")).values
    actor = Actor(by=known["by"], key_id=known["key_id"], address=known["address"])
    return Deed(actor=actor, code=known["code"], machine_id=known["machine_id"], values=values)
