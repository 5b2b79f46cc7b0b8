"""The same chart through real Helm, 3 and 4, where somebody has built them: `.ci/helm`. Else one line says so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.helm.charts import CASES, CHART, altered, case, refusal, rendered

ANY = ("--kube-version", "1.37.0")
"""Named, because a Helm that was built without its makefile takes Kubernetes for 1.20."""

BUILT = CHART.parent / "build" / "helm"


@pytest.fixture(scope="module", params=["v3", "v4"])
def helm(request, tmp_path_factory):
    """Calls Helm; it has no cluster, no home and no network to go to."""
    program = BUILT / request.param
    if not BUILT.exists():
        pytest.skip("real Helm was left out, because it takes minutes to build: run .ci/helm")
    assert program.exists(), f"{program} was not built, while others were: run .ci/helm again"
    home = str(tmp_path_factory.mktemp("home"))

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": home, "KUBECONFIG": "/nonexistent", "PATH": "/usr/bin:/bin"}
        return subprocess.run([program, *words], capture_output=True, text=True, check=False, env=environment)

    return call


def values_of(name: str) -> str:
    return str(CHART / "ci" / f"{name}-values.yaml")


@pytest.mark.parametrize("name", CASES)
def test_lint_is_strict_and_content(helm, name):
    result = helm("lint", "--strict", "--values", values_of(name), *ANY, str(CHART))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", CASES)
def test_it_renders_what_the_engine_renders(helm, name):
    result = helm("template", "cm", str(CHART), "--namespace", "tools", "--values", values_of(name), *ANY)
    assert result.returncode == 0, result.stderr

    def sort(objects):
        return sorted(objects, key=lambda found: (found["kind"], found["metadata"]["name"]))

    assert sort(filter(None, yaml.safe_load_all(result.stdout))) == sort(rendered(case(name)))


def test_it_refuses_in_the_same_words(helm, tmp_path: Path):
    values = altered("minimal", {"config": ""})
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values), "utf-8")
    result = helm("template", "cm", str(CHART), "--values", str(path), *ANY)
    assert result.returncode != 0
    assert "config is empty" in result.stderr
    assert "config is empty" in refusal(values)


def test_a_kubernetes_that_is_too_old_is_refused(helm):
    result = helm("template", "cm", str(CHART), "--values", values_of("minimal"), "--kube-version", "1.26.0")
    assert result.returncode != 0
    assert "1.27" in result.stderr
