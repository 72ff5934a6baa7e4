"""The pictures of docs/appendix/performance.md: what is drawn of the figures that runs keep."""

import pytest

pytest.importorskip("matplotlib")

from benchmarks import plots
from vtox.motor.faults import FAMILIES


def test_rates_are_of_that_of_the_largest_batch_in_each_round() -> None:
    rows = [
        {"vtox 1": {"windows_per_s": 30.0}, "vtox 64": {"windows_per_s": 60.0}, "memory": {}},
        {"vtox 1": {"windows_per_s": 10.0}, "vtox 64": {"windows_per_s": 40.0}},
    ]
    runs = [{"rounds": rows}]
    assert plots.batch_rates(runs) == {1: [0.5, 0.25], 64: [1.0, 1.0]}
    assert plots.draw_batches(runs).axes[0].get_ylabel().endswith("64")


def test_systems_are_drawn_over_vtox_with_their_latency_at_each_pace() -> None:
    def row(naive: float) -> dict[str, dict[str, float]]:
        rates = {"naive": naive, "vtox": 60.0, "docket_noop": 600.0, "vtox 64": 60.0}
        return {name: {"windows_per_s": rate} for name, rate in rates.items()}

    latency = {"latency_ms": {"turn_short": {"p50": 40.0, "p95": 90.0}}}
    live = [
        {"machines": n, "systems": {"vtox": latency, "naive": {"latency_ms": {}}}} for n in (9, 5)
    ]
    runs = [{"rounds": [row(6.0), row(12.0)], "live": live}]
    assert plots.rates_over_vtox(runs) == {"naive": [0.1, 0.2], "vtox": [1.0, 1.0]}
    _, latencies = plots.draw_systems(runs).axes
    assert [t.get_text() for t in latencies.get_legend().get_texts()] == [
        "5 machines",
        "9 machines",
    ]


def test_growth_is_the_ratio_within_an_interval() -> None:
    few, many = {"valkey": 1.0, "bridge": 1.0}, {"valkey": 2.0, "bridge": 2.0}
    run = {"what": "machines", "sizes": [50, 5000], "cpu_ms": [[few, few], [many, few]]}
    assert plots.growth_ratios(run) == [2.0, 1.0]
    assert plots.growth_ratios(run, ("valkey",)) == [2.0, 1.0]
    assert len(plots.draw_growth([run, run | {"what": "backlog"}]).axes) == 2


def test_live_runs_are_drawn_in_the_order_of_their_machines() -> None:
    latency = {family: {"p50": 40.0, "p95": 90.0} for family in FAMILIES}
    cpu = dict.fromkeys((*FAMILIES, "valkey", "bridge"), 0.5)
    runs = [{"machines": n, "latency_ms": latency, "cpu_ms": cpu} for n in (300, 50)]
    (line, *_), cost = plots.draw_live(runs).axes[0].lines, plots.draw_live(runs).axes[1]
    assert list(line.get_xdata()) == [50, 300]
    assert [list(line.get_ydata()) for line in cost.lines][-1] == [2.5, 2.5]
