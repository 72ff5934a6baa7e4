"""Sends one message to a webhook: signed, to an address that was checked, within a time."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

import httpx2

from vtox.pipeline.configuration.version import version
from vtox.pipeline.errors import RulesError
from vtox.reporting.notification.addresses import Address, is_allowed, resolve
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.rules import TARGETS_AT_MOST, Target
from vtox.reporting.notification.signature import headers
from vtox.reporting.notification.target_secrets import signing_keys, target_url

# A host may have an address that does not answer (an IPv6 that leads nowhere) before one that
# works.
ADDRESSES_TRIED = 3
# Statuses by which a target refuses one message; by other errors, all of them for now.
REFUSES_MESSAGE = frozenset({400, 406, 409, 411, 412, 413, 414, 415, 422, 431})
GONE = 410


def send(name: str, target: Target, message_id: str, body: bytes) -> Attempt:
    """Send a message once; return errors of a target or a network, never raise them."""
    try:
        url = httpx2.URL(target_url(name, target))
        keys = signing_keys(name, target)
    except RulesError:
        return Attempt(problem="secret_missing")
    except httpx2.InvalidURL:
        return Attempt(problem="bad_url")
    try:
        addresses = resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
    except (OSError, UnicodeError):
        return Attempt(problem="name_not_resolved")
    allowed = [a for a in addresses if is_allowed(a, target.networks)]
    if not allowed:
        return Attempt(problem="address_refused")
    signed = headers(keys, message_id, int(time.time()), body)
    try:
        trust = _trust(target.ca_file)
    except OSError:
        return Attempt(problem="ca_file_unusable")
    return asyncio.run(_post(url, allowed[:ADDRESSES_TRIED], signed, body, target, trust))


async def _post(
    url: httpx2.URL,
    addresses: Sequence[Address],
    signed: dict[str, str],
    body: bytes,
    target: Target,
    trust: ssl.SSLContext,
) -> Attempt:
    own = {"host": url.netloc.decode(), "content-type": "application/json"}
    own["user-agent"] = f"vtox/{version()}"
    patience = httpx2.Timeout(target.timeout_s, connect=target.timeout_s / 2)
    attempt = Attempt(problem="cannot_connect")
    try:
        async with (
            # All together: one that sends a byte now and then would keep within the others.
            asyncio.timeout(target.timeout_s),
            # No proxies and passwords of the environment: a proxy would choose the address itself.
            httpx2.AsyncClient(
                verify=trust, trust_env=False, follow_redirects=False, timeout=patience
            ) as client,
        ):
            for address in addresses:
                try:
                    async with client.stream(
                        "POST",
                        url.copy_with(host=str(address)),
                        content=body,
                        headers=own | signed,
                        # The certificate must be that of the name, not of the address.
                        extensions={"sni_hostname": url.host},
                    ) as response:
                        # Anything but its status is not read.
                        return attempt_of(response.status_code, response.headers)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    attempt = Attempt(problem=_why_not_connected(error))
    except (TimeoutError, httpx2.TimeoutException):
        return Attempt(problem="timeout")
    except httpx2.HTTPError as error:
        return Attempt(problem=f"broken_connection {type(error).__name__}")
    return attempt


def attempt_of(status: int, headers: "httpx2.Headers") -> Attempt:
    """Return the result of an attempt by the answer to it."""
    if 200 <= status < 300:
        return Attempt()
    if 300 <= status < 400:
        return Attempt(problem=f"redirect_refused {status}")
    return Attempt(
        problem=f"http_status {status}",
        of_message=status in REFUSES_MESSAGE,
        final=status == GONE,
        retry_after_s=retry_after_s(headers.get("retry-after", ""), time.time()),
    )


def retry_after_s(text: str, now_s: float) -> float | None:
    """Return the time that `Retry-After` asks for, in seconds or as a date; None if it does not.

    >>> retry_after_s("120", 0.0)
    120.0
    """
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    with suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(text).timestamp() - now_s, 0.0)
    return None


# Reading the certificates of the system takes a tenth of a second.
@lru_cache(maxsize=TARGETS_AT_MOST)
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return the certificates that are trusted: those of the system, or of `ca_file` alone."""
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file)
    return httpx2.create_ssl_context(trust_env=False)


def _why_not_connected(error: httpx2.TransportError) -> str:
    # The certificate is looked at while connecting.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls_failed"
        cause = cause.__cause__ or cause.__context__
    return "cannot_connect"
