"""The interface for senders and readers; other programs import it as `vtox.client`."""

from vtox.pipeline.client.publisher import Accepted, Publisher
from vtox.pipeline.client.reader import Item, Reader

__all__ = ["Accepted", "Item", "Publisher", "Reader"]
