"""Corrections by a person of the measured channels: permutation, sign and ratio."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vtox.motor.errors import ChannelMapError
from vtox.motor.values.domain import CHANNEL_UNITS, Recording

# A transformer of 5 A that is taken for one of 5,000 A, and the other way.
RATIO_RANGE = (1e-4, 1e4)
FIELDS = ("channel", "sign", "ratio")


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a channel: the channel as sent, its sign and its ratio."""

    channel: str
    """as it is sent"""
    sign: int = 1
    """1, or -1: reversed"""
    ratio: float = 1.0
    """factor that multiplies its samples"""

    @property
    def factor(self) -> float:
        """The multiplier of the samples."""
        return self.sign * self.ratio


Sources = Mapping[str, Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMap:
    """The channels of a machine that differ from those they are sent as; version 0: none was set.

    `channels` is channel -> where it comes from; `t` (s, server clock) and `by` say when and who.
    """

    version: int = 0
    """0: never set"""
    t: float = 0.0
    by: str = ""
    channels: Sources = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse channels that cannot be."""
        _check(self.channels)


def corrected(recording: Recording, sources: Sources) -> Recording:
    """Return a recording with its channels as a map says; one that was not sent is left out."""
    if not sources:
        return recording
    channels = {n: x for n, x in recording.channels.items() if n not in sources}
    for name, source in sources.items():
        sent = recording.channels.get(source.channel)
        if sent is not None:
            channels[name] = sent if source.factor == 1 else sent * sent.dtype.type(source.factor)
    ordered = {n: channels[n] for n in CHANNEL_UNITS if n in channels}
    return replace(recording, channels=ordered)


def sent_channels(names: Iterable[str], sources: Sources) -> frozenset[str]:
    """Return the channels, as sent, that `corrected` makes the channels `names` of."""
    return frozenset(sources[n].channel if n in sources else n for n in names)


def sources_from_dict(data: Mapping[str, Any]) -> dict[str, Source]:
    """Return the sources of plain data.

    Raises `ChannelMapError`: a channel is unknown, of another unit than its source, or is used
    twice or never.
    """
    sources = {name: _source(name, table) for name, table in data.items()}
    _check(sources)
    return {n: s for n, s in sources.items() if s != Source(n)}


def _source(name: str, table: Any) -> Source:
    if not isinstance(table, Mapping) or set(table) - set(FIELDS):
        raise ChannelMapError(
            f"{name:.80}: {table!r:.80}, expected a table of {', '.join(FIELDS)}", name
        )
    return Source(**{"channel": name, **table})


def compose_sources(outer: Sources, inner: Sources) -> dict[str, Source]:
    """Return the map that applies `inner`, and then `outer` to its result."""
    sources = {}
    for name in {**inner, **outer}:
        then = outer.get(name, Source(name))
        first = inner.get(then.channel, Source(then.channel))
        ratio = float(f"{then.ratio * first.ratio:.6g}")
        sources[name] = Source(first.channel, then.sign * first.sign, ratio)
    return {n: s for n, s in sources.items() if s != Source(n)}


def _check(sources: Sources) -> None:
    for name, source in sources.items():
        _check_source(name, source)
    taken = sorted(s.channel for s in sources.values())
    if taken != sorted(sources):
        names, given = ", ".join(sorted(sources)), ", ".join(taken)
        raise ChannelMapError(
            f"the channels {names} come from {given}, expected each of the former once", "channels"
        )


def _check_source(name: str, source: Source) -> None:
    channel, sign, ratio = source.channel, source.sign, source.ratio
    expected = ", ".join(CHANNEL_UNITS)
    if name not in CHANNEL_UNITS:
        raise ChannelMapError(f"{name:.80}: no such channel, expected some of {expected}", name)
    if not isinstance(channel, str) or channel not in CHANNEL_UNITS:
        detail = f"{name}.channel: {channel!r:.80} is no channel, expected one of {expected}"
        raise ChannelMapError(detail, f"{name}.channel")
    if CHANNEL_UNITS[channel] != CHANNEL_UNITS[name]:
        detail = f"{name}.channel: {channel} has another unit than {name}"
        raise ChannelMapError(detail, f"{name}.channel")
    if type(sign) is not int or sign not in (1, -1):
        raise ChannelMapError(f"{name}.sign: {sign!r:.80}, expected 1 or -1", f"{name}.sign")
    low, high = RATIO_RANGE
    if type(ratio) not in (int, float) or not low <= ratio <= high:
        detail = f"{name}.ratio: {ratio!r:.80}, expected a number from {low:g} to {high:g}"
        raise ChannelMapError(detail, f"{name}.ratio")


NO_MAP = ChannelMap()
