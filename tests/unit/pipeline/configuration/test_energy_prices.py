"""The price of energy: periods of the week as they are written, and where they lie in time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vtox.pipeline.configuration.prices import QUARTERS_A_WEEK, PricePeriods, quarters_ahead
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import SettingsError

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_first_period_that_holds_a_time_has_its_price() -> None:
    periods = PricePeriods.parse("0.1 sat,sun; 0.2 22:00-06:00; 0.4 mon-fri 17:00-20:00")
    number = {q: k for first, last, k in periods.spans() for q in range(first, last)}
    saturday_night, monday_night, monday_noon, friday_evening = 5 * 96 + 92, 92, 48, 4 * 96 + 68
    assert [number.get(q) for q in (saturday_night, monday_night, monday_noon, friday_evening)] == [
        *(0, 1, None, 2)
    ]
    # The night that begins on Sunday evening is of the weekend until midnight.
    assert (number[6 * 96 + 95], number[0]) == (0, 1)
    assert str(periods) == "0.1 sat,sun; 0.2 22:00-06:00; 0.4 mon-fri 17:00-20:00"


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_quarter_hours_of_the_week_are_local_also_where_clocks_change(hour: int) -> None:
    begin = int(datetime(2026, 10, 20, hour, tzinfo=UTC).timestamp())
    end = begin + 10 * 86_400
    ahead = quarters_ahead("Europe/Berlin", begin, end)
    assert len(ahead) == 2
    for t in range(begin, end, 900):
        local = datetime.fromtimestamp(t, BERLIN)
        expected = local.weekday() * 96 + local.hour * 4 + local.minute // 15
        shift = [n for start, n in ahead if start <= t][-1]
        assert (t // 900 + shift) % QUARTERS_A_WEEK == expected


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PERIODS", "0.16", "expected periods like"),
        ("PERIODS", "cheap 22:00-06:00", "expected periods like"),
        ("PERIODS", "0.16 22:10-06:00", "expected a quarter-hour"),
        ("PERIODS", "0.16 25:00-06:00", "expected a quarter-hour"),
        ("PERIODS", "0.16 06:00-06:00", "ends where it begins"),
        ("TIME_ZONE", "Berlin", "expected a time zone like"),
        ("PER_KWH", "inf", "finite"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"VTOX_ENERGY_PRICE__{name}", value)
    with pytest.raises(SettingsError, match=told) as error:
        load()
    assert f"VTOX_ENERGY_PRICE__{name}" in str(error.value)


def test_a_price_is_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_ENERGY_PRICE__PER_KWH", "0.24")
    monkeypatch.setenv("VTOX_ENERGY_PRICE__PERIODS", "0.16 22:00-06:00")
    price = load().energy_price
    assert price.per_kwh == 0.24
    assert [p.per_kwh for p in price.periods.periods] == [0.16]
