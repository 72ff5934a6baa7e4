"""Plots of the handbook: the look of a fault, its decoys, and the verdict of VTOX on each.

    python -m handbook.fault_plots [FOLDER]

Records of the motor model and of the vibration model of the evaluation. Spectra and marked lines
are those of the diagnosis whose verdict is above them. Needs matplotlib.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from evaluation import bad_shafts
from evaluation.motor_model.case import Case, Earth, Faults
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import records, with_lower_sideband
from evaluation.scenarios import record_case
from evaluation.vibration import Shaft, bearing_of
from handbook.sources import ROOT
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.diagnosis.spectra.phasors import phasors
from vtox.motor.diagnosis.spectra.record import spectrum
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.motor.values.spectra import SpectrumKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SLIP = 0.02
SECONDS = {"broken_bar": 10.0, "eccentricity": 10.0, "turn_short": 2.0, "insulation": 2.0}
COLOURS = {"normal": "#2e7d32", "warning": "#a8690a", "fault": "#b3261e", "unknown": "#5f6b76"}


@dataclass(frozen=True)
class Panel:
    """One record: its title, and the input of its diagnosis."""

    title: str
    recording: Recording
    motor: Motor
    baseline: Baseline | None = None


def main() -> None:
    """Draw all."""
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img" / "faults"
    to.mkdir(parents=True, exist_ok=True)
    draw_spectra("broken_bar", broken_bar(), "current", (52.0, 68.0), to)
    draw_spectra("eccentricity", eccentricity(), "current", (15.0, 85.0), to)
    draw_spectra("bearing", bearing(), "envelope", (0.0, 400.0), to)
    draw_sequences("turn_short", turn_short(), to)
    draw_leakage("insulation", insulation(), to)


def broken_bar() -> list[Panel]:
    """Return a sound cage, broken bars, and two that look like them."""
    sound = record_case(PLANTS["50hp"], SLIP, 1)
    (broken,) = with_lower_sideband([sound], [-42.0])
    pulsating = replace(sound, load=replace(sound.load, swing=0.06, swing_hz=2.7))
    flicker = replace(sound, supply=replace(sound.supply, flicker=0.004, flicker_hz=1.6))
    cases = {
        "Sound cage": sound,
        "Broken bars: lines at f(1 ± 2s), the lower one higher": broken,
        "Counterfeit: a load that pulsates at 2.7 Hz, beside 2sf": pulsating,
        "Counterfeit: flicker of the supply at 1.6 Hz": flicker,
    }
    return panels("broken_bar", cases, CURRENTS)


def eccentricity() -> list[Panel]:
    """Return a sound machine, a rotor out of centre, and a load that pulsates once a turn."""
    sound = record_case(PLANTS["50hp"], SLIP, 2)
    cases = {
        "Sound": sound,
        "Eccentric rotor: lines at f ± fr, above the baseline": replace(
            sound, faults=Faults(air_gap=0.02)
        ),
        "Counterfeit: a load that pulsates once a turn, by unbalance or a bent shaft": replace(
            sound, load=replace(sound.load, pulses={1.0: 0.6})
        ),
    }
    return panels("eccentricity", cases, CURRENTS, learnt=sound)


def turn_short() -> list[Panel]:
    """Return a sound winding, 2 % of the turns shorted, and an unbalanced supply."""
    sound = record_case(PLANTS["50hp"], SLIP, 3, unbalance=0.0)
    angle = 40 * pi / 180
    cases = {
        "Sound": sound,
        "2 % of the turns of phase b shorted": replace(
            sound, faults=Faults(shorted_turns=0.02, shorted_phase="b")
        ),
        "Counterfeit: a supply with 1 % of negative sequence": replace(
            sound, supply=replace(sound.supply, unbalance=0.01 * complex(cos(angle), sin(angle)))
        ),
    }
    return panels("turn_short", cases, (*CURRENTS, *VOLTAGES), learnt=sound)


def insulation() -> list[Panel]:
    """Return sound insulation, one phase that leaks, and a long cable."""
    uneven = (5e-9, 5.6e-9, 5.2e-9)
    sound = replace(record_case(PLANTS["50hp"], SLIP, 4), earth=Earth(capacitance_f=uneven))
    cases = {
        "Sound": sound,
        "0.2 Mohm to earth in phase b: a current in phase with its voltage": replace(
            sound, earth=Earth(capacitance_f=uneven, conductance_s=(1e-8, 5e-6, 1e-8))
        ),
        "Counterfeit: more capacitance in one phase, by a cable; it leads by a quarter": replace(
            sound, earth=Earth(capacitance_f=(5e-9, 1.8e-8, 5.2e-9))
        ),
    }
    return panels("insulation", cases, (*CURRENTS, *VOLTAGES, "leakage"))


def bearing() -> list[Panel]:
    """Return a sound bearing, a damaged race, and two shafts that only sound like it."""
    own = bearing_of(9, 0.25)
    cases = {
        "Sound": Shaft(trouble="unbalance", size=0.3, shaft_hz=24.6, supply_hz=50.0, bearing=own),
        "Inner race damaged: a comb at BPFI, with sidebands of the shaft": Shaft(
            trouble="unbalance",
            size=0.3,
            shaft_hz=24.6,
            supply_hz=50.0,
            bearing=own,
            defect="BPFI",
            damage=2.0,
        ),
        "Counterfeit: a loose foot, a comb of the shaft itself": Shaft(
            trouble="looseness", size=3.0, shaft_hz=24.6, supply_hz=50.0, bearing=own
        ),
        "Counterfeit: a gear": Shaft(
            trouble="gear", size=10.0, shaft_hz=24.6, supply_hz=50.0, bearing=own
        ),
    }
    return [
        Panel(title, bad_shafts.recording(shaft, np.random.default_rng(seed)), shaft.motor)
        for seed, (title, shaft) in enumerate(cases.items())
    ]


def panels(
    fault: str, cases: dict[str, Case], channels: Sequence[str], learnt: Case | None = None
) -> list[Panel]:
    """Return the records of cases; `learnt` is the healthy machine of their baseline."""
    seconds = SECONDS[fault]
    # Learnt while the unbalance of the supply moves, as it does over a day.
    moved = [replace(learnt.supply, unbalance=0.003 * 1j**k) for k in range(8)] if learnt else []
    healthy = [replace(learnt, seed=100 + k, supply=s) for k, s in enumerate(moved) if learnt]
    made = list(records([*cases.values(), *healthy], seconds, channels=channels))
    motor = made[0].case.plant.nameplate
    baseline = None
    if healthy:
        baseline = learn_baseline([r.recording(channels) for r in made[len(cases) :]], motor)
    return [
        Panel(title, r.recording(channels, tachometer=fault == "eccentricity"), motor, baseline)
        for title, r in zip(cases, made, strict=False)
    ]


def draw_spectra(
    fault: str, of: Sequence[Panel], kind: SpectrumKind, range_hz: tuple[float, float], to: Path
) -> None:
    """Draw the spectrum of each panel with the lines that the diagnosis examines."""
    from matplotlib import pyplot as plt

    faults = FAULTS[fault].faults
    figure, rows = plt.subplots(
        len(of), figsize=(9, 2.1 * len(of)), sharex=True, sharey=True, layout="constrained"
    )
    for axes, panel in zip(rows, of, strict=True):
        s = spectrum(
            panel.recording, panel.motor, panel.baseline, kind=kind, channel=None, faults=faults
        )
        shown = (s.hz >= range_hz[0]) & (s.hz <= range_hz[1])
        axes.plot(s.hz[shown], s.levels_db[shown], color="#37474f", lw=0.7)
        for line in s.lines:
            if line.fault == fault and range_hz[0] <= line.hz <= range_hz[1]:
                axes.axvspan(line.low_hz, line.high_hz, color="#d9822b", alpha=0.3, lw=0)
                axes.axvline(line.hz, color="#d9822b", lw=0.8, alpha=0.8)
        _title(axes, fault, panel)
        axes.set_ylabel("dB" if kind == "envelope" else "dBc")
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("Hz")
    rows[0].set_xlim(*range_hz)
    figure.savefig(to / f"{fault}.svg", metadata={"Date": None})
    plt.close(figure)


def draw_sequences(fault: str, of: Sequence[Panel], to: Path) -> None:
    """Draw the negative sequence of currents and voltages of each panel."""
    from matplotlib import pyplot as plt

    figure, rows = plt.subplots(
        len(of), figsize=(9, 1.5 * len(of)), sharex=True, layout="constrained"
    )
    for axes, panel in zip(rows, of, strict=True):
        p = phasors(panel.recording, panel.motor)
        ratios = [100 * (p.negative_sequence_ratio or 0), 100 * (p.voltage_unbalance_ratio or 0)]
        axes.barh(["I2/I1", "V2/V1"], ratios, color=["#37474f", "#5b8db8"], height=0.6)
        axes.bar_label(axes.containers[0], fmt="%.2f %%", padding=4, fontsize=8)
        axes.invert_yaxis()
        _title(axes, fault, panel)
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("% of the positive sequence")
    rows[0].margins(x=0.15)
    figure.savefig(to / f"{fault}.svg", metadata={"Date": None})
    plt.close(figure)


def draw_leakage(fault: str, of: Sequence[Panel], to: Path) -> None:
    """Draw two and a half periods of the leakage current, and the voltage of phase b."""
    from matplotlib import pyplot as plt

    figure, rows = plt.subplots(
        len(of), figsize=(9, 1.9 * len(of)), sharex=True, layout="constrained"
    )
    for axes, panel in zip(rows, of, strict=True):
        n = round(0.04 * panel.recording.fs_hz)
        ms = 1e3 * np.arange(n) / panel.recording.fs_hz
        volts = axes.twinx()
        volts.plot(ms, panel.recording.channels["vb"][:n], color="#5b8db8", lw=0.8, ls="--")
        volts.set_ylabel("vb, V", color="#5b8db8")
        axes.plot(ms, 1e3 * panel.recording.channels["leakage"][:n], color="#37474f", lw=1.2)
        axes.set_ylabel("leakage, mA")
        _title(axes, fault, panel)
        for side in (axes, volts):
            side.spines[["top"]].set_visible(False)
    rows[-1].set_xlabel("ms")
    figure.savefig(to / f"{fault}.svg", metadata={"Date": None})
    plt.close(figure)


def _title(axes: "Axes", fault: str, panel: Panel) -> None:
    """Write the title of a panel, and the verdict on it."""
    (d,) = diagnose(panel.recording, panel.motor, panel.baseline, faults=[fault])
    axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold", pad=22)
    verdict = fill(f"{d.state}: {d.reason}", 125, max_lines=2)
    axes.text(0, 1.02, verdict, transform=axes.transAxes, fontsize=7.5, color=COLOURS[d.state])


if __name__ == "__main__":
    main()
