"""One API process's access to the server: client, sampler of throughput, last snapshot."""

import threading
import time

import redis

from api.state.fleet_index import FleetIndex, FleetView
from vtox.pipeline.configuration.server_urls import mask
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.monitoring.throughput import Reading, Sampler
from vtox.pipeline.store.alarms.alarm_book import KeptBook
from vtox.pipeline.store.alarms.open_alerts import OpenAlerts
from vtox.pipeline.store.machines.fleet import MachineNames
from vtox.pipeline.store.server.client import Client, connect, loading_error
from vtox.pipeline.store.server.partition_table import Addresses
from vtox.pipeline.store.system.status import Snapshot, snapshot

# A hundred dashboards then cost the server one snapshot.
SNAPSHOT_LIFE_S = 0.25
# Errors of a server that does not answer.
AWAY = (redis.ConnectionError, redis.TimeoutError, ServerUnavailable)


class Server:
    """Safe between the threads that serve requests."""

    def __init__(self, settings: Settings) -> None:
        self.fleet_index = FleetIndex()
        self.alarms = KeptBook()
        self.machine_names = MachineNames()
        self.open_alerts = OpenAlerts()
        self._settings = settings
        self._lock = threading.Lock()
        self._url = ""
        self._client: Client = None
        self._addresses = Addresses(None)
        self._snapshot_lock = threading.Lock()
        self._snapshot: Snapshot | ServerUnavailable | None = None
        self._snapshot_t = 0.0
        self._sampler = Sampler()

    def client(self) -> Client:
        """Return the client, connecting to where the server is now.

        The embedded server may start after this process, or again at another address.

        Raises `ServerUnavailable`: no URL is set and no embedded server has ever run on the data
        folder.
        """
        if self._client is not None and self._settings.redis_url:
            return self._client
        url = self._settings.working_url()
        with self._lock:
            if url != self._url:
                self._client, self._url = connect(url, "api", patient=False), url
                self._addresses = Addresses(self._client)
            return self._client

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def address(self) -> str:
        """Return where the server was found last, without its password."""
        return mask(self._url)

    def stream_of(self, machine_id: str) -> str:
        """Return the stream to which the windows of a machine go."""
        self.client()
        return self._addresses.raw(machine_id)

    def snapshot(self) -> Snapshot:
        """Return the state of the system, at most `SNAPSHOT_LIFE_S` old.

        Raises `ServerUnavailable`: the server does not answer; callers that waited for the same
        snapshot get the same.
        """
        client = self.client()
        with self._snapshot_lock:
            if self._snapshot is None or time.monotonic() - self._snapshot_t > SNAPSHOT_LIFE_S:
                try:
                    self._snapshot = snapshot(client)
                except redis.BusyLoadingError:
                    self._snapshot = loading_error(client)
                except (redis.ConnectionError, redis.TimeoutError) as error:
                    self._snapshot = ServerUnavailable(f"no answer from the server: {error}")
                self._snapshot_t = time.monotonic()
            if isinstance(self._snapshot, ServerUnavailable):
                raise ServerUnavailable(*self._snapshot.args)
            return self._snapshot

    def fleet(self) -> FleetView:
        """Return its machines as the list of the fleet shows them, at most a second old."""
        return self.fleet_index.view(self.client(), self._settings.silence_after_s)

    def readings(self) -> list[Reading]:
        """Return the last readings of the stream's activity."""
        return self._sampler.readings()

    def sample(self) -> None:
        """Take a reading.

        Raises `ServerUnavailable`, `redis.RedisError`: the server does not answer, or refuses.
        """
        self._sampler.take(self.client())
        if not self.fleet_index.is_read:  # so that no first page waits for it
            self.fleet()
