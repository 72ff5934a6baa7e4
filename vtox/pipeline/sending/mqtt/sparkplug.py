"""Sparkplug B: topics, and payloads to metrics (Sparkplug 3.0.0, ISO/IEC 20237, chapters 4 and 6).

Only the fields of the payload's schema that are read are declared here; other fields are skipped,
as protobuf does. No library of Sparkplug: those for Python bring their own MQTT client.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from vtox.motor.errors import InputError

NAMESPACE = "spBv1.0"
BIRTHS, DEATHS, DATA = ("NBIRTH", "DBIRTH"), ("NDEATH", "DDEATH"), ("NDATA", "DDATA")
REBIRTH = "Node Control/Rebirth"
BOOLEAN = 11
# Data types of arrays: packed little-endian numbers in `bytes_value`.
_ARRAYS = {
    22: "<i1", 23: "<i2", 24: "<i4", 25: "<i8", 26: "<u1", 27: "<u2", 28: "<u4", 29: "<u8",
    30: "<f4", 31: "<f8",
}  # fmt: skip
# Signed data types that travel as unsigned numbers of 32 or 64 bits.
_SIGNED = {1: 32, 2: 32, 3: 32, 4: 64}

_F = descriptor_pb2.FieldDescriptorProto
_METRIC = (
    ("name", 1, _F.TYPE_STRING),
    ("alias", 2, _F.TYPE_UINT64),
    ("timestamp", 3, _F.TYPE_UINT64),
    ("datatype", 4, _F.TYPE_UINT32),
    ("is_null", 7, _F.TYPE_BOOL),
)
_VALUES = (
    ("int_value", 10, _F.TYPE_UINT32),
    ("long_value", 11, _F.TYPE_UINT64),
    ("float_value", 12, _F.TYPE_FLOAT),
    ("double_value", 13, _F.TYPE_DOUBLE),
    ("boolean_value", 14, _F.TYPE_BOOL),
    ("string_value", 15, _F.TYPE_STRING),
    ("bytes_value", 16, _F.TYPE_BYTES),
)


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="vtox/sparkplug_b.proto", package="vtox.sparkplug", syntax="proto2"
    )
    payload = file.message_type.add(name="Payload")
    payload.field.add(name="timestamp", number=1, type=_F.TYPE_UINT64, label=_F.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_F.TYPE_MESSAGE,
        label=_F.LABEL_REPEATED,
        type_name=".vtox.sparkplug.Payload.Metric",
    )
    payload.field.add(name="seq", number=3, type=_F.TYPE_UINT64, label=_F.LABEL_OPTIONAL)
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC:
        metric.field.add(name=name, number=number, type=kind, label=_F.LABEL_OPTIONAL)
    for name, number, kind in _VALUES:
        metric.field.add(
            name=name, number=number, type=kind, label=_F.LABEL_OPTIONAL, oneof_index=0
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("vtox.sparkplug.Payload"))


Payload = _payload_class()


@dataclass(frozen=True, slots=True)
class Topic:
    """`spBv1.0/group/kind/node` or `.../node/device`; `device` is empty for a node itself."""

    group: str
    kind: str
    node: str
    device: str = ""

    @property
    def birth_topic(self) -> str:
        """The topic of the birth that names the metrics of this one."""
        kind = "DBIRTH" if self.device else "NBIRTH"
        return "/".join(p for p in (NAMESPACE, self.group, kind, self.node, self.device) if p)


@dataclass(frozen=True, slots=True)
class Metric:
    """A value with its name or, in data, the alias that a birth gave it; `t` in s since 1970."""

    name: str
    alias: int | None
    t: float | None
    datatype: int
    value: Any


def parse_topic(topic: str) -> Topic | None:
    """Return the parts of a topic of Sparkplug, None for another one."""
    parts = topic.split("/")
    if len(parts) not in (4, 5) or parts[0] != NAMESPACE or not all(parts):
        return None
    return Topic(*parts[1:])


def metrics(payload: bytes) -> list[Metric]:
    """Return the metrics of a payload.

    Raises `InputError`: it is no payload of Sparkplug B.
    """
    decoded = Payload()
    try:
        decoded.ParseFromString(payload)
    except (message.DecodeError, UnicodeDecodeError) as error:
        raise InputError("not a Sparkplug B payload, expected its protobuf") from error
    sent_t = decoded.timestamp / 1000 if decoded.HasField("timestamp") else None
    return [_metric(m, sent_t) for m in decoded.metrics]


def samples(metric: Metric, dtype: str) -> Any:
    """Return the samples of a metric: of an array type as it says, of plain bytes as `dtype`.

    Raises `InputError`: it has none.
    """
    if not isinstance(metric.value, bytes):
        raise InputError(f"metric {metric.name}: expected bytes or an array")
    kind = np.dtype(_ARRAYS.get(metric.datatype, f"<{dtype}"))
    if len(metric.value) % kind.itemsize:
        raise InputError(
            f"metric {metric.name}: {len(metric.value)} bytes, expected whole samples of "
            f"{kind.itemsize} bytes"
        )
    return np.frombuffer(metric.value, kind)


def rebirth_command() -> bytes:
    """Return the payload of an NCMD that asks a node for its births."""
    command = Payload()
    command.metrics.add(name=REBIRTH, datatype=BOOLEAN, boolean_value=True)
    return bytes(command.SerializeToString())


def _metric(m: Any, sent_t: float | None) -> Metric:
    which = m.WhichOneof("value")
    value = getattr(m, which) if which and not m.is_null else None
    if isinstance(value, int) and (bits := _SIGNED.get(m.datatype)):
        value -= (value >> (bits - 1)) << bits
    return Metric(
        name=m.name,
        alias=m.alias if m.HasField("alias") else None,
        t=m.timestamp / 1000 if m.HasField("timestamp") else sent_t,
        datatype=m.datatype,
        value=value,
    )
