"""What a query may carry: the parameters of a list, elsewhere none; others are refused.

Not so for pages and probes (`/`, `/docs`, `/machines/{id}`, `/health/...`): others address them,
and may add parameters of their own.
"""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from api.errors import Problem


class Parameters(BaseModel, extra="forbid"):
    """None at all; those of lists stand in classes of its kind."""


class Part(Parameters):
    """Which part of a list is asked for."""

    limit: int = Field(100, ge=1, le=500, description="at most this many")
    cursor: str = Field("", description="from `next` of the part before")


class OfMachine(Part):
    """A part of what there is of all machines, or of one."""

    machine_id: str | None = Field(None, max_length=64, description="one machine only")


def bad_cursor(cursor: str, expected: str) -> Problem:
    """Return the problem of a cursor that no part gave."""
    said = f"cursor: {cursor[:80]!r} is not {expected}, expected the one in `next`"
    return Problem(422, "invalid", said, field="cursor")


def _none(_: Annotated[Parameters, Query()]) -> None:
    pass


# Dependency of the routes that take no parameters.
NO_PARAMETERS: list[Any] = [Depends(_none)]
