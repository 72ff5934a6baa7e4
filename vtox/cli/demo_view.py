"""The demo on a terminal: one calm view, or plain lines where there is no terminal."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

import redis
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vtox.cli import status_table
from vtox.cli.demo_score import Score, latest
from vtox.cluster.cluster_log import Journal, local_time
from vtox.cluster.supervisor import Supervisor
from vtox.errors import ServerUnavailable
from vtox.health import Alert
from vtox.monitoring.throughput import Sampler, Throughput, throughput
from vtox.settings import Settings
from vtox.store.alerts import events_after
from vtox.store.client import Client, connect
from vtox.store.status import Snapshot, snapshot

LOOK_S = 1.0
PLAIN_EVERY_S = 10.0
# After the last window its records need this long at most to be closed and judged.
REST_S = 20.0
LEVEL_STYLE = {"warning": "yellow", "fault": "bold red"}
# Lines of the view that are not alerts.
FIXED_LINES = 18


class DemoView:
    """Looks at the system once a second from a thread of its own, inside its `with`."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        journal: Journal,
        supervisor: Supervisor,
        score: Score,
        where: Mapping[str, str],
        title: str,
    ) -> None:
        self.settings = settings
        self.console = console
        self.journal = journal
        self.supervisor = supervisor
        self.score = score
        self.where = where
        self.title = title
        self.alerts: deque[Alert] = deque(maxlen=50)
        self.snap: Snapshot | None = None
        self.rate: Throughput | None = None
        self.trouble = ""
        self._began = time.monotonic()
        self._told = 0.0
        self._noted = 0
        self._finished = 0.0
        self._sampler = Sampler()
        self._last_id = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def __enter__(self) -> "DemoView":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def begin_at(self, stream_id: str) -> None:
        """Alerts count from this id on: those before are another run's."""
        self._last_id = stream_id

    def _run(self) -> None:
        if not self.console.is_terminal:
            while not self._stop.wait(LOOK_S):
                self._say(self._look())
            return
        # Its own screen: a view taller than the terminal would leave torn copies behind.
        with Live(console=self.console, auto_refresh=False, screen=False, transient=True) as live:
            while not self._stop.wait(LOOK_S):
                self._look()
                live.update(self.render(), refresh=True)

    def _look(self) -> list[Alert]:
        new: list[Alert] = []
        if self._last_id and not self.supervisor.stopping:
            try:
                with connect(self.settings.working_url(), "demo") as client:
                    self.snap = snapshot(client)
                    self._sampler.take(client)
                    self.rate = throughput(self.snap, self._sampler.readings())
                    new = self._new_alerts(client)
                self.trouble = ""
            except (redis.RedisError, ServerUnavailable) as error:
                self.trouble = f"the server does not answer: {error}"
        self._stop_when_done()
        return new

    def _new_alerts(self, client: Client) -> list[Alert]:
        new, self._last_id = events_after(client, self._last_id)
        for alert in new:
            self.alerts.append(alert)
            self.score.take(alert)
        return new

    def _stop_when_done(self) -> None:
        if self.supervisor.states["simulate"].status != "finished":
            return
        now = time.monotonic()
        self._finished = self._finished or now
        idle = self.snap is not None and not self.snap.in_flight and not self.snap.backlog
        if (idle and now - self._finished > LOOK_S) or now - self._finished > REST_S:
            self.supervisor.request_stop()
            self._stop.set()

    def _say(self, new: Sequence[Alert]) -> None:
        """Print what is new as plain lines."""
        fresh, self._noted = self.journal.noted - self._noted, self.journal.noted
        for entry in list(self.journal.notable)[-fresh:] if fresh else ():
            self._print(f"{entry.get('level')}: {entry.get('role')}: {entry.get('event')}")
        for a in new:
            self._print(f"{a.event} {a.level}: {a.machine_id} {a.fault}: {a.reason}")
        now = time.monotonic()
        if self.snap and self.rate and now - self._told >= PLAIN_EVERY_S:
            self._told = now
            waiting = sum(q.waiting for q in self.snap.queues.values())
            rate = status_table.rate_line(self.rate).plain
            found = ", ".join(f"{f} {n}/{of}" for f, (n, of) in self.score.by_fault().items())
            self._print(
                f"{rate}; backlog {status_table.told(self.snap.backlog)}, in flight "
                f"{self.snap.in_flight}, tasks waiting {waiting}; found {found}; "
                f"false alarms {len(self.score.false)}"
            )

    def _print(self, line: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        print(f"{now} {line}", file=self.console.file, flush=True)

    def render(self) -> RenderableType:
        """Return the view."""
        elapsed = int(time.monotonic() - self._began)
        head = Text("VTOX demo  ", "bold").append(self.title, "not bold")
        head.append(f"  {elapsed // 60}:{elapsed % 60:02d}", "dim")
        parts: list[RenderableType] = [head, self._addresses(), Text()]
        if self.supervisor.stopping:
            parts.append(self._processes("stopping", "stopped"))
        elif self.snap is None or self.rate is None or self._starting():
            parts.append(self._processes("starting", "ready"))
        else:
            parts.append(self._numbers(self.snap, self.rate))
            parts += [Text(), *self._alerts()]
        if self.trouble:
            parts.append(Text(self.trouble, "yellow"))
        parts.append(self._last_warning())
        parts.append(Text("Ctrl-C stops everything.", "dim"))
        return Group(*parts)

    def _addresses(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, address in self.where.items():
            grid.add_row(Text(name, "dim"), Text(address, overflow="fold"))
        return grid

    def _starting(self) -> bool:
        return not all(s.was_ready for s in self.supervisor.states.values())

    def _processes(self, what: str, done: str) -> Text:
        text = Text(f"{what}  ", "dim")
        for name, state in self.supervisor.states.items():
            text.append(f"{name}  ", "green" if state.status == done else "dim")
        return text

    def _numbers(self, snap: Snapshot, rate: Throughput) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        grid.add_row("throughput", status_table.rate_line(rate))
        grid.add_row("latency", status_table.latency_line(snap))
        grid.add_row(
            "raw stream", f"backlog {status_table.told(snap.backlog)}, in flight {snap.in_flight}"
        )
        waiting = "   ".join(f"{name} {q.waiting}" for name, q in snap.queues.items())
        grid.add_row("queues", f"{waiting}   tasks")
        grid.add_row("workers", self._workers(snap))
        grid.add_row("fleet", Text(self.supervisor.states["simulate"].last_line or "waits"))
        grid.add_row("found", self._found())
        false = ", ".join(f"{m} {fault}" for m, fault in self.score.false)
        grid.add_row("false alarms", Text(false or "none", "red" if false else "green"))
        return grid

    def _workers(self, snap: Snapshot) -> Text:
        if not snap.workers:
            return Text("none", "red")
        return Text("   ").join(
            Text(f"{w.name.partition('@')[0]} {w.cpu_percent or 0:.0f} % cpu") for w in snap.workers
        )

    def _found(self) -> Text:
        return Text("   ").join(
            Text(f"{fault} {n}/{of}", "green" if n == of else "default")
            for fault, (n, of) in self.score.by_fault().items()
        )

    def _alerts(self) -> list[RenderableType]:
        room = max(3, self.console.height - FIXED_LINES)
        if not self.alerts:
            return [Text("no alert so far", "dim")]
        return [self._alert(a) for a in latest(self.alerts, room)]

    def _alert(self, a: Alert) -> Text:
        clock = datetime.fromtimestamp(a.t).astimezone().strftime("%H:%M:%S")
        what = a.event if a.event == "cleared" else a.level
        text = Text(f"{clock} ", "dim").append(f"{a.machine_id} {a.fault:<12} ", "default")
        text.append(f"{what:<8}", "green" if a.event == "cleared" else LEVEL_STYLE.get(a.level))
        text.append(a.reason, "not dim")
        text.truncate(max(self.console.width - 1, 20), overflow="ellipsis")
        return text

    def _last_warning(self) -> Text:
        if not self.journal.notable:
            return Text()
        last = self.journal.notable[-1]
        said = f"{local_time(last.get('t'))} {last.get('role')}: {last.get('event')}"
        process = self.supervisor.states.get(str(last.get("process")))
        if process and process.status == "ready":
            said += "; it serves again"
        text = Text(said, "dim")
        text.truncate(max(self.console.width - 1, 10), overflow="ellipsis")
        return text
