"""Shapes of the audit."""

from pydantic import Field

from api.schemas.common import Time
from api.schemas.view import EMPTY_ADVICE, UNITS_IN_NAMES, ReasonValues, View


class AuditEntry(View):
    """What somebody did: an entry of the stream `audit`."""

    stream_id: str
    t: float
    """server clock, s since 1970 (UTC)"""
    time: Time
    by: str
    """name of the API key, else that which was sent; of a command, the user of the operating
    system; empty: not known"""
    key_id: str
    """of the API key; empty: none"""
    address: str
    """where it came from; of a command, the name of its host"""
    machine_id: str
    """empty: about no machine"""
    code: str
    """what was done: stable, for programs"""
    values: ReasonValues = Field(description=UNITS_IN_NAMES)
    sentence: str
    """code and values in words"""
    what_to_do: str = Field(description=EMPTY_ADVICE)
