"""A sender process: sends windows at a steady rate until each is acknowledged.

    python -m faults.sender HISTORY --url URL | --http URL | --mqtt PORT  --machines A B
                            --windows N --rate R

It notes every acknowledgement in the history. If it is killed and started again, it goes on with
the first window that has none. So a window with a lost reply is sent twice; so is every 97th.
"""

import argparse
import base64
import json
import time
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import redis
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from redis.sentinel import Sentinel

from faults.history import History, read
from vtox.motor.simulator.fleet import fleet
from vtox.motor.simulator.signals import FS_HZ, WINDOW_S
from vtox.motor.simulator.signals import window as simulate
from vtox.motor.values.domain import Window
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.sentinel_urls import is_sentinel, parse
from vtox.pipeline.store.server.sentinels import sentinel_options, tls_arguments
from vtox.pipeline.windows.wire import Limits, encode

SAMPLES, SMALL_FS_HZ = 200, 1000.0
SMALL_WINDOW_S = SAMPLES / SMALL_FS_HZ
TWICE = 97
UNLIMITED = Limits(1 << 30, 1 << 30)
TIMEOUT_S = 5.0
RUN = "r1"
# With `--alternating`, runs of cold windows alternate with equal runs of hot windows.
# `faults.alternating` alarms by the temperature.
COLD_C, HOT_C, WINDOWS_HOT = 20.0, 80.0, 20
# With `--daily` this many windows are of one day, from a year ago on. Each half of a day is hot or
# cold, by these letters in turn.
DAY_WINDOWS, DAY_S, YEAR_S = 20, 86_400.0, 365 * 86_400.0
HALVES = "hhhchhcccccccccc"
TEXTS = ("machine_id", "run", "vehicle_id", "dtype")

Fields = dict[str, Any]


def small_window(machine: int, seq: int, t0: float) -> Fields:
    """Return the entry of a short window of three currents: little work for all parts."""
    counts = np.arange(SAMPLES, dtype="<i2").tobytes()
    head = {"machine_id": f"M{machine}", "run": RUN, "seq": seq, "fs_hz": SMALL_FS_HZ}
    times = {"t0": round(t0 + seq * SMALL_WINDOW_S, 6), "dtype": "i2"}
    return head | times | {"ia": counts, "ib": counts, "ic": counts}


def of_day(seq: int, t0: float) -> Fields:
    """Return time and temperature of a short window in a sequence of many days."""
    day, n = divmod(seq, DAY_WINDOWS)
    half = HALVES[2 * seq // DAY_WINDOWS % len(HALVES)]
    t = t0 - YEAR_S + day * DAY_S + n * SMALL_WINDOW_S
    return {"t0": round(t, 6), "temperature_c": HOT_C if half == "h" else COLD_C}


def simulated_window(machine: int, seq: int, t0: float) -> Fields:
    """Return the entry of a window of the simulated fleet: 1 s at 10 kHz."""
    simulated = _FLEET[machine % len(_FLEET)]
    channels, speed_rpm = simulate(simulated, seq % 60, WINDOW_S, FS_HZ)
    window = Window(
        machine_id=f"M{machine}",
        run=RUN,
        seq=seq,
        t0=t0 + seq * WINDOW_S,
        fs_hz=FS_HZ,
        channels=channels,
        speed_rpm=speed_rpm,
    )
    return dict(encode(window))


_FLEET = fleet(20)


def by_redis(url: str) -> Callable[[Fields], bool]:
    """Return a sender like that of any other program: plain client, no retry."""
    client = _client(url)

    def send(fields: Fields) -> bool:
        try:
            client.xadd(keys.RAW, fields)
        except redis.RedisError:
            return False
        return True

    return send


def _client(url: str) -> redis.Redis:
    limits: dict[str, Any] = {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "retry": None,
    }
    if not is_sentinel(url):
        return redis.Redis.from_url(url, **limits)
    group = parse(url)
    login = {"username": group.user, "password": group.password}
    encrypted = {"ssl": True, **tls_arguments(group)} if group.tls else {}
    ask = limits | sentinel_options(group)
    sentinels = Sentinel(group.sentinels, sentinel_kwargs=ask)  # type: ignore[no-untyped-call]
    client: redis.Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
        group.service, **login, **encrypted, **limits
    )
    return client


def by_publisher(url: str, keep_s: float, replicas: int) -> Callable[[Fields], bool]:
    """Return a sender of VTOX's own, which follows a fail-over."""
    publisher = Publisher(
        url, keep_s=keep_s, replicas=replicas, patience_s=float("inf"), limits=UNLIMITED
    )

    def send(fields: Fields) -> bool:
        texts = {k: v if isinstance(v, bytes) else str(v) for k, v in fields.items()}
        publisher.collect_entry(texts)
        return bool(publisher.flush())

    return send


def by_http(url: str, key: str = "") -> Callable[[Fields], bool]:
    """Return a sender that posts to the API."""
    headers = {"X-API-Key": key} if key else {}
    client = httpx.Client(timeout=TIMEOUT_S, headers=headers)

    def send(fields: Fields) -> bool:
        address = f"{url}/api/v1/machines/{fields['machine_id']}/windows"
        try:
            return client.post(address, json=http_body(fields)).status_code == 202
        except httpx.HTTPError:
            return False

    return send


def by_mqtt(port: int) -> Callable[[Fields], bool]:
    """Return a sender that publishes with QoS 1 to a broker of this host."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()

    def send(fields: Fields) -> bool:
        if not client.is_connected():  # else it would keep the message, and send it again later
            return False
        body = json.dumps(http_body(fields))
        message = client.publish(f"plant/{fields['machine_id']}/window", body, qos=1)
        try:
            message.wait_for_publish(TIMEOUT_S)
            return message.is_published()
        except RuntimeError:  # the connection was lost just then
            return False

    return send


def http_body(fields: Fields) -> Fields:
    """Return an entry as the JSON body of the API."""
    body: Fields = {"channels": {}, "scale": {}}
    for name, value in fields.items():
        if isinstance(value, bytes):
            body["channels"][name] = base64.b64encode(value).decode()
        elif name.startswith("scale_"):
            body["scale"][name.removeprefix("scale_")] = float(value)
        else:
            body[name] = value if name in TEXTS else float(value)
    return body | {name: int(body[name]) for name in ("seq", "v") if name in body}


def confirmations(history: Path, machines: range) -> dict[tuple[str, int], float]:
    """Return the windows of some machines with their times of confirmation, in this order."""
    names = {f"M{m}" for m in machines}
    return {
        (e["machine"], e["seq"]): e["t"]
        for e in read(history)
        if e["event"] == "ack" and e["machine"] in names
    }


def todo(
    confirmed: Container[tuple[str, int]], machines: range, windows: int, rate: float
) -> Iterator[tuple[float, int, int]]:
    """Yield due time (s after the beginning), machine and seq of the windows not confirmed."""
    for k in range(windows):
        machine, seq = machines[k % len(machines)], k // len(machines)
        if (f"M{machine}", seq) not in confirmed:
            yield k / rate, machine, seq


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("history", type=Path)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url")
    where.add_argument("--http")
    where.add_argument("--mqtt", type=int)
    parser.add_argument("--key", default="", help="for --http")
    parser.add_argument("--keep", type=float, help="seconds to send again after a fail-over")
    parser.add_argument("--replicas", type=int, default=0, help="to wait for")
    parser.add_argument("--machines", type=int, nargs=2, required=True)
    parser.add_argument("--windows", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="windows a second")
    parser.add_argument("--began", type=float, required=True, help="s, monotonic clock")
    parser.add_argument("--t0", type=float, required=True, help="start of the first window")
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--alternating", action="store_true", help="cold and hot in turn")
    parser.add_argument("--daily", action="store_true", help="windows of many days, in turn")
    parser.add_argument("--ballast", type=int, default=0, help="bytes that nobody reads")
    options = parser.parse_args()
    history = History(options.history)
    if options.keep is not None:
        send = by_publisher(options.url, options.keep, options.replicas)
    elif options.mqtt:
        send = by_mqtt(options.mqtt)
    else:
        send = by_redis(options.url) if options.url else by_http(options.http, options.key)
    make = simulated_window if options.simulated else small_window
    machines = range(*options.machines)
    confirmed = confirmations(options.history, machines)
    # A sender that was slow to start does not send the windows due meanwhile in a burst; one that
    # was killed does.
    began = max(options.began, next(iter(confirmed.values()), time.monotonic()))
    for due_s, machine, seq in todo(confirmed, machines, options.windows, options.rate):
        time.sleep(max(0.0, began + due_s - time.monotonic()))
        fields = make(machine, seq, options.t0)
        if options.alternating:
            fields["temperature_c"] = HOT_C if seq // WINDOWS_HOT % 2 else COLD_C
        if options.daily:
            fields |= of_day(seq, options.t0)
        if options.ballast and options.url:  # the API takes no field that it does not know
            fields["ballast"] = bytes(options.ballast)
        while not send(fields):
            time.sleep(0.1)
        history.add("ack", machine=f"M{machine}", run=RUN, seq=seq)
        if seq % TWICE == TWICE - 1:
            send(fields)


if __name__ == "__main__":
    main()
