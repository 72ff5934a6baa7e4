"""A worker's state of a machine before it diagnoses its records: settings and history.

Each change of the settings of a machine (nameplate, baseline, sensitivity, dismissals, channel map)
names them again, and each commit names the version that it makes. A worker reads only parts with
another name than in its kept state, so that a change counts from the next record, in all workers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.alarms.health.dismissals import NO_DISMISSALS, Dismissals
from vtox.motor.alarms.health.sensitivity import DEFAULT, Sensitivity
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.values import codec
from vtox.motor.values.channel_map import NO_MAP, ChannelMap
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.baselines import is_of_other_channels
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.dismissals import DISMISSALS
from vtox.pipeline.store.machines.machine_settings import MOTOR, SENSITIVITY, decode_setting
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client

log = structlog.get_logger()

# A state takes some 15 kB, and one host carries about 1,000 machines.
MOST_STATES = 2000


# A named tuple is copied in a third of the time of a frozen dataclass.
class MachineState(NamedTuple):
    """The data on a machine that a worker needs before it diagnoses its records.

    `stored_baseline` is empty if there is none; `baseline_refused`: it is of other channels.
    `version` is that of the history and of `meter`, which is as the server keeps it; `settings` the
    name of all else, empty if it has none.
    """

    motor: Motor | None = None
    stored_baseline: str = ""
    history: MachineHistory = MachineHistory()
    version: str = ""
    meter: bytes = b""
    sensitivity: Sensitivity = DEFAULT
    dismissals: Dismissals = NO_DISMISSALS
    channel_map: ChannelMap = NO_MAP
    baseline_refused: bool = False
    settings: str = ""

    @property
    def baseline(self) -> str | None:
        """The baseline that is used."""
        return None if self.baseline_refused else self.stored_baseline or None


UNKNOWN = MachineState()
# In the place of a version: history and meter are not asked for.
_AS_CACHED = "*"


class StateCache:
    """The states of the machines that a process has met last."""

    def __init__(self, most: int = MOST_STATES) -> None:
        self._most = most
        self._states: dict[str, MachineState] = {}

    def get(self, machine_id: str) -> MachineState:
        """Return the state of a machine as it was kept, `UNKNOWN` if it was not."""
        return self._states.get(machine_id, UNKNOWN)

    def keep(self, machine_id: str, state: MachineState) -> None:
        """Keep the state of a machine; forget the one that was kept first if there are too many."""
        self._states.pop(machine_id, None)
        self._states[machine_id] = state
        if len(self._states) > self._most:
            del self._states[next(iter(self._states))]


def load_states(
    client: Client,
    machine_ids: Sequence[str],
    cache: StateCache | None = None,
    *,
    history: bool = True,
) -> list[MachineState]:
    """Return the present state of each machine; unchanged parts come from the cache.

    Without `history` only the settings are current: history, version and meter are as they were
    cached.
    """
    if not machine_ids:
        return []
    cache = cache or StateCache(len(machine_ids))
    known = [cache.get(m) for m in machine_ids]
    args = [n for s in known for n in (s.settings, s.version if history else _AS_CACHED)]
    script = client.register_script(scripts.source("machine_states"))
    replies = script(keys=[keys.machine(m) for m in machine_ids], args=args)
    states = [_state(s, *reply) for s, reply in zip(known, replies, strict=True)]
    for machine_id, state in zip(machine_ids, states, strict=True):
        cache.keep(machine_id, state)
    return states


def _state(
    known: MachineState,
    settings: Sequence[bytes | None] | None,
    name: bytes,
    version: bytes,
    changed: Sequence[bytes | None] | None,
) -> MachineState:
    """Return a known state with its changes."""
    state = _with_settings(known, _text(name), *settings) if settings else known
    if changed is None:
        return state
    memory, meter = changed
    return state._replace(history=_history(memory), version=_version(version), meter=meter or b"")


def _text(stored: bytes | None) -> str:
    """Return a stored text; signs that are none make it another than ours."""
    return (stored or b"").decode("utf-8", "replace")


def _version(stored: bytes | None) -> str:
    """Return a stored version; signs that are none cannot be sent, so that the commit fails."""
    return (stored or b"").decode("utf-8", "surrogateescape")


def health_of(memory: bytes | None) -> Assessment | None:
    """Return the health of a machine of whose records something is kept."""
    history = _history(memory)
    return history.assessment if history.faults else None


def _history(memory: bytes | None) -> MachineHistory:
    history = codec.decode_or_none(MachineHistory, memory) if memory else None
    if memory and history is None:
        # Its records must not become poison: the machine begins from scratch.
        log.error("what a machine has shown cannot be read", memory=memory[:80])
    return history or MachineHistory()


def _with_settings(
    known: MachineState,
    name: str,
    motor: bytes | None,
    baseline: bytes | None,
    info: bytes | None,
    sensitivity: bytes | None,
    channels: bytes | None,
    dismissals: bytes | None,
) -> MachineState:
    channel_map = decode_setting(channels, CHANNEL_MAP)
    return known._replace(
        motor=decode_setting(motor, MOTOR),
        stored_baseline=_text(baseline),
        sensitivity=decode_setting(sensitivity, SENSITIVITY),
        dismissals=decode_setting(dismissals, DISMISSALS),
        channel_map=channel_map,
        baseline_refused=baseline is not None and is_of_other_channels(info, channel_map),
        settings=name,
    )
