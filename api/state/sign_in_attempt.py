"""One browser's way to an OIDC provider and back: state, nonce and PKCE, in its own cookie.

Changing the cookie gains nothing: the state is compared with that of the way back, the nonce
with the token's, and the provider compares the verifier with the challenge (RFC 7636).
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple, Self
from urllib.parse import quote, unquote

from vtox.errors import SignInRefused

WANTED_MAX = 1000


class SignIn(NamedTuple):
    """What the cookie carries; `wanted` is the path to go on to."""

    state: str
    nonce: str
    verifier: str
    wanted: str

    @classmethod
    def begin(cls, wanted: str) -> Self:
        """Return a new one that leads to the path `wanted`."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, wanted if len(wanted) <= WANTED_MAX else "/")

    @classmethod
    def of_cookie(cls, text: str, state: str) -> Self:
        """Return what a cookie carries.

        Raises `SignInRefused`: it is not of the way back that has this `state`.
        """
        parts = [unquote(part) for part in text.split(".")]
        if (
            not state
            or len(parts) != 4
            or not hmac.compare_digest(parts[0].encode(), state.encode())
        ):
            raise SignInRefused("not_begun", "this browser has not begun to sign in, or long ago")
        return cls(*parts)

    @property
    def cookie(self) -> str:
        """The value of the cookie."""
        return ".".join(quote(part, safe="").replace(".", "%2E") for part in self)

    @property
    def challenge(self) -> str:
        """What the provider compares with the verifier: its SHA-256 (RFC 7636, S256)."""
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
