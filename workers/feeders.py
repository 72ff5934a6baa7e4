"""Evidence of the other machines of a feeder on an asymmetry that the supply explains as well.

The server is asked only if a machine with a feeder on its nameplate shows one, so that other
records cost nothing.
"""

import time
from collections import defaultdict
from collections.abc import Mapping

from vtox.motor.diagnosis.diagnosers.turn_short.feeder import (
    ASKED,
    FAULT,
    Movement,
    feeder_finding,
)
from vtox.motor.values.domain import Answer, Motor, Record
from vtox.pipeline.store.machines.machines import last_arrivals, latest_results, load_motors
from vtox.pipeline.store.server.client import Client

# Nameplates are read again after so long, s: a machine that is new on a feeder counts from then on.
REREAD_AFTER_S = 60.0
# Ask at most this many machines of a feeder.
MOST_MACHINES = 40
# Doubts that a feeder at rest removes.
OF_THE_SUPPLY = {"few_periods_learnt"}


class Feeders:
    """The machines of each feeder, of a site, as a process has read them last."""

    def __init__(self) -> None:
        self._read_at = -float("inf")
        self._members: dict[tuple[str | None, str], dict[str, Motor]] = {}

    def add_feeder_evidence(
        self, client: Client, answer: Answer, record: Record, motor: Motor | None
    ) -> Answer:
        """Return an answer with the evidence of the feeder of its machine.

        If the feeder rests, the supply has not moved: few periods learnt are no doubt then.
        """
        if answer.code != ASKED or motor is None or not motor.feeder:
            return answer
        own = Movement.of(answer.indicators, motor, record.t_end)
        if own is None:
            return answer
        plates = self._of(client, motor)
        members = [m for m in plates if m != record.machine_id][:MOST_MACHINES]
        latest = latest_results(client, [*members, record.machine_id], FAULT)
        before = latest.pop(record.machine_id, None)
        over = before is not None and before.state in ("warning", "fault")
        moved = (Movement.of(x.indicators, plates[m], x.t_end) for m, x in latest.items())
        said = feeder_finding(
            own,
            [x for x in moved if x],
            before.t_end if before and over else None,
            record.t_end - record.t_start,
        )
        doubts = answer.doubts
        if said and said.code == "feeder_rests":
            doubts = tuple(d for d in doubts if d.code not in OF_THE_SUPPLY)
        return answer._replace(doubts=(*doubts, said)) if said else answer

    def _of(self, client: Client, motor: Motor) -> Mapping[str, Motor]:
        if time.monotonic() - self._read_at > REREAD_AFTER_S:
            ids = sorted(last_arrivals(client))
            members: dict[tuple[str | None, str], dict[str, Motor]] = defaultdict(dict)
            for machine_id, plate in zip(ids, load_motors(client, ids), strict=True):
                if plate and plate.feeder and plate.supply == "grid":
                    members[plate.site, plate.feeder][machine_id] = plate
            self._members, self._read_at = dict(members), time.monotonic()
        return self._members.get((motor.site, motor.feeder or ""), {})
