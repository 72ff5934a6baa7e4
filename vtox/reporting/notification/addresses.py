"""Addresses that a webhook may use: public ones, and those of networks that are named."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Translates into IPv4, whose address it ends with (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, each once, in the order in which to try them.

    Raises `OSError`: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A scope (fe80::1%eth0) is of a link, where no webhook goes.
    texts = (str(info[4][0]).partition("%")[0] for info in found)
    return [ip_address(text) for text in dict.fromkeys(texts)]


def is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address is public, or in one of the networks.

    An address that embeds an IPv4 address counts as that address too.
    """
    inner = _embedded(address)
    if any(a in network for a in (address, inner) if a for network in networks):
        return True
    return _is_public(address) and (inner is None or _is_public(inner))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return _is_public(address.ipv4_mapped)
    return address.is_global and not address.is_multicast


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
