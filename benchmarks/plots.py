"""The pictures of docs/appendix/performance.md, from figures that the benchmarks keep (`--json`).

    python -m benchmarks.plots [FOLDER]

Reads `benchmarks/results`: `systems.json` of `benchmarks.bench --live`, `batches.json` of
`benchmarks.bench --batches`, `live.json` of `benchmarks.bench.live` with several numbers of
machines, `growth.json` of `benchmarks.growth`.
White behind everything, so that they read on a light and on a dark page. Needs matplotlib.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.bench.measure import ROOT
from benchmarks.results import FOLDER, load
from evaluation.plots import BLUE, GREY, ORANGE, STYLE
from vtox.motor.faults import FAMILIES

COLOURS = dict(zip(FAMILIES, (BLUE, ORANGE, GREY), strict=True))
# Growth that is allowed (docs/appendix/performance.md).
ALLOWED = 1.1
WIDTH, HEIGHT = 7.6, 3.6
Runs = Sequence[Mapping[str, Any]]


def main() -> None:
    """Draw what there are figures of."""
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img" / "performance"
    to.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update(STYLE | {"svg.hashsalt": "vtox", "axes.spines.top": False})
    plots: dict[str, Callable[[Runs], Figure]] = {
        "systems": draw_systems,
        "batches": draw_batches,
        "live": draw_live,
        "growth": draw_growth,
    }
    for name, draw in plots.items():
        if (file := FOLDER / f"{name}.json").exists():
            draw([run["figures"] for run in load(file)]).savefig(
                to / f"{name}.svg", metadata={"Date": None}
            )


def batch_rates(runs: Runs) -> dict[int, list[float]]:
    """Return batch size -> windows/s of each round, over those of the largest one in it."""
    rates: dict[int, list[float]] = {}
    for row in (row for run in runs for row in run["rounds"]):
        sizes = {int(n.split()[1]): m for n, m in row.items() if n.startswith("vtox ")}
        for size, m in sorted(sizes.items()):
            rates.setdefault(size, []).append(
                m["windows_per_s"] / sizes[max(sizes)]["windows_per_s"]
            )
    return rates


def rates_over_vtox(runs: Runs) -> dict[str, list[float]]:
    """Return system -> windows/s of each round, over those of VTOX in it; the slowest first."""
    rates: dict[str, list[float]] = {}
    for row in (row for run in runs for row in run["rounds"]):
        for name, m in row.items():
            if not name.endswith("_noop") and not name.startswith("vtox "):
                ratio = m["windows_per_s"] / row["vtox"]["windows_per_s"]
                rates.setdefault(name, []).append(ratio)
    return dict(sorted(rates.items(), key=lambda item: median(item[1])))


def growth_ratios(run: Mapping[str, Any], roles: Sequence[str] = ()) -> list[float]:
    """Return the ratio of a window's cost with many to that with few, in each interval.

    Of some processes; of all without `roles`.
    """
    few, many = run["cpu_ms"]
    pairs = zip(few, many, strict=True)
    return [_sum(b, roles) / _sum(a, roles) for a, b in pairs if _sum(a, roles)]


def _sum(cost: Mapping[str, float], roles: Sequence[str]) -> float:
    return sum(ms for role, ms in cost.items() if not roles or role in roles)


def draw_systems(runs: Runs) -> Figure:
    """Draw how fast each system drains, and after what time it answers at the pace of a fleet."""
    rates = rates_over_vtox(runs)
    names = list(rates)
    figure, (rate, latency) = _figure(2)
    for y, name in enumerate(names):
        low, middle, high = _spread(rates[name])
        rate.plot([low, high], [y, y], color=BLUE, lw=1.5)
        rate.plot(middle, y, "o", color=BLUE, ms=5)
    rate.set_yticks(range(len(names)), names)
    rate.set(xscale="log", xlabel="windows/s over VTOX, drained")
    _plain_steps(rate)
    paces = [pace for run in runs for pace in run["live"]]
    sizes = sorted({pace["machines"] for pace in paces})
    for k, size in enumerate(sizes):
        label = f"{size} machines"
        for pace in (p for p in paces if p["machines"] == size):
            for name, m in pace["systems"].items():
                if of_one_window := m["latency_ms"].get("turn_short"):
                    # Side by side: ranges that overlap would hide each other.
                    y = names.index(name) + 0.2 * (k - (len(sizes) - 1) / 2)
                    colour = (BLUE, ORANGE, GREY)[k % 3]
                    ends = [of_one_window["p50"], of_one_window["p95"]]
                    latency.plot(ends, [y, y], color=colour, lw=1.5, label=label)
                    latency.plot(ends[0], y, "o", color=colour, ms=5)
                    label = ""
    latency.set_yticks(range(len(names)), [])
    latency.set(xscale="log", xlabel="latency, p50 to p95, turn_short, ms")
    _plain_steps(latency)
    latency.set_ylim(rate.get_ylim())
    latency.legend(fontsize=8)
    return figure


def _plain_steps(axes: Axes) -> None:
    """Put 1, 2, 5, 10 ... below a logarithmic axis: its own labels of small ranges overlap."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_batches(runs: Runs) -> Figure:
    """Draw windows a second against the windows of a task."""
    rates = batch_rates(runs)
    figure, axes = _figure(1)
    low, middle, high = zip(*(_spread(r) for r in rates.values()), strict=True)
    _line(axes[0], list(rates), middle, low, high, BLUE, "VTOX, full diagnosis")
    axes[0].set_xscale("log", base=2)
    axes[0].set_xticks(list(rates), [str(size) for size in rates])
    axes[0].set(
        xlabel="windows in a task, at most",
        ylabel=f"windows/s, of that with {max(rates)}",
        ylim=(0, None),
    )
    return figure


def draw_live(runs: Runs) -> Figure:
    """Draw latency and cost of a window against the number of machines that send."""
    ordered = sorted(runs, key=lambda run: run["machines"])
    figure, (latency, cost) = _figure(2)
    sizes = [run["machines"] for run in ordered]
    for family, colour in COLOURS.items():
        for share, style in (("p50", "-"), ("p95", "--")):
            ms = [run["latency_ms"][family][share] for run in ordered]
            label = f"{family}, {share}"
            latency.plot(sizes, ms, style, color=colour, marker="o", ms=4, label=label)
    latency.set(yscale="log", xlabel="machines that send", ylabel="latency, ms")
    latency.set_ylim(None, 5 * latency.get_ylim()[1])  # room for the names
    latency.legend(fontsize=8, ncols=2, loc="upper center")
    parts = {"workers": tuple(FAMILIES), "server": ("valkey",), "bridge": ("bridge",)}
    for (part, roles), colour in zip(parts.items(), (BLUE, ORANGE, GREY), strict=True):
        ms = [_sum(run["cpu_ms"], roles) for run in ordered]
        cost.plot(sizes, ms, color=colour, marker="o", ms=4, label=part)
    total = [sum(run["cpu_ms"].values()) for run in ordered]
    cost.plot(sizes, total, color="black", marker="s", ms=4, label="all")
    cost.set(xlabel="machines that send", ylabel="CPU of a window, ms", ylim=(0, None))
    cost.legend(fontsize=8)
    return figure


def draw_growth(runs: Runs) -> Figure:
    """Draw what a window costs with many machines, or many that wait, over that with few."""
    kinds = {"machines": "machines known, 50 send", "backlog": "windows that wait"}
    drawn = {kind: [r for r in runs if r["what"] == kind] for kind in kinds}
    drawn = {kind: some for kind, some in drawn.items() if some}
    figure, row = _figure(len(drawn))
    for axes, (kind, some) in zip(row, drawn.items(), strict=True):
        some = sorted(some, key=lambda run: run["sizes"][1])
        sizes = [run["sizes"][1] for run in some]
        for label, roles, colour in (("all processes", (), BLUE), ("server", ("valkey",), ORANGE)):
            spreads = (_spread(growth_ratios(run, roles)) for run in some)
            low, middle, high = zip(*spreads, strict=True)
            _line(axes, sizes, middle, low, high, colour, label)
        axes.axhspan(1 / ALLOWED, ALLOWED, color="0.9", zorder=0)
        few = some[0]["sizes"][0]
        axes.set(
            xscale="log", xlabel=kinds[kind], ylabel=f"CPU of a window over {few}", ylim=(0, 2)
        )
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.legend(fontsize=8, loc="lower left")
    return figure


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    figure, row = plt.subplots(
        1, panels, figsize=(WIDTH, HEIGHT), squeeze=False, layout="constrained"
    )
    for axes in row[0]:
        axes.grid(True)
        axes.spines["right"].set_visible(False)
    return figure, list(row[0])


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return quartiles, of few values the extremes, about the median."""
    if len(values) < 4:
        return min(values), median(values), max(values)
    low, middle, high = quantiles(values, n=4)
    return low, middle, high


def _line(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    low: Iterable[float],
    high: Iterable[float],
    colour: str,
    label: str,
) -> None:
    """Draw points with their spread."""
    below = [middle - value for middle, value in zip(y, low, strict=True)]
    above = [value - middle for middle, value in zip(y, high, strict=True)]
    axes.errorbar(
        x, y, yerr=[below, above], color=colour, marker="o", ms=5, capsize=3, lw=1.5, label=label
    )


if __name__ == "__main__":
    main()
