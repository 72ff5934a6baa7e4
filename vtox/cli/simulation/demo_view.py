"""The demo on a terminal as one view that is updated; without a terminal as plain lines."""

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

from vtox.cli.shared import status_table
from vtox.cli.shared.status_table import UNKNOWN
from vtox.cli.simulation.demo_score import Score, latest
from vtox.motor.alarms.health.alert_values import Alert
from vtox.pipeline.cluster.cluster_log import ClusterLog, local_time
from vtox.pipeline.cluster.probing import Status
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.monitoring.throughput import Sampler, Throughput, throughput
from vtox.pipeline.store.alarms.open_alerts import events_after
from vtox.pipeline.store.machines.fleet import listed_machines
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system.status import Snapshot, snapshot

POLL_S = 1.0
PLAIN_LINE_S = 10.0
# The last records are closed and diagnosed within this time after the last window.
LAST_RECORDS_S = 20.0
LEVEL_STYLE = {"warning": "yellow", "fault": "bold red"}
# Lines of the view that are not alerts.
FIXED_LINES = 18
# Addresses and the process that answers there; the others are paths.
SERVING_PROCESS = {"page": "api", "flower": "flower", "flower_password": "flower"}


class DemoView:
    """Inside its `with` a thread reads the state of the system once a second and shows it."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        log: ClusterLog,
        supervisor: Supervisor,
        score: Score,
        addresses: Mapping[str, str],
        title: str,
    ) -> None:
        self.settings = settings
        self.console = console
        self.log = log
        self.supervisor = supervisor
        self.score = score
        self.addresses = addresses
        self.title = title
        self.alerts: deque[Alert] = deque(maxlen=50)
        self.snap: Snapshot | None = None
        self.rate: Throughput | None = None
        self.commissioned = 0
        self.error = ""
        self._started = time.monotonic()
        self._plain_line_t = 0.0
        self._problems_printed = 0
        self._addresses_printed: set[str] = set()
        self._sender_finished_t = 0.0
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

    def count_alerts_after(self, stream_id: str) -> None:
        """Count the alerts after this id: those before belong to another run."""
        self._last_id = stream_id

    def _run(self) -> None:
        if not self.console.is_terminal:
            while not self._stop.wait(POLL_S):
                self._print_addresses()
                self._print_news(self._read())
            return
        # Transient: the view disappears at the end, the summary stays.
        with Live(console=self.console, auto_refresh=False, screen=False, transient=True) as live:
            while not self._stop.wait(POLL_S):
                self._read()
                live.update(self.render(), refresh=True)

    def _read(self) -> list[Alert]:
        new: list[Alert] = []
        if self._last_id and not self.supervisor.stopping:
            try:
                with connect(self.settings.working_url(), "demo") as client:
                    self.snap = snapshot(client)
                    self._sampler.take(client)
                    self.rate = throughput(self.snap, self._sampler.readings())
                    new = self._new_alerts(client)
                    self._count_commissioned(client)
                self.error = ""
            except (redis.RedisError, ServerUnavailable) as error:
                self.error = f"the server does not respond: {error}"
        self._stop_when_done()
        return new

    def _new_alerts(self, client: Client) -> list[Alert]:
        new, self._last_id = events_after(client, self._last_id)
        for alert in new:
            self.alerts.append(alert)
            self.score.add(alert)
        return new

    def _count_commissioned(self, client: Client) -> None:
        if self.commissioned < len(self.score.machines):
            known = set(listed_machines(client))
            self.commissioned = sum(m.machine_id in known for m in self.score.machines)

    def _stop_when_done(self) -> None:
        if self.supervisor.states["simulate"].status != "finished":
            return
        now = time.monotonic()
        self._sender_finished_t = self._sender_finished_t or now
        waited_s = now - self._sender_finished_t
        idle = self.snap is not None and not self.snap.in_flight and not self.snap.backlog
        if (idle and waited_s > POLL_S) or waited_s > LAST_RECORDS_S:
            self.supervisor.request_stop()
            self._stop.set()

    def _answering(self) -> dict[str, str]:
        """Return the addresses at which somebody answers by now."""
        states = list(self.supervisor.states.items())
        ready = {name for name, state in states if state.was_ready}
        return {n: a for n, a in self.addresses.items() if SERVING_PROCESS.get(n) in {None, *ready}}

    def _print_addresses(self) -> None:
        for name, address in self._answering().items():
            if name not in self._addresses_printed:
                self._addresses_printed.add(name)
                self._print(f"{name}: {address}")

    def _print_news(self, new: Sequence[Alert]) -> None:
        """Print new problems and alerts, and every few seconds the state, as plain lines."""
        problems = self.log.problem_count - self._problems_printed
        self._problems_printed += problems
        for entry in list(self.log.problems)[-problems:] if problems else ():
            self._print(f"{entry.get('level')}: {entry.get('role')}: {entry.get('event')}")
        for a in new:
            self._print(f"{a.event} {a.level}: {a.machine_id or 'system'} {a.fault}: {a.reason}")
        now = time.monotonic()
        if now - self._plain_line_t >= PLAIN_LINE_S:
            self._plain_line_t = now
            self._print(self._progress() or self._state())

    def _progress(self) -> str:
        """Return how far the start is, empty once machines send."""
        states = list(self.supervisor.states.values())
        if self.snap is None or self.rate is None:
            return f"starting: {sum(s.was_ready for s in states)} of {len(states)} processes ready"
        if self.commissioned < (all_ := len(self.score.machines)):
            return f"commissioning: {self.commissioned} of {all_} machines"
        return ""

    def _state(self) -> str:
        """Return the state in one line of a terminal."""
        assert self.snap
        assert self.rate
        found = self.score.by_fault().values()
        rate = self.rate.windows_per_s
        return (
            f"{UNKNOWN if rate is None else f'{rate:.1f}'} windows/s, "
            f"backlog {status_table.count(self.snap.backlog)}, "
            f"detected {sum(n for n, _ in found)} of {sum(n for _, n in found)}, "
            f"false alarms {len(self.score.false_alarms)}"
        )

    def _print(self, line: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        print(f"{now} {line}", file=self.console.file, flush=True)

    def render(self) -> RenderableType:
        """Return the view."""
        elapsed = int(time.monotonic() - self._started)
        head = Text("VTOX demo  ", "bold").append(self.title, "not bold")
        head.append(f"  {elapsed // 60}:{elapsed % 60:02d}", "dim")
        parts: list[RenderableType] = [head, self._addresses(), Text()]
        if self.supervisor.stopping:
            parts.append(self._processes("stopping", "stopped"))
        elif self.snap is None or self.rate is None or self._starting() or self._progress():
            parts.append(self._processes(self._progress() or "starting", "ready"))
        else:
            parts.append(self._numbers(self.snap, self.rate))
            parts += [Text(), *self._alerts()]
        if self.error:
            parts.append(Text(self.error, "yellow"))
        parts.append(self._last_warning())
        parts.append(Text("Ctrl-C stops everything.", "dim"))
        return Group(*parts)

    def _addresses(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, address in self._answering().items():
            grid.add_row(Text(name, "dim"), Text(address, overflow="fold"))
        return grid

    def _starting(self) -> bool:
        return not all(s.was_ready or s.problem for s in list(self.supervisor.states.values()))

    def _processes(self, activity: str, done: Status) -> Text:
        text = Text(f"{activity}  ", "dim")
        for name, state in list(self.supervisor.states.items()):
            text.append(f"{name}  ", "green" if state.status == done else "dim")
        return text

    def _numbers(self, snap: Snapshot, rate: Throughput) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        grid.add_row("throughput", status_table.rate_line(rate))
        grid.add_row("latency", status_table.latency_line(snap))
        grid.add_row(
            "raw stream", f"backlog {status_table.count(snap.backlog)}, in flight {snap.in_flight}"
        )
        lengths = {name: status_table.count(q.waiting) for name, q in snap.queues.items()}
        waiting = "   ".join(f"{name} {n}" for name, n in lengths.items())
        grid.add_row("queues", f"{waiting}   tasks")
        grid.add_row("workers", self._workers(snap))
        grid.add_row(
            "fleet", Text(self.supervisor.states["simulate"].last_line or "not started yet")
        )
        grid.add_row("detected", self._detections())
        false = ", ".join(f"{m} {fault}" for m, fault in sorted(self.score.false_alarms))
        grid.add_row("false alarms", Text(false or "none", "red" if false else "green"))
        return grid

    def _workers(self, snap: Snapshot) -> Text:
        if not snap.workers:
            return Text("none", "red")
        return Text("   ").join(
            Text(f"{w.name.partition('@')[0]} {w.cpu_percent or 0:.0f} % cpu") for w in snap.workers
        )

    def _detections(self) -> Text:
        return Text("   ").join(
            Text(f"{fault} {n}/{detectable}", "green" if n == detectable else "default")
            for fault, (n, detectable) in self.score.by_fault().items()
        )

    def _alerts(self) -> list[RenderableType]:
        room = max(3, self.console.height - FIXED_LINES)
        if not self.alerts:
            return [Text("no alerts yet", "dim")]
        return [self._alert(a) for a in latest(self.alerts, room)]

    def _alert(self, a: Alert) -> Text:
        clock = datetime.fromtimestamp(a.t).astimezone().strftime("%H:%M:%S")
        label = a.event if a.event == "cleared" else a.level
        text = Text(f"{clock} ", "dim").append(
            f"{a.machine_id or 'system'} {a.fault:<12} ", "default"
        )
        text.append(f"{label:<8}", "green" if a.event == "cleared" else LEVEL_STYLE.get(a.level))
        text.append(a.reason, "not dim")
        text.truncate(max(self.console.width - 1, 20), overflow="ellipsis")
        return text

    def _last_warning(self) -> Text:
        if not self.log.problems:
            return Text()
        last = self.log.problems[-1]
        line = f"{local_time(last.get('t'))} {last.get('role')}: {last.get('event')}"
        process = self.supervisor.states.get(str(last.get("process")))
        if process and process.status == "ready":
            line += "; it is ready again"
        text = Text(line, "dim")
        text.truncate(max(self.console.width - 1, 10), overflow="ellipsis")
        return text
