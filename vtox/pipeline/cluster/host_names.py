"""The names by which this host may be addressed over HTTP.

The page of another site can have its name resolve to this host (DNS rebinding). Then it counts as
one of our pages. The Host header gives it away: an address by number cannot be rebound.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def is_own_name(host_header: str, names: Collection[str]) -> bool:
    """Whether a Host header is `localhost`, an address by number, or one of `names`."""
    try:
        host = urlsplit(f"//{host_header}").hostname or ""
    except ValueError:
        return False
    return host in {"localhost", *(n.lower() for n in names)} or _is_number(host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
