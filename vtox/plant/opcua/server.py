"""The OPC UA server: an object for each machine, kept up to date, and an event for each alarm.

It reads the server of the streams and writes nothing there. One loop asks what has changed; asyncua
serves clients in the same thread.
"""

import asyncio
import logging
import time
from collections import defaultdict
from pathlib import Path
from socket import gethostname

import redis
import structlog
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.event_generator import EventGenerator
from cryptography.x509.oid import ExtendedKeyUsageOID

from vtox import keys
from vtox.alarms.health.alert_values import Alert
from vtox.configuration.settings import Settings
from vtox.errors import VtoxError
from vtox.plant.opcua import subscriptions
from vtox.plant.opcua.nodes import (
    NAMESPACE,
    Quantity,
    Values,
    energy_values,
    nameplate_values,
    state_values,
)
from vtox.records.history.database import reading
from vtox.records.history.scalars import latest
from vtox.store.machines.energy import meters
from vtox.store.machines.followed_fleet import FollowedFleet
from vtox.store.machines.machines import load_motors
from vtox.store.server.client import Client
from vtox.store.stream import stream_reader
from vtox.store.stream.outputs import newest_id
from vtox.store.stream.stream_reader import Position
from vtox.store.stream.unreadable import Unreadable, read
from vtox.store.system import apikeys
from vtox.values import codec
from vtox.values.domain import Motor
from vtox.values.nameplate import motor_to_dict
from vtox.values.nameplate_fields import flattened
from vtox.version import RELEASE
from vtox.words import rendering

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


class _Users:
    """Who may read: the password is an API key with scope `read`, the name is free.

    Without a password only where no API key exists, and this host alone can connect.
    """

    def __init__(self, client: Client, *, may_be_anonymous: bool) -> None:
        self._client = client
        self._may_be_anonymous = may_be_anonymous

    def get_user(
        self,
        iserver: object,
        username: str | None = None,
        password: str | bytes | None = None,
        certificate: object = None,
    ) -> User | None:
        """Return the user of a session; None refuses it."""
        try:
            if not password:
                anyone = self._may_be_anonymous and not apikeys.any_exist(self._client)
                return User(role=UserRole.User) if anyone else None
            text = password.decode("utf-8", "replace") if isinstance(password, bytes) else password
            key = apikeys.verify(self._client, text)
        except (redis.RedisError, VtoxError):
            return None
        allowed = key is not None and key.allows("read")
        return User(role=UserRole.User, name=username) if allowed else None


class PlantServer:
    """The server and what it shows; `machines` are the ids of those it has."""

    def __init__(self, client: Client, settings: Settings, port: int) -> None:
        self._client = client
        self._settings = settings
        self._port = port
        self._fleet = FollowedFleet(client, settings.silence_after_s)
        self._shown: dict[str, Values] = {}
        self._alerts: Position | None = None
        self._energy_t = self._scalars_t = 0.0
        self._index = 0
        self._problem = ""
        self.server: Server
        self._events: EventGenerator

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stopped; what fails is tried again."""
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
        """Show what is new; while the server of the streams is away, the last values stay."""
        problem = ""
        try:
            await self._look()
        except (redis.RedisError, VtoxError) as error:
            problem = str(error)
        if problem != self._problem:
            log.warning("values stay as they were", reason=problem) if problem else log.info(
                "values are followed again"
            )
        self._problem = problem

    async def _start(self) -> None:
        logging.getLogger("asyncua").setLevel(logging.ERROR)
        alone = self._settings.api_host in ("127.0.0.1", "::1", "localhost")
        users = _Users(self._client, may_be_anonymous=alone)
        self.server = Server(user_manager=users)
        subscriptions.install(self.server)
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
        self._index = await self.server.register_namespace(NAMESPACE)
        await self.server.nodes.objects.add_folder(*self._identity("Machines"))
        fields = [(name, ua.VariantType.String) for name in _EVENT_FIELDS]
        kind = await self.server.create_custom_event_type(
            self._index, "VtoxAlarmEventType", properties=fields
        )
        self._events = await self.server.get_event_generator(kind, ua.ObjectIds.Server)
        await self.try_once()
        await self.server.start()
        log.info("serving", endpoint=self.server.endpoint.geturl(), machines=len(self._shown))

    async def _set_certificate(self) -> None:
        folder: Path = self._settings.data_dir
        key, certificate = folder / "opcua-key.pem", folder / "opcua-certificate.der"
        await setup_self_signed_certificate(
            *(key, certificate, APPLICATION, gethostname()),
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
            {"commonName": "VTOX", "organizationName": "VTOX"},
        )
        key.chmod(0o600)
        await self.server.load_certificate(str(certificate))
        await self.server.load_private_key(str(key))

    async def _look(self) -> None:
        if self._alerts is None:
            newest = await asyncio.to_thread(newest_id, self._client, keys.ALERTS)
            self._alerts = Position(keys.ALERTS, newest)
        news = await asyncio.to_thread(self._fleet.look)
        for machine_id in news.gone:
            await self._remove(machine_id)
        ids = [m.machine_id for m in news.changed]
        plates = await asyncio.to_thread(load_motors, self._client, ids)
        for m, plate in zip(news.changed, plates, strict=True):
            values = state_values(m, silent=m.machine_id in self._fleet.silent)
            await self._show(m.machine_id, values | _plate(plate))
        now = time.monotonic()
        if not self._energy_t or now - self._energy_t >= ENERGY_EVERY_S:
            self._energy_t = now
            await self._show_energy()
        await self._tell_alarms()
        # Last: without the history the others are there all the same.
        if not self._scalars_t or now - self._scalars_t >= SCALARS_EVERY_S:
            self._scalars_t = now
            await self._show_scalars()

    async def _show_scalars(self) -> None:
        found = await asyncio.to_thread(_latest_scalars, self._settings)
        for machine_id, known in self._shown.items():
            kept = {name: Quantity(None, _REAL) for name in known if name.startswith("Scalars.")}
            await self._show(machine_id, kept | found.get(machine_id, {}))

    async def _show_energy(self) -> None:
        ids = sorted(self._fleet.machines)
        found = await asyncio.to_thread(meters, self._client, ids)
        for machine_id, meter in zip(ids, found, strict=True):
            await self._show(machine_id, energy_values(meter))

    async def _tell_alarms(self) -> None:
        assert self._alerts is not None
        batch = await asyncio.to_thread(
            stream_reader.read, self._client, self._alerts, ENTRIES_AT_ONCE
        )
        for _, fields in batch.entries:
            alert = read(codec.decode_fields, Alert, fields)
            if not isinstance(alert, Unreadable) and alert.event:
                await self._tell(alert)
        self._alerts = batch.end

    async def _tell(self, a: Alert) -> None:
        event = self._events.event
        ended = a.event in ("cleared", "suppressed")
        event.Severity = SEVERITY_ENDED if ended else SEVERITIES.get(a.level, SEVERITY_ENDED)
        event.SourceName = a.machine_id or "VTOX"
        is_machine = a.machine_id in self._shown
        event.SourceNode = self._id(a.machine_id) if is_machine else ua.NodeId(ua.ObjectIds.Server)
        said = (a.machine_id, a.fault, a.level, a.event, a.id, a.code, rendering.advice(a.code))
        for name, text in zip(_EVENT_FIELDS, said, strict=True):
            setattr(event, name, text)
        fault = rendering.name_of("fault", a.fault)
        why = rendering.full_reason(a)
        await self._events.trigger(message=f"{event.SourceName}: {fault}, {a.event}: {why}")

    async def _show(self, machine_id: str, values: Values) -> None:
        """Write what has changed; make the nodes that are new."""
        known = self._shown.get(machine_id)
        if known is None:
            folder = self.server.get_node(self._id("Machines"))
            machine = await folder.add_object(*self._identity(machine_id))
            for part in ("Faults", "Nameplate", "Scalars"):
                await machine.add_object(*self._identity(f"{machine_id}.{part}", part))
            known = self._shown[machine_id] = {}
        for name in [n for n in known if n.startswith("Nameplate.") and "State" in values]:
            if name not in values:
                await self.server.delete_nodes([self.server.get_node(self._id(machine_id, name))])
                del known[name]
        for name, quantity in values.items():
            if name not in known:
                await self._add(machine_id, name, quantity)
            elif known[name] != quantity:
                node = self._id(machine_id, name)
                await self.server.write_attribute_value(node, quantity.data_value())
            known[name] = quantity

    async def _add(self, machine_id: str, name: str, quantity: Quantity) -> None:
        part, _, last = name.partition(".")
        parent = self._id(machine_id, part) if last else self._id(machine_id)
        node = self.server.get_node(parent)
        named = self._identity(f"{machine_id}.{name}", last or part)
        first = quantity.value if quantity.value is not None else 0.0
        await node.add_variable(*named, ua.Variant(first, quantity.kind))
        if quantity.value is None or quantity.t is not None:
            await self.server.write_attribute_value(named[0], quantity.data_value())

    async def _remove(self, machine_id: str) -> None:
        if self._shown.pop(machine_id, None) is not None:
            node = self.server.get_node(self._id(machine_id))
            await self.server.delete_nodes([node], recursive=True)

    def _id(self, *names: str) -> ua.NodeId:
        return ua.NodeId(".".join(names), self._index)

    def _identity(self, node_id: str, name: str = "") -> tuple[ua.NodeId, ua.QualifiedName]:
        return self._id(node_id), ua.QualifiedName(name or node_id, self._index)


def _latest_scalars(settings: Settings) -> dict[str, Values]:
    """Return machine id -> its scalars; none where the history is not reachable by the settings."""
    found: dict[str, Values] = defaultdict(dict)
    with reading(settings) as db:
        for r, _ in latest(db) if db is not None else ():
            found[r.machine_id][f"Scalars.{r.name}:{r.unit}"] = Quantity(r.value, _REAL, r.t)
    return found


def _plate(motor: Motor | None) -> Values:
    return nameplate_values(flattened(motor_to_dict(motor))) if motor else {}
