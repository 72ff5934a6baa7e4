"""Broken bars are detected from -54 dBc on, sound machines are not; abstentions have a code."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.broken_bar import evidence
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import (
    MIN_OVER_FLOOR_AT_PLACE,
    MIN_OVER_FLOOR_WIDE,
)
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.features import SLIP_LINE_SHARE, SLIP_SIDEBANDS
from vtox.motor.values.baseline import Band, Baseline, Level
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Motor, Recording

# Square to the axis of a load at a power factor of 0.8: the axis of a cage of small inertia.
CAGE_RAD = 0.64 - np.pi / 2
SOUND = Machine(slot_dbc=-60.0, tip_rad=CAGE_RAD)
BROKEN = replace(SOUND, lower_dbc=-42.0, upper_dbc=-48.0)
NO_BARS = replace(MOTOR, rotor_bars=None)


def diagnose(
    machines: list[Machine],
    motor: Motor = MOTOR,
    *,
    baseline: Baseline | None = None,
    speed: bool = False,
    seed: int = 0,
) -> list[Diagnosis]:
    rng = np.random.default_rng(seed)
    batch = [recording(m, rng, speed=speed) for m in machines]
    return [*broken_bar.diagnose(front_end(batch, [motor] * len(batch)), [baseline] * len(batch))]


@pytest.mark.parametrize(
    ("slip", "wander_hz"), [(0.01, 0.0), (0.01, 0.002), (0.013, 0.005), (0.02, 0.005), (0.03, 0.01)]
)
@pytest.mark.parametrize("upper_db", [-3.0, -20.0])
def test_developing_fault_is_found_with_its_level(
    slip: float, wander_hz: float, upper_db: float
) -> None:
    m = replace(SOUND, slip=slip, lower_dbc=-54.0, upper_dbc=-54.0 + upper_db, wander_hz=wander_hz)
    found = diagnose([m] * 8)
    assert [d.state for d in found] == ["warning"] * 8
    levels = [d.indicators["lower_sideband_dbc"] for d in found]
    assert np.median(levels) == pytest.approx(-54.0, abs=1.0)
    assert [d.indicators["slip"] for d in found] == pytest.approx([slip] * 8, abs=5e-4)


@pytest.mark.parametrize(
    ("level_dbc", "state"),
    [(-70.0, "normal"), (-61.0, "normal"), (-50.0, "warning"), (-43.0, "fault"), (-33.0, "fault")],
)
def test_state_follows_the_level(level_dbc: float, state: str) -> None:
    (d,) = diagnose([replace(SOUND, lower_dbc=level_dbc, upper_dbc=level_dbc - 6)])
    assert d.state == state
    assert (d.statistic > d.threshold) is (state != "normal")
    assert d.indicators["lower_sideband_dbc"] == pytest.approx(level_dbc, abs=1.0)
    assert (d.code == "rotor_asymmetry") is (state != "normal")


def test_severity_and_confidence_are_bounded_and_severity_grows() -> None:
    levels = (-64.0, -56.0, -52.0, -46.0, -40.0, -34.0, -28.0)
    found = diagnose([replace(SOUND, lower_dbc=x, upper_dbc=x - 5) for x in levels])
    severities = [d.severity for d in found]
    assert severities == sorted(severities)
    assert severities[0] == 0
    assert severities[-1] == 1
    assert all(0 <= d.confidence <= 1 for d in found)


@pytest.mark.parametrize("wander_hz", [0.0, 0.002, 0.01, 0.02])
@pytest.mark.parametrize("slip", [0.011, 0.025])
def test_sound_machines_raise_no_alarm(slip: float, wander_hz: float) -> None:
    rng = np.random.default_rng(5)
    machines = [
        replace(
            SOUND,
            slip=slip,
            wander_hz=wander_hz,
            lower_dbc=rng.uniform(-75, -60.5),
            upper_dbc=rng.uniform(-80, -63),
            noise=1e-3,
            f0_hz=50 + rng.uniform(-0.05, 0.05),
        )
        for _ in range(30)
    ]
    states = {d.state for d in diagnose(machines)}
    assert states <= {"normal", "unknown"}
    if wander_hz <= 0.002:
        assert states == {"normal"}


@pytest.mark.parametrize("motor", [MOTOR, NO_BARS])
def test_load_oscillation_at_another_frequency_is_no_broken_bar(motor: Motor) -> None:
    rng = np.random.default_rng(6)
    swings = [replace(SOUND, swing=0.02, swing_hz=x) for x in rng.uniform(0.5, 1.6, 10)]
    found = diagnose(swings, motor) + diagnose(swings, motor, speed=True)
    assert {d.state for d in found} <= {"normal", "unknown"}
    assert {d.state for d in diagnose(swings, MOTOR)} == {"normal"}


def test_load_oscillation_at_twice_slip_frequency_gives_unknown() -> None:
    m = replace(SOUND, swing=0.02, swing_hz=2 * SOUND.slip * SOUND.f0_hz)
    for d in diagnose([m] * 5, NO_BARS, speed=True) + diagnose([m] * 5, NO_BARS):
        assert (d.state, d.code) == ("unknown", "load_oscillation_or_broken_bars")
        assert ("slip_not_measured" in [x.code for x in d.doubts]) == (
            d.indicators["slip_source"] == "nameplate and load"
        )


def test_a_line_next_to_twice_slip_frequency_is_of_the_load() -> None:
    m = replace(SOUND, slot_dbc=-300.0, swing=0.03, swing_hz=2 * SOUND.slip * SOUND.f0_hz + 0.25)
    (d,) = diagnose([m], NO_BARS, speed=True)
    assert (d.state, d.code) == ("unknown", "load_oscillation_hides_sidebands")
    assert d.values["line_hz"] == pytest.approx(d.values["distance_hz"] + 0.25, abs=0.05)


@pytest.mark.parametrize("slip", [0.0065, 0.034, 0.04])
def test_an_estimated_slip_does_not_clear_a_line_at_another(slip: float) -> None:
    """The current and the speed of the nameplate allow 0.8 to 3.2 %; neither need be right."""
    m = replace(BROKEN, slip=slip, slot_dbc=-300.0, seconds=20.0)
    (estimated,) = diagnose([m], NO_BARS)
    assert (estimated.state, estimated.code) == ("unknown", "line_outside_estimated_slip")
    low_hz, high_hz = (estimated.values[name] for name in ("low_hz", "high_hz"))
    assert not low_hz <= estimated.values["line_hz"] <= high_hz
    (measured,) = diagnose([m], NO_BARS, speed=True)
    assert measured.state == "fault"
    weak = replace(m, lower_dbc=-60.0, upper_dbc=-66.0)
    assert diagnose([weak], NO_BARS)[0].state == "normal"


@pytest.mark.parametrize(("hz", "state"), [(2.0, "unknown"), (3.5, "normal")])
def test_a_line_whose_slip_speed_and_nameplate_both_exclude_is_harmless(
    hz: float, state: str
) -> None:
    """At 5 of 10 A the nameplate allows a slip up to 2.3 %, and the speed is one of 1.2 %."""
    m = replace(SOUND, slip=0.012, rms_a=5.0, slot_dbc=-300.0)
    line = replace(m, slip=hz / 2 / m.f0_hz, lower_dbc=-44.0, upper_dbc=-50.0)
    d = with_speed(recording(line, np.random.default_rng(0)), 30 * m.f0_hz * 0.988, NO_BARS)
    assert d.state == state
    assert (d.code == "line_at_another_slip") is (state == "unknown")


def test_slip_sources_that_disagree_leave_the_rotor_cage_undecided() -> None:
    """The speed of another machine was sent: no line at its slip is the rotor cage's."""
    r = recording(replace(BROKEN, slip=0.02), np.random.default_rng(0))
    d = with_speed(r, 30 * SOUND.f0_hz * (1 - 0.012), MOTOR)
    assert (d.state, d.code) == ("unknown", "slip_sources_disagree")
    assert d.values["other_low"] < 0.02 < d.values["other_high"]
    assert d.values["slip"] == pytest.approx(0.012, abs=1e-4)


def with_speed(r: Recording, rpm: float, motor: Motor) -> Diagnosis:
    (d,) = broken_bar.diagnose(front_end([replace(r, speed_rpm=rpm)], [motor]), [None])
    return d


@pytest.mark.parametrize(
    ("motor", "code"), [(MOTOR, "slip_sources_disagree"), (NO_BARS, "line_at_another_slip")]
)
def test_a_wrong_speed_does_not_clear_a_broken_bar(motor: Motor, code: str) -> None:
    """Slot harmonics of the true slip lie outside the speed's range, their sidebands inside."""
    m = replace(BROKEN, slip=0.023, slot_dbc=-300.0, noise=0.0)
    r, bare = recording(m, np.random.default_rng(0)), dict[str, np.ndarray]()
    for slip, slot_dbc in ((0.023, -50.0), (0.0197, -62.0)):
        slots = replace(m, slip=slip, slot_dbc=slot_dbc, lower_dbc=-300.0, upper_dbc=-300.0)
        with_them = recording(slots, np.random.default_rng(1)).channels
        without = recording(replace(slots, slot_dbc=-300.0), np.random.default_rng(1)).channels
        for name in r.channels:
            bare[name] = bare.get(name, 0) + with_them[name] - without[name]
    r = replace(r, channels={name: x + bare[name] for name, x in r.channels.items()})
    d = with_speed(r, 30 * m.f0_hz * (1 - 0.0197), motor)
    assert (d.state, d.code) == ("unknown", code)
    assert d.values["slip"] == pytest.approx(0.0197, abs=1e-4)
    assert with_speed(r, 30 * m.f0_hz * (1 - 0.023), motor).state == "fault"


def test_the_rated_speed_sent_at_any_load_does_not_clear_a_broken_bar() -> None:
    r = recording(replace(BROKEN, slip=0.018, rms_a=7.0), np.random.default_rng(0))
    d = with_speed(r, 1455.0, NO_BARS)
    assert (d.state, d.code) == ("warning", "rotor_asymmetry")
    assert d.indicators["slip_source"] == "nameplate and load"
    assert [x.code for x in d.doubts] == [
        "slip_not_measured",
        "flicker_not_excluded",
        "speed_copied_from_nameplate",
    ]


@pytest.mark.parametrize(
    ("change", "motor", "code", "values"),
    [
        ({"seconds": 1.0}, MOTOR, "record_too_short_for_slip", {"duration_s": 1.0}),
        ({"slip": 0.005, "rms_a": 5.0}, MOTOR, "record_too_short_for_slip", {"needed_s": 17.0}),
        ({"seconds": 1.0}, NO_BARS, "record_too_short_for_least_slip", {"duration_s": 1.0}),
        (
            {"rms_a": 4.0},
            replace(NO_BARS, rated_current_a=10.5),
            "slip_possibly_too_small",
            {"slip": 0.0},
        ),
        ({"rms_a": 3.0}, MOTOR, "load_too_low", {"load_a": 3.0, "needed_a": 3.5}),
        ({"slot_dbc": -300.0}, Motor(), "pole_pairs_unknown", {}),
        (
            {"lower_dbc": -300.0, "upper_dbc": -300.0},
            replace(MOTOR, supply="inverter"),
            "inverter_without_voltages",
            {},
        ),
        ({"noise": 0.3}, MOTOR, "noise_hides_sidebands", {"needed_dbc": -54.0}),
    ],
)
def test_abstentions(
    change: dict[str, float], motor: Motor, code: str, values: dict[str, float]
) -> None:
    (d,) = diagnose([replace(SOUND, **change)], motor)
    assert (d.state, d.code) == ("unknown", code)
    assert {name: d.values[name] for name in values} == pytest.approx(values, rel=0.01)
    assert d.severity is None


def test_a_batch_answers_as_each_record_alone_where_some_are_not_searched() -> None:
    rng = np.random.default_rng(2)
    machines = [replace(SOUND, rms_a=3.0), BROKEN, SOUND, replace(SOUND, slip=0.003), BROKEN]
    batch = [recording(m, rng) for m in machines]
    together = broken_bar.diagnose(front_end(batch, [MOTOR] * 5), [None] * 5)
    alone = [broken_bar.diagnose(front_end([r], [MOTOR]), [None]) for r in batch]
    assert [*together] == [d for (d,) in alone]
    assert [d.state for d in together] == ["unknown", "fault", "normal", "unknown", "fault"]


def test_nothing_is_searched_where_no_record_can_show_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches = []
    monkeypatch.setattr(evidence, "sideband_pairs", lambda *_: searches.append(1))
    found = diagnose([replace(SOUND, seconds=1.0)] * 2)
    assert [d.code for d in found] == ["record_too_short_for_slip"] * 2
    assert not searches


def test_a_speed_that_does_not_fit_is_a_doubt() -> None:
    r = recording(SOUND, np.random.default_rng(0))
    d = with_speed(r, 2900.0, MOTOR)
    assert (d.state, d.code) == ("normal", "no_sidebands")
    assert [x.code for x in d.doubts] == ["speed_implausible"]
    assert d.values["slip_source"] == "slot harmonics"


def test_unknown_whenever_the_lines_are_within_eight_bins() -> None:
    machines = [replace(SOUND, slip=s, lower_dbc=-45.0) for s in np.linspace(0.004, 0.0078, 12)]
    assert {d.state for d in diagnose(machines)} == {"unknown"}


def test_a_step_of_load_is_not_stationary() -> None:
    r = recording(SOUND, np.random.default_rng(0))
    step = np.where(np.arange(r.samples) < 12_000, 1.0, 2.0).astype(np.float32)
    stepped = replace(r, channels={c: x * step for c, x in r.channels.items()})
    (d,) = broken_bar.diagnose(front_end([stepped], [MOTOR]), [None])
    assert (d.state, d.code) == ("unknown", "current_not_steady")
    assert d.values["high_a"] == pytest.approx(2.0 * d.values["low_a"], rel=0.01)
    assert d.values["low_a"] == pytest.approx(8.0, rel=0.01)


def test_a_supply_that_changes_its_frequency_is_not_stationary() -> None:
    (d,) = diagnose([replace(SOUND, wander_hz=0.5)])
    assert (d.state, d.code) == ("unknown", "supply_not_steady")
    assert d.values["range_hz"] > d.values["limit_hz"] == 0.4


def test_twenty_seconds_serve_where_ten_do_not() -> None:
    m = replace(SOUND, slip=0.006, rms_a=5.0, lower_dbc=-48.0, upper_dbc=-55.0)
    assert diagnose([m])[0].state == "unknown"
    assert diagnose([replace(m, seconds=20.0)])[0].state == "warning"


@pytest.mark.parametrize("channels", [("ia",), ("ib", "ic")])
def test_one_or_two_clamps_are_enough(channels: tuple[str, ...]) -> None:
    r = recording(BROKEN, np.random.default_rng(0))
    fewer = replace(r, channels={c: r.channels[c] for c in channels})
    (d,) = broken_bar.diagnose(front_end([fewer], [MOTOR]), [None])
    assert d.state == "fault"
    assert d.indicators["lower_sideband_dbc"] == pytest.approx(-42.0, abs=1.0)


def with_voltage(m: Machine, modulation: float) -> Recording:
    """The voltage wanders with the supply, and carries a line at 2sf of that size."""
    rng = np.random.default_rng(1)
    r = recording(m, rng)
    t = np.arange(r.samples) / r.fs_hz
    swing = 1 + modulation * np.cos(4 * np.pi * m.slip * m.f0_hz * t)
    clean = recording(replace(m, lower_dbc=-300.0, upper_dbc=-300.0), np.random.default_rng(1))
    volts = {
        v: (x * 28 * swing).astype(np.float32)
        for v, x in zip(VOLTAGES, clean.channels.values(), strict=True)
    }
    return replace(r, channels={**r.channels, **volts})


def test_voltage_removes_the_wander() -> None:
    m = replace(SOUND, lower_dbc=-54.0, wander_hz=0.05, slip=0.012)
    with_v = with_voltage(m, 0.0)
    without = replace(with_v, channels={c: with_v.channels[c] for c in ("ia", "ib", "ic")})
    corrected, uncorrected = (
        next(iter(broken_bar.diagnose(front_end([r], [MOTOR]), [None]))) for r in (with_v, without)
    )
    assert corrected.state == "warning"
    assert corrected.indicators["floor_dbc"] < uncorrected.indicators["floor_dbc"] - 6


def test_a_line_in_the_voltage_gives_unknown() -> None:
    analysis = front_end([with_voltage(BROKEN, 0.02)], [MOTOR])
    (d,) = broken_bar.diagnose(analysis, [None])
    assert (d.state, d.code) == ("unknown", "sidebands_in_voltage")


def with_flicker(m: Machine, hz: float) -> Recording:
    """A supply of which the voltage flickers by 0.4 %, and the current as a machine answers."""
    r = recording(m, np.random.default_rng(1))
    clean = recording(replace(m, lower_dbc=-300.0, upper_dbc=-300.0), np.random.default_rng(1))
    t = np.arange(r.samples) / r.fs_hz
    swing = np.cos(2 * np.pi * hz * t)
    amps = {c: (x * (1 + 0.008 * swing)).astype(np.float32) for c, x in r.channels.items()}
    volts = zip(VOLTAGES, clean.channels.values(), strict=True)
    return replace(
        r,
        channels=amps | {v: (x * 28 * (1 + 0.004 * swing)).astype(np.float32) for v, x in volts},
    )


@pytest.mark.parametrize(
    ("lower_dbc", "slip", "state", "code"),
    [
        (-70.0, 0.02, "normal", "sidebands_of_sound_rotor_cage"),
        (-50.0, 0.0065, "unknown", "line_outside_estimated_slip"),
    ],
)
def test_a_line_that_the_voltage_carries_is_the_supply_s(
    lower_dbc: float, slip: float, state: str, code: str
) -> None:
    """Flicker at 3.8 Hz, outside the estimated slip, and perhaps the line of a cage elsewhere."""
    m = replace(SOUND, slip=slip, lower_dbc=lower_dbc, slot_dbc=-300.0, seconds=20.0)
    r = with_flicker(m, 3.8)
    currents = replace(r, channels={c: r.channels[c] for c in CURRENTS})
    (d,), (blind,) = (broken_bar.diagnose(front_end([x], [NO_BARS]), [None]) for x in (r, currents))
    assert (d.state, d.code) == (state, code)
    assert (blind.state, blind.code) == ("unknown", "line_outside_estimated_slip")
    assert blind.values["line_hz"] == pytest.approx(3.8, abs=0.05)
    if state == "unknown":
        assert d.values["line_hz"] == pytest.approx(2 * slip * m.f0_hz, abs=0.05)


def baseline_at(level_dbc: float, n: int = 20, share: float = 1.0) -> Baseline:
    levels = {
        SLIP_SIDEBANDS: Level(n=n, mean=level_dbc, std=0.5),
        SLIP_LINE_SHARE: Level(n=round(n / share), mean=share, std=0.0),
    }
    return Baseline(bands=(Band(7.5, 8.5, levels),))


def test_a_line_in_the_baseline_is_normal_until_it_rises() -> None:
    m = replace(SOUND, lower_dbc=-52.0, upper_dbc=-58.0)
    (same,) = diagnose([m], baseline=baseline_at(-52.0))
    (risen,) = diagnose([m], baseline=baseline_at(-64.0))
    assert (same.state, same.code) == ("normal", "sidebands_as_baseline")
    assert same.values["baseline_dbc"] == -52.0
    assert (risen.state, risen.code) == ("warning", "rotor_asymmetry")
    assert risen.indicators["change_db"] == pytest.approx(12.0, abs=1.0)


@pytest.mark.parametrize(
    ("n", "share", "code"),
    [
        (3, 1.0, "sidebands_as_baseline"),
        (2, 1.0, "rotor_asymmetry"),
        (6, 0.75, "sidebands_as_baseline"),
        (4, 0.5, "rotor_asymmetry"),
    ],
)
def test_a_line_that_few_learnt_records_show_is_not_the_cage_s(
    n: int, share: float, code: str
) -> None:
    m = replace(SOUND, lower_dbc=-52.0, upper_dbc=-58.0)
    assert diagnose([m], baseline=baseline_at(-52.0, n, share))[0].code == code


def test_a_line_learnt_at_one_load_alone_is_not_the_cage_s() -> None:
    """One record with a flicker at twice slip frequency, and a weak line of the cage at others."""
    at_load, elsewhere = baseline_at(-52.0, 1), baseline_at(-62.0, 7)
    other = replace(elsewhere.bands[0], low_a=4.0, high_a=5.0)
    both = Baseline(bands=(other, *at_load.bands))
    m = replace(SOUND, lower_dbc=-52.0, upper_dbc=-58.0)
    assert diagnose([m], baseline=both)[0].code == "rotor_asymmetry"


def test_broken_bars_in_the_baseline_are_a_warning() -> None:
    (d,) = diagnose([BROKEN], baseline=baseline_at(-42.0))
    assert (d.state, d.code) == ("warning", "rotor_asymmetry_as_baseline")


def test_features_are_what_a_baseline_learns() -> None:
    rng = np.random.default_rng(0)
    batch = [recording(m, rng) for m in (BROKEN, replace(SOUND, slip=0.004), SOUND)]
    features = broken_bar.features(front_end(batch, [MOTOR] * 3))
    levels, shares = features[SLIP_SIDEBANDS], features[SLIP_LINE_SHARE]
    assert levels[0] == pytest.approx(-42.0, abs=0.5)
    assert np.isnan(levels[1:]).all()
    # The second is too short for its slip, the third shows that there is no line.
    np.testing.assert_array_equal(shares, [1.0, np.nan, 0.0])


@pytest.mark.parametrize("speed", [True, False])
@pytest.mark.parametrize("tip_rad", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("weaker_db", [0.0, 1.0, 2.5])
def test_a_tip_that_moves_as_a_load_moves_it_gives_unknown(
    tip_rad: float, weaker_db: float, speed: bool
) -> None:
    m = replace(SOUND, lower_dbc=-40.0, upper_dbc=-40.0 - weaker_db, tip_rad=tip_rad)
    (d,) = diagnose([m], NO_BARS, speed=speed)
    assert (d.state, d.code) == ("unknown", "load_oscillation_or_broken_bars")
    assert d.values["distance_hz"] == pytest.approx(2 * m.slip * m.f0_hz, abs=0.02)
    assert d.evidence[-1]["cause"] == "load_oscillation"


def test_a_load_that_oscillates_fast_weakens_the_upper_sideband_more() -> None:
    """1.1 kW, two poles, 6 % of slip: pm/am of 0.50+0.23j at 8.4 Hz, 3.3 dB apart."""
    m = replace(SOUND, slip=0.084, lower_dbc=-30.0, upper_dbc=-33.3, tip_rad=0.48)
    (d,) = diagnose([m], replace(NO_BARS, rated_speed_rpm=1395.0), speed=True)
    assert (d.state, d.code) == ("unknown", "load_oscillation_or_broken_bars")


@pytest.mark.parametrize("tip_rad", [-1.2, CAGE_RAD, 1.3, np.pi / 2])
def test_equal_sidebands_that_no_load_makes_are_a_fault(tip_rad: float) -> None:
    m = replace(SOUND, lower_dbc=-40.0, upper_dbc=-40.5, tip_rad=tip_rad)
    assert diagnose([m], NO_BARS, speed=True)[0].state == "fault"


def test_a_level_that_the_noise_leaves_open_is_not_reported() -> None:
    m = replace(SOUND, lower_dbc=-48.0, upper_dbc=-49.0)
    clear, rough = diagnose([m, replace(m, wander_hz=0.15)], speed=True)
    assert clear.indicators["lower_sideband_dbc"] == pytest.approx(-48.0, abs=0.5)
    assert clear.indicators["level_deviation_db"] < 0.5
    assert rough.indicators["lower_sideband_dbc"] is None
    assert rough.indicators["upper_sideband_dbc"] is None
    assert rough.indicators["level_deviation_db"] > 1
    assert "level_in_noise" not in [x.code for x in clear.doubts]
    assert "level_in_noise" in [x.code for x in rough.doubts]


def test_a_supply_that_was_not_measured_may_be_the_cause() -> None:
    rng = np.random.default_rng(0)
    alone = recording(BROKEN, rng)
    volts = dict(zip(VOLTAGES, recording(SOUND, rng).channels.values(), strict=True))
    both = Recording(dict(alone.channels) | volts, alone.fs_hz)
    for x, named in ((alone, True), (both, False)):
        (d,) = broken_bar.diagnose(front_end([x], [MOTOR]), [None])
        assert d.state == "fault"
        assert named == ("supply_flicker" in [e.get("cause") for e in d.evidence])


def test_a_line_at_twice_the_measured_slip_counts_in_more_noise() -> None:
    (d,) = diagnose([replace(BROKEN, slip=0.02)], speed=True)
    assert d.evidence[0]["over_floor_limit"] == MIN_OVER_FLOOR_AT_PLACE
    (d,) = diagnose([replace(BROKEN, slip=0.02)], NO_BARS)
    assert d.evidence[0]["over_floor_limit"] == MIN_OVER_FLOOR_WIDE
