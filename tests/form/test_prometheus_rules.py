"""The rules for Prometheus fire when they should, and the dashboard is laid out soundly."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "vtox.json").read_text())
CASES = Path(__file__).parent / "prometheus_rules.yml"


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="no promtool: on Debian and Ubuntu, apt-get install prometheus",
)


@needs_promtool
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


@needs_promtool
def test_promtool_accepts_the_cells_of_deployment(tmp_path: Path) -> None:
    page = (DEPLOY.parent / "docs/howto/run-cells.md").read_text()
    (config,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", page, re.DOTALL)
    for cell in ("north", "south"):
        key = f"/etc/prometheus/vtox-{cell}.key"
        assert config.count(key) == 1
        (tmp_path / cell).touch()
        config = config.replace(key, str(tmp_path / cell))
    queries = re.findall(r"^\| .*\? \| `(.*)` \|$", page, re.MULTILINE)
    assert len(queries) == 5
    rules = [{"record": f"r{i}", "expr": q.replace("\\|", "|")} for i, q in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "r", "rules": rules}]}))
    (tmp_path / "prometheus.yml").write_text(f"rule_files: [rules.yml]\n{config}")
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    told = subprocess.run(command, capture_output=True, text=True)
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


def test_each_query_of_the_dashboard_is_of_the_chosen_cells() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            assert 'job="$job",cell=~"$cell"' in target["expr"]
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
