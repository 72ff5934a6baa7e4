"""One browser's way to an OIDC provider and back: state, nonce and PKCE, in its own signed cookie.

Only a way that VTOX began leads to the provider: a browser without the signature is refused here.
The nonce is compared with the token's, and the provider compares the verifier with the challenge
(RFC 7636).
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple, Self
from urllib.parse import quote, unquote

from api.state.errors import SignInRefused

WANTED_MAX = 1000
# The time to type a password and to find a second factor.
LIFETIME_S = 600


class SignIn(NamedTuple):
    """Content of the cookie; `wanted` is the path to go on to, `end_s` the time of its end."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    end_s: int

    @classmethod
    def begin(cls, wanted: str, now_s: float) -> Self:
        """Return a new sign-in that leads to the path `wanted`."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        path = wanted if len(wanted) <= WANTED_MAX else "/"
        return cls(state, nonce, verifier, path, int(now_s) + LIFETIME_S)

    @classmethod
    def from_cookie(cls, text: str, state: str, secret: bytes, now_s: float) -> Self:
        """Return the content of a cookie.

        Raises `SignInRefused`: VTOX has not signed it, it is over, or it is of another sign-in.
        """
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature.encode(), _signature(signed, secret).encode()):
            raise not_begun()
        parts = [unquote(part) for part in signed.split(".")]
        attempt = cls(parts[0], parts[1], parts[2], parts[3], int(parts[4]))
        if now_s > attempt.end_s or not hmac.compare_digest(
            attempt.state.encode(), state.encode("utf-8", "replace")
        ):
            raise not_begun()
        return attempt

    def cookie(self, secret: bytes) -> str:
        """Return the value of the cookie, signed."""
        signed = ".".join(quote(str(part), safe="").replace(".", "%2E") for part in self)
        return f"{signed}.{_signature(signed, secret)}"

    @property
    def challenge(self) -> str:
        """The value that the provider compares with the verifier: its SHA-256 (RFC 7636, S256)."""
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def not_begun() -> SignInRefused:
    """Return the refusal of a way that VTOX did not begin, that is over, or was used."""
    return SignInRefused("not_begun", "this browser has not begun to sign in, or long ago")


def _signature(signed: str, secret: bytes) -> str:
    # The secret signs other things too: none of them is a cookie.
    return hmac.digest(secret, b"sign-in " + signed.encode("utf-8", "replace"), "sha256").hex()
