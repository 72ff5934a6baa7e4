"""The pictures of the report; nothing is drawn where matplotlib is not installed."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation import peers, scenarios
from evaluation.metrics import Rate
from vtox.domain import CURRENTS, Motor, Recording
from vtox.simulator.model.plants import PLANTS
from vtox.simulator.model.run import records

Floats = npt.NDArray[np.float64]


def detection(curves: Mapping[str, Sequence[tuple[float, Rate]]], path: Path) -> bool:
    """Draw detection rates against level, one line a curve, with exact intervals."""
    if (plt := _pyplot()) is None:
        return False
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for name, points in curves.items():
        x = [level for level, _ in points]
        y = [100 * rate.value for _, rate in points]
        low = [100 * (rate.value - rate.interval[0]) for _, rate in points]
        high = [100 * (rate.interval[1] - rate.value) for _, rate in points]
        axes.errorbar(x, y, yerr=[low, high], marker="o", capsize=2, lw=1.2, ms=4, label=name)
    axes.set(xlabel="lower sideband, dBc", ylabel="found, % of all records", ylim=(-3, 103))
    axes.legend(fontsize=7)
    return _saved(figure, axes, path, plt)


def rocs(curves: Mapping[str, tuple[Floats, Floats]], path: Path) -> bool:
    """Draw detection against false-alarm rate."""
    if (plt := _pyplot()) is None or not curves:
        return False
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for name, (far, found) in curves.items():
        axes.step(np.maximum(far, 1e-4), found, where="post", lw=1.2, label=name)
    axes.set(xscale="log", xlabel="false-alarm rate", ylabel="detection rate", ylim=(-0.03, 1.03))
    axes.legend(fontsize=7)
    return _saved(figure, axes, path, plt)


def cage_spectrum(path: Path) -> bool:
    """Draw a current spectrum of the model with the lines of a broken bar at -48 dBc."""
    if (plt := _pyplot()) is None:
        return False
    plant, slip = PLANTS["2kw2"], 0.03
    case = scenarios.record_case(plant, slip, 50_000_000, wander_hz=0.005)
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for name, c in (("healthy", case), ("broken bar", scenarios.with_level(case, slip, -48.0))):
        made = next(records([c], 10.0, 2_000.0, channels=CURRENTS))
        x = made.channels["ia"].astype(np.float64)
        size = np.abs(np.fft.rfft(x * np.blackman(len(x))))
        hz = np.fft.rfftfreq(len(x), 1 / 2_000.0)
        near = (hz > 40) & (hz < 60)
        axes.plot(hz[near], 20 * np.log10(size[near] / size.max()), lw=0.9, label=name)
    for sign in (-1, 1):
        at = made.truth.supply_hz * (1 + sign * 2 * made.truth.slip)
        axes.axvline(at, color="0.4", ls=":", lw=1)
        axes.text(at, 2, f"f(1{'+' if sign > 0 else '-'}2s)", ha="center", fontsize=7)
    axes.set(xlabel="Hz", ylabel="dBc", ylim=(-110, 8))
    axes.legend(fontsize=7)
    return _saved(figure, axes, path, plt)


def envelope(recording: Recording, motor: Motor, path: Path) -> bool:
    """Draw the envelope spectrum of a bearing recording with the lines of its defects."""
    if (plt := _pyplot()) is None or not (recording.speed_rpm and motor.bearing):
        return False
    x = np.asarray(recording.channels["vibration"], np.float64)
    hz, size = peers.envelope_spectrum(x, recording.fs_hz)
    order = hz / (recording.speed_rpm / 60)
    figure, axes = plt.subplots(figsize=(6, 3.6))
    shown = (order > 0.2) & (order < 18)
    axes.plot(order[shown], size[shown], lw=0.7)
    for colour, (name, base) in enumerate(motor.bearing.defect_orders.items()):
        for k in range(1, 4):
            axes.axvline(
                k * base, color=f"C{colour + 1}", ls=":", lw=1, label=name if k == 1 else None
            )
    axes.set(xlabel="order of shaft speed", ylabel="envelope above 2 kHz, m/s^2")
    axes.legend(fontsize=7)
    return _saved(figure, axes, path, plt)


def _pyplot() -> Any:
    if not find_spec("matplotlib"):
        return None
    import_module("matplotlib").use("Agg")
    return import_module("matplotlib.pyplot")


def _saved(figure: Any, axes: Any, path: Path, plt: Any) -> bool:
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
    return True
