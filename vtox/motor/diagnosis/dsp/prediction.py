"""Distance of a further record from the mean of few records."""

from functools import lru_cache
from math import inf, sqrt

from scipy.special import ndtri, stdtrit

# Tail probability at which the scatter of few records is widened to that of many.
# docs/calibration/baseline.md#few-records
SMALL_SAMPLE_TAIL = 1e-3


def prediction_std(n: int, std: float, *, usual_std: float = 0.0, usual_n: int = 0) -> float:
    """Return the deviation to expect of one further record, wide if few were observed.

    The sample deviation times sqrt(1 + 1/n) and the ratio of Student's t (n - 1 degrees of freedom)
    to the normal quantile at `SMALL_SAMPLE_TAIL`. The product of both factors is 126 for n = 2,
    2.5 for 5, 1.2 for 20.

    Parameters
    ----------
    n : int
        Records observed.
    std : float
        Their sample deviation, in any unit.
    usual_std, usual_n : float, int
        Prior knowledge: the deviation usual for such records, in the same unit, worth so many of
        them (scaled inverse chi-square prior of the variance; Gelman et al. 2013, Bayesian Data
        Analysis 3.3).

    Returns
    -------
    float
        In the unit of `std`; infinite for fewer than two records.

    Examples
    --------
    >>> round(prediction_std(5, 1.0), 2)
    2.54
    >>> round(prediction_std(5, 1.0, usual_std=1.0, usual_n=10), 2)
    1.34
    """
    freedom = n - 1 + usual_n
    if n < 1 or freedom < 1:
        return inf
    variance = ((n - 1) * std**2 + usual_n * usual_std**2) / freedom
    return sqrt(variance * (1 + 1 / n)) * _quantile_ratio(freedom)


def tail_deviations() -> float:
    """Return how many deviations a share `SMALL_SAMPLE_TAIL` of normal records exceeds: 3.09."""
    return float(-ndtri(SMALL_SAMPLE_TAIL))


@lru_cache(maxsize=256)
def _quantile_ratio(freedom: int) -> float:
    """Return Student's t over the normal quantile at `SMALL_SAMPLE_TAIL`."""
    return float(stdtrit(freedom, 1 - SMALL_SAMPLE_TAIL) / tail_deviations())
