"""The OPC UA server: an object for each machine, kept up to date, and an event for each alarm.

It reads the server of the streams, and counts there the entries it could not read. One loop asks
for changes; asyncua serves clients in the same thread.
"""

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from socket import gethostname

import redis
import structlog
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.server.event_generator import EventGenerator
from cryptography.x509.oid import ExtendedKeyUsageOID

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.errors import VtoxError
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.values.nameplate_fields import flattened
from vtox.motor.words import rendering
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.version import RELEASE
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import OpcuaHeartbeat
from vtox.pipeline.store.machines.energy import meters
from vtox.pipeline.store.machines.followed_fleet import FollowedFleet
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream import stream_reader
from vtox.pipeline.store.stream.outputs import newest_id
from vtox.pipeline.store.stream.stream_reader import Position
from vtox.pipeline.store.stream.unreadable import (
    UNREADABLE,
    Unreadable,
    note_skipped,
    read_each,
    reason_of,
)
from vtox.reporting.history.database import reading
from vtox.reporting.history.scalars import latest
from vtox.reporting.plant.opcua import connections, sessions
from vtox.reporting.plant.opcua.machine_nodes import MachineNodes
from vtox.reporting.plant.opcua.nodes import (
    NAMESPACE,
    SCALARS,
    Quantity,
    Values,
    energy_values,
    nameplate_values,
    scalar_variable,
    state_values,
)
from vtox.reporting.plant.opcua.users import Users

log = structlog.get_logger()

# An event is there within two seconds of its alarm.
LOOK_EVERY_S = 0.5
ENERGY_EVERY_S = SCALARS_EVERY_S = 5.0
APPLICATION = "urn:vtox:opcua"
# Bands of OPC UA: 1 to 333 is low, to 666 medium, to 1,000 high.
SEVERITIES = {"warning": 500, "fault": 800}
SEVERITY_ENDED = 100
ENTRIES_AT_ONCE = 500
_ENCRYPTED = [
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]
_REAL = ua.VariantType.Double
_EVENT_FIELDS = ("MachineId", "Fault", "Level", "Event", "AlarmId", "Code", "WhatToDo")


class PlantServer:
    """The server and the part of the fleet that it shows."""

    def __init__(self, client: Client, settings: Settings, port: int) -> None:
        self._client = client
        self._settings = settings
        self._port = port
        self._fleet = FollowedFleet(client, settings.silence_after_s)
        self._due: set[str] = set()
        self._reported: set[tuple[str, str]] = set()
        self._alerts: Position | None = None
        self._energy_t = self._scalars_t = 0.0
        self._problem = ""
        self.server: Server
        self._nodes: MachineNodes
        self._events: EventGenerator

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stopped; failed steps are tried again."""
        await self._start()
        try:
            while not stop.is_set():
                await self.try_once()
                try:
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
                except TimeoutError:
                    continue
        finally:
            await self.server.stop()

    async def try_once(self) -> None:
        """Show the changes; while the server of the streams is away, the last values stay."""
        problem = ""
        try:
            await self._look()
        except (redis.RedisError, VtoxError) as error:
            problem = str(error)
        except Exception as error:  # clients go on reading, whatever it is
            problem = reason_of(error)
            if problem != self._problem:
                log.exception("a look failed and is tried again")
        if problem != self._problem:
            log.warning("values stay as they were", reason=problem) if problem else log.info(
                "values are followed again"
            )
        self._problem = problem

    async def _start(self) -> None:
        logging.getLogger("asyncua").setLevel(logging.ERROR)
        alone = self._settings.api_host in ("127.0.0.1", "::1", "localhost")
        users = Users(self._client, may_be_anonymous=alone)
        self.server = Server(user_manager=users)
        sessions.install(self.server)
        connections.install(self.server)
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://{self._settings.api_host}:{self._port}/vtox")
        self.server.set_server_name("VTOX")
        await self.server.set_build_info(NAMESPACE, "VTOX", "VTOX", RELEASE, "", ua.DateTime.now())
        await self.server.set_application_uri(APPLICATION)
        await self._set_certificate()
        open_to_this_host = [ua.SecurityPolicyType.NoSecurity] if alone else []
        self.server.set_security_policy([*_ENCRYPTED, *open_to_this_host])
        tokens = [ua.UserNameIdentityToken, *([ua.AnonymousIdentityToken] if alone else [])]
        self.server.set_identity_tokens(tokens)
        index = await self.server.register_namespace(NAMESPACE)
        self._nodes = MachineNodes(self.server, index)
        await self._nodes.make_folder()
        fields = [(name, ua.VariantType.String) for name in _EVENT_FIELDS]
        kind = await self.server.create_custom_event_type(
            index, "VtoxAlarmEventType", properties=fields
        )
        self._events = await self.server.get_event_generator(kind, ua.ObjectIds.Server)
        await self.try_once()
        await self.server.start()
        log.info("serving", endpoint=self.server.endpoint.geturl(), machines=len(self._nodes.shown))

    async def _set_certificate(self) -> None:
        folder: Path = self._settings.data_dir
        key, certificate = folder / "opcua-key.pem", folder / "opcua-certificate.der"
        await setup_self_signed_certificate(
            key,
            certificate,
            app_uri=APPLICATION,
            host_name=gethostname(),
            cert_use=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
            subject_attrs={"commonName": "VTOX", "organizationName": "VTOX"},
        )
        key.chmod(0o600)
        await self.server.load_certificate(str(certificate))
        await self.server.load_private_key(str(key))

    async def _look(self) -> None:
        if self._alerts is None:
            newest = await asyncio.to_thread(newest_id, self._client, keys.ALERTS)
            self._alerts = Position(keys.ALERTS, newest)
        await self._show_states()
        now = time.monotonic()
        if not self._energy_t or now - self._energy_t >= ENERGY_EVERY_S:
            self._energy_t = now
            await asyncio.to_thread(self._report)
            await self._show_energy()
        await self._publish_alarm_events()
        # Last: without the history the others are there all the same.
        if not self._scalars_t or now - self._scalars_t >= SCALARS_EVERY_S:
            self._scalars_t = now
            await self._show_scalars()

    async def _show_states(self) -> None:
        news = await asyncio.to_thread(self._fleet.look)
        for machine_id in news.gone:
            await self._nodes.remove(machine_id)
        self._reported = {x for x in self._reported if x[0] not in news.gone}
        # Kept until they are shown: the server may not answer for their nameplates now.
        self._due = (self._due - news.gone) | {m.machine_id for m in news.changed}
        ids = sorted(self._due)
        plates = await asyncio.to_thread(load_motors, self._client, ids)
        for machine_id, plate in zip(ids, plates, strict=True):
            await self._show(machine_id, partial(self._state, machine_id, plate))
        self._due.clear()

    def _state(self, machine_id: str, plate: Motor | None) -> Values:
        machine, silent = self._fleet.machines[machine_id], machine_id in self._fleet.silent
        return state_values(machine, silent=silent) | _plate(plate)

    def _report(self) -> None:
        seen_t, own = server_time(self._client), self.server.iserver.certificate
        end_t = own.not_valid_after_utc.timestamp()
        beat = OpcuaHeartbeat(
            host=gethostname(), pid=os.getpid(), last_seen_t=seen_t, certificate_end_t=end_t
        )
        heartbeats.send(self._client, beat)

    async def _show_scalars(self) -> None:
        found = await asyncio.to_thread(_latest_scalars, self._settings)
        for machine_id, known in list(self._nodes.shown.items()):
            old = {n: Quantity(None, _REAL) for n in known if n.startswith(f"{SCALARS}/")}
            await self._show(machine_id, partial(dict, old | found.get(machine_id, {})))

    async def _show_energy(self) -> None:
        ids = sorted(self._nodes.shown)
        found = await asyncio.to_thread(meters, self._client, ids)
        for machine_id, meter in zip(ids, found, strict=True):
            await self._show(machine_id, partial(energy_values, meter))

    async def _publish_alarm_events(self) -> None:
        assert self._alerts is not None
        batch = await asyncio.to_thread(
            stream_reader.read, self._client, self._alerts, ENTRIES_AT_ONCE
        )
        alerts, skipped = read_each(batch.entries, lambda _, x: codec.decode_fields(Alert, x))
        for entry_id, alert in alerts:
            try:
                await self._tell(alert)
            except Exception as error:  # an event that fails must not stop the others
                skipped.append((entry_id, Unreadable(UNREADABLE, reason_of(error))))
        self._alerts = batch.end
        await self._pass_over(keys.ALERTS, skipped)

    async def _tell(self, a: Alert) -> None:
        if not a.event:
            return
        event = self._events.event
        ended = a.event in ("cleared", "suppressed")
        event.Severity = SEVERITY_ENDED if ended else SEVERITIES.get(a.level, SEVERITY_ENDED)
        event.SourceName = a.machine_id or "VTOX"
        is_machine = a.machine_id in self._nodes.shown
        server = ua.NodeId(ua.ObjectIds.Server)
        event.SourceNode = self._nodes.id(a.machine_id) if is_machine else server
        what_to_do = rendering.advice(a.code, a.values, level=a.level)
        said = (a.machine_id, a.fault, a.level, a.event, a.id, a.code, what_to_do)
        for name, text in zip(_EVENT_FIELDS, said, strict=True):
            setattr(event, name, text)
        fault = rendering.name_of("fault", a.fault)
        why = rendering.full_reason(a)
        await self._events.trigger(message=f"{event.SourceName}: {fault}, {a.event}: {why}")

    async def _show(self, machine_id: str, make: Callable[[], Values]) -> None:
        """Show a machine; one that cannot be shown is passed over, and reported once."""
        try:
            await self._nodes.show(machine_id, make())
        except Exception as error:  # an error of one machine: the others are still shown
            why = reason_of(error)
            if (machine_id, why) not in self._reported:
                self._reported.add((machine_id, why))
                await self._pass_over(
                    keys.MACHINES, [(machine_id.encode(), Unreadable(UNREADABLE, why))]
                )

    async def _pass_over(self, where: str, skipped: Sequence[tuple[bytes, Unreadable]]) -> None:
        await asyncio.to_thread(note_skipped, self._client, "opcua", where, skipped)


def _latest_scalars(settings: Settings) -> dict[str, Values]:
    """Return machine id -> its scalars; none if the history is not reachable by the settings."""
    found: dict[str, Values] = defaultdict(dict)
    with reading(settings) as db:
        for r, _ in latest(db) if db is not None else ():
            found[r.machine_id][scalar_variable(r.name, r.unit)] = Quantity(r.value, _REAL, r.t)
    return found


def _plate(motor: Motor | None) -> Values:
    return nameplate_values(flattened(motor_to_dict(motor))) if motor else {}
