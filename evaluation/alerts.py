"""False alerts of sound machines: the product's own persistence on long sequences of verdicts.

A machine's verdicts come in blocks, records that follow each other in one condition. Its days are
made of blocks that are drawn with replacement (block bootstrap; Kunsch 1989, Annals of Statistics
17(3):1217), and fed to the rules of `vtox.motor.alarms.health.alerts` as a worker would.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from evaluation.outcome import Outcome
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.domain import Diagnosis, Record

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class AlertRate:
    """Alerts raised on a number of machine-days, with the exact 95 % interval of their rate."""

    raised: int
    days: float
    machines: int

    @property
    def per_day(self) -> float:
        """Alerts per machine-day, NaN of none."""
        return self.raised / self.days if self.days else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of a Poisson rate (Garwood 1936, Biometrika 28:437)."""
        low = chi2.ppf(0.025, 2 * self.raised) / 2 if self.raised else 0.0
        high = chi2.ppf(0.975, 2 * self.raised + 2) / 2
        return float(low / self.days), float(high / self.days)

    def __str__(self) -> str:
        if not self.days:
            return "none"
        low, high = self.interval
        return (
            f"{self.raised} in {self.days:.0f} days of {self.machines} machines = "
            f"{self.per_day:.2g} a day ({low:.2g}-{high:.2g})"
        )


def alert_rate(outcomes: Sequence[Outcome], *, days: float, seed: int) -> AlertRate:
    """Return the alerts of sound machines, each simulated for this many days.

    Outcomes of one machine follow each other; their tags have the `diagnosis`, the `block` that it
    is in and the length of its record, `record_s`.
    """
    by_machine: dict[str, list[Outcome]] = {}
    for o in outcomes:
        by_machine.setdefault(o.machine, []).append(o)
    raised = sum(
        _raised(some, days, np.random.default_rng([seed, k]))
        for k, some in enumerate(by_machine.values())
        # No rule raises an alert without a record that alarms.
        if any(o.alarm for o in some)
    )
    return AlertRate(raised, days * len(by_machine), len(by_machine))


def _raised(outcomes: Sequence[Outcome], days: float, rng: np.random.Generator) -> int:
    """Return how many alerts one machine raises."""
    blocks: dict[int, list[Diagnosis]] = {}
    for o in outcomes:
        blocks.setdefault(o.tags["block"], []).append(o.tags["diagnosis"])
    of_block = list(blocks.values())
    record_s = float(outcomes[0].tags["record_s"])
    history, raised, t = FaultHistory(), 0, 0.0
    while t < days * DAY_S:
        for d in of_block[int(rng.integers(len(of_block)))]:
            history, alerts, _ = extend(history, record_at(t, record_s), d, PERSISTENCE[d.fault])
            raised += sum(a.event == "raised" for a in alerts)
            t += record_s
    return raised


def record_at(t: float, record_s: float) -> Record:
    """Return a record of a machine that says only when it was."""
    return Record(
        machine_id="m",
        run="",
        first_seq=0,
        last_seq=0,
        t_start=t,
        t_end=t + record_s,
        ids="",
        windows=1,
        bytes=0,
    )
