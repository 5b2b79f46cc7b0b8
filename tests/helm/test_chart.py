"""The chart, rendered for every values file of ci/: valid for Kubernetes, restricted, and without a secret in it."""

from __future__ import annotations

import re
import tomllib

import helm_python
import kubernetes_validate
import pytest

from bot.cli.commands import COMMANDS
from bot.cli.role import FAREWELL, LAST_RESORT
from tests.helm import readme
from tests.helm.charts import CASES, CHART, WORKLOADS, altered, case, notes, one, pods, rendered

# The oldest is what Chart.yaml asks for, the newest what the schemas are there for. They are read from the package.
VERSIONS = ("1.27", kubernetes_validate.latest_version())
CRDS = {"PodMonitor", "PrometheusRule"}
OURS = ("bot", "worker", "watch")
WRITABLE_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


@pytest.fixture(scope="module", params=CASES)
def objects(request):
    return rendered(case(request.param))


@pytest.fixture
def pages():
    return (CHART.parent / "docs" / "kubernetes.md").read_text("utf-8")


def containers(objects):
    return [(name, spec, container) for name, spec in pods(objects) for container in spec["containers"]]


@pytest.mark.parametrize("name", CASES)
def test_lint_finds_nothing_but_the_missing_icon(name):
    report = helm_python.lint(CHART, case(name), strict=True, kube_version=f"v{VERSIONS[0]}.0")
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_for_the_oldest_and_the_newest_kubernetes(objects, version):
    for found in objects:
        if found["kind"] not in CRDS:
            kubernetes_validate.validate(found, version, strict=True)


def test_validation_can_fail(objects):
    found = one(objects, "Deployment", next(name for name, _ in pods(objects) if name.endswith("-bot")))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**found, "spec": {**found["spec"], "replica": 1}}, VERSIONS[0], strict=True)


def test_the_chart_asks_for_the_oldest_version_that_is_tried():
    assert f'kubeVersion: ">={VERSIONS[0]}.0-0"' in (CHART / "Chart.yaml").read_text()


def test_pods_are_restricted(objects):
    """Kubernetes' pod security standard `restricted`, clause by clause, and what it does not ask for."""
    for _, spec in pods(objects):
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"].get("runAsUser", 1) != 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for volume in spec["volumes"]:
            assert len(set(volume) & WRITABLE_VOLUMES) == 1, volume
    for _, _, container in containers(objects):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not any("hostPort" in port for port in container.get("ports", []))
        assert "memory" in container["resources"]["limits"]


def test_no_pod_gets_a_token_or_other_services_addresses(objects):
    for _, spec in pods(objects):
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["serviceAccountName"] not in {"", "default"}
    for account in (found for found in objects if found["kind"] == "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret"} & {o["kind"] for o in objects}


def mounted_secrets(spec):
    return {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}


@pytest.mark.parametrize("name", CASES)
def test_secrets_are_named_and_each_role_gets_its_own_only(name):
    values = case(name)
    slack, vcenters = values["slack"]["existingSecret"], values["vcenters"]["existingSecret"]
    for pod, spec in pods(rendered(values)):
        found = mounted_secrets(spec)
        assert (slack in found) is pod.endswith("-bot")
        assert (vcenters in found) is pod.endswith(("-worker", "-watch"))
        assert ("coldmigrate-watch" in found) <= pod.endswith("-watch")
        for container in spec["containers"]:
            env = {one["name"]: one for one in container.get("env", [])}
            redis = values.get("redis", {}).get("existingSecret")
            assert ("REDIS_URL" in env) is bool(redis)
            if redis:
                assert env["REDIS_URL"]["valueFrom"]["secretKeyRef"]["name"] == redis
            assert "envFrom" not in container


def test_secrets_are_readable_for_the_user_and_for_no_other(objects):
    for _, spec in pods(objects):
        assert {volume["secret"]["defaultMode"] for volume in spec["volumes"] if "secret" in volume} <= {0o440}


def test_every_mount_has_its_volume_and_only_tmp_is_written(objects):
    for _, spec, container in containers(objects):
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
        paths = [mount["mountPath"] for mount in container["volumeMounts"]]
        # A mount below a read-only one cannot be made.
        assert not [(a, b) for a in paths for b in paths if a != b and b.startswith(a + "/")]
        assert [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")] == ["/tmp"]


def test_probes_ask_the_health_port_and_liveness_nothing_else(objects):
    for _, _, container in containers(objects):
        if container["name"] == "doctor":
            continue
        (port,) = [port for port in container["ports"] if not port["name"].startswith("syslog-")]
        asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert asked == {
            kind: {"path": path, "port": port["name"]}
            for kind, path in (("startup", "/startupz"), ("liveness", "/livez"), ("readiness", "/readyz"))
        }
        arguments = container["args"]
        assert arguments[arguments.index("--health-port") + 1] == str(port["containerPort"])


def test_there_is_time_to_hand_over_and_to_be_told_of_a_start(objects):
    for name, spec in pods(objects):
        if not name.endswith("-doctor"):
            grace = spec["terminationGracePeriodSeconds"]
            assert grace > LAST_RESORT + FAREWELL.total_seconds()


def test_no_role_is_process_1_to_whom_the_kernel_drops_signals(objects):
    for name, spec in pods(objects):
        assert name.endswith("-doctor") or spec["shareProcessNamespace"] is True


def test_commands_are_those_of_the_program(objects):
    for _, _, container in containers(objects):
        assert "command" not in container  # the image knows its own
        assert container["args"][0] in COMMANDS


def test_selectors_find_their_own_pods_and_no_others(objects):
    labels = {
        found["metadata"]["name"]: found["spec"]["template"]["metadata"]["labels"]
        for found in objects
        if found["kind"] == "Deployment"
    }
    for found in objects:
        if found["kind"] not in {"Deployment", "PodDisruptionBudget", "NetworkPolicy", "Service"}:
            continue
        selector = found["spec"].get("selector") or found["spec"]["podSelector"]
        wanted = selector.get("matchLabels", selector)
        chosen = [name for name, given in labels.items() if wanted.items() <= given.items()]
        assert chosen == [found["metadata"]["name"].replace("-syslog", "-watch")]
    doctor = [found["metadata"]["labels"] for found in objects if found["kind"] == "Pod"]
    assert all(given["app.kubernetes.io/component"] == "doctor" for given in doctor)


def test_a_changed_config_rolls_the_pods():
    def sums(values):
        deployments = [found for found in rendered(values) if found["kind"] == "Deployment"]
        return {found["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for found in deployments}

    before, after = case("minimal"), case("minimal")
    after["config"] += "\n# changed\n"
    assert len(sums(before)) == len(sums(after)) == 1
    assert sums(before) != sums(after)


def test_the_config_arrives_as_it_was_given():
    values = case("minimal")
    values["config"] = '[slack]\napi_url = "https://x/{{ .Release.Name }}"\n\n[redis]\nurl = "redis://a"\n'
    assert (
        one(rendered(values), "ConfigMap", "cm-coldmigrate")["data"]["coldmigrate.toml"].strip()
        == values["config"].strip()
    )


def test_a_network_policy_opens_what_each_role_needs_and_no_more():
    objects = rendered(case("locked-down"))
    ports = {
        role: [
            port["port"]
            for rule in one(objects, "NetworkPolicy", f"cm-coldmigrate-{role}")["spec"]["egress"]
            for port in rule["ports"]
        ]
        for role in OURS
    }
    both = [53, 53, 6379, 26379, 443]
    assert ports == {"bot": both, "worker": both, "watch": [*both, 22, 443, 443]}
    bot, worker, watch = (one(objects, "NetworkPolicy", f"cm-coldmigrate-{role}")["spec"] for role in OURS)
    there = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    assert "to" not in bot["egress"][-1]
    assert worker["egress"][-1]["to"] == watch["egress"][-2]["to"] == there
    assert len(bot["ingress"]) == len(worker["ingress"]) == 1
    syslog = {"ports": [{"port": f"syslog-{p}", "protocol": p.upper()} for p in ("udp", "tcp")], "from": there}
    assert watch["ingress"][1:] == [syslog]


def test_hosts_send_syslog_to_the_ports_that_watchers_listen_at():
    objects = rendered(case("many"))
    service = one(objects, "Service", "cm-coldmigrate-syslog")["spec"]
    assert (service["type"], service["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    listening = {port["name"]: port for _, _, c in containers(objects) if c["name"] == "watch" for port in c["ports"]}
    reached = {port["port"]: listening[port["targetPort"]] for port in service["ports"] if port["protocol"] == "UDP"}
    assert [(port, to["containerPort"], to["protocol"]) for port, to in reached.items()] == [(514, 1514, "UDP")]
    streams = {port["targetPort"]: listening[port["targetPort"]]["containerPort"] for port in service["ports"]}
    assert streams == {"syslog-udp": 1514, "syslog-tcp": 1514, "syslog-tls": 6514}
    config = tomllib.loads(case("many")["config"])
    assert {f"syslog-{kind}": config["syslog"][kind] for kind in ("udp", "tcp", "tls")} == streams


def test_without_watchers_nothing_is_left_of_them():
    left = [found["metadata"]["name"] for found in rendered(altered("minimal", {"watcher.enabled": False}))]
    assert not [name for name in left if "watch" in name or "syslog" in name]


def test_alarms_are_on_numbers_that_there_are(pages):
    rules = one(rendered(case("many")), "PrometheusRule", "cm-coldmigrate")["spec"]["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"coldmigrate_\w+", rule["expr"])}
    assert len(rules) == 8
    assert all(f"| `{name}` |" in pages for name in named)


def test_a_platform_may_choose_the_user():
    for _, spec in pods(rendered(case("locked-down"))):
        assert set(spec["securityContext"]) == {"runAsNonRoot", "seccompProfile"}


def test_a_digest_goes_before_a_tag():
    values = altered("own-config", {"image.tag": "1.2.3"})
    images = {container["image"] for _, _, container in containers(rendered(values))}
    assert images == {f"{values['image']['repository']}@{values['image']['digest']}"}


def test_notes_name_objects_that_are_there_and_commands_that_exist(objects):
    for name in CASES:
        told = notes(case(name))
        there = {found["metadata"]["name"] for found in rendered(case(name)) if found["kind"] in WORKLOADS}
        assert set(re.findall(r"deployment/(\S+)", told)) <= there
        assert ("helm test" in told) is (case(name).get("tests", {}).get("enabled", True))
    assert "One worker:" in notes(altered("minimal", {"worker.replicas": 1}))


def test_the_page_of_values_does_not_lag():
    page = (CHART / "README.md").read_text("utf-8")
    assert page == readme.written(page), "run python -m tests.helm.readme"


def test_versions_agree():
    chart = (CHART / "Chart.yaml").read_text()
    (version,) = re.findall(r'^version = "(.+)"$', (CHART.parent / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"\nappVersion: {version}\n" in chart
