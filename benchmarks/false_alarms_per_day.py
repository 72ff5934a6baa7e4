"""False alarms per machine-day: healthy machines through the whole pipeline, faster than time.

    python -m benchmarks.false_alarms_per_day [--machines 50] [--hours 24] [--window-s 10]
                                              [--fs 2000] [--minutes M]

Each machine is commissioned as in `vtox demo` (a baseline of healthy runs at its first load). Then
it sends `--hours` of its life as fast as bridge and three workers take it. They have steps of the
load, a wandering frequency and unbalance, and clamps in error (`benchmarks.day_profiles`,
`day_signals`). All machines are healthy, so every alert is false, except `clock`: time runs faster
than the server's.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from typing import Any

import psutil
from scipy.stats import chi2

from benchmarks.bench.measure import cpu_s, running, wait_for, worker
from benchmarks.bench.systems import windows_done as done
from benchmarks.day_profiles import UNBALANCE_RMS, Day, days
from benchmarks.day_signals import CountedWindow, window
from vtox import learn_baseline
from vtox.motor.faults import FAMILIES, FAULTS, PERSISTENCE
from vtox.motor.values.baseline import Baseline
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect

# Commissioning: number of runs, their length and distance, as in
# `vtox.pipeline.sending.senders.simulated_fleet`.
RUNS, RUN_S, RUN_DISTANCE_S = 4, 20.0, 150.0
# Limit of windows of a machine, or seconds, that wait or are in open records.
AHEAD_WINDOWS, AHEAD_S = 6, 60.0
READ = 2000
PORTS = {"VTOX_COORDINATOR_PORT": "18931", "VTOX_WORKER_PORT": "18932"}


@dataclass(slots=True)
class Tally:
    """Counts of the results and alerts so far."""

    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    lengths: Counter[tuple[str, float]] = field(default_factory=Counter)
    decided_s: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    alerts: list[dict[str, str]] = field(default_factory=list)
    at: dict[str, bytes] = field(default_factory=lambda: {keys.RESULTS: b"0", keys.ALERTS: b"0"})

    def read(self, client: Client) -> None:
        """Count the entries that came since the last call."""
        while reply := client.xread(self.at, count=READ):
            for name, entries in reply:
                self.at[name.decode()] = entries[-1][0]
                for _, e in entries:
                    self.count(name.decode(), e)

    def count(self, stream: str, e: dict[bytes, bytes]) -> None:
        """Count one entry."""
        if stream == keys.ALERTS:
            self.alerts.append({k.decode(): v.decode() for k, v in e.items()})
            return
        fault, state = e[b"fault"].decode(), e[b"state"].decode()
        self.states[fault, state] += 1
        length_s = round(float(e[b"t_end"]) - float(e[b"t_start"]), 1)
        self.lengths[fault, length_s] += 1
        if state != "unknown":
            self.decided_s[fault] += round(length_s)
        if state != "normal":
            code = e.get(b"code") or e[b"reason"][:70]
            self.codes[fault, f"{state}: {code.decode()}"] += 1


def commission(client: Client, fleet: Sequence[Day], fs_hz: float) -> None:
    """Register the machines, each with its baseline."""
    for day in fleet:
        m = day.machine
        register(client, m.machine_id, m.motor)
        set_baseline(client, m.machine_id, baseline_of(day, fs_hz).to_json())


def baseline_of(day: Day, fs_hz: float) -> Baseline:
    """Return the baseline of runs before a machine's day begins."""
    runs = [
        window(day, -(i + 1) * RUN_DISTANCE_S, RUN_S, fs_hz).recording(fs_hz) for i in range(RUNS)
    ]
    return learn_baseline(runs, day.machine.motor)


def send(client: Client, fleet: Sequence[Day], seq: int, t0: float, s: float, fs: float) -> None:
    """Add one window of every machine."""
    pipe = client.pipeline(transaction=False)
    for n, day in enumerate(fleet):
        made = window(day, seq * s, s, fs)
        pipe.xadd(keys.RAW, fields(day.machine.machine_id, seq, t0 + seq * s, fs, made))
        if n % 10 == 9 or n == len(fleet) - 1:
            pipe.execute()


def fields(
    machine_id: str, seq: int, t0: float, fs_hz: float, made: CountedWindow
) -> dict[str, Any]:
    """Return the raw entry of a window (docs/reference/stream-fields.md, "Raw entry")."""
    entry: dict[str, Any] = {
        "machine_id": machine_id,
        "seq": seq,
        "t0": repr(t0),
        "fs_hz": repr(fs_hz),
        "dtype": "i2",
    }
    if made.speed_rpm is not None:
        entry["speed_rpm"] = repr(made.speed_rpm)
    for name, counts in made.counts.items():
        entry |= {name: counts.tobytes(), f"scale_{name}": repr(made.scales[name])}
    return entry


def live(client: Client, fleet: Sequence[Day], o: argparse.Namespace, tally: Tally) -> float:
    """Send the whole day while counting the results; return the seconds it took."""
    total = round(o.hours * 3600 / o.window_s)
    ahead = len(fleet) * max(AHEAD_WINDOWS, round(AHEAD_S / o.window_s))
    t0, start, last_progress = time.time(), time.monotonic(), 0.0
    sent = 0
    for seq in range(total):
        if time.monotonic() - start > 60 * o.minutes:
            break
        while (seq + 1) * len(fleet) - done(client) > ahead:
            time.sleep(0.02)
        send(client, fleet, seq, t0, o.window_s, o.fs)
        sent += len(fleet)
        tally.read(client)
        if time.monotonic() - last_progress > 30:
            last_progress = time.monotonic()
            _print_progress(client, seq + 1, last_progress - start, len(fleet), o, tally)
    last = -1
    while (now := done(client)) != last:  # open records are closed by silence
        last = now
        time.sleep(max(4.0, 3.5 * o.window_s) if now < sent else 0.5)
        tally.read(client)
    return time.monotonic() - start


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU time used so far; of this process without its children."""
    own = [p for p in processes if p.pid == os.getpid()]
    return cpu_s([p for p in processes if p not in own]) + sum(sum(p.cpu_times()[:2]) for p in own)


def _print_progress(
    client: Client, sent: int, took_s: float, machines: int, o: argparse.Namespace, tally: Tally
) -> None:
    raised = sum(a["event"] == "raised" and a["fault"] in FAULTS for a in tally.alerts)
    memory = client.info("memory")["used_memory"] / 1e6
    print(
        f"{took_s:6.0f} s: {sent * o.window_s / 3600:.2f} h of {machines} machines, "
        f"{done(client) / took_s:.0f} windows/s, alerts {raised}, server {memory:.0f} MB",
        flush=True,
    )


def poisson(count: int, share: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the mean of a count (Garwood 1936)."""
    tail = (1 - share) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(1 - tail, 2 * count + 2) / 2)


def report(tally: Tally, machine_days: float) -> str:
    """Return the tables."""
    lines = [
        "| fault | records: normal / warning / fault / unknown | found, of decided "
        "| alerts if errors were independent | alerts | machine-days decided "
        "| alerts a machine-day (95 %) | escalated |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    raised = Counter(a["fault"] for a in tally.alerts if a["event"] == "raised")
    worse = Counter(a["fault"] for a in tally.alerts if a["event"] == "escalated")
    for fault in FAULTS:
        n = [tally.states[fault, s] for s in ("normal", "warning", "fault", "unknown")]
        decided, found = sum(n[:3]), n[1] + n[2]
        rate = f"{found / decided:.2g}" if decided else "none decided"
        lines.append(
            f"| {fault} | {' / '.join(map(str, n))} | {rate} "
            f"| {_independent(fault, found, decided)} | {raised[fault]} "
            f"| {tally.decided_s[fault] / 86_400:.2f} "
            f"| {_per_day(raised[fault], tally.decided_s[fault] / 86_400)} | {worse[fault]} |"
        )
    all_of = sum(raised[f] for f in FAULTS)
    lines.append(
        f"| all | | | | {all_of} | {machine_days:.2f} sent | {_per_day(all_of, machine_days)} | |"
    )
    lines.append(f"\n{machine_days:.2f} machine-days; alerts of the clock: {raised['clock']}")
    lengths = {f: sorted(x for g, x in tally.lengths if g == f) for f in FAULTS}
    lines.append("record lengths, s: " + str({f: (x[0], x[-1]) for f, x in lengths.items() if x}))
    lines += ["", "| fault | state and code of what was not normal | records |", "|---|---|---:|"]
    lines += [f"| {f} | {r} | {n} |" for (f, r), n in tally.codes.most_common(30)]
    for a in tally.alerts:
        if a["fault"] in FAULTS:
            lines.append(
                f"{a['machine_id']} {a['event']} {a['level']}: {a['fault']}: {a['reason']}"
            )
    return "\n".join(lines)


def _independent(fault: str, found: int, decided: int) -> str:
    """Return the alerts expected if the errors of records were independent (docs/faults)."""
    rule = PERSISTENCE[fault]
    if not decided or rule.slot_s:
        return ""
    return f"{decided * comb(rule.n - 1, rule.k - 1) * (found / decided) ** rule.k:.2g}"


def _per_day(count: int, machine_days: float) -> str:
    if not machine_days:
        return ""
    low, high = (x / machine_days for x in poisson(count))
    return f"{count / machine_days:.3f} ({low:.3f}-{high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--window-s", type=float, default=10.0)
    parser.add_argument("--fs", type=float, default=2000.0, help="Hz, a multiple of 100")
    parser.add_argument(
        "--unbalance", type=float, default=UNBALANCE_RMS, help="rms wander of V2/V1, per part"
    )
    parser.add_argument("--minutes", type=float, default=600.0, help="send no longer than this")
    parser.add_argument("--seed", type=int, default=2026)
    o = parser.parse_args()
    fleet = days(o.machines, o.seed, o.hours, unbalance_rms=o.unbalance)
    tally = Tally()
    with tempfile.TemporaryDirectory() as data:
        settings = load(data_dir=Path(data), redis_url=None, redis_maxmemory_mb=8192)
        # No process is killed here: the append-only file would only cost disk time.
        with EmbeddedServer(settings, "appendonly no\n") as server:
            client = connect(server.url, "day")
            commission(client, fleet, o.fs)
            env = os.environ | PORTS
            env |= {
                "VTOX_REDIS_URL": server.url,
                "VTOX_DATA_DIR": data,
                "VTOX_KEEP__WINDOWS": "45s",
            }
            with running([worker("vtox", f) for f in FAMILIES], env) as workers:
                wait_for(lambda: client.scard(keys.WORKERS) == len(FAMILIES))
                with running([[sys.executable, "-m", "vtox", "bridge"]], env) as bridge:
                    parts = {
                        "this sender": [psutil.Process()],
                        "server": [psutil.Process(server.pid)],
                        "bridge": bridge,
                        "workers": workers,
                    }
                    before = {name: _cpu_s(p) for name, p in parts.items()}
                    took_s = live(client, fleet, o, tally)
                    windows = done(client)
                    cpu = {
                        name: round(1e3 * (_cpu_s(p) - before[name]) / windows, 2)
                        for name, p in parts.items()
                    }
    machine_days = windows * o.window_s / 86_400
    steps = sum(d.steps for d in fleet)
    print(
        f"\n{o.machines} healthy machines, {o.hours:g} h in windows of {o.window_s:g} s at "
        f"{o.fs:g} Hz, V2/V1 wandering by {o.unbalance:.2%}, {steps} steps of load; "
        f"{windows} windows in {took_s / 60:.1f} min\n"
    )
    print(report(tally, machine_days))
    print(f"CPU, ms a window: {cpu}")


if __name__ == "__main__":
    main()
