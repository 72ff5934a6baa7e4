"""The energy of one record: figures and counts, or a code and none."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.plants import PLANTS
from tests.naive_entries import counts_text
from tests.signals import terminals
from tests.signals.loaded_motor import loaded, nameplate
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.energy.reading import readings
from vtox.motor.values.domain import Motor, Recording
from vtox.motor.values.energy import NOTHING, MeterCounts, MeterReading, counts_of

PLANT = PLANTS["50hp"]
MOTOR = nameplate(PLANT, resistance=True)
HALF = loaded(PLANT, 0.5)
RECORDING = terminals.recording({1: (HALF.v1, HALF.i1)}, hz=1.0003 * PLANT.supply_hz)


def reading(recording: Recording = RECORDING, motor: Motor = MOTOR) -> MeterReading:
    analysis = front_end([recording], [motor], frames=True, slot_band=False)
    return MeterReading.of_rows(readings(analysis))[0]


def changed(**channels: np.ndarray) -> Recording:
    return replace(RECORDING, channels={**RECORDING.channels, **channels})


def without(*names: str) -> Recording:
    kept = {n: x for n, x in RECORDING.channels.items() if n not in names}
    return replace(RECORDING, channels=kept)


def test_a_record_counts_its_energy_and_its_load() -> None:
    x = reading()
    assert (x.power_code, x.load_code) == ("", "")
    assert x.counts.energy_j == pytest.approx(HALF.input_w, abs=1)
    assert x.counts.shaft_j == pytest.approx(HALF.shaft_w, rel=0.01)
    assert x.counts.energy_j - x.counts.shaft_j == pytest.approx(x.counts.lost_j, abs=1)
    assert x.counts.powered_ms == x.counts.running_ms == x.counts.class_3_ms == 1000
    assert x.figures["load_ratio"] == pytest.approx(HALF.shaft_w / MOTOR.rated_power_w, abs=0.01)


def test_figures_have_six_digits() -> None:
    assert all(float(f"{v:.6g}") == v for v in reading().figures.values())


@pytest.mark.parametrize(
    ("recording", "code"),
    [
        (changed(ia=-RECORDING.channels["ia"]), "channel_reversed"),
        (changed(vb=-RECORDING.channels["vb"]), "channel_reversed"),
        (
            changed(ib=RECORDING.channels["ic"], ic=RECORDING.channels["ib"]),
            "phase_orders_differ",
        ),
        (
            changed(
                ia=RECORDING.channels["ib"],
                ib=RECORDING.channels["ic"],
                ic=RECORDING.channels["ia"],
            ),
            "voltages_not_paired_or_generating",
        ),
        (without("va"), "missing_channel"),
        (without("va", "vb", "vc"), "missing_channel"),
        (without("ia", "ib"), "missing_channel"),
    ],
    ids=["clamp", "voltage", "exchanged", "turned", "two voltages", "no voltages", "one current"],
)
def test_what_cannot_be_measured_has_a_code_and_counts_no_energy(
    recording: Recording, code: str
) -> None:
    x = reading(recording)
    assert x.power_code == code
    assert "active_w" not in x.figures
    assert x.counts.energy_j == x.counts.powered_ms == x.counts.lost_j == 0


@pytest.mark.parametrize(
    ("lag_deg", "code"),
    [(0.0, "power_factor_of_no_motor"), (-4.0, "power_factor_of_no_motor"), (12.0, "")],
)
def test_a_heater_has_power_and_no_load(lag_deg: float, code: str) -> None:
    turn = np.exp(1j * (np.angle(HALF.v1) - np.radians(lag_deg)))
    x = reading(terminals.recording({1: (HALF.v1, abs(HALF.i1) * turn)}, hz=PLANT.supply_hz))
    assert (x.power_code, x.load_code) == ("", code)
    assert x.counts.energy_j > 0
    assert ("load_ratio" in x.figures) == (code == "")


def test_two_exchanged_currents_of_two_are_refused() -> None:
    x = reading(
        replace(
            RECORDING,
            channels={
                **without("ia", "ib", "ic").channels,
                "ia": RECORDING.channels["ic"],
                "ic": RECORDING.channels["ia"],
            },
        )
    )
    assert x.power_code == "phase_orders_differ"
    assert x.counts.energy_j == 0


def test_currents_alone_give_an_estimate_that_is_not_counted() -> None:
    full = loaded(PLANT, 0.9)
    whole = terminals.recording({1: (full.v1, full.i1)}, hz=1.0003 * PLANT.supply_hz)
    channels = {n: x for n, x in whole.channels.items() if n.startswith("i")}
    x = reading(replace(whole, channels=channels))
    assert x.figures["estimated_power_w"] == pytest.approx(full.input_w, rel=0.1)
    assert x.figures["current_a"] == pytest.approx(abs(full.i1) / 2**0.5, rel=1e-3)
    assert x.counts == MeterCounts(observed_ms=1000, running_ms=1000)


@pytest.mark.parametrize(
    ("motor", "code"),
    [
        (replace(MOTOR, rated_efficiency=None), "rated_efficiency_unknown"),
        (replace(MOTOR, stator_resistance_ohm=1.0), "losses_contradict_efficiency"),
        (Motor(), "rated_power_unknown"),
    ],
)
def test_power_is_counted_where_the_load_is_not_known(motor: Motor, code: str) -> None:
    x = reading(motor=motor)
    assert (x.power_code, x.load_code) == ("", code)
    assert x.counts.energy_j > 0
    assert x.counts.estimated_ms == x.counts.shaft_j == sum(x.counts.classes_ms) == 0


def test_a_low_load_is_measured_but_not_estimated() -> None:
    low = loaded(PLANT, 0.1)
    x = reading(terminals.recording({1: (low.v1, low.i1)}, hz=1.0003 * PLANT.supply_hz))
    assert x.load_code == "load_too_low_to_estimate"
    assert x.counts.energy_j == pytest.approx(low.input_w, abs=1)
    assert x.counts.class_1_ms == 1000


def test_a_motor_that_stands_still_takes_no_power_for_that_time() -> None:
    rng = np.random.default_rng(0)
    noise = {n: 1e-3 * rng.standard_normal(RECORDING.samples) for n in ("ia", "ib", "ic")}
    assert reading(changed(**noise)).counts == MeterCounts(observed_ms=1000, powered_ms=1000)


def test_dead_samples_count_nothing() -> None:
    nan = np.full(RECORDING.samples, np.nan)
    assert reading(changed(ia=nan)).counts == NOTHING


def test_a_drive_has_a_load_but_no_efficiency() -> None:
    x = reading(motor=replace(MOTOR, supply="inverter"))
    assert x.load_code == ""
    assert "shaft_w" in x.figures
    assert "efficiency" not in x.figures


def test_counts_survive_packed_and_as_text() -> None:
    counts = reading().counts
    assert counts_of(MeterCounts.pack(counts)) == counts_of(counts_text(counts)) == counts
    assert counts.plus(counts).energy_j == 2 * counts.energy_j


def test_packed_counts_add_up_as_numbers_do() -> None:
    rng = np.random.default_rng(0)
    total = MeterCounts.pack(NOTHING)
    rows = rng.integers(-(2**52), 2**52, (500, len(NOTHING)))
    rows[::3] = rng.integers(-2, 2, rows[::3].shape)
    for k, row in enumerate(rows, 1):
        total = MeterCounts.packed_sum(total, MeterCounts.pack(row.tolist()))
        assert counts_of(total) == tuple(rows[:k].sum(axis=0).tolist())
