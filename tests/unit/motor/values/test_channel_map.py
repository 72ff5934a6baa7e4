"""Channel maps: allowed ones, their effect on a recording, and two of them in a row."""

from typing import Any

import numpy as np
import pytest

from vtox.motor.errors import ChannelMapError
from vtox.motor.values import codec
from vtox.motor.values.channel_map import Source, compose_sources, corrected, sources_from_dict
from vtox.motor.values.domain import Recording

CHANNELS = {n: np.full(8, float(k + 1), np.float32) for k, n in enumerate(("ia", "ib", "ic", "va"))}
R = Recording(CHANNELS, 1000.0, speed_rpm=900.0)
SWAP = {"ia": Source("ib"), "ib": Source("ia", -1, 2.0)}


def first_values(r: Recording) -> dict[str, float]:
    return {n: float(x[0]) for n, x in r.channels.items()}


def test_channels_are_permuted_reversed_and_scaled() -> None:
    after = corrected(R, SWAP)
    assert first_values(after) == {"ia": 2.0, "ib": -2.0, "ic": 3.0, "va": 4.0}
    assert (after.speed_rpm, after.channels["ib"].dtype) == (900.0, np.float32)
    assert corrected(R, {}) is R


def test_a_channel_that_was_not_sent_is_left_out() -> None:
    sent = Recording({n: CHANNELS[n] for n in ("ia", "ic")}, 1000.0)
    assert first_values(corrected(sent, SWAP)) == {"ib": -2.0, "ic": 3.0}


def test_two_maps_in_a_row_are_one() -> None:
    outer = {"ib": Source("ic", -1), "ic": Source("ib")}
    both = compose_sources(outer, SWAP)
    assert first_values(corrected(R, both)) == first_values(corrected(corrected(R, SWAP), outer))
    assert compose_sources({"ib": Source("ib", -1, 0.5)}, {"ib": Source("ib", -1, 2.0)}) == {}


def test_plain_data_come_back_and_what_changes_nothing_is_left_out() -> None:
    assert sources_from_dict(codec.plain(SWAP)) == SWAP
    assert sources_from_dict({"ia": {}, "ib": {"sign": -1}}) == {"ib": Source("ib", -1)}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"ix": {}}, "ix"),
        ({"ia": 1}, "ia"),
        ({"ia": {"gain": 2}}, "ia"),
        ({"ia": {"channel": "ix"}}, "ia.channel"),
        ({"ia": {"channel": "va"}, "va": {"channel": "ia"}}, "ia.channel"),
        ({"ia": {"channel": "ib"}}, "channels"),
        ({"ia": {"channel": "ib"}, "ib": {}}, "channels"),
        ({"ia": {"sign": 0}}, "ia.sign"),
        ({"ia": {"sign": True}}, "ia.sign"),
        ({"ia": {"ratio": 0}}, "ia.ratio"),
        ({"ia": {"ratio": -1}}, "ia.ratio"),
        ({"ia": {"ratio": float("nan")}}, "ia.ratio"),
        ({"ia": {"ratio": 10**400}}, "ia.ratio"),
    ],
)
def test_an_impossible_map_is_refused_by_field(table: dict[str, Any], field: str) -> None:
    with pytest.raises(ChannelMapError) as raised:
        sources_from_dict(table)
    assert raised.value.field == field
