"""Windows in by MQTT and a spool, states and alarms out by MQTT, while each part is disturbed.

Sender -> mosquitto -> `vtox mqtt --spool` -> server, bridge, workers -> `vtox notify run` ->
mosquitto -> a subscriber. The broker is stopped in order, never killed: a killed mosquitto loses
messages that it has confirmed and not saved, and no later part can help (docs/appendix/mqtt.md).
"""

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import redis
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from faults.history import History, read
from faults.outages import measure
from faults.parts import Part
from faults.run import DISTURBED, Load, Test
from faults.schedule import Kinds, schedule
from faults.system import Options, System
from tests.cluster import free_ports
from tests.mosquitto import PROGRAM, SUBSCRIBED
from vtox.pipeline.client.spool import FILE
from vtox.pipeline.configuration import keys

GATEWAY, NOTIFIER, BROKER = "gateway", "notifier", "broker"
BOTH = (GATEWAY, NOTIFIER)
KINDS: Kinds = {
    "kill": (BOTH, (0.1, 4.0)),
    "stop": ((*BOTH, BROKER), (1.0, 8.0)),
    "cut": (BOTH, (0.0, 0.0)),
    "term": ((BROKER,), (0.1, 4.0)),
    "half_open": (BOTH, (2.0, 8.0)),
    "down": ((GATEWAY,), (3.0, 10.0)),
}
PREFIX = "vtox"
MAPPING = '[[topics]]\ntopic = "plant/{machine_id}/window"\nformat = "entry"\n'
RULES = """
[targets.plant]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
timeout_s = 3
retry_first_s = 0.1
retry_max_s = 1

[[rules]]
targets = ["plant"]
"""
CONFIGURATION = """
user root
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 0
log_type all
"""
# Time until everything under way has arrived; and the compared fields of a machine in the API.
BACK_S = 60.0
COMPARED = ("state", "health", "silent")
# An event of an alarm: id of the alarm, kind of the event, level.
AlarmEvent = tuple[str, str, str]


def mqtt(seed: int) -> Test:
    """Kill, stop and cut the gateway with its spool, the notifier and the broker."""
    load = Load(windows=1800, rate=60.0)
    return Test(
        name="MQTT: spool in, alarms and states out",
        seed=seed,
        load=load,
        schedule=schedule(seed, load.span_s, counted=6, others=6, of=KINDS),
        options=Options(standby=False, plug_ins="faults.alternating,"),
        system=Plant,
        during=_during,
        after=_after,
        limits=DISTURBED | {"windows": load.windows, "disturbances": 10},
        needs="" if PROGRAM else "mosquitto is not installed",
    )


class Subscriber:
    """The output of a broker: the state of each machine, and the events of alarms in order.

    With a name it has a session, for which the broker keeps messages while it is away.
    """

    def __init__(self, port: int, name: str = "", history: History | None = None) -> None:
        self.states: dict[str, Any] = {}
        self.alarms: list[AlarmEvent] = []
        self.online = False
        self._history = history
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600 if name else 0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda *_: self.client.subscribe(f"{PREFIX}/#", qos=1)
        self.client.on_message = self._note
        self.client.connect_async("127.0.0.1", port, clean_start=not name, properties=kept)
        self.client.loop_start()

    def close(self) -> None:
        """End the connection."""
        self.client.disconnect()
        self.client.loop_stop()

    def _note(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        topic = message.topic
        self.online |= topic == f"{PREFIX}/status" and message.payload == b"online"
        if topic.endswith("/state"):
            self.states[topic.split("/")[-2]] = json.loads(message.payload)
        if "/alarms/" in topic:
            data = json.loads(message.payload)["data"]
            self.alarms.append((data["alarm"]["id"], data["event"], data["alarm"]["level"]))
            if self._history:
                self._history.add(
                    "heard", topic=topic, alarm=data["alarm"]["id"], name=data["event"]
                )


class Plant(System):
    """A system with a broker, a gateway that keeps a spool, a notifier, and a subscriber."""

    def __init__(self, folder: Path, history: History, options: Options) -> None:
        super().__init__(folder, history, options)
        if options.supervised:
            raise ValueError("gateway and notifier are started one by one: not under `vtox up`")
        (self.broker_port,) = free_ports(1)
        self.spool = folder / "spool"
        self.subscriber: Subscriber | None = None

    @contextmanager
    def running(self) -> Iterator["System"]:
        """Run everything until the block ends."""
        try:
            with super().running():
                yield self
        finally:
            if self.subscriber:
                self.subscriber.close()

    def ready(self) -> bool:
        """Whether the system is ready, the gateway has its session, and the notifier publishes."""
        taken = SUBSCRIBED in (self.folder / f"{BROKER}.log").read_text(errors="replace")
        return taken and bool(self.subscriber and self.subscriber.online) and super().ready()

    def add_sender(self, arguments: list[str], *, http: bool = False) -> Part:
        """Start a sender by MQTT in place of one that sends to the server.

        Machines by HTTP have alarms while the broker is away.
        """
        arguments = [*arguments, "--alternating"]
        if http:
            return super().add_sender(arguments, http=True)
        where = ["--mqtt", str(self.broker_port)]
        command = ["faults.sender", str(self.history.path), *where, *arguments]
        return self.add("sender", command, self._base_environment(), one_shot=True)

    def _add_processes(self, base: dict[str, str]) -> None:
        super()._add_processes(base)
        kept = self.folder / BROKER
        kept.mkdir()
        port = self.broker_port
        configuration, mapping, rules = (
            self._file("mosquitto.conf", CONFIGURATION.format(port=port, folder=kept)),
            self._file("mapping.toml", MAPPING),
            self._file("notify.toml", RULES.format(port=port)),
        )
        assert PROGRAM
        self.start_part(BROKER, [PROGRAM, "-c", configuration], base)
        self.subscriber = Subscriber(port, "panel", self.history)
        gateway = ["vtox", "mqtt", mapping, "--spool", str(self.spool)]
        broker = {"VTOX_MQTT_URL": f"mqtt://127.0.0.1:{port}"}
        self.add(GATEWAY, gateway, base | broker, link=GATEWAY)
        told = {"VTOX_NOTIFY_FILE": rules}
        self.add(NOTIFIER, ["vtox", "notify", "run"], base | told, link=NOTIFIER)

    def _file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def counted(self) -> int:
        """Return how many windows the bridge has counted; 0 while the server does not answer."""
        with suppress(redis.RedisError), self.client() as client:
            return int(client.hget(keys.COUNTERS, "windows_in") or 0)
        return 0

    def machines(self) -> list[dict[str, Any]]:
        """Return the machines in the API."""
        reply = httpx.get(f"http://127.0.0.1:{self.api_port}/api/v1/machines", timeout=10)
        found: list[dict[str, Any]] = reply.raise_for_status().json()["data"]
        return found

    def alarms(self) -> list[tuple[str, AlarmEvent]]:
        """Return machine and event of each entry of the stream of alarms."""
        with self.client() as client:
            entries = client.xrange(keys.ALERTS)
        texts = [{k.decode(): v.decode() for k, v in f.items()} for _, f in entries]
        return [(t["machine_id"], (t["id"], t["event"], t["level"])) for t in texts]


def _during(system: System, history: History) -> None:
    """Wait until broker and spool have handed on everything that was acknowledged."""
    assert isinstance(system, Plant)
    senders = [system.parts[n] for n in ("sender", "http-sender")]
    system.wait(lambda: not any(s.wanted for s in senders), "end of the senders")
    acknowledged = {(e["machine"], e["seq"]) for e in read(history.path) if e["event"] == "ack"}
    ended = time.monotonic()
    with suppress(TimeoutError):  # then the checker says which are lost
        system.wait(lambda: system.counted() >= len(acknowledged), "all windows", BACK_S)
    seconds = round(time.monotonic() - ended, 2)
    measure(history, "all windows in the stream after the last acknowledgement, s", seconds, BACK_S)


def _after(system: System, history: History) -> None:
    """Compare the subscriber, the broker and the spool with the server."""
    assert isinstance(system, Plant)
    assert system.subscriber
    heard = system.subscriber.alarms
    late = Subscriber(system.broker_port)

    def missing() -> set[AlarmEvent]:
        return {event for _, event in system.alarms()} - set(heard)

    def wrong() -> list[str]:
        return differing(system.machines(), late.states)

    never = _last_of(system, missing)
    kept = _last_of(system, wrong)
    late.close()
    sent = system.alarms()
    least = 10 if system.options.light else 0
    history.add("measure", name="alarm events", value=len(sent), at_least=least)
    measure(history, "alarm events that never arrived", len(never), 0)
    measure(history, "machines with events out of order", len(out_of_order(sent, heard)), 0)
    measure(history, "machines whose retained state is not the API's", len(kept), 0)
    measure(history, "windows left in the spool", left_in(system.spool), 0)


def _last_of(system: System, found: Callable[[], Collection[Any]]) -> Collection[Any]:
    """Wait until nothing is found; return the last find when time is up."""
    last: Collection[Any] = ()

    def nothing() -> bool:
        nonlocal last
        last = found()
        return not last

    with suppress(TimeoutError):
        system.wait(nothing, "end of what is under way", BACK_S)
    return last


def differing(machines: Sequence[dict[str, Any]], states: dict[str, Any]) -> list[str]:
    """Return the machines of which the API and the broker do not say the same."""

    def said(of: dict[str, Any], faults: dict[str, str]) -> list[Any]:
        return [*(of[n] for n in COMPARED), faults]

    found = []
    for m in machines:
        kept = states.get(m["machine_id"])
        by_fault = {n: f["state"] for n, f in kept["faults"].items()} if kept else {}
        if kept is None or said(m, m["faults"]) != said(kept, by_fault):
            found.append(m["machine_id"])
    return found


def out_of_order(sent: Sequence[tuple[str, AlarmEvent]], heard: Sequence[AlarmEvent]) -> list[str]:
    """Return the machines whose events first arrived in another order than they were sent."""
    first = {event: n for n, event in reversed(list(enumerate(heard)))}
    arrived = defaultdict[str, list[int]](list)
    for machine, event in sent:
        if event in first:
            arrived[machine].append(first[event])
    return [machine for machine, numbers in arrived.items() if numbers != sorted(numbers)]


def left_in(spool: Path) -> int:
    """Return how many windows a spool holds."""
    with closing(sqlite3.connect(spool / FILE)) as db:
        return int(db.execute("SELECT COUNT(*) FROM windows").fetchone()[0])
