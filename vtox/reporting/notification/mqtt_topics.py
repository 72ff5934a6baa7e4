"""Topics and payloads of MQTT out: alarms, and the present state of machines and system. Pure.

A present state has one message a topic; its id begins with `NOW`, and a later one takes its place.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from vtox.motor.alarms.health.assessment import present_state
from vtox.motor.alarms.ne107 import ne107
from vtox.motor.values.domain import State
from vtox.motor.values.energy import measured_kwh
from vtox.pipeline.configuration.version import version
from vtox.pipeline.store.machines.energy import Meter
from vtox.pipeline.store.machines.fleet import FleetMachine
from vtox.reporting.notification.messages import iso

NOW = "vtox_now_"
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9-]")
_ENERGY = ("active_w", "load_ratio", "efficiency", "loss_w")


def status_topic(prefix: str) -> str:
    """Return the topic that says whether the notifier is there."""
    return f"{prefix}/status"


def publication(prefix: str, message: Mapping[str, Any]) -> tuple[str, bytes, bool]:
    """Return topic and payload of a message of the outbox, and whether the broker keeps it.

    An empty payload removes the kept message.
    """
    if "topic" in message:
        kept = message["payload"]
        return message["topic"], b"" if kept is None else orjson.dumps(kept), True
    alarm = message["data"].get("alarm")
    if alarm is None:
        return f"{prefix}/{message['type']}", orjson.dumps(message), False
    where = f"machines/{_level(alarm['machine_id'])}" if alarm["machine_id"] else "system"
    # An alarm of the system may be of a queue: `workers:bearing`.
    topic = f"{prefix}/{where}/alarms/{_level(alarm['fault']) or 'service'}"
    return topic, orjson.dumps(message), True


def state_message(prefix: str, m: FleetMachine, *, silent: bool) -> dict[str, Any]:
    """Return the message with the present state of a machine."""
    status = ne107(m.health, silent=silent)
    faults = m.health.faults if m.health else {}
    payload = {
        "machine_id": m.machine_id,
        "site": m.site,
        "asset_path": m.asset_path,
        "state": present_state(m.health, silent=silent),
        "health": m.health.health if m.health else None,
        "silent": silent,
        "ne107": status.status,
        "ne107_fault": status.fault,
        "ne107_code": status.code,
        "faults": {n: {"state": f.state, "code": f.why.code} for n, f in faults.items()},
        "seen": m.health.seen_faults if m.health else [],
        "time": iso(1000 * m.health.t) if m.health and m.health.t else None,
    }
    return _of_machine(prefix, m.machine_id, "state", payload)


def energy_message(prefix: str, machine_id: str, meter: Meter) -> dict[str, Any] | None:
    """Return the message with power and energy of a machine; None if none was ever counted."""
    if meter.since_t is None and meter.reading is None:
        return None
    r = meter.reading
    payload: dict[str, Any] = {
        "machine_id": machine_id,
        "energy_kwh": measured_kwh(meter.counts.energy_j, meter.counts.powered_ms),
    }
    payload |= {n: r.figures.get(n) if r else None for n in _ENERGY}
    payload["code"] = (r.power_code or r.load_code) if r else ""
    payload["time"] = None if meter.reading_t is None else iso(1000 * meter.reading_t)
    return _of_machine(prefix, machine_id, "energy", payload)


def system_message(
    prefix: str, states: Mapping[State, int], silent: int, seen: int, now_ms: int
) -> dict[str, Any]:
    """Return the fleet in numbers, which changes each time: it shows that messages arrive."""
    counts = {"machines": sum(states.values()), "states": dict(states)}
    payload = counts | {"silent": silent, "seen": seen, "time": iso(now_ms)}
    return {"topic": f"{prefix}/system/state", "payload": payload}


def discovery_message(discovery: str, prefix: str, m: FleetMachine) -> dict[str, Any]:
    """Return the device of a machine for Home Assistant, with its entities."""
    # Each other sign by its number: no two machines have one id.
    own = _NOT_IN_ID.sub(lambda s: f"_{ord(s[0]):02x}", m.machine_id)
    state, energy = (f"{prefix}/machines/{m.machine_id}/{n}" for n in ("state", "energy"))
    entities: dict[str, dict[str, Any]] = {
        "state": {"p": "sensor", "name": "State", "value_template": "{{ value_json.state }}"},
        "ne107": {"p": "sensor", "name": "NE 107", "value_template": "{{ value_json.ne107 }}"},
        "health": {
            "p": "sensor",
            "name": "Health",
            "value_template": "{{ value_json.health }}",
            "unit_of_measurement": "%",
            "state_class": "measurement",
        },
        "problem": {
            "p": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.state in ['warning', 'fault'] else 'OFF' }}",
        },
        "seen": {
            "p": "sensor",
            "name": "Seen",
            "value_template": "{{ value_json.seen | join(', ') }}",
        },
        "power": {
            "p": "sensor",
            "name": "Power",
            "device_class": "power",
            "unit_of_measurement": "W",
            "state_class": "measurement",
            "value_template": "{{ value_json.active_w }}",
        },
        "energy": {
            "p": "sensor",
            "name": "Energy",
            "device_class": "energy",
            "unit_of_measurement": "kWh",
            "state_class": "total_increasing",
            "value_template": "{{ value_json.energy_kwh }}",
        },
    }
    for name, entity in entities.items():
        entity["unique_id"] = f"vtox_{own}_{name}"
        entity["state_topic"] = energy if name in ("power", "energy") else state
    payload = {
        "device": {"identifiers": [f"vtox_{own}"], "name": m.machine_id, "suggested_area": m.site},
        "origin": {"name": "VTOX", "sw_version": version()},
        "components": entities,
        "availability_topic": status_topic(prefix),
    }
    return {"topic": f"{discovery}/device/vtox_{own}/config", "payload": payload}


def _level(name: str) -> str:
    """Return a name as one level of a topic; others may have written signs that MQTT forbids."""
    return quote(name, safe=":")


def _of_machine(prefix: str, machine_id: str, what: str, payload: Any) -> dict[str, Any]:
    return {"topic": f"{prefix}/machines/{machine_id}/{what}", "payload": payload}
