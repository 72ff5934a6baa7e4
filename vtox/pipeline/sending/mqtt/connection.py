"""A session with the broker: connects again, hands on messages, acknowledges explicitly (QoS 1).

MQTT 5, so that the broker keeps the session for as long as it is asked to, and sends no more
messages than may be unacknowledged. One thread: a caller that waits for something else calls `poll`
meanwhile.
"""

import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from vtox.pipeline.configuration.mqtt_urls import broker_port, parse_url, tls_context
from vtox.pipeline.errors import BrokerRefused
from vtox.pipeline.sending.mqtt.payloads import Message

log = structlog.get_logger()

KEEPALIVE_S = 30
# The broker keeps the session, and messages that come while no gateway is connected, for ever.
SESSION_EXPIRY_S = 2**32 - 1
PAUSE_S, MAX_PAUSE_S = 0.5, 30.0
# A reason of the broker that trying again does not change: user, password, rights, client id.
_IN_VAIN = ("Bad user name or password", "Not authorized", "Client identifier not valid", "Banned")


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message with the data to acknowledge it: its number in the session, and the connection."""

    message: Message
    mid: int
    qos: int
    connection: int


class Connection:
    """The session of `client_id`, kept by the broker while we are away.

    `receive_maximum` is how many messages may be unacknowledged; the broker sends no more. `tried`
    says that the broker has once taken us, or was away.
    """

    def __init__(
        self,
        url: str,
        filters: Sequence[str],
        *,
        client_id: str,
        receive_maximum: int,
    ) -> None:
        self._address = parse_url(url)
        self._filters = filters
        self._receive_maximum = receive_maximum
        self._inbox: list[ReceivedMessage] = []
        self._connection = 0
        self._connected = self.tried = False
        self._refusal = ""
        self._pause_s, self._retry_t = PAUSE_S, 0.0
        self.on_connect: Callable[[], None] = lambda: None
        self._session = self._make_client(client_id)

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        if self._address.username:
            password = self._address.password
            client.username_pw_set(
                unquote(self._address.username), unquote(password) if password else None
            )
        if self._address.scheme == "mqtts":
            client.tls_set_context(tls_context(self._address))
        client.on_connect = self._note_connect
        client.on_message = self._note_message
        return client

    @property
    def where(self) -> str:
        """Host and port, without user and password."""
        return f"{self._address.hostname}:{broker_port(self._address)}"

    def poll(self, timeout_s: float) -> None:
        """Send and receive for at most about `timeout_s`; connect if there is no connection.

        Raises `BrokerRefused`: the broker refuses us, and would again.
        """
        if self._session.socket() is None:
            self._connect(timeout_s)
            return
        if self._session.loop(timeout_s) != paho.MQTT_ERR_SUCCESS:
            self._lose("the connection was lost")
        if self._refusal:
            refusal, self._refusal = self._refusal, ""
            if refusal in _IN_VAIN:
                raise BrokerRefused(self.where, refusal)
            self._lose(refusal)

    def take(self) -> list[ReceivedMessage]:
        """Return the messages that have come, those of a lost connection too.

        A broker that was killed may have forgotten them; messages that it delivers again count
        once.
        """
        taken, self._inbox = self._inbox, []
        return taken

    @property
    def waiting(self) -> int:
        """The number of messages that have come and were not taken."""
        return len(self._inbox)

    def acknowledge(self, delivery: ReceivedMessage) -> None:
        """Acknowledge a message of this connection.

        After another CONNECT the number may be that of another message: the broker delivers the
        old one again, and that is acknowledged.
        """
        if delivery.qos and self._connected and delivery.connection == self._connection:
            self._session.ack(delivery.mid, delivery.qos)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a command, once and without confirmation."""
        self._session.publish(topic, payload, qos=0)

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        self._session.disconnect()

    def _connect(self, timeout_s: float) -> None:
        if time.monotonic() < self._retry_t:
            time.sleep(min(timeout_s, self._retry_t - time.monotonic()))
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = self._receive_maximum
        self._connection += 1
        try:
            assert self._address.hostname
            self._session.connect(
                self._address.hostname,
                broker_port(self._address),
                KEEPALIVE_S,
                clean_start=False,
                properties=properties,
            )
        except ssl.SSLCertVerificationError as error:
            raise BrokerRefused(self.where, f"its certificate: {error.verify_message}") from error
        except OSError as error:
            self._lose(str(error))

    def _lose(self, why: str) -> None:
        if self._connected or self._pause_s == PAUSE_S:
            log.warning("the MQTT broker is away", broker=self.where, why=why)
        self._connected, self.tried = False, True
        # At random: the gateways of a fleet must not come back at the same moment.
        self._retry_t = time.monotonic() + self._pause_s * random.uniform(0.5, 1.0)
        self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)

    def _note_connect(
        self, client: paho.Client, _: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        self._connected, self.tried, self._pause_s = True, True, PAUSE_S
        log.info("connected to the MQTT broker", broker=self.where, session=flags.session_present)
        # Retained messages only if the subscription is new: they would come with each CONNECT.
        options = SubscribeOptions(qos=1, retainHandling=1)
        client.subscribe([(f, options) for f in self._filters])
        self.on_connect()

    def _note_message(self, client: paho.Client, _: Any, m: paho.MQTTMessage) -> None:
        try:
            topic = m.topic
        except UnicodeDecodeError:
            topic = ""
        said = dict(getattr(m.properties, "UserProperty", ()))
        message = Message(topic, bytes(m.payload), m.dup, time.time(), said)
        self._inbox.append(ReceivedMessage(message, m.mid, m.qos, self._connection))
