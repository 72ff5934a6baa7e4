"""Shapes of the audit."""

from typing import Annotated

from pydantic import Field

from api.schemas.common import Time
from api.schemas.value_fields import After
from api.schemas.view import EMPTY_ADVICE, UNITS_IN_NAMES, ReasonValues, View
from vtox.pipeline.store.system.audit import Deed


class AuditEntry(View, value=Deed):
    """What somebody did: an entry of the stream `audit`."""

    stream_id: Annotated[str, After("")]
    t: Annotated[float, After("stream_id")]
    """server clock, s since 1970 (UTC)"""
    time: Annotated[Time, After("t")]
    values: ReasonValues = Field(description=UNITS_IN_NAMES)
    sentence: str
    """code and values in words"""
    what_to_do: str = Field(description=EMPTY_ADVICE)
