"""The versions of baselines: a copy of each that the recorder has seen on the server."""

import orjson
from sqlalchemy import Engine, select

from vtox.history.database import insert
from vtox.history.schema import baselines
from vtox.store.baselines import stored_baseline, versions
from vtox.store.client import Client


def record_versions(engine: Engine, client: Client, known: dict[str, int]) -> int:
    """Copy the baselines whose version is not in `known`, and add it there; return how many."""
    changed = {m: v for m, v in versions(client).items() if known.get(m) != v}
    rows = []
    for machine_id, version in changed.items():
        stored = stored_baseline(client, machine_id)
        # Replaced meanwhile, the next pass takes the new one; reset, there is none.
        if stored is not None and stored[0].get("version") == version:
            about, levels = stored
            text = orjson.dumps(about).decode()
            row = {"machine_id": machine_id, "version": version, "about": text, "levels": levels}
            rows.append(row)
    if rows:
        with engine.begin() as db:
            db.execute(insert(db, baselines).on_conflict_do_nothing(), rows)
    known.update(changed)
    return len(rows)


def versions_of(engine: Engine, machine_id: str) -> list[int]:
    """Return the versions of a machine's baseline that are kept, the oldest first."""
    with engine.connect() as db:
        of = select(baselines.c.version).where(baselines.c.machine_id == machine_id)
        return list(db.execute(of.order_by(baselines.c.version)).scalars())
