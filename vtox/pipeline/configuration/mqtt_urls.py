"""URLs of MQTT brokers: where the broker is, and how TLS verifies it."""

import ssl
from urllib.parse import SplitResult, parse_qsl, urlsplit

from vtox.pipeline.configuration import server_urls
from vtox.pipeline.errors import SettingsError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


def parse_url(url: str, named: str = "VTOX_MQTT_URL") -> SplitResult:
    """Return the parts of a broker's URL; `named` is where it was given.

    Raises `SettingsError`: it is none. The text of the error has no part of it: it may hold a
    password.
    """
    try:
        address = urlsplit(url)
        usable = address.scheme in _PORTS and bool(address.hostname) and (address.port or 1) > 0
        known = server_urls.TLS_FILES if address.scheme == "mqtts" else ()
        usable = usable and set(dict(parse_qsl(address.query))) <= set(known)
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"{named} is no URL of a broker",
            remedy="mqtt://user:password@host:1883, or with TLS mqtts://...?ssl_ca_certs=FILE",
        )
    return address


def broker_port(address: SplitResult) -> int:
    """Return the port of a broker."""
    return address.port or _PORTS[address.scheme]


def tls_context(address: SplitResult, named: str = "VTOX_MQTT_URL") -> ssl.SSLContext:
    """Return the TLS context of a broker of `mqtts://`: its verification, and VTOX's certificate.

    Raises `SettingsError`: a file of TLS is not there, or cannot be used.
    """
    files = dict(parse_qsl(address.query))
    server_urls.check_files(named, address.geturl(), files)
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"))
        if cert := files.get("ssl_certfile"):
            context.load_cert_chain(cert, files.get("ssl_keyfile"))
    except OSError as error:  # errors of TLS are among them
        raise SettingsError(
            f"files of {named} cannot be used: {error}",
            remedy="expected PEM files that this user can read",
        ) from error
    return context
