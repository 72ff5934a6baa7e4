"""`vtox backup` and `vtox restore`: one archive of the data that cannot be made again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import Json
from vtox.cli.shared.server_access import load_of_plant, running_or_embedded, stopped
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.system.audit import audited
from vtox.reporting.backup.errors import NotEmpty

PG_DUMP = (
    "not in it: the history, which VTOX_DATABASE_URL keeps in PostgreSQL; save it with pg_dump"
)
PG_RESTORE = "not in the archive: the history, which was in PostgreSQL; bring it back with psql"


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Archive to write: a new .tar.gz of mode 0600.")
    ],
    as_json: Json = False,
) -> None:
    """Write nameplates, baselines, API keys, evidence and history to one archive.

    The system may run or not. The archive holds hashes of API keys, no key and no password. A
    history in PostgreSQL is not in it: use pg_dump for that.
    """
    # Not at the top: it loads SQLAlchemy, for which `vtox --help` should not wait.
    from vtox.reporting.backup.saving import save

    settings = load_of_plant()
    with running_or_embedded(settings, "backup") as client, _progress() as told:
        manifest = save(client, settings, file, told)
    if as_json:
        print(json.dumps(asdict(manifest)))
        return
    print(f"{file}: {_sentence(manifest.counts)}, {_history(manifest.history_rows)}")
    if manifest.history == "postgresql":
        _warn(PG_DUMP)
    if not manifest.counts["machines"]:
        _warn(f"this system has no machines; it is that of {_system_name(settings)}")


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Archive that `vtox backup` has written.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the data of the system, then restore.")
    ] = False,
) -> None:
    """Bring an archive back into an empty system that is stopped.

    The whole archive is checked first; one that is damaged, or of a later form, changes nothing.
    Exit status 1: a part could not be restored, and is named.
    """
    from vtox.reporting.backup import restoring

    settings = load_of_plant()
    with stopped(settings), restoring.checked(settings, file) as found:
        with running_or_embedded(settings, "restore") as client:
            restoring.require_stopped(client)
            manifest = found.manifest
            print(
                f"{file} of {manifest.made}, VTOX {manifest.vtox}: {_sentence(manifest.counts)}, "
                f"{_history(manifest.history_rows)}"
            )
            held = restoring.present(client, settings)
            if any(held.values()):
                print(f"the system holds: {_sentence(held)}")
                if not replace:
                    raise NotEmpty(
                        "the system is not empty, and nothing was changed",
                        remedy="--replace deletes what it holds, then restores",
                    )
            with audited(client, actor().deed("state_restored", made=manifest.made)):
                with _progress() as told:
                    left_out = restoring.restore(client, settings, found, told)
    print("restored")
    if manifest.history == "postgresql":
        _warn(PG_RESTORE)
    for sentence in left_out:
        _warn(f"not restored: {sentence}")
    if left_out:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show on a terminal which part is at work, and for how long the whole has been."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=None)
    with bar:
        yield lambda part: bar.update(task, description=part)


def _system_name(settings: Settings) -> str:
    return "VTOX_REDIS_URL" if settings.redis_url else f"VTOX_DATA_DIR={settings.data_dir}"


def _sentence(counts: Mapping[str, int]) -> str:
    """Return counts as text: `machines 12, API keys 3`."""
    named = (f"{name.replace('_', ' ')} {n}" for name, n in counts.items())
    return ", ".join(named).replace("api keys", "API keys")


def _history(rows: Mapping[str, int]) -> str:
    return f"history of {sum(rows.values())} rows" if rows else "no history"


def _warn(sentence: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="yellow")
