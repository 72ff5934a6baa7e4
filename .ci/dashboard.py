"""The queries of the dashboard, asked of a real Prometheus that scrapes a running cluster."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

DASHBOARD = Path("deploy/grafana/vtox.json")
CONFIG = Path("deploy/prometheus/prometheus.yml")
# Metrics that are absent as long as nothing is wrong.
OF_TROUBLE = ("vtox_system_alarm", "vtox_dead_letters")
ANSWER_S = 60.0


@contextmanager
def prometheus(api_port: int, port: int, data: Path) -> Iterator[str | None]:
    """Run Prometheus with the project's configuration; yield its address, None without it."""
    if not shutil.which("prometheus"):
        print("dashboard: Prometheus is not installed here, its queries were not asked")
        yield None
        return
    data.mkdir(parents=True)
    rules = (CONFIG.parent / "alerts.yml").absolute()
    text = CONFIG.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{api_port}")
    config = data / "prometheus.yml"
    config.write_text(text.replace("- alerts.yml", f"- {rules}"))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data / 'tsdb'}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (data / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def unanswered(url: str) -> str:
    """Return which queries of the dashboard and the rules have no answer, empty if none."""
    end = time.monotonic() + ANSWER_S
    while missing := [q for q in queries() if not _answered(url, q)]:
        if time.monotonic() > end:
            return f"no data for {len(missing)} queries of the dashboard: {missing[:3]}"
        time.sleep(2)
    rules = _get(url, "/api/v1/rules")["groups"][0]["rules"]
    if broken := [r["name"] for r in rules if r["health"] != "ok"]:
        return f"rules that Prometheus cannot evaluate: {broken}"
    print(f"dashboard: {len(queries())} queries answered, {len(rules)} rules evaluated")
    return ""


def queries() -> list[str]:
    """Return the queries of the dashboard, with its variables filled in."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    texts = [t["expr"] for p in panels for t in p.get("targets", [])]
    filled = {"$job": "vtox", "$cell": ".*", "$__rate_interval": "1m"}
    return [reduce(lambda t, v: t.replace(*v), filled.items(), text) for text in texts]


def _answered(url: str, query: str) -> bool:
    # A query that Prometheus cannot read is answered by an HTTP error, which ends this.
    rows = _get(url, "/api/v1/query", query=query)["result"]
    return bool(rows) or any(name in query for name in OF_TROUBLE)


def _get(url: str, path: str, **query: str) -> Any:
    with urllib.request.urlopen(
        f"{url}{path}?{urllib.parse.urlencode(query)}", timeout=10
    ) as reply:
        return json.load(reply)["data"]
