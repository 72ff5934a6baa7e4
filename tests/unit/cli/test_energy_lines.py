"""Lines of energy on a terminal: every language has the same figures."""

import re

import pytest

from tests.unit.motor.words.latin import latin_words
from vtox.cli.shared.energy_lines import counts_line, fleet_line, reading_lines, saving_line
from vtox.motor.values.energy import MeterReading

FIGURES = {
    "active_w": 2150.0,
    "reactive_var": 1400.0,
    "power_factor": 0.838,
    "voltage_v": 400.0,
    "current_a": 3.7,
    "shaft_w": 1890.0,
    "shaft_half_w": 70.0,
    "load_ratio": 0.3,
    "torque_nm": 12.1,
    "efficiency": 0.88,
    "efficiency_half": 0.03,
    "loss_w": 26300.0,
    "loss_half_w": 6400.0,
    "voltage_unbalance": 0.01,
    "current_unbalance": 0.02,
    "voltage_thd": 0.012,
    "current_thd": 0.004,
}
READINGS = [
    MeterReading(FIGURES),
    MeterReading({"estimated_power_w": 2000.0, "estimated_power_half_w": 90.0}),
    MeterReading({}, power_code="phase_orders_differ", load_code="rated_power_unknown"),
]


def lines(language: str) -> list[str]:
    found = [line for r in READINGS for line in reading_lines(r, language=language)]
    counts = {"energy_kwh": 2.0, "measured_h": 1.0}
    savings = [{"ie_class": "IE4", "low_kwh": low, "high_kwh": 25.0} for low in (12.0, -1.0)]
    none = {"energy_kwh": None, "measured_h": 0.0}
    sums = [counts_line(c, 24.0, language) for c in (counts, none)]
    for n, total in ((1, counts), (0, none)):
        fleet = {"measured_machines": n, "machines": [{}, {}], "total": total}
        sums.append(fleet_line(fleet, language))
    return [*found, *sums, *(saving_line(s, language) for s in savings)]


def test_losses_of_a_large_motor_are_written_out() -> None:
    assert any("26300 +- 6400 W" in line for line in lines("en"))


def test_small_energies_have_no_exponent() -> None:
    line = counts_line({"energy_kwh": 300 / 3.6e6, "measured_h": 0.001}, 24.0)
    assert line == "0.0001 kWh, measured for 0.001 of 24 h"


def test_chinese_lines_have_the_figures_of_the_english_ones() -> None:
    for english, chinese in zip(lines("en"), lines("zh"), strict=True):
        assert sorted(re.findall(r"[\d.]+%?", chinese)) == sorted(re.findall(r"[\d.]+%?", english))


@pytest.mark.parametrize("line", lines("zh"))
def test_chinese_lines_have_no_english_words(line: str) -> None:
    assert latin_words(line) <= {"IE4", "kW", "kWh", "kvar", "N", "m", "h"}
