"""What every CSV for spreadsheets has: a mark before it, and no cell that looks like a formula."""

from typing import Any

# Excel recognises UTF-8 only after a mark.
MARK = "\ufeff"
# Spreadsheets take a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def disarmed(value: Any) -> Any:
    """Return what is written into a cell: a text like a formula gets `'` before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
