"""Private, loopback and link-local addresses are refused, however they are written."""

from ipaddress import ip_address, ip_network

import pytest

from vtox.reporting.notification.addresses import is_allowed

REFUSED = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not is_allowed(ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_allowed(text: str) -> None:
    assert is_allowed(ip_address(text), ())


def test_a_network_that_is_named_is_allowed_and_no_other() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00:1::/32"))
    for text in ("10.1.2.3", "fd00:1::5", "::ffff:10.1.2.3"):
        assert is_allowed(ip_address(text), networks)
    for text in ("10.2.0.1", "127.0.0.1", "fd00:2::5", "169.254.169.254"):
        assert not is_allowed(ip_address(text), networks)
