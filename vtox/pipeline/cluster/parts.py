"""How far the processes of a supervisor are, in a file that the API reads: without any server."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from vtox.pipeline.cluster.data_folder import make_private
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import Settings

EVERY_S = 0.2


async def keep_parts(settings: Settings, supervisor: Supervisor) -> None:
    """Write the state of each process whenever one changes, until the supervisor stops."""
    file, written = _file(settings), ""
    make_private(file.parent)
    try:
        while not supervisor.stopping:
            parts = {name: state.status for name, state in supervisor.states.items()}
            text = json.dumps({"pid": os.getpid(), "parts": parts})
            if text != written:
                # A reader finds the one or the other, never half of one.
                new = file.with_suffix(".new")
                new.write_text(text)
                new.replace(file)
                written = text
            await asyncio.sleep(EVERY_S)
    finally:
        file.unlink(missing_ok=True)


def parts(settings: Settings) -> dict[str, str]:
    """Return process -> state of the supervisor on this data folder; empty if none runs."""
    found: Any = None
    with suppress(OSError, ValueError):
        found = json.loads(_file(settings).read_text())
    try:
        # One that was killed has left the file behind.
        os.kill(int(found["pid"]), 0)
        return {str(name): str(state) for name, state in found["parts"].items()}
    except (TypeError, KeyError, ValueError, AttributeError, OSError):
        return {}


def unready_parts(settings: Settings) -> dict[str, str]:
    """Return the same; empty once all are ready."""
    found = parts(settings)
    return {} if set(found.values()) <= {"ready", "finished"} else found


def _file(settings: Settings) -> Path:
    return settings.data_dir / "run" / "parts.json"
