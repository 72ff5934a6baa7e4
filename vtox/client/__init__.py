"""What other programs import to send windows and to read answers.

    from vtox.client import Publisher, Reader

Inside VTOX the modules are imported, as everywhere.
"""

from vtox.client.publisher import Accepted, Publisher
from vtox.client.reader import Item, Reader

__all__ = ["Accepted", "Item", "Publisher", "Reader"]
