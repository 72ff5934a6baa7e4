"""The tables of the command line: columns without lines, heads in soft letters."""

from collections.abc import Collection

from rich.table import Table


def columns(*names: str, right: Collection[str] = (), wrapped: Collection[str] = ()) -> Table:
    """Return a table without rows; only the texts of `wrapped` columns take several lines."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in names:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold" if name in wrapped else "ellipsis",
            no_wrap=name not in wrapped,
        )
    return table
