"""The terms that the processes of all hosts must have in common, and the check that they do.

Bridge and workers report their terms with their heartbeat; one that starts compares its own with
those of the ones that live. API, recorder and notifier report none and compare the terms on which
they depend. Another version of VTOX on the same terms is welcome.
"""

import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import psutil

from vtox.motor.errors import SystemStateError
from vtox.motor.faults import FAMILIES, PACKAGES, REFUSED, TASK_VERSION, PackageProblem
from vtox.motor.values.codec import encode
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, variable
from vtox.pipeline.configuration.version import version
from vtox.pipeline.store.ledger import ledger_rows
from vtox.pipeline.store.ledger.heartbeats import LIFE_S, Heartbeat, Worker, read, workers
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import served
from vtox.pipeline.store.system.kept_state import require_whole
from vtox.pipeline.windows import wire

# Settings by which bridges and workers decide together how a window is handled.
SETTINGS = (
    "redispatch_after_s",
    "max_window_bytes",
    "record_max_s",
    "clock_tolerance_s",
    "baseline_auto",
)
# The terms on which the API depends: it takes windows by the same limits, and says how long they
# are kept.
_OF_API = ("format of a wire", "VTOX_MAX_WINDOW_BYTES", "VTOX_KEEP__WINDOWS")
PACKAGES_TERM, REFUSED_TERM = "packages", "packages left out"
# One that was killed is in the list until its heartbeat has run out.
PATIENCE_S = LIFE_S + 1.0
POLL_S = 0.5

Terms = Mapping[str, str]
# The terms that matter to a process, of all.
Part = Callable[[Terms], Terms]


def terms(settings: Settings, failed: Iterable[PackageProblem] = ()) -> dict[str, str]:
    """Return the terms of this process: formats, families with their records, settings.

    Packages, and those left out, are noted for `vtox doctor`: hosts may differ in them.
    """
    refused = {f"{r.name} ({r.package}): {r.code}: {r.detail}" for r in (*REFUSED, *failed)}
    noted = {
        PACKAGES_TERM: ", ".join(f"{f.name} ({f.package})" for f in PACKAGES.values()),
        REFUSED_TERM: "; ".join(sorted(refused)),
    }
    formats = {"wire": wire.VERSION, "row": ledger_rows.VERSION, "task": TASK_VERSION}
    return {
        **{f"format of a {name}": str(n) for name, n in formats.items()},
        **{
            f"faults of {f.name}": ",".join(n for n in f.faults if n not in PACKAGES)
            for f in FAMILIES.values()
        },
        **{f"record of {f.name}, s": f"{f.min_record_s:g}" for f in FAMILIES.values()},
        **{variable(name): _text(getattr(settings, name)) for name in SETTINGS},
        variable("keep", "windows"): str(settings.keep.windows),
        **{n: text for n, text in noted.items() if text},
    }


def api_terms(every: Terms) -> Terms:
    """Return the terms that the API depends on."""
    own = {n: v for n, v in every.items() if n in _OF_API or n.startswith("record of ")}
    return {**own, **reader_terms(every)}


def reader_terms(every: Terms) -> Terms:
    """Return the terms that recorder and notifier depend on: which faults there are."""
    return {n: v for n, v in every.items() if n.startswith("faults of ")}


def report_agreement(client: Client, settings: Settings, bridge: str = keys.BRIDGE) -> None:
    """Report the terms of the bridge that owns a partition of the stream."""
    client.hset(bridge, mapping={"version": version(), "terms": encode(terms(settings))})


def read_parties(client: Client) -> list[Heartbeat]:
    """Return the bridges that own the stream and the workers that live."""
    partitions = served(client)
    pipe = client.pipeline(transaction=False)
    pipe.smembers(keys.WORKERS)
    for p in partitions:
        pipe.exists(p.lease)
        pipe.hgetall(p.bridge)
    names, *replies = pipe.execute()
    owned = zip(replies[::2], replies[1::2], strict=True)
    return parties(workers(client, sorted(names)), [bridge for owner, bridge in owned if owner])


def parties(live: Sequence[Worker], bridges: Iterable[Mapping[bytes, bytes]]) -> list[Heartbeat]:
    """Return bridge processes, each once for all its partitions, and workers."""
    beats = [beat for stored in bridges if (beat := read(Heartbeat, stored))]
    processes = {(beat.host, beat.pid): beat for beat in reversed(beats)}
    return [*reversed(processes.values()), *live]


def title(beat: Heartbeat) -> str:
    """Return the name of a bridge or worker for messages."""
    return f"worker {beat.name}" if isinstance(beat, Worker) else f"the bridge on {beat.host}"


def _is_ended(beat: Heartbeat) -> bool:
    """Return whether it was of this host and runs no longer: it was killed."""
    return beat.host == socket.gethostname() and not psutil.pid_exists(beat.pid)


def differences(ours: Terms, theirs: Terms) -> list[str]:
    """Return the terms in which two processes differ.

    A setting that only one of them compares is of another version and no difference. A family that
    only one of them has is a difference: its queue would have no worker, or no tasks.
    """
    if not ours or not theirs:
        return []
    either = {n for n in (*ours, *theirs) if not n.startswith("VTOX_")}
    compared = (either | (ours.keys() & theirs.keys())) - {PACKAGES_TERM, REFUSED_TERM}
    return sorted(n for n in compared if ours.get(n) != theirs.get(n))


def require_agreement(
    client: Client,
    settings: Settings,
    patience_s: float = PATIENCE_S,
    *,
    part: Part = lambda every: every,
) -> None:
    """Refuse to start with processes on other terms, unless that is tolerated on purpose.

    One that was killed is waited for until its heartbeat has run out. `part` are the terms that
    matter to this process.

    Raises `SystemStateError`: one lives that has other terms; the message says which. Or a restore
    was interrupted.
    """
    own = part(terms(settings))
    deadline = time.monotonic() + patience_s
    first_seen_t: dict[str, float] = {}
    require_whole(client)
    while not settings.hosts_may_differ:
        found = [replace(p, terms=part(p.terms)) for p in read_parties(client)]
        others = [p for p in found if differences(own, p.terms) and not _is_ended(p)]
        if not others:
            return
        for p in others:
            if p.last_seen_t > first_seen_t.setdefault(title(p), p.last_seen_t):
                raise SystemStateError(_refusal(own, p), remedy=_REMEDY)
        if time.monotonic() > deadline:
            raise SystemStateError(_refusal(own, others[0]), remedy=_REMEDY)
        time.sleep(POLL_S)


_REMEDY = (
    "set them alike on all hosts, or VTOX_HOSTS_MAY_DIFFER=true while you change one after another"
)


def _refusal(own: Terms, other: Heartbeat) -> str:
    return f"{title(other)} works on other terms: {in_words(own, other.terms)}"


def in_words(ours: Terms, theirs: Terms, here: str = "here", there: str = "there") -> str:
    """Return the differences for people."""
    at, of = (name if name in ("here", "there") else f"at {name}" for name in (here, there))
    return "; ".join(
        f"{n} is {ours.get(n, 'unknown')} {at} and {theirs.get(n, 'unknown')} {of}"
        for n in differences(ours, theirs)
    )


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
