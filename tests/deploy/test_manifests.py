"""Static checks of the Compose, Kubernetes, systemd, NATS and Prometheus files."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from prometheus_client import REGISTRY

from nightmail_api.settings import ApiSettings
from nightmail_cli.client_settings import ClientSettings
from nightmail_common.service.settings import PREFIX, ServiceSettings
from nightmail_mailer.settings import MailerSettings
from nightmail_runner.settings import RunnerSettings
from nightmail_ticker.settings import TickerSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes/base"
POSTGRESQL = DEPLOY / "kubernetes/postgresql"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
BIN = Path(sys.executable).parent
SERVICES = ("api", "ticker", "runner", "mailer")
KUBERNETES = "1.37"
SETTINGS: dict[str, type[ServiceSettings]] = {
    "api": ApiSettings,
    "ticker": TickerSettings,
    "runner": RunnerSettings,
    "mailer": MailerSettings,
}
#: The schemas do not include custom resources.
CUSTOM = {"ScaledObject"}


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted(BASE.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def deployments() -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found["spec"] for found in manifests() if found["kind"] == "Deployment"}


def test_every_setting_in_a_deployment_exists() -> None:
    kinds: list[type[ServiceSettings]] = [*SETTINGS.values(), ClientSettings]
    known = {f"{PREFIX}{name}".upper() for kind in kinds for name in kind.model_fields}
    for path in (path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".lock", ".json"}):
        named = set(re.findall(r"\bNIGHTMAIL_[A-Z_]*[A-Z]\b", path.read_text()))
        assert not {name for name in named - known if not name.startswith(f"{PREFIX}SECRET_")}, path


def test_compose_follows_its_specification() -> None:
    command: list[str | Path] = [
        BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        DEPLOY / "compose.yaml",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_container_has_only_the_privileges_that_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "${RUN_AS:-10001:10001}"
    assert "privileged" not in service
    assert all(":127" in f":{port}" or port.startswith("${NIGHTMAIL_HOST:-127") for port in service.get("ports", ()))


def test_secrets_and_networks_are_split_between_the_containers() -> None:
    services = COMPOSE["services"]
    assert COMPOSE["networks"]["broker"]["internal"] is True
    assert {name: set(services[name]["networks"]) - {"broker"} for name in SERVICES} == {
        "api": {"front"},
        "ticker": set(),
        "runner": {"sources"},
        "mailer": {"mail"},
    }
    for name in SERVICES:
        assert [secret["target"] for secret in services[name]["secrets"]] == [f"{name}.nk"], "its own seed only"
        for setting in services[name]["environment"]:
            field = setting.removeprefix(PREFIX).lower()
            assert field in SETTINGS[name].model_fields, f"{name} has no setting {setting}"
    assert {name for name in SERVICES if "NIGHTMAIL_SMTP_PASSWORD" in services[name]["environment"]} == {"mailer"}


def test_compose_passes_every_setting_of_the_env_file_on_to_its_service() -> None:
    """A setting in deploy/.env that no service gets would be without effect, and nothing would say so."""
    of_the_container = {"data_dir", "host", "port", "health_host", "health_port", "log_format", "sandbox"}
    of_the_broker = {name for name in ServiceSettings.model_fields if name.startswith("nats_")}
    # These need a volume or a program in the image, and tracing has a variable of its own.
    of_a_file = {"bounce_maildir", "smtp_ca", "smtp_token_command", "otlp_endpoint"}
    for name in SERVICES:
        passed = {setting.removeprefix(PREFIX).lower() for setting in COMPOSE["services"][name]["environment"]}
        own = set(SETTINGS[name].model_fields) - of_the_container - of_the_broker - of_a_file
        assert own - passed == set(), name


@pytest.mark.parametrize(
    "manifest", list(manifests()), ids=lambda found: f"{found['kind']} {found['metadata']['name']}"
)
def test_a_manifest_follows_kubernetes_own_schema(manifest: dict[str, Any]) -> None:
    if manifest["kind"] not in CUSTOM:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl")
def test_kustomize_builds_all_resources_with_the_labels_that_the_policies_select() -> None:
    built = subprocess.run(["kubectl", "kustomize", BASE], capture_output=True, text=True, check=True).stdout
    resources = list(yaml.safe_load_all(built))
    assert len(resources) == len(list(manifests())) + 2, "and the config maps"
    for resource in resources:
        if resource["kind"] not in CUSTOM:
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)
        if resource["kind"] == "Deployment":
            labels = resource["spec"]["template"]["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "nightmail"
            assert resource["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":0.1.0")


def test_every_manifest_is_in_the_kustomization() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")


def test_the_api_of_the_component_gets_its_database_from_a_secret_and_may_reach_it() -> None:
    component = yaml.safe_load((POSTGRESQL / "kustomization.yaml").read_text())
    [patch] = [yaml.safe_load((POSTGRESQL / patch["path"]).read_text()) for patch in component["patches"]]
    [container] = patch["spec"]["template"]["spec"]["containers"]
    [patched] = deployments()[patch["metadata"]["name"]]["template"]["spec"]["containers"]
    assert container["name"] == patched["name"]
    assert [variable["name"] for variable in container["env"]] == [f"{PREFIX}DATABASE_URL"]
    assert "secretKeyRef" in container["env"][0]["valueFrom"]
    [policy] = [yaml.safe_load((POSTGRESQL / path).read_text()) for path in component["resources"]]
    kubernetes_validate.validate(policy, KUBERNETES, strict=True)
    assert policy["spec"]["podSelector"]["matchLabels"] == deployments()["api"]["selector"]["matchLabels"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_meets_the_restricted_standard_and_can_be_moved(name: str) -> None:
    pod = deployments()[name]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"livenessProbe", "readinessProbe", "startupProbe", "resources"} <= set(container)
    assert "podAntiAffinity" in pod["affinity"]
    [budget] = [
        found for found in manifests() if found["kind"] == "PodDisruptionBudget" and found["metadata"]["name"] == name
    ]
    assert budget["spec"]["selector"] == deployments()[name]["selector"]


def test_only_the_queue_scales_the_runners() -> None:
    [scaled] = [found["spec"] for found in manifests() if found["kind"] == "ScaledObject"]
    [trigger] = scaled["triggers"]
    assert trigger["type"] == "nats-jetstream"
    assert (trigger["metadata"]["stream"], trigger["metadata"]["consumer"]) == ("EVENTS", "runner")
    assert scaled["minReplicaCount"] >= 1
    assert scaled["scaleTargetRef"]["name"] in deployments()
    assert "replicas" not in deployments()["runner"], "kubectl apply would set it back"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd/nightmail.service").read_text()
    (tmp_path / "nightmail.service").write_text(unit.replace("/opt/nightmail/bin/nightmail up", "/bin/true"))
    ended = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "nightmail.service"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_nats_server_accepts_the_brokers_configuration(tmp_path: Path) -> None:
    made = subprocess.run(
        [BIN / "nightmail", "nats-config", "--seeds", tmp_path / "seeds", "-o", tmp_path / "authorization.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    config = (DEPLOY / "compose/nats.conf").read_text()
    assert "sync_interval: always" in config
    (tmp_path / "nats.conf").write_text(config)
    checked = subprocess.run(
        [BIN / "nats-server", "-t", "-c", tmp_path / "nats.conf"], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    seeds = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert seeds <= {path.name for path in (tmp_path / "seeds").iterdir()}


def test_every_alert_uses_existing_metrics_and_is_documented() -> None:
    for module in ROOT.glob("*/*/nightmail_*/metrics.py"):
        import_module(f"{module.parent.name}.metrics")
    declared = {family.name for family in REGISTRY.collect()}
    rules = [
        rule
        for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ]
    page = (ROOT / "docs/operations.md").read_text()
    explained = re.findall(r"^\| `(Nightmail\w+)` \|", page, flags=re.MULTILINE)
    assert sorted(rule["alert"] for rule in rules) == sorted(explained)
    for rule in rules:
        named = {re.sub(r"_(total|bucket)$", "", name) for name in re.findall(r"\bnightmail_[a-z_]+", rule["expr"])}
        assert named <= declared, rule["alert"]


def test_git_ignores_the_volumes_of_compose() -> None:
    mounted = json.dumps(COMPOSE["services"])
    ignored = (DEPLOY / ".gitignore").read_text().split()
    assert all(f"{folder}/" in ignored for folder in re.findall(r'"\./(\w+):', mounted))


def test_every_alert_has_a_name_of_its_own() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", SERVICES)
def test_compose_has_a_health_check_of_its_own_because_an_image_in_ocis_format_has_none(name: str) -> None:
    port = 8080 if name == "api" else 8081
    assert f"http://127.0.0.1:{port}/health/live" in COMPOSE["services"][name]["healthcheck"]["test"][-1]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="deploy/cluster/make.sh needs openssl")
def test_a_server_of_the_cluster_given_by_name_listens_for_other_machines(tmp_path: Path) -> None:
    """Debian's /etc/hosts gives a machine's own name the address 127.0.1.1, which no other machine reaches."""
    command: list[str | Path] = [DEPLOY / "cluster/make.sh", tmp_path / "cluster", "nats-a.example", "192.0.2.2"]
    environment = {**os.environ, "NIGHTMAIL": str(BIN / "nightmail")}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    by_name, by_address = ((tmp_path / f"cluster/nats-{number}/nats.conf").read_text() for number in (1, 2))
    assert 'listen: "0.0.0.0:4222"' in by_name
    assert 'listen: "0.0.0.0:6222"' in by_name
    assert 'listen: "192.0.2.2:4222"' in by_address
    for config in (by_name, by_address):  # the monitoring port is for this machine alone
        assert 'http: "127.0.0.1:8222"' in config


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian's package prometheus)")
def test_the_documented_scrape_configuration_makes_each_replica_a_target(tmp_path: Path) -> None:
    """A target `runner:8081` would be another replica at each scrape."""
    [text] = re.findall(
        r"```yaml\n(# prometheus\.yml\n.*?)```", (DEPLOY / "grafana/README.md").read_text(), flags=re.DOTALL
    )
    config = yaml.safe_load(text)
    found = [discovery for job in config["scrape_configs"] for discovery in job.pop("dns_sd_configs")]
    assert {name for one in found for name in one["names"]} == set(SERVICES)
    assert {one["type"] for one in found} == {"A"}
    assert not any("static_configs" in job for job in config["scrape_configs"])
    file = tmp_path / "prometheus.yml"
    file.write_text(text)
    checked = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
