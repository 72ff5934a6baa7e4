"""Shapes of commissioning: findings on wiring and nameplate, and the channel map."""

from typing import Annotated, Any, Literal

from api.schemas.common import VERSION_AND_BY, Time
from api.schemas.spectra import Phasors, RecordInfo
from api.schemas.value_fields import After
from api.schemas.view import View
from vtox.motor.values.channel_map import RATIO_RANGE, ChannelMap, Source
from vtox.motor.values.domain import CHANNEL_UNITS, Reason

Verdict = Literal["sound", "findings", "unknown"]
Check = Literal["currents", "voltages", "pairing", "rated_current", "supply_hz", "pole_pairs"]


class ChannelSource(View, value=Source):
    """The source of a channel."""


class ChannelMapVersion(View, value=ChannelMap, without="t"):
    """One version; a channel that is not in `channels` is as sent."""

    set: Annotated[Time | None, After("version")]
    """when; null for version 0"""
    channels: dict[str, ChannelSource]


class MachineChannelMap(ChannelMapVersion):
    """The channel map of a machine."""

    machine_id: str
    versions: list[ChannelMapVersion]
    """the last 50, newest first"""


class InstallationFinding(View, value=Reason, last="code values sentence what_to_do"):
    """One likely error of wiring or nameplate."""


class MachineCommissioning(View):
    """Findings of the latest record on wiring and nameplate."""

    machine_id: str
    verdict: Verdict
    """verdict of the check; unknown: the record does not allow it"""
    checked: list[Check]
    findings: list[InstallationFinding]
    unusable: list[InstallationFinding]
    """why the record allows no check, or none of the voltages"""
    proposed_channels: dict[str, ChannelSource] | None
    """the whole channel map that would correct it, for PUT once somebody agrees; that in force
    where nothing is to be corrected; null: no map corrects it"""
    channel_map: ChannelMapVersion
    """in force, and applied to the record"""
    record: RecordInfo
    phasors: Phasors | None
    """null: the record has no usable current"""


# The schema of the body, which `vtox.motor.values.channel_map` checks.
CHANNEL_MAP_IN: dict[str, Any] = {
    "type": "object",
    "required": ["channels"],
    "properties": {
        "channels": {
            "type": "object",
            "propertyNames": {"enum": list(CHANNEL_UNITS)},
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "channel": {"enum": list(CHANNEL_UNITS), "description": "default: the same"},
                    "sign": {"enum": [1, -1], "default": 1},
                    "ratio": {
                        "type": "number",
                        "minimum": RATIO_RANGE[0],
                        "maximum": RATIO_RANGE[1],
                        "default": 1,
                    },
                },
                "additionalProperties": False,
            },
            "description": "where a channel comes from: those named here, each once",
        },
        **VERSION_AND_BY,
    },
    "additionalProperties": False,
}
