"""Offline and online agree: the stream answers a record as `vtox.diagnose` does, to every number.

Machines with each fault, registered or not, with a baseline or not, send windows of 1 s to a bridge
and three workers. They use every encoding, XADD and HTTP. Each record that comes out is joined
here again, from the bytes sent, and diagnosed alone.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import numpy as np
import pytest

from tests.cluster import Cluster, cluster
from tests.integration.helpers import eventually
from vtox import diagnose, learn_baseline
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.simulator.fleet import SimulatedMachine, fleet
from vtox.motor.simulator.signals import window
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor, Recording, Window
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.stream.entries import Result, decode_result
from vtox.pipeline.windows.wire import decode, encode

pytestmark = pytest.mark.alone

FS_HZ, SECONDS = 4000.0, 16
T0 = 1_764_000_000.0
# The same code on the same samples, but in batches there and alone here: nothing but the last bits
# of a sum may differ.
RELATIVE = 1e-9
Entry = dict[str, str | bytes]
Dtype = Literal["i2", "f4", "json"]


@dataclass(frozen=True, slots=True)
class Sender:
    """A simulated machine, its settings on the server, and how it sends."""

    machine: SimulatedMachine
    name: str
    dtype: Dtype
    registered: bool = True
    baseline: bool = True
    http: bool = False

    def entry(self, seq: int) -> Entry:
        """Return the raw entry of its window `seq`."""
        channels, speed_rpm = window(self.machine, seq, 1.0, FS_HZ)
        sent = Window(
            machine_id=self.name,
            seq=seq,
            t0=T0 + seq,
            fs_hz=FS_HZ,
            channels=channels,
            speed_rpm=speed_rpm,
        )
        return encode(sent, self.dtype)

    def motor(self) -> Motor | None:
        """Return the nameplate that the server has."""
        return self.machine.motor if self.registered else None

    def healthy(self) -> Baseline | None:
        """Return the baseline that the server has, as it was stored."""
        if not self.baseline:
            return None
        runs = []
        for first in (0, 100, 200):
            channels, rpm = window(self.machine, first, 20.0, FS_HZ, healthy=True)
            runs.append(Recording(channels, FS_HZ, rpm))
        return Baseline.from_json(learn_baseline(runs, self.motor()).to_json())


def senders() -> list[Sender]:
    """Each fault and a healthy machine by XADD, with a baseline and without; four by HTTP."""
    machines = fleet(26, seed=9, onset_s=(2.5, 6.5))
    one = {m.fault or "healthy": m for m in reversed(machines) if m.detectable}
    found = []
    for i, (kind, m) in enumerate(sorted(one.items())):
        known, bare = f"{kind}.known", f"{kind}.bare"
        found.append(Sender(m, known, ("i2", "f4")[i % 2]))
        found.append(Sender(m, bare, ("f4", "i2")[i % 2], baseline=False))
    found.append(Sender(one["healthy"], "stranger", "json", registered=False, baseline=False))
    found.append(Sender(one["turn_short"], "http.i2", "i2", http=True))
    found.append(Sender(one["bearing"], "http.f4", "f4", http=True))
    found.append(Sender(one["insulation"], "http.json", "json", http=True))
    return found


@dataclass(frozen=True, slots=True)
class Case:
    """The windows of one sender, and every entry of the results that answers them."""

    sender: Sender
    windows: Sequence[Window]
    rows: Sequence[Result]
    baseline: Baseline | None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    given = {"VTOX_CLOCK_TOLERANCE_S": "1e12", "VTOX_BASELINE_AUTO": "false"}
    with cluster(folder, "--without", "flower", **given) as started:
        started.wait_for_workers(len(FAMILIES))
        yield started


@pytest.fixture(scope="module")
def cases(running: Cluster) -> list[Case]:
    client, all_of = running.client(), senders()
    known = {s.name: s.healthy() for s in all_of}
    for s in all_of:
        if s.registered:
            register(client, s.name, s.machine.motor)
        if baseline := known[s.name]:
            set_baseline(client, s.name, baseline.to_json())
    sent: dict[str, list[Window]] = {s.name: [] for s in all_of}
    with httpx.Client(base_url=f"http://127.0.0.1:{running.settings.api_port}") as http:
        eventually(lambda: answers(http))
        for seq in range(SECONDS):
            for s in all_of:
                entry = s.entry(seq)
                if s.http:
                    post(http, s.name, entry)
                else:
                    client.xadd(keys.RAW, entry)
                sent[s.name].append(decode({k.encode(): _bytes(x) for k, x in entry.items()}))
    total = len(all_of) * SECONDS
    eventually(lambda: int(client.hget(keys.COUNTERS, "windows_done") or 0) == total, 60)
    rows = [decode_result(e) for _, e in client.xrange(keys.RESULTS)]
    return [
        Case(s, sent[s.name], [r for r in rows if r.machine_id == s.name], known[s.name])
        for s in all_of
    ]


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def post(http: httpx.Client, name: str, entry: Entry) -> None:
    """Send an entry as the body of a request."""
    samples = {k: x for k, x in entry.items() if k in ("leakage", "vibration") or len(k) == 2}
    samples.pop("t0", None)
    scale = {k.removeprefix("scale_"): float(x) for k, x in entry.items() if "scale_" in k}
    body: dict[str, Any] = {k: float(entry[k]) for k in ("t0", "fs_hz")}
    body |= {"seq": int(entry["seq"]), "dtype": entry["dtype"], "scale": scale}
    if "speed_rpm" in entry:
        body["speed_rpm"] = float(entry["speed_rpm"])
    body["channels"] = {
        k: base64.b64encode(x).decode() if isinstance(x, bytes) else json.loads(x)
        for k, x in samples.items()
    }
    answer = http.post(f"/api/v1/machines/{name}/windows", json=body)
    assert answer.status_code == 202, answer.text


def _bytes(x: str | bytes) -> bytes:
    return x if isinstance(x, bytes) else x.encode()


def join_windows(windows: Sequence[Window]) -> Recording:
    """Return consecutive windows as one recording."""
    names = windows[0].channels
    rpm = [w.speed_rpm for w in windows if w.speed_rpm is not None]
    return Recording(
        {c: np.concatenate([w.channels[c] for w in windows]) for c in names},
        FS_HZ,
        sum(rpm) / len(rpm) if rpm else None,
    )


def offline(case: Case, family: str, first: int, last: int) -> dict[str, dict[str, Any]]:
    """Return fault -> every field of the diagnosis of windows `first` to `last`, made here."""
    found = diagnose(
        join_windows(case.windows[first : last + 1]),
        case.sender.motor(),
        faults=FAMILIES[family].faults,
        baseline=case.baseline,
    )
    return {
        d.fault: {
            "state": d.state,
            "code": d.code,
            "values": sorted(d.values),
            "doubts": [r.code for r in d.doubts],
            "reason": d.reason,
            "severity": d.severity,
            "confidence": d.confidence,
            "statistic": d.statistic,
            "threshold": d.threshold,
            "indicators": dict(d.indicators),
            "evidence": [dict(e) for e in d.evidence],
        }
        for d in found
    }


def online(r: Result) -> dict[str, Any]:
    """Return the same fields of a result, without the doubt that its record ended early."""
    abstained_early = r.state == "unknown" and bool(r.closed)
    return {
        "state": r.state,
        "code": r.code,
        "values": sorted(r.values),
        "doubts": [d.code for d in (r.doubts[:-1] if abstained_early else r.doubts)],
        "reason": r.reason.removesuffix(f"; {r.closed}") if abstained_early else r.reason,
        **{n: getattr(r, n) for n in ("severity", "confidence", "statistic", "threshold")},
        "indicators": dict(r.indicators),
        "evidence": list(r.evidence),
    }


def same(a: Any, b: Any, where: str) -> int:
    """Assert that two values agree and return how many numbers were compared."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        return sum(same(a[k], b[k], f"{where}.{k}") for k in a)
    if isinstance(a, list | tuple):
        assert len(a) == len(b), where
        return sum(same(x, y, f"{where}[{i}]") for i, (x, y) in enumerate(zip(a, b, strict=True)))
    if isinstance(a, float) and isinstance(b, int | float):
        assert a == pytest.approx(b, rel=RELATIVE, abs=1e-12), where
        return 1
    assert a == b, where
    return 0


def test_every_number_agrees(cases: list[Case]) -> None:
    numbers = records = 0
    for case in cases:
        spans = {(r.family, r.first_seq or 0, r.last_seq or 0) for r in case.rows}
        made = {s: offline(case, *s) for s in spans}
        for row in case.rows:
            span = (row.family, row.first_seq or 0, row.last_seq or 0)
            where = f"{case.sender.name} {span} {row.fault}"
            numbers += same(online(row), made[span][row.fault], where)
            records += 1
    # Two faults a second, two in a bearing record (2 s; of two poles up to 10 s), a broken bar.
    assert records >= len(cases) * (2 * SECONDS + 2 * SECONDS // 4 + 1)
    assert numbers > 5 * records


def test_every_window_is_answered_for_every_fault(cases: list[Case]) -> None:
    for case in cases:
        for fault in FAULTS:
            mine = [r for r in case.rows if r.fault == fault]
            seqs = [n for r in mine for n in range(r.first_seq or 0, (r.last_seq or 0) + 1)]
            assert sorted(seqs) == list(range(SECONDS)), (case.sender.name, fault)


def test_all_states_of_all_faults_were_compared(cases: list[Case]) -> None:
    """A diagnosis that abstains everywhere would agree with anything."""
    seen = {(r.fault, r.state in ("warning", "fault")) for c in cases for r in c.rows}
    assert seen >= {(f, found) for f in FAULTS for found in (True, False)}
    assert {r.state for c in cases for r in c.rows} == {"normal", "warning", "fault", "unknown"}
    assert {bool(r.closed) for c in cases for r in c.rows} == {False, True}


def test_http_tells_what_stands_in_the_stream(running: Cluster, cases: list[Case]) -> None:
    url = f"http://127.0.0.1:{running.settings.api_port}"
    for case in [c for c in cases if c.sender.http]:
        path = f"{url}/api/v1/machines/{case.sender.name}/diagnoses"
        told_all = httpx.get(path).json()["latest"]
        for fault, told in told_all.items():
            last = max((r for r in case.rows if r.fault == fault), key=lambda r: r.t_end or 0.0)
            assert told["reason"] == last.reason
            wanted = online(last)
            for n in (wanted.keys() & told.keys()) - {"reason", "values", "doubts"}:
                same(told[n], wanted[n], f"{case.sender.name} {fault}.{n}")
