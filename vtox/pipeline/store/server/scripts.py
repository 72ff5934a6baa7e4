"""The Lua scripts of the server: every change that must be whole is one of `lua/`."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

import redis

from vtox.pipeline.errors import LeaseLost, StaleState

# Leads every script. Their writes are bounded, and most of them make room for more, so that a
# server at its memory limit runs them.
SHEBANG = "#!lua flags=allow-oom\n"


@cache
def source(name: str, *, shared: bool = False) -> str:
    """Return the text of a script, with the functions of `_shared.lua` if it uses them."""
    folder = files(__package__) / "lua"
    prelude = (folder / "_shared.lua").read_text() if shared else ""
    return SHEBANG + prelude + (folder / f"{name}.lua").read_text()


@contextmanager
def fenced() -> Iterator[None]:
    """Raise `LeaseLost` if a script inside refuses the token it was given.

    And `StaleState` if it refuses the number of partitions.
    """
    try:
        yield
    except redis.ResponseError as error:
        if "OTHERPARTITIONS" in str(error):
            raise StaleState("another number of partitions is in force") from error
        if "LEASELOST" not in str(error):
            raise
        raise LeaseLost("another bridge owns the stream now") from error
