"""The view of a snapshot in `vtox status` and the demo."""

import pytest

from vtox.cli.shared import status_table


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0.0, "0 ms"), (420.4, "420 ms"), (9_999.4, "9999 ms"), (9_999.6, "10 s"), (41_237.0, "41 s")],
)
def test_a_latency_is_in_seconds_from_ten_on(ms: float, shown: str) -> None:
    assert status_table.latency(ms) == shown
