"""From the broker into the stream: each message is acknowledged once its window is there.

No content of a message ends the gateway: a message is a window, or a dead letter. Trouble of the
server or of the data folder is waited out, with the messages unacknowledged.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Event

import structlog

from vtox.motor.errors import InputError
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.errors import TooManyScalars
from vtox.pipeline.sending.mqtt import sparkplug, sparkplug_nodes
from vtox.pipeline.sending.mqtt.connection import Connection, ReceivedMessage
from vtox.pipeline.sending.mqtt.mapping import TopicRule
from vtox.pipeline.sending.mqtt.payloads import (
    Action,
    Birth,
    Departure,
    Message,
    Nameplate,
    Rebirth,
    Samples,
    Scalars,
    refusal,
    samples_of,
)
from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births
from vtox.pipeline.store.alarms.flags import note_departure
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.unreadable import (
    Unreadable,
    is_trouble,
    read,
    read_or_none,
    reason_of,
)
from vtox.pipeline.windows.wire import entry_header

log = structlog.get_logger()

POLL_S = 0.2
# The first and the longest pause while server or data folder are in trouble.
PAUSE_S, MAX_PAUSE_S = 0.2, 5.0
# Messages that are handled together: one transaction carries about as much as a publisher's batch.
BATCH = 64


class Gateway:
    """Takes messages of `rules` from a connection and sends their windows by a publisher."""

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        client: Client,
        rules: Sequence[TopicRule],
        births: Births,
        *,
        max_machines: int = 0,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._client = client
        self._rules = rules
        self._births = births
        self._max_machines = max_machines
        # Topics with a new message since the last CONNECT: messages delivered again come before it.
        self._settled: set[str] = set()
        self.windows = self.refused = 0
        self._stop = Event()
        self._waits_for = ""
        connection.on_connect = self._settled.clear

    def run(self, stop: Event) -> None:
        """Work until stopped; deliver and acknowledge the messages taken by then, if possible."""
        self._stop = stop
        try:
            while not stop.is_set():
                before = self._connection.waiting
                self._connection.poll(0.0 if before else POLL_S)
                waiting = self._connection.waiting
                if waiting >= BATCH or (waiting and waiting == before):
                    self.handle(self._connection.take())
                elif self._publisher.waiting:
                    self._patiently(self._catch_up)
        except _Stopping:
            log.warning("stopped while messages wait: the broker delivers them again")

    def handle(self, deliveries: Sequence[ReceivedMessage]) -> None:
        """Handle messages, then acknowledge them."""
        for delivery in deliveries:
            self._patiently(partial(self._take, delivery.message))
        self._patiently(self._deliver)
        for delivery in deliveries:
            self._connection.acknowledge(delivery)

    def _deliver(self) -> None:
        """Send the taken messages, or have them on disk: then the broker may forget them."""
        self._catch_up()
        while self._publisher.unsaved:
            self._wait(PAUSE_S)
            self._catch_up()

    def _catch_up(self) -> None:
        """Send the waiting windows; with a spool until the first hindrance."""
        for hindrance in self._publisher.deliver():
            if hindrance != self._waits_for:
                log.warning("windows wait for the server", why=hindrance)
                self._waits_for = hindrance
            self._connection.poll(0.0)
            self._end_if_stopped()
        self._waits_for = self._waits_for if self._publisher.waiting else ""
        self.windows += sum(a.seq >= 0 for a in self._publisher.take_accepted())

    def _take(self, message: Message) -> None:
        """Handle a message; if that is not possible, it becomes a dead letter."""
        rule, levels = self._rule(message.topic)
        if rule is None:
            log.warning("no rule for a topic", topic=message.topic)
            return
        refused = read(self._follow, rule, levels, message)
        if isinstance(refused, Unreadable):
            self.refused += 1
            log.warning("a message is refused", topic=message.topic, why=refused.reason)
            machine_id = read_or_none(self._machine, rule, levels, message.topic) or ""
            why = refusal(message, machine_id, refused.reason, rule.format)
            self._publisher.collect_refusal(why)

    def _follow(self, rule: TopicRule, levels: dict[str, str], message: Message) -> None:
        """Handle a message, its window last: then it may be done again from the start."""
        beyond: TooManyScalars | None = None
        for action in self._actions(rule, levels, message):
            try:
                self._apply_action(action, message)
            except TooManyScalars as error:  # which keeps no window back
                beyond = error
        if beyond:
            raise beyond

    def _rule(self, topic: str) -> tuple[TopicRule | None, dict[str, str]]:
        is_sparkplug = sparkplug.parse_topic(topic)
        for rule in self._rules:
            if rule.format == "sparkplug":
                if is_sparkplug and is_sparkplug.group == rule.topic:
                    return rule, {}
            elif (levels := rule.levels(topic)) is not None:
                return rule, levels
        return None, {}

    def _machine(self, rule: TopicRule, levels: dict[str, str], topic: str) -> str:
        if rule.format == "sparkplug":
            return sparkplug_nodes.machine_of(rule, topic)
        return rule.machine(levels)

    def _actions(
        self, rule: TopicRule, levels: dict[str, str], message: Message
    ) -> Iterable[Action]:
        if rule.format == "sparkplug":
            return sparkplug_nodes.actions(rule, self._births, message)
        return [samples_of(rule, levels, message)]

    def _apply_action(self, action: Action, message: Message) -> None:
        match action:
            case Samples():
                self._send(action, message)
            case Scalars(readings):
                admit_readings(self._client, readings, self._max_machines, others=True)
            case Birth():
                self._births.keep(action)
            case Nameplate(machine_id, motor):
                register(self._client, machine_id, motor, limit=self._max_machines)
            case Departure(machine_id):
                note_departure(self._client, machine_id)
            case Rebirth(topic):
                self._connection.publish(topic, sparkplug.rebirth_command())
                raise InputError("metrics without names whose birth is not known: asked for it")

    def _send(self, samples: Samples, message: Message) -> None:
        fields, name = dict(samples.fields), ""
        if "t0" not in fields:
            header = entry_header({"seq": "0", "t0": "1"} | fields)
            fields["t0"] = repr(message.received_t - header.duration_s)
            if "seq" not in fields:
                name = self._name(samples.machine_id, message)
        self._publisher.collect_entry(fields, name=name)

    def _name(self, machine_id: str, message: Message) -> str:
        """Return the name of a window that has neither number nor time, made of its samples.

        The same samples are the same window only if the broker may be delivering again.
        """
        digest = hashlib.sha256(message.topic.encode() + b"|" + message.payload).hexdigest()
        known = self._publisher.name_of(machine_id, digest)
        if known and (message.dup or message.topic not in self._settled):
            return known
        self._settled.add(message.topic)
        return f"{digest}.{time.time_ns()}"

    def _patiently(self, do: Callable[[], None]) -> None:
        """Do something, again and again while the server or the data folder refuse it."""
        pause_s = PAUSE_S
        while True:
            try:
                return do()
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("messages wait and are tried again", why=reason_of(error), in_s=pause_s)
            self._wait(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _wait(self, seconds: float) -> None:
        """Stay connected meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._end_if_stopped()
            self._connection.poll(min(left, POLL_S))

    def _end_if_stopped(self) -> None:
        if self._stop.is_set():
            raise _Stopping


class _Stopping(Exception):
    """The gateway is to end; the broker delivers unacknowledged messages again."""
