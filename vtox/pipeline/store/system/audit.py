"""The audit: the stream `audit`, an entry for each deed with its author and place.

Operators' actions on alarms are in `alarm_actions` (`vtox.pipeline.store.alarms.alarm_actions`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis

from vtox.motor.values import codec
from vtox.motor.values.domain import Reason, ReasonValue
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

# The limit of a name or an address, characters.
TEXT_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person or program that acts; unknown fields are empty.

    `by` is a person's name or that of the API key, `key_id` the id of that key. `address` is the
    origin of the request: for a command line the name of its host.
    """

    by: str = ""
    key_id: str = ""
    address: str = ""

    def deed(self, code: str, machine_id: str = "", **values: ReasonValue) -> "Deed":
        """Return a deed of this actor; long names are cut."""
        names = (self.by, self.key_id, self.address, machine_id)
        by, key_id, address, machine_id = (n[:TEXT_MAX] for n in names)
        return Deed(by, key_id, address, machine_id, code, Reason(code, values).values)


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed, an entry of `audit`: a code with its values, about a machine or none."""

    by: str = ""
    """name of the API key, else that which was sent; of a command, the user of the operating
    system; empty: not known"""
    key_id: str = ""
    """id of the API key; empty: none"""
    address: str = ""
    """address of the sender; for a command, the name of its host"""
    machine_id: str = ""
    """empty: about no machine"""
    code: str = ""
    """code of the act: stable, for programs"""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)


@contextmanager
def audited(client: Client, deed: Deed) -> Iterator[None]:
    """Write a deed before it is done, and take it back if it is refused.

    So nothing is done without an entry. If the server goes away meanwhile, the entry may be
    there although nothing was done.
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
    entry_id: bytes = client.xadd(keys.AUDIT, codec.encode_fields(deed))
    return entry_id.decode()
