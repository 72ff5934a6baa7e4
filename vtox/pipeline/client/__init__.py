"""What other programs import to send windows and to read answers.

    from vtox.pipeline.client import Publisher, Reader

Inside VTOX the modules are imported, as everywhere.
"""

from vtox.pipeline.client.publisher import Accepted, Publisher
from vtox.pipeline.client.reader import Item, Reader

__all__ = ["Accepted", "Item", "Publisher", "Reader"]
