"""The rules for Prometheus fire when they should, and the dashboard is laid out soundly."""

import json
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "vtox.json").read_text())
CASES = Path(__file__).parent / "prometheus_rules.yml"


@pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="no promtool: on Debian and Ubuntu, apt-get install prometheus",
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")],
        ["check", "rules", str(DEPLOY / "prometheus" / "alerts.yml")],
        ["test", "rules", str(CASES)],
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_promtool_accepts(arguments: list[str]) -> None:
    told = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    for one, other in combinations([p["gridPos"] for p in panels], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), (one, other)
    assert max(p["gridPos"]["x"] + p["gridPos"]["w"] for p in panels) == 24


def test_each_query_of_the_dashboard_is_of_one_job_and_datasource() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            assert 'job="$job"' in target["expr"]
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
