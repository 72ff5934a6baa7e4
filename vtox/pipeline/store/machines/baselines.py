"""The data of a baseline besides its levels: version, source, and a state for each load.

`baseline_info` is a JSON table of the machine: `source` (`given` by a person or learnt on the
`stream`), `learnt_t`, `version`, the `channels` of the channel map under which it was learnt, the
`loads` at which it was learnt, and the last load `refused`.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from vtox.motor.values import codec
from vtox.motor.values.channel_map import NO_MAP, ChannelMap, Sources
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines import learning_notes
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.machines.profile_words import reset_profile
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client, server_time

# Windings age and clamps are moved: a baseline older than this is still used, and marked so.
STALE_DAYS = 180.0
# Bands whose loads differ by less than this ratio are shown as one: between them both apply
# (`vtox.motor.values.baseline`).
MAX_LOAD_GAP_RATIO = 1.1
# The types of the fields of `baseline_info`.
_KINDS: Mapping[str, Any] = {
    **{"source": str, "learnt_t": int | float, "version": int, "channels": dict},
    **{"loads": list, "refused": dict},
}
# Why the baseline of a machine is not used though it has one.
OF_OTHER_CHANNELS = "baseline_of_other_channels"


def set_baseline(client: Client, machine_id: str, baseline: str | None) -> None:
    """Store the baseline that a person gives a machine (JSON of `Baseline.to_json`); None: remove.

    It is of the channels of the channel map in force. The version counts every baseline that the
    machine ever had. Removed, the profile of the machine is learnt again too.
    """
    if baseline is None:
        gone = ("baseline", "baseline_info", learning_notes.FIELD)
        # Without a name of the settings workers read them again
        # (`vtox.pipeline.store.machines.machine_states`).
        client.hdel(keys.machine(machine_id), *gone, "settings")
        reset_profile(client, machine_id)
        return
    channels = present_setting(client, machine_id, CHANNEL_MAP).channels
    _store(client, machine_id, baseline, _first_info(client, "given", baseline, channels))


def store_learnt_baseline(
    client: Client, machine_id: str, before: str, learnt: str, channels: Sources
) -> bool:
    """Store a baseline learnt on the stream, of these channels; `before` is the one it replaces.

    False if that was changed meanwhile, by a person, or the machine is retired.
    """
    info = _first_info(client, "stream", learnt, channels)
    return _store(client, machine_id, learnt, info, before)


def store_extended_baseline(
    client: Client, machine_id: str, before: str, extended: str, loads_a: Sequence[float]
) -> bool:
    """Store a baseline extended by a load, or by a period at loads that it has (`loads_a` empty).

    False if `before` was changed meanwhile.
    """
    about = client.hget(keys.machine(machine_id), "baseline_info")
    info = {"source": "given", "loads": [], **_about(about)}
    if loads_a:
        load = _load(min(loads_a), max(loads_a), round(server_time(client), 3))
        info |= {"loads": sorted([*info.get("loads", []), load], key=lambda x: x["low_a"])}
        info.pop("refused", None)
    return _store(client, machine_id, extended, info, before)


def versions(client: Client, machine_ids: Sequence[str]) -> dict[str, int]:
    """Return machine id -> version of its last baseline, if it ever had one."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), "baseline_version")
    found = zip(machine_ids, pipe.execute(), strict=True)
    return {m: int(version) for m, version in found if version and version.isdigit()}


def stored_baseline(client: Client, machine_id: str) -> tuple[dict[str, Any], str] | None:
    """Return the data of a baseline and its JSON, None if there is none."""
    stored, about = client.hmget(keys.machine(machine_id), "baseline", "baseline_info")
    return (dict(_about(about)), stored.decode("utf-8", "replace")) if stored else None


def refuse_load(client: Client, machine_id: str, loads_a: Sequence[float], reason: str) -> None:
    """Note why a load was not learnt as healthy."""
    key = keys.machine(machine_id)
    about = client.hget(key, "baseline_info")
    info = dict(_about(about))
    refused = _load(min(loads_a), max(loads_a), round(server_time(client), 3))
    info["refused"] = refused | {"reason": reason}
    client.hset(key, "baseline_info", json.dumps(info))


def is_of_other_channels(info: bytes | None, present: ChannelMap) -> bool:
    """Return whether a baseline was learnt under a channel map that made other channels."""
    return bool(_about(info).get("channels", {}) != codec.plain(present.channels))


@lru_cache(maxsize=4096)
def _about(info: bytes | None) -> Mapping[str, Any]:
    """Return the data of a baseline, decoded once; it must not be changed.

    Fields with a wrong value count as absent.
    """
    table = codec.json_of_field(info)
    if not isinstance(table, dict):
        return {}
    about = {n: x for n, x in table.items() if isinstance(x, _KINDS.get(n, object))}
    if "loads" in about:
        about["loads"] = [x for x in about["loads"] if _is_load(x)]
    if not _is_load(about.get("refused")):
        about.pop("refused", None)
    return about


def _is_load(x: object) -> bool:
    numbers = ("low_a", "high_a", "learnt_t")
    return isinstance(x, dict) and all(isinstance(x.get(n), int | float) for n in numbers)


def baseline_state(
    info: bytes | None,
    learning: bytes | None,
    has_baseline: bool,
    now: float,
    present: ChannelMap = NO_MAP,
) -> dict[str, Any]:
    """Return the state of a baseline, with version and source.

    It is `none`, `learning`, `ready`, `stale`, or `refused`: of other channels than those of the
    `present` channel map, and not used. `loads` has the state of each load too: those learnt, the
    one being learnt, the one `refused`; a baseline that is not used has no loads.
    """
    noted = learning_notes.notes_of(learning) if learning else []
    refused = has_baseline and is_of_other_channels(info, present)
    if noted and (refused or not has_baseline):
        return {"state": "learning", "records": len(noted)}
    if not has_baseline:
        return {"state": "none", "records": 0}
    about = dict(_about(info))
    learnt, not_accepted = about.pop("loads", []), about.pop("refused", None)
    about.pop("channels", None)
    if refused:
        return {"state": "refused", **about, "code": OF_OTHER_CHANNELS}
    loads = [x | {"state": _state(x["learnt_t"], now)} for x in learnt]
    if not_accepted:
        loads.append(not_accepted | {"state": "refused"})
    if loads_a := [n.load_a for n in noted if n.load_a]:
        span = {"low_a": round(min(loads_a), 4), "high_a": round(max(loads_a), 4)}
        loads.append(span | {"state": "learning", "records": len(noted)})
    return {"state": _state(about.get("learnt_t", now), now), **about, "loads": loads}


def _first_info(client: Client, source: str, baseline: str, channels: Sources) -> dict[str, Any]:
    now = round(server_time(client), 3)
    info = {"source": source, "learnt_t": now, "loads": _loads(baseline, now)}
    return info | {"channels": codec.plain(channels)}


def _store(
    client: Client,
    machine_id: str,
    baseline: str,
    info: Mapping[str, Any],
    before: str | None = None,
) -> bool:
    """Store a baseline; one learnt from `before` only while that is still there."""
    about = json.dumps({k: v for k, v in info.items() if k != "version"})
    args = [machine_id, baseline, about, learning_notes.FIELD, int(before is not None)]
    where = [keys.MACHINES, keys.machine(machine_id), keys.FLEET, keys.FLEET_CHANGES]
    script = client.register_script(scripts.source("store_baseline", shared=True))
    return bool(script(keys=where, args=[*args, before or ""]))


def _state(learnt_t: float, now: float) -> str:
    return "stale" if now - learnt_t > STALE_DAYS * 86_400 else "ready"


def _load(low_a: float, high_a: float, t: float) -> dict[str, Any]:
    return {"low_a": round(low_a, 4), "high_a": round(high_a, 4), "learnt_t": t}


def _loads(baseline: str, t: float) -> list[dict[str, Any]]:
    """Return the loads of a stored baseline: its bands, adjacent ones merged."""
    bands = json.loads(baseline).get("bands", [])
    found: list[list[float]] = []
    for low, high in sorted((b["low_a"], b["high_a"]) for b in bands if b["high_a"]):
        if found and low <= found[-1][1] * MAX_LOAD_GAP_RATIO:
            found[-1][1] = max(found[-1][1], high)
        else:
            found.append([low, high])
    return [_load(low, high, t) for low, high in found]
