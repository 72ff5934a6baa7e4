"""Voltages between lines give the results of those of three phases, and nothing to earth."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.plants import PLANTS
from tests.signals import terminals
from tests.signals.loaded_motor import loaded, nameplate
from vtox.motor.diagnosis.commissioning.findings import commissioning
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import phase_weights
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.energy.reading import readings
from vtox.motor.values.channel_map import Source, corrected
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VOLTAGES, Array, Recording
from vtox.motor.values.energy import MeterReading

PLANT = PLANTS["50hp"]
MOTOR = nameplate(PLANT, resistance=True)
HALF = loaded(PLANT, 0.5)
WHOLE = terminals.recording(
    {1: (HALF.v1, HALF.i1), -1: (HALF.v1 / 50, HALF.i1 / 20), 5: (9.0, 0.5)},
    hz=1.0003 * PLANT.supply_hz,
)
C = WHOLE.channels
LINES = {f"v{a}{b}": C[f"v{a}"] - C[f"v{b}"] for a, b in ("ab", "bc", "ca")}
PAIRS = [LINE_VOLTAGES[:2], LINE_VOLTAGES[1:], ("vab", "vca"), LINE_VOLTAGES]


def recording(voltages: Mapping[str, Array], currents: tuple[str, ...] = CURRENTS) -> Recording:
    return replace(WHOLE, channels={**{n: C[n] for n in currents}, **voltages})


def reading(x: Recording) -> MeterReading:
    analysis = front_end([x], [MOTOR], frames=True, slot_band=False)
    return MeterReading.of_rows(readings(analysis))[0]


@pytest.mark.parametrize("names", PAIRS)
@pytest.mark.parametrize("currents", [CURRENTS, ("ia", "ic")], ids=["three", "two"])
def test_power_is_that_of_the_phases(names: tuple[str, ...], currents: tuple[str, ...]) -> None:
    """Two wattmeters (Aron) are two currents and two voltages between lines."""
    x, whole = reading(recording({n: LINES[n] for n in names}, currents)), reading(WHOLE)
    assert (x.power_code, x.load_code) == ("", "")
    assert x.counts.energy_j == pytest.approx(whole.counts.energy_j, abs=1)
    for name in ("reactive_var", "voltage_v", "voltage_unbalance", "voltage_harmonic_5"):
        assert x.figures[name] == pytest.approx(whole.figures[name], rel=1e-4)


def test_weights_make_phases_of_any_two() -> None:
    phases = np.array([3.0, -1.0, -2.0])
    lines = dict(zip(LINE_VOLTAGES, phases - np.roll(phases, -1), strict=True))
    for names in PAIRS:
        assert phase_weights(names) @ [lines[n] for n in names] == pytest.approx(phases)


def test_turn_short_reads_them_and_insulation_abstains() -> None:
    leakage = {"leakage": 1e-3 * C["ia"]}
    both = [recording(leakage | v) for v in ({n: C[n] for n in VOLTAGES}, LINES)]
    faults = ("turn_short", "insulation")
    found = [diagnose_batch([DiagnosisInput(x, MOTOR)], faults)[0] for x in both]
    phases, lines = ({d.fault: d for d in ds} for ds in found)
    assert lines["turn_short"].code == phases["turn_short"].code
    assert lines["turn_short"].indicators == pytest.approx(phases["turn_short"].indicators)
    d = lines["insulation"]
    assert (d.state, d.code, d.values["channels"]) == ("unknown", "missing_channel", VOLTAGES)
    assert [r.code for r in d.doubts] == ["voltages_to_earth_needed"]


WRONG: dict[str, tuple[dict[str, Array], str]] = {
    "one": ({"vab": LINES["vab"]}, "missing_channel"),
    "reversed": ({"vab": -LINES["vab"], "vbc": LINES["vbc"]}, "voltages_of_no_supply"),
    "both reversed": ({n: -LINES[n] for n in ("vab", "vbc")}, "voltages_not_paired"),
    "exchanged": ({"vab": LINES["vbc"], "vbc": LINES["vab"]}, "phase_orders_differ"),
    "one of three": ({**LINES, "vca": -LINES["vca"]}, "line_voltages_do_not_sum_to_zero"),
    "phases": ({n: C[p] for n, p in zip(LINES, VOLTAGES, strict=True)}, "voltage_off_nameplate"),
}


@pytest.mark.parametrize(("voltages", "code"), WRONG.values(), ids=WRONG)
def test_what_is_wired_wrongly_counts_nothing(voltages: dict[str, Array], code: str) -> None:
    x = reading(recording(voltages))
    assert x.power_code == code
    assert x.counts.energy_j == 0


@pytest.mark.parametrize(
    ("channels", "wrong"), [(LINES, "vbc"), ({n: LINES[n] for n in ("vbc", "vca")}, "vca")]
)
def test_a_reversed_one_is_told_and_the_map_corrects_it(
    channels: dict[str, Array], wrong: str
) -> None:
    miswired = recording({**channels, wrong: -channels[wrong]})
    found = commissioning(miswired, MOTOR)
    assert [(f.code, f.values["channel"]) for f in found.findings] == [("channel_reversed", wrong)]
    assert found.proposal == {wrong: Source(wrong, -1)}
    assert commissioning(corrected(miswired, found.proposal), MOTOR).findings == ()
