"""How many workers each host has and why, where their number follows the load."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vtox import keys
from vtox.store.server.client import Client
from vtox.values.plain_data import known_fields

# A host that reported longer ago is left out: it ended without saying so.
LIFE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostScaling:
    """What the supervisor of a host reported at `t`, s of the server's clock.

    `code` and `values` say why it has so many workers, `change` by how many they changed last and
    `changed_t` when.
    """

    host: str
    t: float
    workers: int
    least: int
    most: int
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    change: int = 0
    changed_t: float | None = None


def report_scaling(client: Client, report: HostScaling) -> None:
    """Write the report of a host."""
    client.hset(keys.SCALING, report.host, json.dumps(asdict(report)))


def remove_scaling(client: Client, host: str) -> None:
    """Say that no supervisor changes the workers of a host."""
    client.hdel(keys.SCALING, host)


def scaling_reports(stored: Mapping[bytes, bytes], now: float) -> list[HostScaling]:
    """Return the reports that are recent and can be read, by host."""
    found = []
    for _, text in sorted(stored.items()):
        try:
            report = HostScaling(**known_fields(HostScaling, json.loads(text)))
        except (ValueError, TypeError, AttributeError):  # damaged
            continue
        if now - report.t < LIFE_S:
            found.append(report)
    return found
