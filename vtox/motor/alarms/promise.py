"""What is promised of false alarms, and what may become of it."""

from typing import Literal

# docs/explanation/false-alarms.md
PROMISED_PER_MACHINE_DAY = 0.1

Verdict = Literal["kept", "broken", "undecided", "unknown"]
