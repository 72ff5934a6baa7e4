"""The births of nodes and devices of Sparkplug B, and the actions of their messages."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vtox.motor.errors import InputError, NameplateError
from vtox.motor.values.nameplate import motor_from_dict
from vtox.motor.values.plain_names import name_error
from vtox.motor.values.scalars import ScalarReading, checked
from vtox.pipeline.sending.mqtt import sparkplug
from vtox.pipeline.sending.mqtt.mapping import TopicRule
from vtox.pipeline.sending.mqtt.payloads import (
    PROPERTIES,
    Action,
    Birth,
    Departure,
    Message,
    Nameplate,
    Rebirth,
    Scalars,
    window_samples,
)
from vtox.pipeline.sending.mqtt.sparkplug import Metric, Topic
from vtox.pipeline.store.stream.unreadable import Unreadable, read, read_or_none

# Nameplate fields that are whole numbers or texts whatever the node sends.
_WHOLE = ("pole_pairs", "rotor_bars")


class Births:
    """The last birth of each node and device, kept over restarts: data have aliases alone."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS births (topic TEXT PRIMARY KEY, payload BLOB)")
        stored = self._db.execute("SELECT * FROM births").fetchall()
        known = {topic: read_or_none(sparkplug.metrics, payload) for topic, payload in stored}
        # If this version cannot read a birth, the node is asked again.
        self._births: dict[str, Sequence[Metric]] = {t: m for t, m in known.items() if m}

    def keep(self, birth: Birth) -> None:
        """Keep a birth."""
        row = (birth.topic, birth.payload)
        self._db.execute("INSERT OR REPLACE INTO births VALUES (?, ?)", row)
        self._births[birth.topic] = birth.metrics

    def get(self, topic: str) -> Sequence[Metric] | None:
        """Return the metrics of a birth, None if it is not known."""
        return self._births.get(topic)

    def devices(self, topic: Topic) -> Iterator[str]:
        """Yield the devices of a node whose births are known."""
        prefix = Topic(topic.group, "", topic.node, "x").birth_topic.removesuffix("x")
        for name in self._births:
            if name.startswith(prefix):
                yield name.removeprefix(prefix)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def actions(rule: TopicRule, births: Births, message: Message) -> Iterator[Action]:
    """Yield the actions of a message of Sparkplug; none for kinds that do not matter here.

    Raises `InputError`, which names the fault and the expected value.
    """
    topic = sparkplug.parse_topic(message.topic)
    if topic is None or topic.kind not in (
        *sparkplug.BIRTHS,
        *sparkplug.DEATHS,
        *sparkplug.DATA,
    ):
        return
    metrics = sparkplug.metrics(message.payload)
    if topic.kind in sparkplug.BIRTHS:
        # First: its aliases are right even if its nameplate is not.
        yield Birth(message.topic, message.payload, metrics)
        named = {m.name: m for m in metrics}
        yield from _nameplate(rule, topic, named)
        yield from _readings_and_window(rule, topic, named, message)
        return
    if topic.kind in sparkplug.DEATHS:
        yield from _departures(rule, births, topic, metrics)
        return
    born = births.get(topic.birth_topic)
    aliases: dict[int | None, Metric] = {m.alias: m for m in born or () if m.alias is not None}
    if any(not m.name and m.alias not in aliases for m in metrics):
        yield Rebirth(f"{sparkplug.NAMESPACE}/{topic.group}/NCMD/{topic.node}")
        return
    yield from _readings_and_window(rule, topic, dict(_by_name(metrics, aliases)), message)


def machine_of(rule: TopicRule, topic: str) -> str:
    """Return the machine of a topic of Sparkplug, empty if it has none."""
    parts = sparkplug.parse_topic(topic)
    return _machine(rule, parts) if parts else ""


def _by_name(
    metrics: list[Metric], aliases: Mapping[int | None, Metric]
) -> Iterator[tuple[str, Metric]]:
    """Yield metrics under their names; fields missing in the data are taken from the birth."""
    for m in metrics:
        born = aliases.get(m.alias)
        name = m.name or (born.name if born else "")
        yield (
            name,
            Metric(name, m.alias, m.t, m.datatype or (born.datatype if born else 0), m.value),
        )


def _machine(rule: TopicRule, topic: Topic) -> str:
    if "{device}" in rule.machine_id and not topic.device:
        return ""
    levels = {"group": topic.group, "node": topic.node, "device": topic.device}
    return rule.machine(levels)


def _nameplate(rule: TopicRule, topic: Topic, named: Mapping[str, Metric]) -> list[Action]:
    machine_id = _machine(rule, topic)
    plate: dict[str, Any] = {
        field: named[metric].value
        for field, metric in rule.nameplate.items()
        if metric in named and named[metric].value is not None
    }
    if not machine_id or not plate:
        return []
    if wrong := name_error(machine_id):
        raise InputError(f"birth of {machine_id[:70]!r}: {wrong}")
    floats = {f: plate[f] for f in _WHOLE if isinstance(plate.get(f), float)}
    plate |= {f: int(x) for f, x in floats.items() if x.is_integer()}
    try:
        return [Nameplate(machine_id, motor_from_dict(plate))]
    except NameplateError as error:
        raise InputError(f"birth of {machine_id}: {error}") from error


def _readings_and_window(
    rule: TopicRule, topic: Topic, named: Mapping[str, Metric], message: Message
) -> Iterator[Action]:
    """Yield readings and window of a message; one that is no reading keeps neither back."""
    machine_id = _machine(rule, topic)
    found = [
        read(checked, machine_id, message.received_t if m.t is None else m.t, name, m.value, unit)
        for name, (metric, unit) in rule.scalars.items()
        if machine_id and (m := named.get(metric)) and m.value is not None
    ]
    if readings := [r for r in found if isinstance(r, ScalarReading)]:
        yield Scalars(readings)
    yield from _windows(rule, topic, named, message)
    for wrong in found:
        if isinstance(wrong, Unreadable):
            raise InputError(wrong.reason)


def _windows(
    rule: TopicRule, topic: Topic, named: Mapping[str, Metric], message: Message
) -> list[Action]:
    machine_id = _machine(rule, topic)
    carried = {c: named[m] for c, m in rule.channels.items() if m in named}
    with_samples = {c: m for c, m in carried.items() if m.value}
    if not machine_id or not with_samples:
        return []
    said = {n: named[n].value for n in PROPERTIES if n in named and n != "seq"}
    first = next(iter(with_samples.values()))
    said.setdefault("t0", first.t)
    channels = {c: sparkplug.samples(m, rule.dtype) for c, m in with_samples.items()}
    return [window_samples(rule, machine_id, channels, said)]


def _departures(
    rule: TopicRule, births: Births, topic: Topic, metrics: list[Metric]
) -> list[Action]:
    """Return the machines that a death takes along; one of an earlier session takes none."""
    if not topic.device:
        born = {m.name: m.value for m in births.get(topic.birth_topic) or ()}
        died = {m.name: m.value for m in metrics}
        if "bdSeq" in born and "bdSeq" in died and born["bdSeq"] != died["bdSeq"]:
            return []
    devices = [topic.device] if topic.device else ["", *births.devices(topic)]
    topics = (Topic(topic.group, topic.kind, topic.node, d) for d in devices)
    return [Departure(m) for m in dict.fromkeys(_machine(rule, t) for t in topics) if m]
