"""URLs of servers and brokers: masked before they are shown, and checked before use."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from vtox.pipeline.configuration import sentinel_urls
from vtox.pipeline.errors import SettingsError

MASK = "***"
AMQP_SCHEMES = ("amqp", "amqps")
DATABASE_SCHEMES = ("postgresql", "postgres")
# Parameters that may be shown. Any other, its name included, may be a piece of a password in which
# a special character was not escaped.
_SHOWN = frozenset(
    {
        "db",
        "service",
        "ssl_ca_certs",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_cert_reqs",
        "ssl_check_hostname",
    }
)
_ALLOWED = _SHOWN | {"username", "password"}
# With `prefer`, which is PostgreSQL's default, an attacker on the line can do without TLS.
_ENCRYPTED_SSLMODES = frozenset({"require", "verify-ca", "verify-full"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_EXPECTED = (
    "expected redis://, rediss:// (TLS) or unix://, then user:password@host:port/db as far as "
    "needed; write special characters of a password by number: %23 for #, %2F for /, %3F for ?, "
    "%40 for @, %25 for %"
)


# Files of a TLS connection: the CA that signed the server's certificate, and our own.
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}


def mask(url: str) -> str:
    """Return a URL for people: no password, and nothing that may be a piece of one.

    A URL that cannot be read without doubt is shown by its scheme alone.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return MASK
    parts = _split(url)
    if parts is None:
        return f"{scheme}://{MASK}"
    login, at, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    # A user without a password may be a password in the wrong place.
    login = f"{user}:{MASK}" if password else MASK if at else ""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    shown = [f"{k}={v}" for k, v in pairs if k in _SHOWN]
    hidden = [MASK] if len(shown) < len(pairs) else []
    query = "&".join(shown + hidden)
    return f"{scheme}://{login}{at}{host}{parts.path}" + (f"?{query}" if query else "")


@lru_cache(maxsize=8)  # each request of the API asks
def complete(setting: str, url: str) -> str:
    """Return the URL of a Redis or Valkey server as all clients understand it.

    redis-py takes user, password and db as parameters too, kombu does not; TLS is always verified.
    `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile` name its files.

    Raises `SettingsError`: the URL of `setting` cannot be used; the message shows no part of a
    password.
    """
    parts = _split(url)
    if sentinel_urls.is_sentinel(url):
        return _complete_sentinel(setting, url, parts)
    if parts is None or parts.scheme not in ("redis", "rediss", "unix"):
        raise SettingsError(f"{setting} {mask(url)} cannot be used", remedy=_EXPECTED)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options.keys() - _ALLOWED:
        remedy = f"expected none but {', '.join(sorted(_ALLOWED))}"
        raise SettingsError(f"{setting} {mask(url)} has an unknown parameter", remedy=remedy)
    login = _login(parts, options)
    if parts.scheme == "unix":
        return f"unix://{login}{parts.path}?{urlencode(options | {'db': options.get('db', '0')})}"
    host = parts.netloc.rpartition("@")[2]
    db = options.pop("db", "") or parts.path.strip("/")
    query = urlencode(_tls_options(setting, url, parts.scheme, options))
    return f"{parts.scheme}://{login}{host}/{db}" + (f"?{query}" if query else "")


def complete_broker(setting: str, url: str) -> str:
    """Return the URL of Celery's broker, RabbitMQ or a Redis or Valkey server.

    Raises `SettingsError`: the URL of `setting` cannot be used; the message shows no part of a
    password.
    """
    scheme = url.partition("://")[0]
    if scheme not in AMQP_SCHEMES:
        return complete(setting, url)
    parts = _split(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True)) if parts else {}
    files = {"ssl_ca_certs"} if scheme == "amqps" else set()
    if parts is None or not parts.hostname or options.keys() - files or ";" in url:
        remedy = (
            "expected amqp:// or amqps:// (TLS), then user:password@host:port/vhost; of your own "
            "CA amqps://...?ssl_ca_certs=/path/to/ca.pem"
        )
        raise SettingsError(f"{setting} {mask(url)} cannot be used", remedy=remedy)
    check_files(setting, url, options)
    return url


def complete_database(setting: str, url: str) -> str:
    """Return the URL of a PostgreSQL database with the scheme that names it alone.

    Raises `SettingsError`: the URL of `setting` cannot be used; the message shows no part of a
    password.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in DATABASE_SCHEMES or not parts.path.strip("/"):
        remedy = "expected postgresql://user:password@host:port/database"
        raise SettingsError(f"{setting} {mask(url)} cannot be used", remedy=remedy)
    return parts._replace(scheme=DATABASE_SCHEMES[0]).geturl()


def server_url(port: int, password: str, user: str = "default") -> str:
    """Return the URL of an embedded server; it names the user because redis-cli requires one."""
    return f"redis://{user}:{password}@127.0.0.1:{port}/0"


def broker_address(url: str) -> str:
    """Return the address in the complete URL of a broker, without user and password."""
    parts = sentinel_urls.split_url(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def kombu_url(url: str) -> str:
    """Return a complete URL as Celery's transport reads it; sockets and sentinels differ."""
    if sentinel_urls.is_sentinel(url):
        return sentinel_urls.kombu_url(url)
    if url.partition("://")[0] in AMQP_SCHEMES:  # its files are in `tls_options`
        return url.partition("?")[0]
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    db = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={db}"


def tls_options(url: str) -> dict[str, str]:
    """Return the TLS options of a complete URL; none if it is not encrypted."""
    return {k: v for k, v in parse_qsl(sentinel_urls.split_url(url).query) if k.startswith("ssl_")}


def unencrypted_host(url: str) -> str:
    """Return the other host to which a URL leads without TLS, empty if it does not."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("redis", "sentinel", "amqp", *DATABASE_SCHEMES):
        return ""
    if dict(parse_qsl(parts.query)).get("sslmode") in _ENCRYPTED_SSLMODES:
        return ""
    sentinel = parts.scheme in sentinel_urls.SCHEMES
    hosts = [h for h, _ in sentinel_urls.addresses(parts)] if sentinel else [parts.hostname]
    return next((h for h in hosts if h and not _is_near(h)), "")


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None if a special character leaves doubt about them."""
    if _CONTROL.search(url) or "#" in url:
        return None
    try:
        parts = sentinel_urls.split_url(url)
        if parts.scheme in sentinel_urls.SCHEMES:
            sentinel_urls.addresses(parts)
        else:
            _ = parts.port
    except ValueError:
        return None
    return None if "@" in parts.path + parts.query else parts


def _complete_sentinel(setting: str, url: str, parts: SplitResult | None) -> str:
    refusal = SettingsError(f"{setting} {mask(url)} cannot be used", remedy=sentinel_urls.EXPECTED)
    if parts is None:
        raise refusal
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    allowed = _ALLOWED | sentinel_urls.PARAMETERS
    db = options.pop("db", "") or parts.path.strip("/") or "0"
    if options.keys() - allowed or not options.get("service") or not db.isdecimal():
        raise refusal
    login = _login(parts, options)
    hosts = parts.netloc.rpartition("@")[2]
    scheme = {"sentinel": "redis", "sentinels": "rediss"}[parts.scheme]
    query = urlencode(_tls_options(setting, url, scheme, options), quote_via=quote)
    return f"{parts.scheme}://{login}{hosts}/{db}?{query}"


def _login(parts: SplitResult, options: dict[str, str]) -> str:
    """Return user and password from before the host; takes them out of `options`."""
    user, password = options.pop("username", ""), options.pop("password", "")
    user = unquote(parts.username or "") or user
    password = unquote(parts.password or "") or password
    if not user and not password:
        return ""
    secret = f":{quote(password, safe='')}" if password else ""
    return f"{quote(user, safe='')}{secret}@"


def check_files(setting: str, url: str, options: Mapping[str, str]) -> None:
    """Refuse files for TLS that are not there, or whose path depends on the working folder.

    Raises `SettingsError`: the message names the file.
    """
    for name in TLS_FILES:
        if (path := options.get(name)) is None:
            continue
        if not os.path.isabs(path) or not os.path.isfile(path):
            raise SettingsError(
                f"{setting} {mask(url)}: {name}={path} is no file",
                remedy="expected the whole path of a file (PEM), from / on",
            )


def _tls_options(setting: str, url: str, scheme: str, options: dict[str, str]) -> dict[str, str]:
    if scheme == "redis":
        if any(k.startswith("ssl_") for k in options):
            raise SettingsError(
                f"{setting} {mask(url)} is not encrypted, but has options of TLS",
                remedy="write rediss:// or sentinels://, or remove options that begin with ssl_",
            )
        return options
    for name, wanted in VERIFIED.items():
        if options.get(name, wanted).lower() != wanted:
            raise SettingsError(
                f"{setting} {mask(url)}: {name} would leave the server unverified",
                remedy="remove it; for your own CA add ssl_ca_certs=/path/to/ca.pem",
            )
    check_files(setting, url, options)
    return VERIFIED | {k: v for k, v in options.items() if k not in VERIFIED}
