"""The names that other programs import to send windows and to read answers.

from vtox.client import Publisher, Reader
"""

from vtox.pipeline.client import Accepted, Item, Publisher, Reader

__all__ = ["Accepted", "Item", "Publisher", "Reader"]
