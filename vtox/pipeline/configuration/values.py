"""Values of settings that are written as text: times with sizes, rates, ranges of workers."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_settings import NoDecode

_NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
_TIME = re.compile(rf"{_NUMBER} ?(s|min|h|d)")
_SIZE = re.compile(rf"{_NUMBER} ?(MB|GB)")
_RATE = re.compile(rf"{_NUMBER} ?(windows|MB|)/s")
_SECONDS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0}
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_REPLICAS = re.compile(r"(\d+) replicas?")
WORKERS_MAX = 256


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


@dataclass(frozen=True, slots=True)
class KeptFor:
    """How long something is kept (s), and up to which size (MB); no size: without a bound."""

    s: float
    mb: float | None = None

    @classmethod
    def parse(cls, text: str, default: "KeptFor") -> "KeptFor":
        """Return `text`, `90d, 40MB` or one of both; the other one is that of `default`.

        Raises `ValueError`: it is neither, or a size although only a time can be given.
        """
        s, mb = default.s, default.mb
        for part in _parts(text):
            if found := _TIME.fullmatch(part):
                s = float(found[1]) * _SECONDS[found[2]]
            elif (found := _SIZE.fullmatch(part)) and default.mb is not None:
                mb = float(found[1]) * (1000 if found[2] == "GB" else 1)
            else:
                sizes = "a time like 90d, 24h or 60s" + (
                    "" if default.mb is None else ", a size like 40MB, or both: 90d, 40MB"
                )
                raise ValueError(f"expected {sizes}")
        if (not s and default.s > 60) or mb == 0:
            raise ValueError("expected more than 0")
        return cls(s, mb)

    @property
    def nbytes(self) -> float:
        """The size in bytes, 0 without a bound."""
        return 1e6 * (self.mb or 0.0)

    def __str__(self) -> str:
        unit = next((u for u, s in _SECONDS.items() if self.s >= s and self.s % s == 0), "s")
        time = f"{self.s / _SECONDS[unit]:g}{unit}"
        return time if self.mb is None else f"{time}, {self.mb:g}MB"


@dataclass(frozen=True, slots=True)
class SendLimit:
    """Windows and megabytes a second, 0 for no limit: `200/s, 50MB/s`, or `none`."""

    windows_per_s: float = 0.0
    mb_per_s: float = 0.0

    @classmethod
    def parse(cls, value: Any) -> Any:
        """Return the limit that a text describes."""
        if not isinstance(value, str):
            return value
        if value.strip() == "none":
            return cls()
        found = [_RATE.fullmatch(part) for part in _parts(value)]
        rates = {m[2] == "MB": float(m[1]) for m in found if m}
        if len(rates) < len(found):
            raise ValueError("expected windows and megabytes a second like 200/s, 50MB/s, or none")
        return cls(rates.get(False, 0.0), rates.get(True, 0.0))

    def __str__(self) -> str:
        texts = (f"{self.windows_per_s:g}/s", f"{self.mb_per_s:g}MB/s")
        given = (self.windows_per_s, self.mb_per_s)
        return ", ".join(t for t, n in zip(texts, given, strict=True) if n) or "none"


@dataclass(frozen=True, slots=True)
class WorkerCount:
    """A number of workers, or the range within which it follows the load: `3`, `1-8`."""

    least: int
    most: int

    @classmethod
    def parse(cls, value: Any) -> Any:
        """Return the range that a text or number describes."""
        if not isinstance(value, str | int):
            return value
        found = _RANGE.fullmatch(str(value).strip())
        if found and 0 < int(found[1]) <= int(found[2] or found[1]) <= WORKERS_MAX:
            return cls(int(found[1]), int(found[2] or found[1]))
        raise ValueError(f"expected a number from 1 to {WORKERS_MAX}, or a range like 1-8")

    @property
    def follows_load(self) -> bool:
        """Whether the number changes with the load."""
        return self.most > self.least

    def __str__(self) -> str:
        return f"{self.least}-{self.most}" if self.follows_load else str(self.least)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """When a window over HTTP or MQTT counts as accepted: once written where."""

    disk: bool = False
    replicas: int = 0

    @classmethod
    def parse(cls, value: Any) -> Any:
        """Return the value of a text: `server`, `disk`, `2 replicas`, `disk, 2 replicas`."""
        if not isinstance(value, str):
            return value
        parts = _parts(value)
        found = [m for m in map(_REPLICAS.fullmatch, parts) if m]
        if len(found) > 1 or set(parts) - {"server", "disk", *(m[0] for m in found)}:
            raise ValueError("expected server, disk, 1 replica, or disk, 1 replica")
        return cls("disk" in parts, int(found[0][1]) if found else 0)

    def __str__(self) -> str:
        replicas = f"{self.replicas} replica{'s' * (self.replicas > 1)}"
        texts = ["disk"] * self.disk + [replicas] * bool(self.replicas)
        return ", ".join(texts) or "server"


# NoDecode: a variable of the environment is the text itself, not JSON.
AsText = PlainSerializer(str, return_type=str)
Row = Annotated[KeptFor, NoDecode, AsText]
Limit = Annotated[SendLimit, NoDecode, BeforeValidator(SendLimit.parse), AsText]
Workers = Annotated[WorkerCount, NoDecode, BeforeValidator(WorkerCount.parse), AsText]
Ack = Annotated[Acknowledgement, NoDecode, BeforeValidator(Acknowledgement.parse), AsText]
