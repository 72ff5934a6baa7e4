"""Publishes messages to an MQTT broker, each retained and confirmed (extra `mqtt`).

One connection a target, held open: its last will says `offline` once the broker misses us.
"""

import ssl
from typing import Any
from urllib.parse import unquote

import orjson
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from vtox.pipeline.configuration.mqtt_urls import broker_port, parse_url, tls_context
from vtox.pipeline.errors import RulesError, SettingsError
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.mqtt_topics import publication, status_topic
from vtox.reporting.notification.rules import Target
from vtox.reporting.notification.target_secrets import target_url

KEEPALIVE_S = 30
ONLINE, OFFLINE = b"online", b"offline"


class MqttTargets:
    """The connections to brokers, by the name of their target; each is used by one thread."""

    def __init__(self) -> None:
        self._connected: dict[str, paho.Client] = {}

    def send(self, name: str, target: Target, message_id: str, body: bytes) -> Attempt:
        """Publish a message and wait until the broker has it; never raises for what it may do."""
        topic, payload, retain = publication(target.prefix, orjson.loads(body))
        known = self._connected.get(name)
        anew = known is None or not known.is_connected()
        try:
            broker = self._connect(name, target, retain) if known is None or anew else known
            _publish(broker, topic, payload, retain, target.timeout_s)
        except (RulesError, SettingsError):
            self._discard(name)
            return Attempt(problem="mqtt_unusable")
        except ssl.SSLError:
            self._discard(name)
            return Attempt(problem="tls_failed")
        except TimeoutError:
            self._discard(name)
            return Attempt(problem="timeout")
        except (OSError, ValueError, RuntimeError):
            self._discard(name)
            return Attempt(problem="cannot_connect")
        except _RefusedError as refusal:
            self._discard(name)
            return Attempt(problem=f"mqtt_refused {refusal}")
        return Attempt(anew=anew)

    def _connect(self, name: str, target: Target, lasting: bool) -> paho.Client:
        """Connect again: what the last connection had not confirmed waits in the outbox, not here.

        One that is not `lasting` is for a test, and says nothing of whether the notifier is there.

        Raises `RulesError`, `SettingsError`, `OSError`, `TimeoutError`, `_RefusedError`: the URL
        cannot be used; the broker is away; it refuses us.
        """
        self._discard(name)
        address = parse_url(target_url(name, target), f"targets.{name}")
        broker = paho.Client(CallbackAPIVersion.VERSION2, "", protocol=paho.MQTTv5)
        broker.connect_timeout = target.timeout_s
        if address.username:
            password = unquote(address.password) if address.password else None
            broker.username_pw_set(unquote(address.username), password)
        if address.scheme == "mqtts":
            broker.tls_set_context(tls_context(address, f"targets.{name}"))
        if lasting:
            broker.will_set(status_topic(target.prefix), OFFLINE, qos=1, retain=True)
        refusals: list[ReasonCode] = []
        broker.on_connect = lambda *a: refusals.append(a[3]) if a[3].is_failure else None
        assert address.hostname
        broker.connect(address.hostname, broker_port(address), KEEPALIVE_S)
        self._connected[name] = broker
        broker.loop_start()
        try:
            if lasting:
                _publish(broker, status_topic(target.prefix), ONLINE, True, target.timeout_s)
        except TimeoutError:
            if refusals:
                raise _RefusedError(str(refusals[0])) from None
            raise
        return broker

    def _discard(self, name: str) -> None:
        """End a connection without a word, so that the broker publishes the last will."""
        if broker := self._connected.pop(name, None):
            broker.loop_stop()
            if sock := broker.socket():
                sock.close()


class _RefusedError(Exception):
    """The broker refuses us, or a message."""


def _publish(broker: paho.Client, topic: str, payload: Any, retain: bool, timeout_s: float) -> None:
    """Publish with QoS 1 and wait for the confirmation.

    Raises `TimeoutError`: none came.
    """
    sent = broker.publish(topic, payload, qos=1, retain=retain)
    sent.wait_for_publish(timeout_s)
    if not sent.is_published():
        raise TimeoutError
