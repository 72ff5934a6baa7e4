"""Makes the small data folder of a version, which later versions must be able to work on.

    python -m tests.data_folder tests/data_folders/0.2.0.tar.gz

A machine with a damaged bearing has a nameplate, a sensitivity, results, an acknowledged alarm, one
that was closed as false, and a history. The system has its own alarm; a key exists. Run it when a
version is released, and keep the files of earlier ones.
"""

import os
import sys
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

from tests.integration.api.test_audit import FALSE_ALARM
from tests.integration.api.test_spectra import MOTOR, outer_race, windows_of
from tests.integration.conftest import serving
from tests.integration.helpers import bridging, counters, eventually
from vtox.motor.faults import FAMILIES, Persistence
from vtox.motor.values.domain import reason
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.alarms.system_alarms import Condition, keep
from vtox.pipeline.store.machines.dismissals import dismiss
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.windows.wire import encode
from vtox.reporting.history.recorder import Recorder
from workers import batch

MACHINE, OPERATOR, KEY = "M1", "Ada", "a0a0a0a0"
ALERTS_AT_ONCE = Persistence(1, 1, 1)
LOST = reason("windows_deleted_unread", windows=3)
OF_SYSTEM = Condition(name="deleted_windows", holds=True, why=LOST)


def fill(folder: Path) -> None:
    """Run VTOX on an empty data folder until a fault is found, alerted and recorded."""
    os.environ["VTOX_DATA_DIR"] = str(folder)
    settings = load(data_dir=folder, batch_wait_ms=1)
    windows = windows_of(MACHINE, outer_race())
    with EmbeddedServer(settings) as server, connect(server.url, "maker") as client:
        register(client, MACHINE, MOTOR)
        store_setting(
            client, MACHINE, SENSITIVITY, {"faults": {"bearing": ALERTS_AT_ONCE}}, by=OPERATOR
        )
        apikeys.create(client, ["read"], "a key", key_id=KEY)
        with bridging(settings, batch.work):
            began = time.time()  # records before a sensitivity was set do not alert by it
            for k, window in enumerate(windows):
                client.xadd(keys.RAW, encode(replace(window, t0=began + k), "i2"))
            for family in FAMILIES:
                eventually(lambda f=family: counters(client).get(f"windows:{f}") == len(windows))
        keep(client, OF_SYSTEM, forget_after_s=60.0)
        text, key = apikeys.create(client, ["operate"], OPERATOR)
        with serving(settings) as http:
            http.headers["X-API-Key"] = text
            for alarm in http.get("/api/v1/alarms").raise_for_status().json()["data"]:
                http.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={}).raise_for_status()
        apikeys.revoke(client, key.id)
        dismiss(client, FALSE_ALARM)
        recorder = Recorder(client, settings)
        recorder.record(Event())
        recorder.close()


def main(archive: Path) -> None:
    """Make the folder, and one archive of the files that an upgrade finds in it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        fill(folder)
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as tar:
            for name in ("valkey", "history.sqlite"):
                tar.add(folder / name, name)
    print(f"{archive}  {archive.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
