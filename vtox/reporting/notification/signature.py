"""Signs messages as Standard Webhooks 1.0 says (standardwebhooks.com): HMAC-SHA256, `v1`."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
# The specification: at least 24 bytes, 64 at most.
SECRET_MIN_BYTES, SECRET_MAX_BYTES = 24, 64


def signing_key(secret: str) -> bytes:
    """Return the key of a secret as both sides keep it: `whsec_` and base64.

    Raises `ValueError`: it is not of that form; the text does not have it.
    """
    text = secret.strip()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not SECRET_MIN_BYTES <= len(key) <= SECRET_MAX_BYTES:
        raise ValueError(
            f"expected {PREFIX} and {SECRET_MIN_BYTES} to {SECRET_MAX_BYTES} random bytes in "
            f"base64: echo {PREFIX}$(openssl rand -base64 32)"
        )
    return key


def signature(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature for each key, spaces between."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(d).decode()}" for d in digests)


def headers(
    keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Return the headers of one attempt; the id is the same at each, the time is not."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(keys, message_id, timestamp_s, body),
    }
