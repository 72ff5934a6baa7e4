"""Publishes messages to an MQTT broker, each retained and confirmed (extra `mqtt`).

One connection a target, held open: its last will says `offline` once the broker misses us.
"""

import queue
import ssl
from typing import Any
from urllib.parse import unquote

import orjson
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from vtox.pipeline.configuration.mqtt_urls import broker_port, parse_url, tls_context
from vtox.pipeline.errors import RulesError, SettingsError
from vtox.reporting.notification.attempt import MESSAGE_REFUSED, Attempt
from vtox.reporting.notification.mqtt_topics import publication, status_topic
from vtox.reporting.notification.rules import Target
from vtox.reporting.notification.target_secrets import target_url

KEEPALIVE_S = 30
ONLINE, OFFLINE = b"online", b"offline"
# A broker may close the connection without a word for one message. It is given up after so many
# connections that took another message first: a network that fails does not even connect.
ENDS_MAX = 3
# These say that the broker is busy, not that it refuses a message: packet id in use, quota.
_BUSY = (0x91, 0x97)


class MqttTargets:
    """The connections to brokers, by the name of their target; each is used by one thread."""

    def __init__(self) -> None:
        self._connected: dict[str, _Connection] = {}
        # Target -> the message that is at the head, and how many connections have ended on it.
        self._ended: dict[str, tuple[str, int]] = {}

    def send(self, name: str, target: Target, message_id: str, body: bytes) -> Attempt:
        """Publish a message, wait until the broker has it; return its errors, never raise them."""
        topic, payload, retain = publication(target.prefix, orjson.loads(body))
        known = self._connected.get(name)
        fresh = known is None or not known.is_open
        connected = False
        try:
            broker = self._connect(name, target, retain) if known is None or fresh else known
            connected = True
            broker.publish(topic, payload, retain, target.timeout_s)
        except (RulesError, SettingsError):
            failed = Attempt(problem="mqtt_unusable")
        except ssl.SSLError:
            failed = Attempt(problem="tls_failed")
        except TimeoutError:
            failed = self._not_confirmed(name, message_id, connected, "timeout")
        except (OSError, ValueError, RuntimeError):
            failed = Attempt(problem="cannot_connect")
        except _RefusedError as refusal:
            failed = Attempt(problem=f"mqtt_refused {refusal}")
        except _MessageRefusedError as refusal:
            return _final_failure(str(refusal), fresh=fresh)
        except _EndedError as end:
            failed = self._not_confirmed(name, message_id, connected, f"broken_connection {end}")
        else:
            self._ended.pop(name, None)
            return Attempt(fresh=fresh)
        self._discard(name)
        return failed

    def _not_confirmed(self, name: str, message_id: str, connected: bool, problem: str) -> Attempt:
        """Give a message up on which connection after connection ends."""
        if not connected:
            return Attempt(problem=problem)
        last, times = self._ended.get(name, ("", 0))
        times = times + 1 if last == message_id else 1
        self._ended[name] = message_id, times
        return _final_failure(problem) if times >= ENDS_MAX else Attempt(problem=problem)

    def _connect(self, name: str, target: Target, lasting: bool) -> "_Connection":
        """Connect again: messages unconfirmed by the last connection wait in the outbox, not here.

        One that is not `lasting` is for a test, and says nothing of whether the notifier is there.

        Raises `RulesError`, `SettingsError`, `OSError`, `TimeoutError`, `_RefusedError`,
        `_EndedError`: the URL cannot be used; the broker is away; it refuses us.
        """
        self._discard(name)
        address = parse_url(target_url(name, target), f"targets.{name}")
        # Connecting again is ours: each connection begins with `online` and a renewed outbox.
        broker = paho.Client(
            CallbackAPIVersion.VERSION2, "", protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        broker.connect_timeout = target.timeout_s
        if address.username:
            password = unquote(address.password) if address.password else None
            broker.username_pw_set(unquote(address.username), password)
        if address.scheme == "mqtts":
            broker.tls_set_context(tls_context(address, f"targets.{name}"))
        if lasting:
            broker.will_set(status_topic(target.prefix), OFFLINE, qos=1, retain=True)
        connection = _Connection(broker)
        assert address.hostname
        broker.connect(address.hostname, broker_port(address), KEEPALIVE_S)
        self._connected[name] = connection
        broker.loop_start()
        if lasting:
            try:
                connection.publish(status_topic(target.prefix), ONLINE, True, target.timeout_s)
            except _MessageRefusedError as refusal:
                raise _RefusedError(str(refusal)) from None
        return connection

    def _discard(self, name: str) -> None:
        """End a connection without a word, so that the broker publishes the last will."""
        if connection := self._connected.pop(name, None):
            connection.broker.loop_stop()
            if sock := connection.broker.socket():
                sock.close()


class _RefusedError(Exception):
    """The broker refuses us."""


class _MessageRefusedError(Exception):
    """The broker, or MQTT itself, refuses a message."""


class _EndedError(Exception):
    """The connection has ended before the broker confirmed a message."""


class _Connection:
    """A connection on which one message after the other is published."""

    def __init__(self, broker: paho.Client) -> None:
        self.broker = broker
        # None for a message that was confirmed, else why it was not.
        self._answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        broker.on_connect = lambda *a: self._note_connected(a[3])
        broker.on_publish = lambda *a: self._answers.put(_refusal(a[3]))
        broker.on_disconnect = lambda *a: self._answers.put(_EndedError(str(a[3])))

    @property
    def is_open(self) -> bool:
        """Whether the connection is open; an end that has not been noticed yet does not count."""
        return self.broker.is_connected()

    def publish(self, topic: str, payload: Any, retain: bool, timeout_s: float) -> None:
        """Publish with QoS 1 and wait for the confirmation.

        Raises `TimeoutError`: none came. `_EndedError`, `_RefusedError`, `_MessageRefusedError`.
        """
        try:
            self.broker.publish(topic, payload, qos=1, retain=retain)
        except ValueError as error:
            raise _MessageRefusedError(str(error)) from None
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None
        if answer:
            raise answer

    def _note_connected(self, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._answers.put(_RefusedError(str(reason)))


def _refusal(reason: ReasonCode) -> Exception | None:
    if not reason.is_failure:
        return None
    busy = reason.value in _BUSY
    return _RefusedError(str(reason)) if busy else _MessageRefusedError(str(reason))


def _final_failure(why: str, *, fresh: bool = False) -> Attempt:
    """Return the attempt of a message that the broker does not take, though it takes others."""
    return Attempt(problem=f"{MESSAGE_REFUSED} {why}", fresh=fresh, of_message=True, final=True)
