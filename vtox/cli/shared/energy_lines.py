"""Energy in lines of text: the counts of a time, and the figures of one record."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vtox.motor.values.domain import Reason
from vtox.motor.values.energy import MeterReading
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.motor.words.rendering import render


class _Figure(float):
    """A number that is written without an exponent."""

    def __format__(self, form: str) -> str:
        text = format(float(self), form)
        if "e-" in text:
            return f"{float(text):.4f}"
        return f"{float(text):.0f}" if "e+" in text else text


def line(name: str, language: Language = DEFAULT, **values: Any) -> str:
    """Return the line of a name, `energy_...` of the messages.

    Examples
    --------
    >>> line("saving", ie_class="IE4", low=1234.0, high=25000.0)
    'a motor of class IE4 would have saved 1230 to 25000 kWh'
    """
    figures = {n: _Figure(v) if isinstance(v, float) else v for n, v in values.items()}
    return catalogue(language).messages[f"energy_{name}"].format_map(figures)


def counts_line(counts: Mapping[str, Any], hours: float, language: Language = DEFAULT) -> str:
    """Return counts of the API in one line: the energy, and of how much of the time it is.

    Examples
    --------
    >>> counts_line({"energy_kwh": 2.0, "measured_h": 1.0}, 24.0)
    '2 kWh, measured for 1 of 24 h'
    """
    if counts["energy_kwh"] is None:
        return line("not_counted", language, of=hours)
    return line("counts", language, **_sums(counts), of=hours)


def fleet_line(found: Mapping[str, Any], language: Language = DEFAULT) -> str:
    """Return the number of machines with measured power, and their energy together.

    Examples
    --------
    >>> total = {"energy_kwh": 2.0, "measured_h": 1.0}
    >>> fleet_line({"measured_machines": 1, "machines": [{}, {}], "total": total})
    '1 of 2 machines measured: 2 kWh in 1 h of measurement'
    """
    n, of = found["measured_machines"], len(found["machines"])
    text = line("machines", language, n=n, of=of)
    if not n:
        return text
    return f"{text}: {line('in_all', language, **_sums(found['total']))}"


def _sums(counts: Mapping[str, Any]) -> dict[str, float]:
    return {"kwh": counts["energy_kwh"], "hours": counts["measured_h"]}


def saving_line(saving: Mapping[str, Any], language: Language = DEFAULT) -> str:
    """Return the energy that a motor of the best class would have saved, or why it is unknown.

    Examples
    --------
    >>> saving_line({"ie_class": "IE4", "low_kwh": 12.0, "high_kwh": 25.0})
    'a motor of class IE4 would have saved 12 to 25 kWh'
    """
    low, high = saving["low_kwh"], saving["high_kwh"]
    if low is None or high is None:
        return line("saving_unknown", language, why=saving["sentence"])
    name = "saving" if low > 0 else "saving_none"
    return line(name, language, ie_class=saving["ie_class"], low=low, high=high)


def reading_lines(
    reading: MeterReading | None, told: Collection[Reason] = (), language: Language = DEFAULT
) -> Iterator[str]:
    """Yield power, load and supply of a record, and why something is not known.

    A reason in `told`, which is printed above, is not repeated.
    """
    if reading is None:
        return
    f = reading.figures
    if "active_w" in f:
        yield line("power", language, **f, kw=_kilo(f, "active_w"), kvar=_kilo(f, "reactive_var"))
    elif "estimated_power_w" in f:
        half = _kilo(f, "estimated_power_half_w")
        yield line("by_currents", language, kw=_kilo(f, "estimated_power_w"), half_kw=half)
    if reading.power_code and reading.power_code not in {r.code for r in told}:
        why = render(reading.power_code, reading.power_values, language)
        yield line("power_unknown", language, why=why)
    if "shaft_w" in f:
        half = _kilo(f, "shaft_half_w")
        yield line("shaft", language, **f, kw=_kilo(f, "shaft_w"), half_kw=half)
    if "efficiency" in f:
        yield line("efficiency", language, **f)
    if reading.load_code and reading.load_code != reading.power_code:
        why = render(reading.load_code, reading.load_values, language)
        yield line("load_unknown", language, why=why)
    if "voltage_unbalance" in f:
        yield line("supply", language, **f)


def _kilo(figures: Mapping[str, float], name: str) -> float:
    return figures[name] / 1000
