"""Query parameters: those of lists are classes; a parameter that a route does not know is 422.

Not so for pages and probes (`/`, `/docs`, `/machines/{id}`, `/health/...`): others link to them,
and may add their own parameters.
"""

import re
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from api.http.errors import Problem
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.words.languages import LANGUAGES

FaultName: TypeAlias = Literal[tuple(FAULTS)]  # type: ignore[valid-type]
FamilyName: TypeAlias = Literal[tuple(FAMILIES)]  # type: ignore[valid-type]

T = TypeVar("T")
LanguageName: TypeAlias = Literal[("", *LANGUAGES)]  # type: ignore[valid-type]


class EmptyQuery(BaseModel, extra="forbid"):
    """No parameter but the language, which `language.py` reads."""

    lang: LanguageName = Field(
        "", description="language of sentences; left out, the one that `Accept-Language` prefers"
    )

    def part(self, kind: type[T]) -> T:
        """Return the parameters that are fields of a dataclass."""
        return kind(**self.model_dump(include={f.name for f in fields(kind)}))  # type: ignore[arg-type]


class TableQuery(EmptyQuery):
    """The format of a list."""

    format: Literal["json", "csv"] = Field(
        "json", description="`csv`: the whole list as a table for spreadsheets, in UTF-8"
    )


class PageQuery(TableQuery):
    """The page of a list."""

    limit: int = Field(100, ge=1, le=500, description="largest number of items on the page")
    cursor: str = Field(
        "",
        description="where the page begins: opaque, taken from the address in `next` of the page "
        "before; empty for the first page",
    )


class MachineQuery(PageQuery):
    """A page of the items of all machines, or of one."""

    machine_id: str | None = Field(None, max_length=64, description="only items of this machine")


@dataclass(frozen=True)
class Matching:
    """Annotation of a text that matches `pattern` as a whole; an error says so as `expected`."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Check the text once it is one."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Let the description of the API show the pattern."""
        return handler(schema) | {"pattern": f"^({self.pattern})$"}

    def _checked(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            wanted = {"expected": self.expected}
            raise PydanticCustomError("bad_text", "expected {expected}", wanted)
        return text


def bad_cursor(cursor: str, expected: str) -> Problem:
    """Return the problem of a cursor that no page gave."""
    detail = f"cursor: {cursor[:80]!r} is not {expected}, expected the one in `next`"
    return Problem("invalid", detail, field="cursor")


async def _no_parameters(_: Annotated[EmptyQuery, Query()]) -> None:
    pass


# Dependency of the routes that take no parameters.
NO_PARAMETERS: list[Any] = [Depends(_no_parameters)]
