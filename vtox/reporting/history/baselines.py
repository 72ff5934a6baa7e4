"""The versions of baselines: a copy of each that the recorder has seen on the server."""

import orjson
from sqlalchemy import Engine

from vtox.pipeline.store.machines.baselines import stored_baseline, versions
from vtox.pipeline.store.machines.fleet import FleetChanges, listed_machines
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.database import insert
from vtox.reporting.history.schema import baselines


class BaselineRecorder:
    """Knows the versions that were copied, and asks of the machines that have changed since."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.forget()

    def forget(self) -> None:
        """Ask of all machines next time."""
        self._known: dict[str, int] = {}
        self._changes = FleetChanges(self.client)

    def forget_machine(self, machine_id: str) -> None:
        """Forget a machine that is no more: another of its name begins with version 1."""
        self._known.pop(machine_id, None)

    def record(self, engine: Engine) -> int:
        """Copy the baselines whose version is another one; return how many."""
        machine_ids = self._changes.take()
        if machine_ids is None:
            machine_ids = listed_machines(self.client)
        found = versions(self.client, machine_ids)
        changed = {m: v for m, v in found.items() if self._known.get(m) != v}
        rows = []
        for machine_id, version in changed.items():
            stored = stored_baseline(self.client, machine_id)
            # Replaced meanwhile, the next pass takes the new one; reset, there is none.
            if stored is not None and stored[0].get("version") == version:
                about, levels = stored
                text = orjson.dumps(about).decode()
                row = {
                    "machine_id": machine_id,
                    "version": version,
                    "about": text,
                    "levels": levels,
                }
                rows.append(row)
        if rows:
            with engine.begin() as db:
                db.execute(insert(db, baselines).on_conflict_do_nothing(), rows)
        self._known.update(changed)
        return len(rows)
