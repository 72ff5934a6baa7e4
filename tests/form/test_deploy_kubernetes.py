"""The manifests for Kubernetes: commands of the Procfile, settings that exist, probes and ends."""

from dataclasses import fields
from typing import Any

import pytest

import celeryconfig
from api.schemas.system import QueueStatus
from deploy import role_settings
from tests.form.test_deploy import optional, procfile
from tests.form.test_deploy_containers import DEPLOY, ELSEWHERE, WITHOUT_SECRET, names, shell
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.processes import LIVENESS_PATH
from vtox.pipeline.cluster.worker_allocation import worker_ports
from vtox.pipeline.configuration.settings import each, load, variable

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
FOLDER = DEPLOY / "kubernetes"
FILES = sorted(FOLDER.rglob("*.yaml"))
# Optional: applied manually.
CHOSEN = ("notifier", "mqtt", "opcua", "mcp")
BY_HAND = ("kubernetes/admin.yaml", *(f"kubernetes/{name}.yaml" for name in CHOSEN))
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    o
    for name in (*KUSTOMIZATION["resources"], *BY_HAND[1:])
    for o in yaml.safe_load_all((DEPLOY / name).read_text())
]
PODS = {
    o["metadata"]["name"]: o["spec"]["template"]["spec"]
    for o in OBJECTS
    if o["kind"] in ("Deployment", "StatefulSet")
}
QUEUES = {queue.replace("_", "-"): queue for queue in FAMILIES}
OURS = {QUEUES.get(name, name): pod for name, pod in PODS.items() if name != "valkey"}


def environment(pod: dict[str, Any]) -> dict[str, str]:
    return {e["name"]: e["value"] for e in pod["containers"][0]["env"]}


def of_kind(kind: str) -> dict[str, Any]:
    return {o["metadata"]["name"]: o["spec"] for o in OBJECTS if o["kind"] == kind}


def command(pod: dict[str, Any]) -> str:
    """The command of a Pod, in the notation of the Procfile."""
    before = [" ".join(c["command"]) + " && " for c in pod.get("initContainers", [])]
    (container,) = pod["containers"]
    words = container["command"]
    text = shell(words) if words[0] == "sh" else " ".join(words).replace(ELSEWHERE, "")
    return "".join(before) + text


def test_every_manifest_is_applied_or_for_the_administrator() -> None:
    files = {str(f.relative_to(DEPLOY)) for f in FILES if f.parent == FOLDER}
    assert files - set(BY_HAND) == set(KUSTOMIZATION["resources"])


def test_each_process_has_a_deployment_with_its_command() -> None:
    processes = {name: text for name, text in procfile().items() if name != "server"}
    processes |= {name: optional()[name] for name in CHOSEN}
    assert {name: command(pod) for name, pod in OURS.items()} == processes


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_manifests_name_settings_that_exist(file: Any) -> None:
    known = {variable(*name) for name, _ in each(load())}
    assert names(file.read_text()) <= known


@pytest.mark.parametrize("name", sorted(OURS.keys() - WITHOUT_SECRET))
def test_each_process_has_the_secret_of_its_role_alone(name: str) -> None:
    role = "worker" if name in FAMILIES else name
    secrets = [v["secret"]["secretName"] for v in OURS[name]["volumes"] if "secret" in v]
    files = {s["name"]: s["files"] for s in KUSTOMIZATION["secretGenerator"]}
    assert secrets == [role]
    if name not in CHOSEN:
        assert files[role] == [f"settings.toml=secrets/{role}.toml"]
    assert role in role_settings.USERS
    assert environment(OURS[name])["VTOX_CONFIG"] == "/etc/vtox/settings.toml"


@pytest.mark.parametrize("name", PODS)
def test_each_pod_is_restricted_and_limited(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_restarted_for_its_own_state_alone(name: str) -> None:
    (container,) = PODS[name]["containers"]
    probes = [container[p] for p in ("livenessProbe", "startupProbe") if p in container]
    with_port = QUEUES.get(name, name) in {*FAMILIES, "bridge", "api"}
    assert len(probes) == (2 if with_port else 0)
    assert {p["httpGet"]["path"] for p in probes} <= {LIVENESS_PATH}


@pytest.mark.parametrize("name", [*FAMILIES, "bridge", "api"])
def test_probes_reach_the_port_of_the_settings(name: str) -> None:
    pod = OURS[name]
    fields = {"bridge": "coordinator_port", "api": "api_port"}
    port = getattr(load(), fields[name]) if name in fields else next(worker_ports(load(), [name]))
    assert pod["containers"][0]["ports"][0]["containerPort"] == port
    host = "VTOX_API_HOST" if name == "api" else "VTOX_PROBE_HOST"
    assert environment(pod)[host] == "0.0.0.0"


@pytest.mark.parametrize("queue", FAMILIES)
def test_a_worker_has_time_to_finish_its_batch(queue: str) -> None:
    assert environment(OURS[queue])["REMAP_SIGTERM"] == "SIGQUIT"
    grace: float = OURS[queue]["terminationGracePeriodSeconds"]
    assert grace > celeryconfig.worker_soft_shutdown_timeout + 5


def test_drains_and_networks_name_deployments_that_exist() -> None:
    budgets = of_kind("PodDisruptionBudget")
    assert {*QUEUES, "bridge", "api", "valkey"} == set(budgets)
    for spec in [*budgets.values(), *of_kind("NetworkPolicy").values()]:
        selector = spec.get("selector", spec.get("podSelector"))
        found = list(selector.get("matchLabels", {}).values())
        for expression in selector.get("matchExpressions", []):
            found += expression["values"]
        assert set(found) <= set(PODS)


def test_each_queue_is_scaled_by_its_own_backlog() -> None:
    text = (FOLDER / "keda" / "workers.yaml").read_text()
    scaled = [o for o in yaml.safe_load_all(text) if o["kind"] == "ScaledObject"]
    assert {o["spec"]["scaleTargetRef"]["name"] for o in scaled} == set(QUEUES)
    for spec in (o["spec"] for o in scaled):
        (trigger,) = spec["triggers"]
        *path, queue, field = trigger["metadata"]["valueLocation"].split(".")
        assert (path, queue) == (["data", "queues"], QUEUES[spec["scaleTargetRef"]["name"]])
        assert field in {f.name for f in fields(QueueStatus)}
        assert trigger["metadata"]["url"].endswith("/api/v1/cluster/status")
        assert spec["minReplicaCount"] == 1
