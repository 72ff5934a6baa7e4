"""Shapes of the audit."""

from typing import Annotated

from api.schemas.common import Time
from api.schemas.value_fields import After
from api.schemas.view import View
from vtox.pipeline.store.system.audit import Deed


class AuditEntry(View, value=Deed, last="values sentence what_to_do"):
    """One recorded act: an entry of the stream `audit`."""

    stream_id: Annotated[str, After("")]
    t: Annotated[float, After("stream_id")]
    """server clock, s since 1970 (UTC)"""
    time: Annotated[Time, After("t")]
