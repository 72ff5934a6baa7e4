"""Energy in lines of text: what was counted, and what one record says."""

from collections.abc import Collection, Iterator

from vtox.diagnosis.energy.better_class import ClassSaving
from vtox.values.domain import Reason
from vtox.values.energy import MeterCounts, MeterReading, in_hours, in_kwh
from vtox.words.rendering import render


def counts_line(c: MeterCounts, hours: float) -> str:
    """Return counts in one line: the energy, and of how much of the time it is.

    Examples
    --------
    >>> counts_line(MeterCounts(powered_ms=3_600_000, energy_j=7_200_000), 24)
    '2 kWh in 1 of 24 h'
    """
    return f"{in_kwh(c.energy_j):.6g} kWh in {in_hours(c.powered_ms):.3g} of {hours:.4g} h"


def saving_line(saving: ClassSaving) -> str:
    """Return what a motor of the best class would have saved, or why that is not told.

    Examples
    --------
    >>> saving_line(ClassSaving("IE4", 12.0, 25.0))
    'a motor of class IE4 would have saved 12 to 25 kWh'
    """
    if saving.low_kwh is None or saving.high_kwh is None:
        return f"saving by a better class not told: {render(saving.code, {})}"
    if saving.low_kwh <= 0:
        return f"a motor of class {saving.ie_class} cannot be told apart in its losses"
    low, high = saving.low_kwh, saving.high_kwh
    return f"a motor of class {saving.ie_class} would have saved {low:.3g} to {high:.3g} kWh"


def reading_lines(reading: MeterReading | None, told: Collection[Reason] = ()) -> Iterator[str]:
    """Yield what a record says of power, load and supply, and why something is not known.

    A reason in `told`, which is printed above, is not repeated.
    """
    if reading is None:
        return
    f = reading.figures
    if "active_w" in f:
        yield (
            f"power {f['active_w'] / 1000:.4g} kW, {f['reactive_var'] / 1000:.4g} kvar, "
            f"power factor {f['power_factor']:.3f}, {f['voltage_v']:.4g} V, {f['current_a']:.4g} A"
        )
    elif "estimated_power_w" in f:
        half = f["estimated_power_half_w"] / 1000
        yield f"power about {f['estimated_power_w'] / 1000:.3g} +- {half:.2g} kW, by currents alone"
    if reading.power_code and reading.power_code not in {r.code for r in told}:
        yield f"power not measured: {render(reading.power_code, reading.power_values)}"
    if "shaft_w" in f:
        yield (
            f"shaft {f['shaft_w'] / 1000:.4g} +- {f['shaft_half_w'] / 1000:.2g} kW, "
            f"{f['load_ratio']:.1%} of rated, {f['torque_nm']:.4g} N m"
        )
    if "efficiency" in f:
        yield (
            f"efficiency {f['efficiency']:.1%} +- {f['efficiency_half']:.1%}, "
            f"losses {f['loss_w']:.4g} +- {f['loss_half_w']:.2g} W"
        )
    if reading.load_code and reading.load_code != reading.power_code:
        yield f"load not estimated: {render(reading.load_code, reading.load_values)}"
    if "voltage_unbalance" in f:
        yield (
            f"unbalance {f['voltage_unbalance']:.2%} (voltage) {f['current_unbalance']:.2%} "
            f"(current), distortion {f['voltage_thd']:.2%} and {f['current_thd']:.2%}"
        )
