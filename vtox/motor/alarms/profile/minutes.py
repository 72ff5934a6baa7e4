"""Records of a machine into its minutes: means over those in which the motor ran."""

from collections.abc import Sequence
from typing import NamedTuple

from vtox.motor.alarms.profile.values import Minute, Pending, Profile
from vtox.motor.values.energy import MeterCounts


class RecordFigures(NamedTuple):
    """The figures of a record that ended at `t_ms`: its counts, and its operating figures.

    `operation` is that of `operation_of`, NaN for a figure that was not measured.
    """

    t_ms: int
    counts: MeterCounts
    operation: Sequence[float] = ()
    healthy: bool = True


def gather(p: Profile, r: RecordFigures) -> Minute | None:
    """Add a record to the pending minute; return that minute if the record is of a later one.

    A record that is not later than the last one changes nothing: it is counted, or of the past.
    """
    if r.t_ms <= p.pending.t_ms:
        return None
    minute, found = r.t_ms // 60_000, None
    if minute != p.pending.minute:
        found = _minute(p.pending) if p.pending.observed_ms else None
        p.pending = Pending(minute)
    _add(p.pending, r)
    return found


def _add(x: Pending, r: RecordFigures) -> None:
    c = r.counts
    x.t_ms = r.t_ms
    x.observed_ms += c.observed_ms
    x.running_ms += c.running_ms
    x.powered_ms += c.powered_ms if c.running_ms else 0
    x.joules += c.energy_j
    x.starts += c.starts
    x.healthy &= r.healthy
    if not (c.running_ms and len(r.operation) >= 5 and r.operation[0] > 0):
        return
    hz, amperes, volts, of_volts, of_amperes = r.operation[:5]
    if amperes > 0:
        x.hz_low = min(x.hz_low, hz) if x.records else hz
        x.hz_high, x.hz = max(x.hz_high, hz), x.hz + hz
        x.records, x.amperes = x.records + 1, x.amperes + amperes
        x.of_amperes += of_amperes if of_amperes >= 0 else 0.0
    if volts > 0:
        x.voltages, x.volts = x.voltages + 1, x.volts + volts
        x.of_volts += of_volts if of_volts >= 0 else 0.0


def _minute(x: Pending) -> Minute:
    n, v = x.records, x.voltages
    return Minute(
        minute=x.minute,
        observed_s=x.observed_ms / 1000,
        running_s=x.running_ms / 1000,
        power_w=1000 * x.joules / x.powered_ms if x.powered_ms else None,
        current_a=x.amperes / n if n else None,
        hz=x.hz / n if n else None,
        hz_spread=x.hz_high / x.hz_low - 1 if n else 0.0,
        volts=x.volts / v if v else None,
        voltage_unbalance=x.of_volts / v if v else None,
        current_unbalance=x.of_amperes / n if n else None,
        starts=x.starts,
        healthy=x.healthy,
    )
