"""How often a machine sends is learned; silence is more than two and a half of its intervals."""

from collections.abc import Iterable

import pytest

from vtox.motor.values.rhythm import DAY_S, UNKNOWN_SILENCE_S, Arrivals, Rhythm, SendingInterval

PAUSE_S, HOUR_S, WEEK_S = 30.0, 3600.0, 7 * 86_400.0


def sent(times: Iterable[float], rhythm: Rhythm | None = None, age_s: float = 0.0) -> Arrivals:
    arrivals = Arrivals(rhythm or Rhythm())
    for t in times:
        arrivals.add(t, t - age_s, PAUSE_S)
    return arrivals


def limit_s(rhythm: Rhythm) -> float:
    return rhythm.interval.limit_s(PAUSE_S)


def test_a_stream_is_learned_within_the_time_of_a_pause() -> None:
    rhythm = sent(1000.0 + k for k in range(31)).rhythm
    assert (rhythm.streams, rhythm.every_s, limit_s(rhythm)) == (True, 1.0, PAUSE_S)


def test_a_new_machine_is_not_silent_for_a_day() -> None:
    rhythm = sent([1000.0, 1001.0]).rhythm
    assert rhythm.interval == SendingInterval(None, "learning")
    assert limit_s(rhythm) == UNKNOWN_SILENCE_S


@pytest.mark.parametrize("windows", [25, 29])
def test_a_new_stream_that_stops_is_silent_within_the_time_of_a_pause(windows: int) -> None:
    rhythm = sent(1000.0 + k for k in range(windows)).rhythm
    assert (rhythm.interval, limit_s(rhythm)) == (SendingInterval(1.0, "learned"), PAUSE_S)
    again = sent([9000.0], rhythm).rhythm
    assert limit_s(again) == UNKNOWN_SILENCE_S, "bursts: how often is not known yet"


@pytest.mark.parametrize("gap_s", [1.0, 20.0, 45.0])
def test_a_burst_of_readings_changes_no_interval(gap_s: float) -> None:
    hourly = [1000.0 + n * HOUR_S for n in range(30)]
    burst = [hourly[-1] + 600.0 + gap_s * k for k in range(20)]
    assert sent([*hourly, *burst]).rhythm.every_s == HOUR_S
    assert limit_s(sent(burst).rhythm) == UNKNOWN_SILENCE_S


def test_pauses_count_although_most_gaps_are_within_bursts() -> None:
    times = [1000.0 + n * HOUR_S + 60.0 * k for n in range(26) for k in range(15)]
    assert sent(times).rhythm.every_s == pytest.approx(2760.0)


def test_gaps_that_do_not_agree_change_nothing() -> None:
    hourly = [1000.0 + n * HOUR_S for n in range(26)]
    once = [hourly[-1] + 3.5 * DAY_S, hourly[-1] + 3.6 * DAY_S]
    assert sent([*hourly, *once]).rhythm.every_s == HOUR_S


@pytest.mark.parametrize(("windows", "radio_s"), [(10, 1.0), (12, 0.1), (12, 2.5), (4, 5.0)])
def test_a_first_snapshot_is_no_stream(windows: int, radio_s: float) -> None:
    arrivals = Arrivals(Rhythm())
    for k in range(windows):
        arrivals.add(1000.0 + radio_s * k, 900.0 + k, PAUSE_S)
    assert limit_s(arrivals.rhythm) == UNKNOWN_SILENCE_S


@pytest.mark.parametrize("burst", [1, 10])
def test_snapshots_are_learned_from_a_day(burst: int) -> None:
    times = [1000.0 + n * HOUR_S + k for n in range(25) for k in range(burst)]
    assert limit_s(sent(times[: 24 * burst]).rhythm) == UNKNOWN_SILENCE_S
    rhythm = sent(times).rhythm
    assert (rhythm.streams, rhythm.every_s, limit_s(rhythm)) == (False, HOUR_S, 2.5 * HOUR_S)


def test_a_lost_snapshot_changes_no_interval() -> None:
    times = [1000.0 + n * HOUR_S for n in range(60) if n % 7 != 3]
    assert sent(times).rhythm.every_s == HOUR_S


def test_a_machine_that_was_off_for_an_hour_still_streams() -> None:
    on, off = [1000.0 + k for k in range(60)], [1000.0 + HOUR_S + k for k in range(60)]
    rhythm = sent([*on, *off, *(t + 2 * HOUR_S for t in on)]).rhythm
    assert (rhythm.every_s, rhythm.gaps, limit_s(rhythm)) == (1.0, (), PAUSE_S)


def test_a_clamp_that_becomes_a_sensor_is_learned_again() -> None:
    rhythm = sent([*(1000.0 + k for k in range(60)), *(9000.0 + n * HOUR_S for n in range(26))])
    assert rhythm.rhythm.every_s == HOUR_S


def test_a_buffer_that_is_emptied_slowly_is_no_stream() -> None:
    """A gateway sends 192 snapshots of two days within a minute."""
    arrivals = sent([1000.0 + n * 900 for n in range(100)])
    for k in range(192):
        arrivals.add(200_000.0 + k / 3, 20_000.0 + 900 * k, PAUSE_S)
    assert (arrivals.rhythm.streams, arrivals.rhythm.every_s) == (False, 900.0)


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_restart_of_the_bridge_forgets_no_rhythm(after: int) -> None:
    times = [1000.0 + n * HOUR_S + k for n in range(8) for k in range(3)]
    cut = 3 * after + 1  # within a burst
    first = sent(times[:cut])
    kept = Rhythm(*(getattr(first.rhythm, n) for n in Rhythm.__slots__))
    assert sent(times[cut:], kept).rhythm == sent(times).rhythm


def test_a_restart_within_a_stream_writes_nothing() -> None:
    arrivals = Arrivals(Rhythm(1.0, (), 1000.0, streams=True))
    assert not any(arrivals.add(5000.0 + k, 5000.0 + k, PAUSE_S) for k in range(100))


def test_a_clock_that_goes_back_breaks_nothing() -> None:
    rhythm = sent([1000.0, 500.0, 501.0, 1000.5]).rhythm
    assert rhythm.every_s is None


@pytest.mark.parametrize("expected", [(1.0, 30.0), (20.0, 50.0), (900.0, 2250.0)])
def test_one_snapshot_may_be_lost(expected: tuple[float, float]) -> None:
    every_s, limit = expected
    assert SendingInterval(every_s, "nameplate").limit_s(PAUSE_S) == limit
