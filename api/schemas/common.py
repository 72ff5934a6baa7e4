"""Parts that all shapes share: the envelope of data, pages, problems, times."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, TypeAdapter, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from vtox.motor.values.plain_names import NAME

T = TypeVar("T")
Number = float | None
AS_TIME = WithJsonSchema({"type": "string", "format": "date-time"})
Time = Annotated[str, AS_TIME]
Address = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]
PlainName = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})]
# For shapes whose fields may be absent, anywhere in a response.
OPTIONAL_FIELDS = ConfigDict(json_schema_serialization_defaults_required=False)

# Longest name of an operator, if no API key gives it.
NAME_MAX = 64
# Fields of a request that sets the next version of something.
VERSION_AND_BY: dict[str, Any] = {
    "version": {
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "the version that this replaces: 409 where another one is in force",
    },
    "by": {
        "type": "string",
        "maxLength": NAME_MAX,
        "description": "needed where no API key is used",
    },
}


def rfc3339(t: float | None) -> str | None:
    """Return seconds since 1970 as an RFC 3339 time in UTC; None if they are no time."""
    if t is None:
        return None
    try:
        moment = datetime.fromtimestamp(t, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class DescribedBy:
    """Annotation of a value that is passed on unchecked, though its shape is that of a type."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape

    def __get_pydantic_json_schema__(
        self, _: Any, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a reference to the JSON schema of the shape."""
        shape = TypeAdapter(self.shape).core_schema
        return handler(core_schema.definitions_schema(shape, []))


class ResponseModel(BaseModel):
    """A part of a response: every field is present.

    This holds for dataclasses in it too, which are described by their attribute docstrings.
    """

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True, use_attribute_docstrings=True
    )


# Pydantic looks for the docstrings of a generic model in every frame, a second at each start.
_NO_DOCSTRINGS = ConfigDict(use_attribute_docstrings=False)


class Data(ResponseModel, Generic[T]):
    """One resource."""

    model_config = _NO_DOCSTRINGS

    data: T


class Page(ResponseModel, Generic[T]):
    """A page of a list. It may be short or empty while `next` leads on."""

    model_config = _NO_DOCSTRINGS

    data: list[T]
    next: Address | None = Field(
        None,
        description="address of the next page, relative to this host, with the filters and "
        "the `cursor` of this request; null at the end",
    )


class FieldError(BaseModel):
    """One field or parameter that is wrong, and why."""

    model_config = OPTIONAL_FIELDS

    field: str = Field(description="its place in the body (`channels.ia`), or its name")
    message: str
    got: str | None = Field(None, description="the value received, cut to 80 characters")


class Problem(BaseModel):
    """An error by RFC 9457: its cause, its place, and the expected value."""

    model_config = OPTIONAL_FIELDS

    type: Address = Field(description="`/docs#` and the code")
    title: str = Field(description="the meaning of the code")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what was wrong in this request, and what was expected")
    instance: str = Field(description="the path of the request")
    code: str = Field(
        description="stable, for programs: one of `x-problem-codes`, to which later versions add"
    )
    errors: list[FieldError] = Field(description="the fields at fault, where fields are")
    parts: dict[str, str] | None = Field(
        None,
        description="process -> `waiting`, `starting`, `ready`, `restarting`, `finished` or "
        "`stopped`, of those that `vtox up` runs on this host: while the server does not answer",
    )
