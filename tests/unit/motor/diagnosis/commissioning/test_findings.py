"""Check of wiring and nameplate: sound ones left alone, each mistake reported and corrected."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vtox.motor.diagnosis.commissioning.findings import commissioning
from vtox.motor.values.channel_map import Source, corrected
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording

MOTOR = Motor(
    pole_pairs=3,
    supply_hz=50,
    rated_speed_rpm=960,
    rated_current_a=10,
    rated_voltage_v=400,
)
FS_HZ, SECONDS = 2000.0, 3.0


def recording(lag_deg: float = 35.0, *, order: int = 1, noise: float = 0.005) -> Recording:
    """Three currents of 8 A behind three voltages of 230 V, with the noise of instruments."""
    t = np.arange(round(FS_HZ * SECONDS)) / FS_HZ
    rng = np.random.default_rng(5)
    channels = {}
    for names, rms, lag in ((CURRENTS, 8.0, lag_deg), (VOLTAGES, 230.0, 0.0)):
        for k, name in enumerate(names):
            phase = 2 * np.pi * 50 * t - order * 2 * np.pi * k / 3 - np.radians(lag)
            x = np.cos(phase) + noise * rng.standard_normal(len(t))
            channels[name] = (np.sqrt(2) * rms * x).astype(np.float32)
    return Recording(channels, FS_HZ)


R = recording()


def codes(r: Recording, motor: Motor | None = MOTOR) -> list[str]:
    return [f.code for f in commissioning(r, motor).findings]


def wrong(sources: Mapping[str, Source]) -> Recording:
    """The recording with channels wired as a map says; one that is taken away is sent twice."""
    return replace(R, channels={**R.channels, **corrected(R, sources).channels})


def times(names: tuple[str, ...], factor: float) -> dict[str, Source]:
    return {n: Source(n, -1 if factor < 0 else 1, abs(factor)) for n in names}


@pytest.mark.parametrize("lag_deg", [-5, 10, 30, 60, 88])
@pytest.mark.parametrize("order", [1, -1])
def test_a_sound_installation_is_left_alone(lag_deg: float, order: int) -> None:
    found = commissioning(recording(lag_deg, order=order), MOTOR)
    assert (found.findings, found.unusable, found.proposal) == ((), (), {})
    assert set(found.checked) == {
        "currents",
        "voltages",
        "pairing",
        "rated_current",
        "supply_hz",
        "pole_pairs",
    }


SWAPPED = {"ia": Source("ib"), "ib": Source("ia")}
TURNED = {"ia": Source("ib"), "ib": Source("ic"), "ic": Source("ia")}
CORRECTABLE: list[tuple[dict[str, Source], list[str]]] = [
    (SWAPPED, ["channels_swapped"]),
    (TURNED, ["channels_turned"]),
    ({"va": Source("vb"), "vb": Source("va")}, ["channels_swapped"]),
    (times(("ia",), -1), ["channel_reversed"]),
    (times(("ib", "ic"), -1), ["channel_reversed"] * 2),
    (times(CURRENTS, -1), ["channel_reversed"] * 3),
    (times(("vb",), -1), ["channel_reversed"]),
    (times(("ia",), 2), ["channel_ratio_differs"]),
    (times(("ic",), 1000), ["channel_ratio_differs"]),
    (times(("vc",), 1.3), ["channel_ratio_differs"]),
    ({**SWAPPED, "ic": Source("ic", -1, 5.0)}, ["channels_swapped", "channel_reversed",
                                                "channel_ratio_differs"]),
]  # fmt: skip


@pytest.mark.parametrize(("sources", "expected"), CORRECTABLE)
def test_a_mistake_of_channels_is_told_and_the_proposed_map_corrects_it(
    sources: dict[str, Source], expected: list[str]
) -> None:
    miswired = wrong(sources)
    found = commissioning(miswired, MOTOR)
    assert [f.code for f in found.findings] == expected
    assert found.proposal
    after = corrected(miswired, found.proposal)
    assert commissioning(after, MOTOR).findings == ()
    for name in CURRENTS if set(sources) <= set(CURRENTS) else ():
        assert after.channels[name] == pytest.approx(R.channels[name], rel=0.02, abs=0.2)


UNCORRECTABLE: list[tuple[Callable[[], Recording], str]] = [
    (lambda: wrong({"ib": Source("ia")}), "channels_carry_one_signal"),
    (lambda: wrong({"va": Source("vc")}), "channels_carry_one_signal"),
    (lambda: wrong(times(("ia",), 1e-4)), "channel_not_connected"),
    (lambda: wrong(times(("vb",), 1e-4)), "channel_not_connected"),
    (lambda: wrong(times(CURRENTS, 10)), "current_far_above_rated"),
    (lambda: wrong(times(CURRENTS, 0.01)), "current_far_below_rated"),
    (lambda: wrong(times(VOLTAGES, 1.732)), "voltages_between_lines"),
    (lambda: wrong(times(VOLTAGES, 10)), "voltage_off_nameplate"),
]


@pytest.mark.parametrize(("make", "code"), UNCORRECTABLE)
def test_what_no_map_corrects_is_told(make: Callable[[], Recording], code: str) -> None:
    found = commissioning(make(), MOTOR)
    assert [f.code for f in found.findings] == [code]
    assert not found.proposal


def test_voltages_of_another_supply_do_not_stay_in_angle() -> None:
    n = np.arange(R.samples)
    late = {v: np.interp(0.997 * n, n, R.channels[v]).astype(np.float32) for v in VOLTAGES}
    assert "voltages_of_another_supply" in codes(replace(R, channels={**R.channels, **late}))


def test_at_a_lag_that_fits_twice_nothing_is_proposed() -> None:
    low = recording(20.0)
    swapped = {**low.channels, "ia": low.channels["ib"], "ib": low.channels["ia"]}
    found = commissioning(replace(low, channels=swapped), MOTOR)
    assert [f.code for f in found.findings] == ["phase_orders_differ"]
    assert found.proposal is None


PLATES: list[tuple[dict[str, Any], list[str]]] = [
    ({"pole_pairs": 2}, ["pole_pairs_off_rated_speed"]),
    ({"supply_hz": 60, "rated_speed_rpm": None}, ["supply_off_nameplate"]),
    ({"rated_current_a": 1}, ["current_far_above_rated"]),
    ({"rated_speed_rpm": None}, []),
]


@pytest.mark.parametrize(("changes", "expected"), PLATES)
def test_a_wrong_nameplate_is_told(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(R, replace(MOTOR, **changes)) == expected


def test_a_speed_tells_wrong_pole_pairs_without_a_rated_one() -> None:
    plate = replace(MOTOR, rated_speed_rpm=None)
    assert codes(replace(R, speed_rpm=970.0), plate) == []
    assert codes(replace(R, speed_rpm=1470.0), plate) == ["speed_implausible"]


def test_voltages_that_cannot_be_used_leave_the_currents_checked() -> None:
    clipped = {v: np.clip(R.channels[v], -200, 200) for v in VOLTAGES}
    found = commissioning(replace(R, channels={**R.channels, **clipped}), MOTOR)
    assert (found.findings, found.proposal) == ((), {})
    assert "currents" in found.checked
    assert "voltages" not in found.checked
    assert "clipped" in {r.code for r in found.unusable}


def test_an_open_phase_is_no_mistake_of_wiring() -> None:
    ib = R.channels["ib"]
    open_phase = {**R.channels, "ia": 1e-4 * ib, "ic": -ib}
    assert "channel_not_connected" not in codes(replace(R, channels=open_phase))


def test_without_voltages_nameplate_or_third_current_less_is_checked() -> None:
    currents = {n: R.channels[n] for n in CURRENTS}
    found = commissioning(Recording(currents, FS_HZ), None)
    assert (found.checked, found.proposal) == (("currents",), {})
    two = commissioning(Recording({n: currents[n] for n in ("ia", "ib")}, FS_HZ), None)
    assert (two.checked, two.findings) == ((), ())
    none = commissioning(Recording({"vibration": currents["ia"]}, FS_HZ), MOTOR)
    assert [r.code for r in none.unusable] == ["no_current"]
    noise = np.random.default_rng(1).standard_normal((3, 6000)).astype(np.float32)
    assert codes(Recording(dict(zip(CURRENTS, noise, strict=True)), FS_HZ)) == ["supply_not_found"]
