"""The error of a condition that does not come true."""

from pathlib import Path

import pytest

from faults.waiting import LAST_LINES, wait_for


def test_what_does_not_come_true_is_named_with_the_last_lines_of_the_logs(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))
    with pytest.raises(TimeoutError, match="no workers within 0 s") as error:
        wait_for(lambda: False, "workers", 0.0, lambda: [log])
    shown = str(error.value).splitlines()[1:]
    assert shown == [f"--- {log}", *(f"line {i}" for i in range(100 - LAST_LINES, 100))]
    wait_for(lambda: True, "workers", 0.0, lambda: [log])
