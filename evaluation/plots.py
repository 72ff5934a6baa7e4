"""The pictures of the report; nothing is drawn where matplotlib is not installed.

White behind everything, so that they read on a light and on a dark page.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from evaluation import metrics, peers, scenarios
from evaluation.metrics import Rate
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import records
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Motor, Recording

Points = Sequence[tuple[float, Rate]]
BLUE, ORANGE, GREY = "#0b5fa5", "#d1570a", "#5a5a5a"
STYLE = {"font.size": 11, "axes.titlesize": 11, "savefig.facecolor": "white", "grid.alpha": 0.3}
WIDTH = 8.0
DPI = 160
LEAST_HEALTHY = 10  # fewer resolve no curve


def detection(panels: Mapping[str, Mapping[str, Points]], path: Path) -> bool:
    """Draw detection rates against level with exact intervals, a panel for each key."""
    if (plt := pyplot()) is None:
        return False
    figure, row = plt.subplots(
        1, len(panels), figsize=(WIDTH, 3.9), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, (title, curves) in zip(row[0], panels.items(), strict=True):
        axes.axvspan(-61.7, -57, color="0.92", zorder=0)
        axes.text(-59.35, 80, "sound\ncages:\nfalse\nalarms", ha="center", color=GREY, fontsize=9)
        for k, (name, points) in enumerate(curves.items()):
            # Side by side: curves that agree would hide each other.
            x = [level + 0.7 * (k - (len(curves) - 1) / 2) for level, _ in points]
            y = [100 * rate.value for _, rate in points]
            low = [100 * (rate.value - rate.interval[0]) for _, rate in points]
            high = [100 * (rate.interval[1] - rate.value) for _, rate in points]
            look = {"color": (BLUE, ORANGE)[k % 2], "marker": "os"[k % 2]}
            axes.errorbar(x, y, yerr=[low, high], capsize=3, lw=1.5, ms=6, label=name, **look)
        axes.set(title=title, xlabel="lower sideband, dBc", ylim=(-4, 104), xlim=(-61.7, -40.5))
        axes.set_xticks(list(scenarios.LEVELS_DBC))
    row[0][0].set_ylabel("found, % of all records")
    row[0][-1].legend(loc="lower right")
    return _save(figure, row[0], path, plt)


def rocs(sets: Mapping[str, tuple[Float64, Float64]], path: Path) -> bool:
    """Draw detection against false-alarm rate of (healthy, faulty) scores, a panel each.

    A curve begins at 1/n of its healthy records: they show nothing about smaller rates.
    """
    drawn = {name: s for name, s in sets.items() if len(s[0]) >= LEAST_HEALTHY and len(s[1])}
    if (plt := pyplot()) is None or not drawn:
        return False
    rows = -(-len(drawn) // 2)
    figure, grid = plt.subplots(
        rows, 2, figsize=(WIDTH, 2.2 * rows + 0.5), sharey=True, layout="constrained"
    )
    cells = np.ravel(grid)
    lowest = 0.5
    for axes, (name, (healthy, faulty)) in zip(cells, drawn.items(), strict=False):
        far, found = metrics.roc(healthy, faulty)
        least = 1 / len(healthy)
        start = float(found[far < least].max())
        later = far >= least
        x, y = np.append(least, far[later]), np.append(start, found[later])
        axes.step(x, y, where="post", lw=2, color=BLUE)
        axes.plot([least], [start], "o", color=ORANGE, ms=7, zorder=3)
        axes.set_title(f"{name}: {len(healthy)} healthy, {len(faulty)} faulty")
        axes.set(xscale="log", xlim=(0.7 * least, 1.1))
        lowest = min(lowest, start)
    for axes in cells[len(drawn) :]:
        axes.set_visible(False)
    cells[0].set_ylim(lowest - 0.05, 1.04)
    figure.supxlabel("false-alarm rate (orange: none of the healthy records, 1/n)", fontsize=11)
    figure.supylabel("detection rate", fontsize=11)
    return _save(figure, cells, path, plt)


def rotor_cage_spectrum(path: Path) -> bool:
    """Draw a current spectrum of the model with the lines of a broken bar at -48 dBc."""
    if (plt := pyplot()) is None:
        return False
    plant, slip = PLANTS["2kw2"], 0.03
    case = scenarios.record_case(plant, slip, 50_000_000, wander_hz=0.005)
    figure, axes = plt.subplots(figsize=(WIDTH, 4), layout="constrained")
    looks = (
        ("broken bar", scenarios.with_level(case, slip, -48.0), ORANGE),
        ("healthy", case, BLUE),
    )
    for name, c, colour in looks:
        made = next(records([c], 10.0, 2_000.0, channels=CURRENTS))
        x = made.channels["ia"].astype(np.float64)
        size = np.abs(np.fft.rfft(x * np.blackman(len(x))))
        hz = np.fft.rfftfreq(len(x), 1 / 2_000.0)
        near = (hz > 40) & (hz < 60)
        axes.plot(
            hz[near], 20 * np.log10(size[near] / size.max()), lw=1.2, color=colour, label=name
        )
    for sign in (-1, 1):
        at = made.truth.supply_hz * (1 + sign * 2 * made.truth.slip)
        axes.annotate(
            f"f(1{'+' if sign > 0 else '-'}2s)",
            (at, -44),
            (at, -22),
            ha="center",
            arrowprops={"arrowstyle": "->", "color": GREY},
        )
    axes.set(xlabel="Hz", ylabel="dBc", ylim=(-110, 5), xlim=(40, 60))
    axes.legend(loc="upper right")
    return _save(figure, [axes], path, plt)


def envelope(recording: Recording, motor: Motor, defect: str, path: Path) -> bool:
    """Draw the envelope spectrum of a bearing recording, the comb of its defect marked."""
    if (plt := pyplot()) is None or not (recording.speed_rpm and motor.bearing):
        return False
    x = np.asarray(recording.channels["vibration"], np.float64)
    hz, size = peers.envelope_spectrum(x, recording.fs_hz)
    order = hz / (recording.speed_rpm / 60)
    shown = (order > 0.2) & (order < 18)
    level = 20 * np.log10(size / size[shown].max())
    figure, axes = plt.subplots(figsize=(WIDTH, 4), layout="constrained")
    axes.plot(order[shown], level[shown], lw=0.8, color=BLUE)
    orders = motor.bearing.defect_orders
    for k in range(1, 4):
        # The true slip of the rolling elements moves a line by a per cent.
        at = np.abs(order - k * orders[defect]) < 0.02 * k * orders[defect]
        top, where = level[at].max(), order[at][level[at].argmax()]
        axes.plot(where, top + 4, "v", color=ORANGE, ms=8)
        axes.text(where, top + 7, f"{k if k > 1 else ''} {defect}", ha="center", color=ORANGE)
    for name, base in orders.items():
        if name != defect:
            # At the foot, below the spectrum: the comb that was found stays in sight.
            axes.plot([base, base], [-90, -84], color=GREY, lw=2)
            axes.text(base + 0.1, -88.5, name, color=GREY, fontsize=9)
    axes.set(xlabel="order of shaft speed", ylabel="envelope, dB below its strongest line")
    axes.set(xlim=(0, 18), ylim=(-90, 18))
    return _save(figure, [axes], path, plt)


def pyplot() -> Any:
    """Return matplotlib's pyplot, None if it is not installed."""
    if not find_spec("matplotlib"):
        return None
    import_module("matplotlib").use("Agg")
    plt = import_module("matplotlib.pyplot")
    plt.rcParams.update(STYLE)
    return plt


def _save(figure: Any, panels: Sequence[Any], path: Path, plt: Any) -> bool:
    for axes in panels:
        axes.grid(visible=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    return True
