"""Decides over records on a rotor cage that noise leaves open in each alone. Pure.

A line of the cage lies within the interval of the slip in every record. The strongest sideband
there is then as strong as that line, or stronger; noise lowers it in some records and raises it in
others. So the mean of its power over records is a bound of the line, wherever the line is, and
however the slip of one record is off.
"""

from math import log10
from typing import NamedTuple

from vtox.motor.alarms.health.over_records import is_open, sound, with_doubt
from vtox.motor.values.domain import Answer, Diagnosis, Reason

# Records of the mean: the least that decide, and the weight of the latest is one of the most.
LEAST_RECORDS, MOST_RECORDS = 8, 24
# Noise against the line lowers the mean of eight records by no more in 99 % of cases, dB.
# docs/calibration/broken_bar.md#over-records
MARGIN_DB = 3.0
# Codes of records that noise alone leaves open, and doubts with which the line may be elsewhere.
OPEN = frozenset({"noise_hides_sidebands", "sidebands_in_noise"})
ELSEWHERE = frozenset(
    {"line_at_another_slip", "line_outside_estimated_slip", "slip_from_rated_power"}
)
# Level of a developing fault, dBc (Penrose 2006; Culbert & Letal 2015).
DEVELOPING_DBC = -54.0
# Confidence at the limit, and 10 dB below it: the slip of such records is often an estimate.
CONFIDENCE, FULL_CONFIDENCE_DB = (0.35, 0.7), 10.0


class SidebandMean(NamedTuple):
    """Mean power of the strongest sideband over the last records, dBc, and how many they are."""

    records: int = 0
    dbc: float = 0.0


def decided_by_mean(
    mean: SidebandMean | None, d: Diagnosis | Answer
) -> tuple[SidebandMean | None, Diagnosis | Answer]:
    """Return the mean with one more record, and its diagnosis as the mean decides it.

    A record that shows no strongest sideband changes nothing. An open one is `normal` if the mean
    bounds the sidebands below those of a fault; else the bound is a doubt.

    >>> noisy = {"strongest_dbc": -60.0}
    >>> d = Diagnosis(fault="f", state="unknown", code="noise_hides_sidebands", indicators=noisy)
    >>> decided_by_mean(SidebandMean(7, -60.0), d)[1].state
    'normal'
    """
    strongest = d.indicators.get("strongest_dbc")
    if not isinstance(strongest, float):
        return mean, d
    mean = _extended(mean or SidebandMean(), strongest)
    if mean.records < LEAST_RECORDS or not is_open(d, OPEN, ELSEWHERE):
        return mean, d
    bound_dbc = mean.dbc + MARGIN_DB
    values = {"records": mean.records, "bound_dbc": round(bound_dbc, 1)}
    if bound_dbc > DEVELOPING_DBC:
        return mean, with_doubt(d, Reason("sidebands_bounded", values))
    room = min((DEVELOPING_DBC - bound_dbc) / FULL_CONFIDENCE_DB, 1.0)
    least, most = CONFIDENCE
    confidence = least + (most - least) * room
    return mean, sound(d, Reason("no_sidebands_over_records", values), confidence)


def _extended(mean: SidebandMean, dbc: float) -> SidebandMean:
    records = min(mean.records + 1, MOST_RECORDS)
    before, now = 10 ** (mean.dbc / 10), 10 ** (dbc / 10)
    return SidebandMean(records, round(10 * log10(before + (now - before) / records), 3))
