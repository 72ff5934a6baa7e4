"""The partitions of the raw stream: which machine is in which, and the names of their keys. Pure.

A machine is in partition `crc32(machine_id) % N`, the CRC-32 of zlib, gzip and PNG over the bytes
of its name. For N = 4, `V001` (CRC-32 1,708,219,451) is in partition 3:

    python -c "import zlib; print(zlib.crc32(b'V001') % 4)"

Partition 0 has the plain names of `configuration/keys.py`: with one partition nothing else exists.
"""

from dataclasses import dataclass
from zlib import crc32

from vtox.pipeline.configuration import keys


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of the raw stream, by its number."""

    number: int = 0

    def key_name(self, key: str) -> str:
        """Return the name that a key of each partition has in this one."""
        return f"{key}:{self.number}" if self.number else key

    @property
    def raw(self) -> str:
        """Its stream of windows."""
        return self.key_name(keys.RAW)

    @property
    def lease(self) -> str:
        """Its lease: one bridge at a time owns it."""
        return self.key_name(keys.LEASE)

    @property
    def bridge(self) -> str:
        """Its bridge's report on itself."""
        return self.key_name(keys.BRIDGE)

    @property
    def progress(self) -> str:
        """Progress of its windows."""
        return self.key_name(keys.PROGRESS)

    def ledger(self, family: str) -> str:
        """Its dispatched records of a family."""
        return self.key_name(keys.ledger(family))

    def due(self, family: str) -> str:
        """When they are due."""
        return self.key_name(keys.due(family))

    def attempts(self, family: str) -> str:
        """Return the key of the counts of their starts."""
        return self.key_name(keys.attempts(family))


FIRST = Partition()


def partition_number(machine_id: str, partitions: int) -> int:
    """Return the number of the partition that a machine is in."""
    return crc32(machine_id.encode()) % partitions


def partition_of(machine_id: str, partitions: int) -> Partition:
    """Return the partition that a machine is in."""
    return Partition(partition_number(machine_id, partitions))


def is_raw(stream: str) -> bool:
    """Return whether a stream is that of windows of a partition."""
    return stream == keys.RAW or stream.startswith(f"{keys.RAW}:")
