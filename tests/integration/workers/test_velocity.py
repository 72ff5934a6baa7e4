"""A worker sends the vibration velocity of its records, of machines with a class alone."""

import numpy as np
import pytest

from tests.integration.helpers import T0, add_window, bridging, eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client
from workers import batch
from workers.celery_signals import process

FS_HZ = 4000
# 3 mm/s rms at 50 Hz, in steps of 0.1 mm/s^2.
ACCELERATION = (
    3e-3 * np.sqrt(2) * 2 * np.pi * 50 * np.sin(2 * np.pi * 50 * np.arange(FS_HZ) / FS_HZ)
)
COUNTS = np.rint(ACCELERATION / 1e-4).astype("<i2").tobytes()


def test_a_worker_sends_the_velocity_of_a_machine_with_a_class(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()
    register(client, "CLASSED", Motor(rated_power_w=30e3, support="rigid"))
    of_vibration = {"fs_hz": FS_HZ, "ia": None, "vibration": COUNTS, "scale_vibration": 1e-4}
    for machine_id in ("CLASSED", "OTHER"):
        for k in range(4):
            add_window(client, machine_id, seq=k, **of_vibration)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger("bearing")) == 4)
    ids = sorted(i.decode() for i in client.hkeys(keys.ledger("bearing")))
    assert batch.work("bearing", ids) == 4
    entries = [fields for _, fields in client.xrange(keys.SCALARS)]
    assert {(e[b"machine_id"], e[b"name"], e[b"unit"]) for e in entries} == {
        (b"CLASSED", b"vibration_velocity", b"mm/s")
    }
    assert [float(e[b"t"]) for e in entries] == [T0 + 2, T0 + 4]
    assert [float(e[b"value"]) for e in entries] == pytest.approx([3.0, 3.0], rel=0.01)
