"""Dead letters: entries that could not be diagnosed, with the reason and the entry itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from vtox.motor.errors import InputError
from vtox.motor.values import codec
from vtox.motor.values.codec import Number
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import Addresses
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.own_fields import (
    REPLAY_FAMILY,
    REPLAY_OF,
    make_secret,
    signed,
    strip_own_fields,
)
from vtox.pipeline.store.stream.window_log import add_with

_ENTRY = b"entry."
_READ_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One entry of `dead_letters`; `entry` is the entry as sent, empty if deleted or too large.

    `stream` is that of its partition.
    """

    id: str = ""
    stream_id: str = ""
    machine_id: str = ""
    seq: str = ""
    """as it was sent, which need not be a number"""
    family: str = ""
    code: str = ""
    """stable, for programs"""
    reason: str = ""
    attempts: int = 0
    t: Number | None = None
    windows: int = 1
    """windows of the sender that this one stands for"""
    last_stream_id: str = ""
    """stream id of the last of these windows"""
    entry: dict[bytes, bytes] = field(default_factory=dict)
    stream: str = keys.RAW

    @property
    def entry_bytes(self) -> int:
        """Size of the entry."""
        return sum(len(k) + len(v) for k, v in self.entry.items())


def newest_first(client: Client) -> Iterator[DeadLetter]:
    """Yield all dead letters, reading a few at a time: each may carry megabytes."""
    for i, fields in outputs.newest_first(client, keys.DEAD_LETTERS, read_at_once=_READ_AT_ONCE):
        yield decode(i, fields)


def get(client: Client, letter_id: str) -> DeadLetter:
    """Return one dead letter.

    Raises `InputError`: there is none of that id.
    """
    ms, _, number = letter_id.partition("-")
    found = []
    if ms.isdigit() and (number or "0").isdigit():
        found = client.xrange(keys.DEAD_LETTERS, letter_id, letter_id)
    if not found:
        raise InputError(f"no dead letter {letter_id}: `vtox dead-letters list` shows them")
    return decode(*found[0])


def resend(client: Client, dead: DeadLetter) -> str:
    """Send the entry again, for the family that failed on it, and return its new id.

    Sent twice it counts once: the id of the dead letter is part of the window's identity.

    Raises `InputError`: the dead letter does not carry its entry.
    """
    if not dead.entry:
        raise InputError(f"{dead.id}: the entry was not kept, only what was wrong with it")
    own = {REPLAY_OF: dead.id.encode(), REPLAY_FAMILY: dead.family.encode()}
    fields = strip_own_fields(dead.entry) | signed(dead.entry, own, make_secret(client))
    with client.pipeline(transaction=True) as pipe:
        add_with(pipe, fields, Addresses(client).raw(dead.machine_id))
        pipe.xdel(keys.DEAD_LETTERS, dead.id)
        added, _ = pipe.execute()
    return str(added.decode())


def decode(letter_id: bytes | str, fields: Mapping[bytes, bytes]) -> DeadLetter:
    """Return the dead letter of an entry; one that another program wrote may hold anything."""
    found = codec.decode_fields(DeadLetter, fields)
    return replace(
        found,
        id=letter_id if isinstance(letter_id, str) else letter_id.decode(),
        last_stream_id=found.last_stream_id or found.stream_id,
        stream=found.stream or keys.RAW,
        entry={k.removeprefix(_ENTRY): v for k, v in fields.items() if k.startswith(_ENTRY)},
    )
