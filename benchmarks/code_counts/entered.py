"""Functions that one request, and one window, enter: of `vtox`, `api` and `workers`, each once.

Run it as a file. The application, the server, the bridge and the code of the workers are real, all
in one process; comprehensions and lambdas are no functions. The request replaces a nameplate. The
way of a window goes from its `XADD` over the bridge and the worker of its family to the alarm in
`GET /api/v1/alarms`. Objects that a process makes once were made before.
"""

import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx
import numpy as np
import uvicorn

from vtox.motor.simulator.fleet import SimulatedMachine, fleet
from vtox.motor.simulator.signals import window
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import connect

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT / name}{os.sep}" for name in ("vtox", "api", "workers"))
NAMEPLATE = {"pole_pairs": 2, "supply_hz": 50.0, "rated_speed_rpm": 1450, "rated_current_a": 9.8}
FS_HZ = 10_000.0
SECONDS = 20


# Threads that would do the same without the request.
BESIDE = frozenset({"sampler"})


class Profile:
    """Collects code while `on`, of every thread that begins after it."""

    def __init__(self) -> None:
        self.on = False
        self.codes: set[CodeType] = set()
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if self.on and event == "call" and threading.current_thread().name not in BESIDE:
            self.codes.add(frame.f_code)

    def entered(self, run: Callable[[], object]) -> set[str]:
        """Return the functions that are entered while `run` is at work."""
        self.codes.clear()
        self.on = True
        try:
            run()
        finally:
            self.on = False
        return {
            f"{Path(c.co_filename).relative_to(ROOT)}:{c.co_qualname}"
            for c in set(self.codes)
            if c.co_filename.startswith(OURS) and not c.co_name.startswith("<")
        }


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """Serve the API as uvicorn does."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            import_module("api.factory").create_app(settings), log_config=None, lifespan="on"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as http:
                yield http
        finally:
            server.should_exit = True
            thread.join()


def _shows(m: SimulatedMachine) -> bool:
    return m.fault == "turn_short" and m.detectable and "va" in m.channels


def in_window(profile: Profile, settings: Settings) -> set[str]:
    """Return the functions entered by a window that ends a record with a fault."""
    batch = import_module("workers.batch")
    machine = next(m for m in fleet(50, fault_mode="severe", onset_s=(1, 2)) if _shows(m))
    tasks: list[list[str]] = []

    def send(family: str, ids: list[str]) -> None:
        if family == "turn_short":
            tasks.append(ids)

    found: set[str] = set()
    with connect(settings.working_url(), "bridge") as client:
        machines.register(client, machine.machine_id, machine.motor)
        publisher = import_module("vtox.pipeline.client").Publisher(client)
        bridge = Bridge(client, settings, send)
        assert bridge.take_over()
        t0 = time.time() - SECONDS
        for seq in range(SECONDS):
            channels, rpm = window(machine, seq)
            arrays = {n: np.asarray(x) for n, x in channels.items()}

            def go(t: float = t0 + seq, arrays: Any = arrays, rpm: float | None = rpm) -> None:
                publisher.send(machine.machine_id, arrays, t0=t, fs_hz=FS_HZ, speed_rpm=rpm)
                for _ in range(4):
                    bridge.serve_once()
                for ids in list(tasks):
                    batch.work("turn_short", ids)

            tasks.clear()
            names = profile.entered(go)
            if client.exists(keys.ALERTS):
                return names
            found = names
    raise AssertionError(f"no alarm after {SECONDS} s: {len(found)}")


def main() -> None:
    """Print both counts; with `--names` the functions too."""
    profile = Profile()
    with tempfile.TemporaryDirectory() as folder:
        with EmbeddedServer(load(data_dir=Path(folder))) as server:
            os.environ["VTOX_REDIS_URL"] = server.url
            settings = load(data_dir=Path(folder), batch_wait_ms=1, baseline_auto=False)
            way = in_window(profile, settings)
            with serving(settings) as http:

                def put() -> None:
                    http.put("/api/v1/machines/M1", json=NAMEPLATE).raise_for_status()

                def get() -> None:
                    http.get("/api/v1/alarms").raise_for_status()

                put()
                get()
                nameplate, alarms = profile.entered(put), profile.entered(get)
    counts = {"a nameplate, PUT": nameplate, "a window, XADD to GET /alarms": way | alarms}
    for what, names in counts.items():
        print(f"{what}: {len(names)} functions")
        if "--names" in sys.argv:
            print("\n".join(f"  {n}" for n in sorted(names)))


if __name__ == "__main__":
    main()
