"""Fields of a raw entry that only VTOX may set: signed, because any sender can write any field."""

import hmac
import secrets
from collections.abc import Mapping

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.windows.wire import ARRIVED

REPLAY_OF, REPLAY_FAMILY, SIGNATURE = b"replay_of", b"replay_family", b"signature"
_OWN = (REPLAY_OF, REPLAY_FAMILY, ARRIVED)
# They hold for this window alone.
_SIGNED = (b"machine_id", b"run", b"seq", b"t0", *_OWN)


def make_secret(client: Client) -> bytes:
    """Return the secret that signs them; make one if there is none."""
    client.set(keys.REPLAY_SECRET, secrets.token_bytes(32), nx=True)
    return read_secret(client)


def read_secret(client: Client) -> bytes:
    """Return the secret that signs them, empty before the first one was made."""
    return client.get(keys.REPLAY_SECRET) or b""


def is_claimed(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether an entry has one of them, be it by VTOX or by a sender."""
    return any(name in fields for name in _OWN)


def signed(
    fields: Mapping[bytes, bytes], own: Mapping[bytes, bytes], secret: bytes
) -> dict[bytes, bytes]:
    """Return these for an entry, with their signature, in place of those it has; no empty ones."""
    present = {name: value for name, value in own.items() if value}
    return present | {SIGNATURE: _signature(secret, strip_own_fields(fields) | present)}


def verified(fields: Mapping[bytes, bytes], secret: bytes) -> dict[bytes, bytes]:
    """Return an entry as it is if VTOX has signed it, else without these fields.

    With them a sender could keep its windows from families, from the recognition of duplicates and
    from its quota.
    """
    signature = fields.get(SIGNATURE, b"")
    if secret and hmac.compare_digest(signature, _signature(secret, fields)):
        return dict(fields)
    return strip_own_fields(fields)


def strip_own_fields(fields: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return an entry without these fields."""
    return {k: v for k, v in fields.items() if k not in (*_OWN, SIGNATURE)}


def _signature(secret: bytes, fields: Mapping[bytes, bytes]) -> bytes:
    signed = repr([fields.get(name) for name in _SIGNED]).encode()
    return hmac.digest(secret, signed, "sha256").hex().encode()
