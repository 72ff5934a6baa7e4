"""The checks of load and latency, from the entries of the monitor."""

import pytest

from vtox.pipeline.monitoring.readiness import LATE_MS, Check, checks
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.system.status import Snapshot

NOW = 1000.0


def checks_of(*metrics: Metrics) -> dict[str, Check]:
    snap = Snapshot(
        t=NOW,
        lengths={},
        group=None,
        counters={},
        queues={},
        workers=(),
        machines=0,
        bridge_alive=True,
        bridge=None,
        server=None,
        metrics=metrics,
    )
    return {c.name: c for c in checks(snap)}


def entry(age_s: float = 1.0, **figures: object) -> Metrics:
    return Metrics(t=NOW - age_s, interval_s=10.0, **figures)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"cpu": 1.0, "busy": {"bearing": 0.5}}, "cores_are_full"),
        ({"cpu": 0.8, "busy": {"bearing": 0.97}}, "workers_are_full"),
        ({"cpu": 0.8, "busy": {"bearing": 0.5, "server": 0.97}}, "server_is_full"),
        ({"cpu": 0.8, "busy": {"bearing": 0.5, "bridge": 0.97}}, "bridge_is_full"),
        ({"cpu": 0.8, "busy": {"bearing": 0.5}}, "load_is_carried"),
    ],
)
def test_a_system_without_room_says_so(figures: dict[str, object], code: str) -> None:
    check = checks_of(entry(**figures))["load"]
    assert check.code == code
    assert (check.status == "warn") == (code != "load_is_carried")


def test_late_answers_are_a_warning_though_nothing_fails() -> None:
    late, soon = entry(latency_p95_ms=7700.0), entry(11, latency_p95_ms=LATE_MS - 1)
    check = checks_of(late)["latency"]
    assert (check.status, check.code) == ("warn", "answers_are_late")
    assert "7.7 s" in check.observed
    assert checks_of(soon)["latency"].status == "pass"
    assert checks_of(late, soon, soon)["latency"].status == "pass", "one interval is a burst"


def test_what_the_monitor_does_not_say_is_no_check() -> None:
    stale = entry(100, cpu=1.0, latency_p95_ms=9e4)
    for metrics in ((), (stale,), (entry(),)):
        assert not {"load", "latency"} & checks_of(*metrics).keys()
