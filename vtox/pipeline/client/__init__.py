"""The interface for senders and readers; other programs import it as `vtox.client`."""

from vtox.motor.errors import InputError
from vtox.pipeline.configuration.version import install_command

try:
    from vtox.pipeline.client.publisher import Accepted, Publisher
    from vtox.pipeline.client.reader import Item, Reader
except ModuleNotFoundError as error:
    raise InputError(
        f"vtox.client needs the package {error.name}, which is not installed",
        remedy=install_command("fleet"),
    ) from error

__all__ = ["Accepted", "Item", "Publisher", "Reader"]
