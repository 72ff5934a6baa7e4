"""When a target is tried again after a failure. Pure, but for the random number that is given."""

# A target that names a longer time in Retry-After is tried after this one.
RETRY_AFTER_MAX_S = 3600.0


def delay_s(
    failures: int, first_s: float, most_s: float, random: float, retry_after_s: float | None = None
) -> float:
    """Return the wait after so many failures in a row: doubled each time, up to `most_s`.

    `random` (0 to 1) takes up to half of it away, so that targets that failed together do not come
    back together (exponential back-off with equal jitter). The wait is at least the one the target
    asks for.
    """
    doubled = first_s * 2.0 ** min(failures - 1, 30)
    wait_s = min(doubled, most_s) * (1.0 - 0.5 * random)
    return max(wait_s, min(retry_after_s or 0.0, RETRY_AFTER_MAX_S))
