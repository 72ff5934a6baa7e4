"""Machines as they are kept on the server: nameplate, baseline, latest diagnoses, health."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.faults import FAULTS
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, Reason, reason
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.values.plain_names import names_of
from vtox.motor.values.rhythm import Rhythm, SendingInterval
from vtox.motor.values.scalars import FLAG
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import TooManyMachines
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.flags import FLAGS
from vtox.pipeline.store.machines.baselines import baseline_state, is_of_other_channels
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import MOTOR, decode_setting
from vtox.pipeline.store.machines.machine_states import health_of
from vtox.pipeline.store.machines.retirements import note_retirement
from vtox.pipeline.store.machines.rhythms import RHYTHM, interval_of
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.admissions import vehicle_of
from vtox.pipeline.store.stream.entries import Result, decode_result, number
from vtox.pipeline.store.stream.unreadable import read_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOverview:
    """The figures shown of a machine; the `t` and age of its last window are None before the first.

    `last_arrival_age_s` is that of its last window, or of its last scalar if it sends those alone.
    `next_window_t` is when its next window, snapshot or burst is due, None if that is not known.

    `as_of_t` is when it was read: this and all other times are of the server's clock.
    """

    machine_id: str
    vehicle_id: str | None
    last_window_t: float | None
    last_window_age_s: float | None
    last_arrival_age_s: float | None
    next_window_t: float | None
    nameplate: dict[str, Any] | None
    baseline: bool
    baseline_state: dict[str, Any]
    health: Assessment | None
    diagnoses: dict[str, Result]
    interval: SendingInterval
    as_of_t: float

    def silent(self, after_s: float) -> bool:
        """Return whether the machine has sent before, but not lately.

        Lately is the last `after_s`, or longer if it sends less often.
        """
        age_s = self.last_arrival_age_s
        return age_s is not None and age_s > self.interval.limit_s(after_s)


def register(client: Client, machine_id: str, motor: Motor, *, limit: int = 0) -> None:
    """Store the nameplate of a machine; `limit` is the most machines there may be, 0 for no limit.

    Raises `TooManyMachines`: the machine is new, and there are `limit` others.
    """
    where = [keys.MACHINES, keys.machine(machine_id), keys.FLEET, keys.FLEET_CHANGES]
    args = [machine_id, codec.encode(motor_to_dict(motor)), limit]
    script = client.register_script(scripts.source("register", shared=True))
    if not script(keys=where, args=args):
        raise TooManyMachines(limit)


def list_senders(client: Client, machine_ids: Sequence[str], *, limit: int) -> list[str]:
    """List machines that send scalars; return the new ones that have no room among `limit`."""
    script = client.register_script(scripts.source("register", shared=True))
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        where = [keys.MACHINES, keys.machine(m), keys.FLEET, keys.FLEET_CHANGES]
        script(keys=where, args=[m, "", limit], client=pipe)
    listed = zip(machine_ids, pipe.execute(), strict=True)
    return [m for m, has_room in listed if not has_room]


def retire(client: Client, machine_id: str) -> bool:
    """Forget a machine and clear its open alerts; False if it was not known.

    If it sends again, it is new. One script: an alert that a worker raises meanwhile is either
    cleared here or not written, for the worker finds that the machine's version has changed.
    The recorder deletes its history, which does not delay the retiring.
    """
    retired = _retire(client, machine_id, "", reason("machine_retired"))
    if retired:
        client.delete(keys.full_scalars(machine_id))
        note_retirement(client, machine_id)
        alarm_book.forget_machines(client, [machine_id])
    return retired


def forget_silent(client: Client, before_t: float, after_t: float = 0.0) -> int:
    """Forget the machines without nameplate that have sent nothing since a time (s, server clock).

    Those whose last window arrived before `after_t` are not looked at, except machines that send
    scalars alone. A machine with a baseline, its own setting or an open alert of a fault stays.
    Returns how many are forgotten.
    """
    found = [
        *client.zrange(keys.MACHINES, 0, 0, byscore=True),
        *client.zrange(keys.MACHINES, f"{after_t}" if after_t else "(0", before_t, byscore=True),
    ]
    silent = names_of(found)
    pipe = client.pipeline(transaction=False)
    for m in silent:
        pipe.hmget(keys.machine(m), "motor", "scalars_ms")
    why = reason("machine_forgotten")
    forgotten = [
        m
        for m, (motor, scalars_ms) in zip(silent, pipe.execute(), strict=True)
        if motor is None and (number(scalars_ms) or 0.0) <= 1000 * before_t
        if _retire(client, m, str(before_t), why)
    ]
    if forgotten:
        alarm_book.forget_machines(client, forgotten)
    return len(forgotten)


def sends_scalars_alone(arrived_t: float, scalars_ms: bytes | None) -> bool:
    """Return whether the arrival of a machine is that of a scalar, or it has sent nothing."""
    return not arrived_t or abs(1000 * arrived_t - (number(scalars_ms) or 0.0)) < 0.5


def scalar_only_machines(client: Client, arrived: Mapping[str, float]) -> set[str]:
    """Return which machines that have arrived at a time send scalars alone."""
    pipe = client.pipeline(transaction=False)
    for m in arrived:
        pipe.hget(keys.machine(m), "scalars_ms")
    replies = pipe.execute() if arrived else []
    pairs = zip(arrived.items(), replies, strict=True)
    return {m for (m, t), scalars_ms in pairs if sends_scalars_alone(t, scalars_ms)}


def _retire(client: Client, machine_id: str, silent_since: str, why: Reason) -> bool:
    own = (keys.machine(machine_id), keys.known_windows(machine_id))
    where = [keys.MACHINES, *own, keys.ALERTS, keys.OPEN_ALERTS, keys.FLEET, keys.FLEET_CHANGES]
    cleared = ("machine_id", machine_id, "event", "cleared", "t", f"{server_time(client):.3f}")
    because = ("code", why.code, "reason", render(why.code, why.values))
    fields = (name.decode("utf-8", "replace") for name in client.hkeys(own[0]))
    flags = [*FLAGS, *(name for name in fields if name.startswith(f"{FLAG}:"))]
    args = [machine_id, silent_since, len(flags), *flags, len(FAULTS), *FAULTS, *cleared, *because]
    return bool(
        client.register_script(scripts.source("retire", shared=True))(keys=where, args=args)
    )


def is_listed(client: Client, machine_id: str) -> bool:
    """Return whether a machine is known: registered, or has sent, and was not retired since."""
    return client.zscore(keys.MACHINES, machine_id) is not None


def last_arrivals(client: Client) -> dict[str, float]:
    """Return machine id -> arrival (s, server clock) of its last window; 0 for none yet."""
    return _arrivals(client.zrange(keys.MACHINES, 0, -1, withscores=True))


def arrivals_since(client: Client, t: float) -> dict[str, float]:
    """Return machine id -> arrival of its last window, of each that came at `t` (s) or later."""
    since = f"{t!r}" if t > 0 else "(0"
    found = client.zrange(keys.MACHINES, since, "+inf", byscore=True, withscores=True)
    return _arrivals(found)


def _arrivals(stored: Iterable[tuple[bytes, float]]) -> dict[str, float]:
    return {m: t for name, t in stored for m in names_of([name])}


def load_motors(client: Client, machine_ids: Sequence[str]) -> list[Motor | None]:
    """Return the nameplate of each machine, None if there is none."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), "motor")
    return [decode_setting(text, MOTOR) for text in pipe.execute()]


def latest_results(client: Client, machine_ids: Sequence[str], fault: str) -> dict[str, Result]:
    """Return machine id -> last result of a fault, for the machines that have one."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), f"latest:{fault}")
    found = zip(machine_ids, pipe.execute() if machine_ids else (), strict=True)
    return {m: r for m, text in found if text and (r := read_or_none(decode_result, text))}


def overview(client: Client, machine_ids: Iterable[str]) -> list[MachineOverview]:
    """Return nameplate, health and latest diagnoses of those machines that are listed."""
    ids = list(machine_ids)
    names = ["motor", "memory", "vehicle_id", *(f"latest:{fault}" for fault in FAULTS)]
    pipe = client.pipeline(transaction=False)
    for m in ids:
        pipe.hmget(keys.machine(m), *names)
        pipe.hmget(
            keys.machine(m), "baseline_info", "learning", CHANNEL_MAP.field, RHYTHM, "scalars_ms"
        )
        pipe.hexists(keys.machine(m), "baseline")
        pipe.zscore(keys.MACHINES, m)
    pipe.time()
    *replies, (seconds, micros) = pipe.execute()
    now = seconds + micros / 1e6
    found = []
    for i, m in enumerate(ids):
        (motor, memory, vehicle, *latest), about, has_baseline, arrived = replies[4 * i : 4 * i + 4]
        if arrived is None:
            continue
        info, learning, channels, rhythm, scalars_ms = about
        window_t = None if sends_scalars_alone(arrived, scalars_ms) else arrived
        plate = decode_setting(motor, MOTOR)
        nameplate = motor_to_dict(plate) if plate else None
        sent = codec.decode_or_none(Rhythm, rhythm) if rhythm else None
        interval = interval_of(nameplate, sent)
        present = decode_setting(channels, CHANNEL_MAP)
        baseline = baseline_state(info, learning, bool(has_baseline), now, present)
        texts = zip(FAULTS, latest, strict=True)
        diagnoses = {f: r for f, t in texts if t and (r := read_or_none(decode_result, t))}
        found.append(
            MachineOverview(
                machine_id=m,
                vehicle_id=vehicle_of(vehicle),
                last_window_t=window_t,
                last_window_age_s=max(now - window_t, 0.0) if window_t else None,
                last_arrival_age_s=max(now - arrived, 0.0) if arrived else None,
                nameplate=nameplate,
                baseline=bool(has_baseline) and not is_of_other_channels(info, present),
                baseline_state=baseline,
                health=health_of(memory),
                diagnoses=diagnoses,
                interval=interval,
                next_window_t=arrived + interval.every_s if arrived and interval.every_s else None,
                as_of_t=now,
            )
        )
    return found
