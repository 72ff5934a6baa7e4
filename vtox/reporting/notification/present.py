"""The present state of machines and of the system, for targets that keep it, as MQTT does.

The outbox has one message for each topic of a machine. A newer one takes its place, so a target
never misses more than one message a topic.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Engine

from vtox.motor.alarms.health.assessment import present_state
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.energy import meters
from vtox.pipeline.store.machines.fleet import FleetMachine
from vtox.pipeline.store.machines.followed_fleet import FleetNews, FollowedFleet
from vtox.pipeline.store.server.client import Client
from vtox.reporting.notification import outbox
from vtox.reporting.notification.mqtt_topics import (
    NOW,
    discovery_message,
    energy_message,
    state_message,
    system_message,
)
from vtox.reporting.notification.outbox import NewDelivery
from vtox.reporting.notification.plan import is_at
from vtox.reporting.notification.rules import Rules

# Counters rise all the time: their message is made so often.
ENERGY_EVERY_S = 60.0


class PresentStates:
    """Follows the fleet; holds the state read last."""

    def __init__(self, client: Client, engine: Engine, rules: Rules, settings: Settings) -> None:
        self._client = client
        self._engine = engine
        self._rules = rules
        self._silence_after_s = settings.silence_after_s
        self._targets = {n: t for n, t in rules.targets.items() if t.kind == "mqtt"}
        self._fleet: FollowedFleet | None = None
        self._energy_t = 0.0

    def follow(self, now_ms: int) -> None:
        """Bring the changes into the outbox."""
        if not self._targets:
            return
        fleet = self._fleet or self._new_fleet()
        news = fleet.look()
        rows = [*self._state_rows(fleet, news, now_ms), *self._empty_rows(news.gone, now_ms)]
        outbox.keep_now(self._engine, rows)
        self._fleet = fleet
        if time.monotonic() - self._energy_t >= ENERGY_EVERY_S or not self._energy_t:
            rows = [*self._energy_rows(fleet, now_ms), *self._system_rows(fleet, now_ms)]
            outbox.keep_now(self._engine, rows)
            self._energy_t = time.monotonic()

    def forget(self) -> None:
        """Read everything again: a state that was read may not be in the outbox."""
        self._fleet, self._energy_t = None, 0.0

    def _new_fleet(self) -> FollowedFleet:
        kept = {row.machine_id for row in outbox.present_deliveries(self._engine)} - {""}
        return FollowedFleet(self._client, self._silence_after_s, kept)

    def _state_rows(
        self, fleet: FollowedFleet, news: FleetNews, now_ms: int
    ) -> Iterator[NewDelivery]:
        for m in news.changed:
            for name in self._wanting(m):
                target = self._targets[name]
                message = state_message(target.prefix, m, silent=m.machine_id in fleet.silent)
                yield _row(name, "state", m.machine_id, message, now_ms)
                if target.discovery:
                    found = discovery_message(target.discovery, target.prefix, m)
                    yield _row(name, "discovery", m.machine_id, found, now_ms)

    def _energy_rows(self, fleet: FollowedFleet, now_ms: int) -> Iterator[NewDelivery]:
        ids = sorted(fleet.machines)
        for m, meter in zip(ids, meters(self._client, ids), strict=True):
            for name in self._wanting(fleet.machines[m]):
                message = energy_message(self._targets[name].prefix, m, meter)
                if message is not None:
                    yield _row(name, "energy", m, message, now_ms)

    def _system_rows(self, fleet: FollowedFleet, now_ms: int) -> Iterator[NewDelivery]:
        states = Counter(
            present_state(m.health, silent=m.machine_id in fleet.silent)
            for m in fleet.machines.values()
        )
        seen = sum(bool(m.health and m.health.seen_faults) for m in fleet.machines.values())
        for name, target in self._targets.items():
            message = system_message(target.prefix, states, len(fleet.silent), seen, now_ms)
            yield _row(name, "system", "", message, now_ms)

    def _empty_rows(self, gone: set[str], now_ms: int) -> Iterator[NewDelivery]:
        """Yield the empty messages that remove the topics of machines that are no more."""
        for row in outbox.present_deliveries(self._engine) if gone else ():
            if row.machine_id in gone and row.target in self._targets:
                topic = orjson.loads(row.body)["topic"]
                body = orjson.dumps({"topic": topic, "payload": None}).decode()
                yield replace(row, body=body, state="waiting", created_ms=now_ms, due_ms=now_ms)

    def _wanting(self, m: FleetMachine) -> Sequence[str]:
        """Return the targets that a rule sends something of this machine to."""
        rules = [r for r in self._rules.rules if is_at(r, m.machine_id, m)]
        return [n for n in self._targets if any(n in r.targets for r in rules)]


def _row(target: str, what: str, machine_id: str, message: Any, now_ms: int) -> NewDelivery:
    return NewDelivery(
        target=target,
        message_id=f"{NOW}{what}_{machine_id}",
        alarm_id="",
        machine_id=machine_id,
        state="waiting",
        body=orjson.dumps(message).decode(),
        created_ms=now_ms,
        due_ms=now_ms,
    )
