"""How often each machine sends: as its nameplate says, or as the bridge has learned it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vtox.motor.values import codec
from vtox.motor.values.plain_names import names_of
from vtox.motor.values.rhythm import Rhythm, SendingInterval
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import source
from vtox.pipeline.store.stream.unreadable import read_or_none

# Field of a machine.
RHYTHM = "rhythm"


def keep_rhythms(client: Client, rhythms: Mapping[str, tuple[Rhythm, bool]]) -> None:
    """Keep machine id -> how it has sent, and whether the interval is another one than before."""
    pipe = client.pipeline(transaction=False)
    script = client.register_script(source("set_field", shared=True))
    for m, (rhythm, is_other) in rhythms.items():
        where = [keys.machine(m), keys.FLEET, keys.FLEET_CHANGES]
        script(keys=where, args=[m, RHYTHM, codec.encode(rhythm), int(is_other)], client=pipe)
    pipe.execute()


def read_rhythms(client: Client, machine_ids: Sequence[str]) -> dict[str, Rhythm | None]:
    """Return how machines have sent, None if nothing is kept."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), RHYTHM)
    replies = pipe.execute() if machine_ids else []
    pairs = zip(machine_ids, replies, strict=True)
    return {m: codec.decode_or_none(Rhythm, r) if r else None for m, r in pairs}


def interval_of(plate: Mapping[str, object] | None, rhythm: Rhythm | None) -> SendingInterval:
    """Return the interval on a nameplate, else the one that was learned."""
    stated = plate.get("expected_every_s") if isinstance(plate, Mapping) else None
    if isinstance(stated, int | float):
        return SendingInterval(float(stated), "nameplate")
    return rhythm.interval if rhythm else SendingInterval()


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of some machines, as they were at a change of the fleet (`keys.FLEET`)."""

    epoch: bytes = b""
    change: int = 0
    of: dict[str, SendingInterval] = field(default_factory=dict)


def read_intervals(client: Client, machine_ids: Iterable[str], known: Intervals) -> Intervals:
    """Return the intervals of machines; read are the ones not known, or changed."""
    epoch, last = client.hmget(keys.FLEET, "epoch", "change")
    change = int(last or 0)
    kept = dict(known.of) if epoch and epoch == known.epoch and change >= known.change else {}
    if kept and change > known.change:
        changed = client.zrange(keys.FLEET_CHANGES, f"({known.change}", "+inf", byscore=True)
        for m in names_of(changed):
            kept.pop(m, None)
    missing = [m for m in machine_ids if m not in kept]
    return Intervals(epoch or b"", change, kept | _read(client, missing))


def _read(client: Client, machine_ids: Sequence[str]) -> dict[str, SendingInterval]:
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), "motor", RHYTHM)
    return {
        m: interval_of(_plate(motor), codec.decode_or_none(Rhythm, rhythm))
        for m, (motor, rhythm) in zip(machine_ids, pipe.execute(), strict=True)
    }


def _plate(motor: bytes | None) -> Mapping[str, object] | None:
    # Most nameplates say nothing of it, and need not be decoded.
    if not motor or b"expected_every_s" not in motor:
        return None
    found = read_or_none(codec.loads, motor)
    return found if isinstance(found, dict) else None
