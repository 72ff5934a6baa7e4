"""Energy of a record in words: power, load and losses, or why they are not known."""

from collections.abc import Iterator, Mapping

from vtox.motor.values.plain_data import digits
from vtox.reporting.reports.cards import sentence
from vtox.reporting.reports.contents import Energy
from vtox.reporting.reports.elements import sentence_case
from vtox.reporting.reports.texts import say

# Key of the name, its figure and that of half the interval; a `%` for a ratio, else divisor, unit.
_ROWS: tuple[tuple[str, str, str, tuple[float, str]], ...] = (
    ("power", "active_w", "", (1000, "kW")),
    ("power", "estimated_power_w", "estimated_power_half_w", (1000, "kW")),
    ("reactive", "reactive_var", "", (1000, "kvar")),
    ("power_factor", "power_factor", "", (1, "")),
    ("voltage", "voltage_v", "", (1, "V")),
    ("current", "current_a", "", (1, "A")),
    ("shaft", "shaft_w", "shaft_half_w", (1000, "kW")),
    ("load", "load_ratio", "", (0.01, "%")),
    ("torque", "torque_nm", "torque_half_nm", (1, "N m")),
    ("efficiency", "efficiency", "efficiency_half", (0.01, "%")),
    ("losses", "loss_w", "loss_half_w", (1, "W")),
    ("unbalance", "voltage_unbalance", "", (0.01, "%")),
    ("distortion", "voltage_thd", "", (0.01, "%")),
)


def energy_gaps(energy: Energy, text: Mapping[str, str]) -> Iterator[str]:
    """Yield why power or load are not known."""
    gaps = [("power", energy.power_code, energy.power_values)]
    if energy.load_code != energy.power_code:
        gaps.append(("load", energy.load_code, energy.load_values))
    for name, code, values in gaps:
        if code:
            why = sentence({"code": code, "values": values}, text)
            yield sentence_case(say(text, f"energy_no_{name}", why=why))


def energy_rows(energy: Energy, text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and values of the figures that are known."""
    figures = energy.figures
    for key, name, half, (divisor, unit) in _ROWS:
        if name not in figures:
            continue
        value = digits(figures[name] / divisor)
        interval = f" ± {digits(figures[half] / divisor)}" if half in figures else ""
        yield text[f"energy_{key}"], f"{value}{interval} {unit}".strip()
