"""URLs of a Sentinel group: `sentinel://user:password@host1:26379,host2:26379/0?service=vtox`.

The sentinels are asked for the primary of the service; user, password and database are those of the
servers, `sentinel_username` and `sentinel_password` those of the sentinels. `sentinels://` is TLS
to both.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

SCHEMES = ("sentinel", "sentinels")
PARAMETERS = frozenset({"service", "sentinel_username", "sentinel_password"})
DEFAULT_PORT = 26379
EXPECTED = (
    "expected sentinel://user:password@host1:26379,host2:26379,host3:26379/0?service=NAME, "
    "sentinels:// for TLS; &sentinel_password=... where the sentinels have one; special characters "
    "of a password by number: %23 for #, %2F for /, %3F for ?, %40 for @, %26 for &, %25 for %"
)

_NETLOC_END = re.compile(r"[/?#]")

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelUrl:
    """A complete URL in its parts."""

    sentinels: tuple[Address, ...]
    service: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> str:
        """The addresses of the sentinels, for people."""
        return ", ".join(f"{host}:{port}" for host, port in self.sentinels)


def is_sentinel(url: str) -> bool:
    """Return whether a URL leads to sentinels."""
    return url.partition("://")[0].lower() in SCHEMES


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL, of one that leads to sentinels too.

    `urlsplit` knows one host: newer releases of Python refuse `a,[::1]`. `addresses` checks each.
    """
    if not is_sentinel(url):
        return urlsplit(url)
    scheme, _, rest = url.partition("://")
    end = _NETLOC_END.search(rest)
    netloc = rest[: end.start()] if end else rest
    return urlsplit(f"{scheme}://{rest[len(netloc) :]}")._replace(netloc=netloc)


def addresses(parts: SplitResult) -> tuple[Address, ...]:
    """Return the sentinels of a URL.

    Raises `ValueError`: one of them is no host with a port.
    """
    found = []
    for text in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{text}")
        if not one.hostname:
            raise ValueError("a host is missing")
        found.append((one.hostname, one.port or DEFAULT_PORT))
    return tuple(found)


def parse(url: str) -> SentinelUrl:
    """Return the parts of a complete URL."""
    parts = split_url(url)
    options = dict(parse_qsl(parts.query))
    verified = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
    tls = verified if parts.scheme == "sentinels" else {}
    return SentinelUrl(
        sentinels=addresses(parts),
        service=options["service"],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        db=int(parts.path.strip("/") or 0),
        sentinel_user=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        tls=tls | {k: v for k, v in options.items() if tls and k.startswith("ssl_")},
    )


def kombu_url(url: str) -> str:
    """Return a complete URL as kombu takes it: each sentinel is an alternative."""
    parts, group = split_url(url), parse(url)
    login = parts.netloc.rpartition("@")[0]
    at = f"{login}@" if login else ""
    hosts = (f"[{h}]" if ":" in h else quote(h) for h, _ in group.sentinels)
    pairs = zip(hosts, (p for _, p in group.sentinels), strict=True)
    return ";".join(f"sentinel://{at}{h}:{p}/{group.db}" for h, p in pairs)
