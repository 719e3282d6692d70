"""The manifests as `kubectl kustomize` renders them: Pod Security Standard `restricted`, resources, and the NATS configuration."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy/kubernetes/base"
BIN = Path(sys.executable).parent
KUBERNETES = "1.37"
#: The schemas do not include custom resources.
CUSTOM = {"ScaledObject"}
#: The volumes that the standard `restricted` permits.
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
MIB = {"Mi": 1, "Gi": 1024}

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl")


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    built = subprocess.run(["kubectl", "kustomize", BASE], capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(built))


def pod_specs(rendered: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the pod spec of each workload, by its name."""
    return {
        found["metadata"]["name"]: pod_template(found)["spec"]
        for found in rendered
        if found["kind"] in {"Deployment", "StatefulSet", "CronJob"}
    }


def pod_template(workload: dict[str, Any]) -> dict[str, Any]:
    spec = workload["spec"]["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else workload["spec"]
    template: dict[str, Any] = spec["template"]
    return template


def memory_mib(quantity: str) -> int:
    return int(quantity[:-2]) * MIB[quantity[-2:]]


def test_every_resource_follows_kubernetes_own_schema(rendered: list[dict[str, Any]]) -> None:
    for resource in rendered:
        if resource["kind"] not in CUSTOM:
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_every_pod_meets_the_restricted_pod_security_standard(rendered: list[dict[str, Any]]) -> None:
    pods = pod_specs(rendered)
    assert {"nats", "api", "ticker", "runner", "mailer"} <= pods.keys()
    for name, pod in pods.items():
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert all(VOLUMES & volume.keys() for volume in pod["volumes"]), name
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, (name, container["name"])
            assert not any("hostPort" in port for port in container.get("ports", ()))


def test_every_container_has_requests_and_a_memory_limit(rendered: list[dict[str, Any]]) -> None:
    for name, pod in pod_specs(rendered).items():
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), (name, container["name"])
            assert "memory" in container["resources"]["limits"], (name, container["name"])
            assert ":" in container["image"], "the tag is pinned"


def test_gos_memory_limit_is_below_the_containers(rendered: list[dict[str, Any]]) -> None:
    for container in pod_specs(rendered)["nats"]["containers"]:
        environment = {variable["name"]: variable.get("value") for variable in container["env"]}
        limit = memory_mib(container["resources"]["limits"]["memory"])
        assert limit * 0.7 < int(environment["GOMEMLIMIT"].removesuffix("MiB")) < limit * 0.9


def test_the_brokers_pods_have_what_a_cluster_of_three_needs(rendered: list[dict[str, Any]]) -> None:
    [broker] = [found for found in rendered if found["kind"] == "StatefulSet"]
    services = {found["metadata"]["name"]: found["spec"] for found in rendered if found["kind"] == "Service"}
    [budget] = [
        found["spec"]
        for found in rendered
        if found["kind"] == "PodDisruptionBudget" and found["metadata"]["name"] == "nats"
    ]
    assert broker["spec"]["replicas"] == 3
    assert broker["spec"]["podManagementPolicy"] == "Parallel", "a first server alone is never ready"
    headless = services[broker["spec"]["serviceName"]]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"] is True
    labels = broker["spec"]["template"]["metadata"]["labels"]
    for selector in (
        headless["selector"],
        services["nats"]["selector"],
        budget["selector"]["matchLabels"],
        broker["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert budget["maxUnavailable"] == 1
    ports = {
        port["name"] for container in broker["spec"]["template"]["spec"]["containers"] for port in container["ports"]
    }
    assert {port["targetPort"] for service in (headless, services["nats"]) for port in service["ports"]} <= ports


def test_nats_server_accepts_the_mounted_configuration(rendered: list[dict[str, Any]], tmp_path: Path) -> None:
    """Writes the files as the pod's volume shows them: nats-server joins the path of an include to its file's folder."""
    pod = pod_specs(rendered)["nats"]
    server = next(container for container in pod["containers"] if container["name"] == "nats")
    maps = {found["metadata"]["name"]: found["data"] for found in rendered if found["kind"] == "ConfigMap"}
    users: list[str | Path] = [
        BIN / "nightmail",
        "nats-config",
        "--seeds",
        tmp_path / "seeds",
        "-o",
        tmp_path / "authorization.conf",
    ]
    subprocess.run(users, capture_output=True, check=True)
    maps["nats-authorization"] = {"authorization.conf": (tmp_path / "authorization.conf").read_text()}
    [mount] = [mount for mount in server["volumeMounts"] if mount["name"] == "config"]
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "config"]
    folder = tmp_path / mount["mountPath"].removeprefix("/")
    folder.mkdir(parents=True)
    for source in volume["projected"]["sources"]:
        for item in source["configMap"]["items"]:
            (folder / item["path"]).write_text(maps[source["configMap"]["name"]][item["key"]])
    program, option, path = server["command"]
    checked = subprocess.run(
        [BIN / program, "-t", option, tmp_path / path.removeprefix("/")],
        env={**os.environ, "POD_NAME": "nats-0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    config = maps[volume["projected"]["sources"][0]["configMap"]["name"]]["nats.conf"]
    assert "sync_interval: always" in config
    for number in range(3):
        assert f"nats-{number}.nats-headless:6222" in config


def test_every_pod_reaches_the_broker_and_its_seed_is_one_that_the_readme_creates(
    rendered: list[dict[str, Any]],
) -> None:
    readme = (ROOT / "deploy/kubernetes/README.md").read_text()
    [listed] = re.findall(r"^for service in (.*); do$", readme, flags=re.MULTILINE)
    made = {f"nats-seed-{name}" for name in listed.split()}
    seeds = set()
    for workload in rendered:
        if workload["kind"] in {"Deployment", "CronJob"}:
            template = pod_template(workload)
            assert template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "nightmail"
            volumes = template["spec"]["volumes"]
            seeds |= {volume["secret"]["secretName"] for volume in volumes if volume["name"] == "seed"}
    assert seeds == made


def test_the_backup_keeps_the_last_fourteen(rendered: list[dict[str, Any]], tmp_path: Path) -> None:
    [container] = pod_specs(rendered)["backup"]["containers"]
    backups, program = tmp_path / "backups", tmp_path / "bin/nightmail"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = backup ] && mkdir "$2" && [ ! -e "$FAIL" ]\n')
    program.chmod(0o755)
    for day in range(10, 28):
        (backups / f"2026-10-{day}T021700Z").mkdir(parents=True)
    script = container["args"][0].replace("/backups/", f"{backups}/")
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "FAIL": str(tmp_path / "missing")}
    subprocess.run([*container["command"], script], env=environment, check=True)
    kept = sorted(path.name for path in backups.iterdir())
    assert len(kept) == 14
    assert kept[0] == "2026-10-15T021700Z"
    failed = subprocess.run([*container["command"], script], env=environment | {"FAIL": str(tmp_path)}, check=False)
    assert failed.returncode != 0, "a failed backup fails the job, and nothing is deleted"


def test_prometheus_scrapes_each_pod_as_a_target_of_its_own(tmp_path: Path) -> None:
    overlay = {
        "resources": [os.path.relpath(BASE, tmp_path)],
        "components": [os.path.relpath(ROOT / "deploy/kubernetes/monitoring", tmp_path)],
        "namespace": "nightmail",
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    built = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=True).stdout
    resources = list(yaml.safe_load_all(built))
    scraped = set()
    for monitor in (found for found in resources if found["kind"] == "PodMonitor"):
        selector = monitor["spec"]["selector"]
        names = [selector["matchLabels"]["app.kubernetes.io/name"]] if "matchLabels" in selector else []
        names += [name for rule in selector.get("matchExpressions", ()) for name in rule["values"]]
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        for name in names:
            pods = [found for found in resources if found["metadata"]["name"] == name and "template" in found["spec"]]
            ports = [
                port for container in pods[0]["spec"]["template"]["spec"]["containers"] for port in container["ports"]
            ]
            assert endpoint["port"] in {port["name"] for port in ports}
            scraped.add(name)
    assert scraped == {"api", "ticker", "runner", "mailer", "nats"}


def test_every_pod_may_ask_the_clusters_dns_and_the_cache_on_its_node(rendered: list[dict[str, Any]]) -> None:
    policies = [found["spec"] for found in rendered if found["kind"] == "NetworkPolicy"]
    workloads = [found for found in rendered if found["kind"] in {"Deployment", "StatefulSet", "CronJob"}]
    assert workloads
    for workload in workloads:
        labels = pod_template(workload)["metadata"]["labels"]
        egress = [
            rule
            for policy in policies
            if policy["podSelector"].get("matchLabels", {}).items() <= labels.items()
            for rule in policy.get("egress", ())
        ]
        places = [
            place
            for rule in egress
            if {"port": 53, "protocol": "UDP"} in rule.get("ports", ()) and {"port": 53} in rule["ports"]
            for place in rule["to"]
        ]
        name = workload["metadata"]["name"]
        assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in places, name
        assert any("namespaceSelector" in place for place in places), name
