"""Celery's broker, which may be another one than the server of the streams: URL and options."""

import ssl
import sys
from pathlib import Path
from typing import Any

from kombu import Connection

from vtox.motor.errors import VtoxError
from vtox.pipeline.configuration import keys, server_urls, settings
from vtox.pipeline.configuration.sentinel_urls import is_sentinel, parse, split_url
from vtox.pipeline.errors import BrokerUnavailable, ServerNotTrusted, ServerUnavailable
from vtox.pipeline.store.server.client import check, connect
from vtox.pipeline.store.server.sentinels import sentinel_options

# A broker that needs longer for one step is away: meanwhile the bridge's lease of 5 s runs.
STEP_TIMEOUT_S = 3.0
REDIS_OPTIONS: dict[str, Any] = {
    "ack_emulation": False,
    "global_keyprefix": keys.CELERY_PREFIX,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}


def url() -> str:
    """Return the URL of the broker, from the settings and the running server of this moment.

    Raises `ServerUnavailable`, `SettingsError`: as `Settings.working_broker_url` and
    `settings.load`. On Celery's own command line the process ends with the message in one line
    instead of a traceback.
    """
    return server_urls.kombu_url(_complete_url())


def _complete_url() -> str:
    try:
        return settings.load().working_broker_url()
    except VtoxError as error:
        if "celery" in Path(sys.argv[0]).parts[-2:]:
            raise SystemExit(f"vtox: {error}") from None
        raise


def address() -> str:
    """Return the address of the broker, without user and password."""
    return server_urls.broker_address(_complete_url())


def transport_options() -> dict[str, Any]:
    """Return the options of kombu's transport."""
    if not is_redis():
        return {}
    options = dict(REDIS_OPTIONS)
    where = _complete_url()
    if is_sentinel(where):
        group = parse(where)
        options |= {"master_name": group.service, "sentinel_kwargs": sentinel_options(group)}
    return options


def is_redis() -> bool:
    """Return whether the broker is a Redis or Valkey server."""
    scheme = split_url(settings.load().broker_url or "").scheme
    return scheme not in server_urls.AMQP_SCHEMES


def tls() -> dict[str, Any] | None:
    """Return the TLS options of a `rediss://` or `amqps://` broker, None for another.

    Without them kombu verifies no certificate of Redis, py-amqp compares no host name, and Flower,
    which reads them here, does not start.
    """
    where = _complete_url()
    if split_url(where).scheme == "amqps":
        return {
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": server_urls.tls_options(where).get("ssl_ca_certs"),
            "server_hostname": split_url(where).hostname,
        }
    options = server_urls.tls_options(where)
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return options | verified if options else None


def product() -> str:
    """Connect to the broker; return its product and version if it states them.

    Raises `BrokerUnavailable`: it does not answer, refuses the password, or shows a certificate of
    somebody else.
    """
    where = url()
    options = {"ssl": tls() or False, "transport_options": transport_options()}
    try:
        with Connection(where, connect_timeout=STEP_TIMEOUT_S, **options) as connection:
            connection.ensure_connection(max_retries=0)
            properties = getattr(connection.connection, "server_properties", {})
            return " ".join(str(properties.get(k, "")) for k in ("product", "version")).strip()
    except Exception as error:  # the transports' errors have no common class
        reason = str(error) or type(error).__name__
        raise BrokerUnavailable(f"{address()}: {reason}") from error


def require_trusted() -> None:
    """End this process if the certificate of a `rediss://` or `sentinels://` broker is refused.

    Celery would try again for ever. A server that is away is waited for.
    """
    if not server_urls.tls_options(where := _complete_url()):
        return
    try:
        with connect(where, "broker", retries=0) as client:
            check(client)
    except ServerNotTrusted as error:
        raise SystemExit(f"vtox: {error}") from None
    except ServerUnavailable:
        pass
