"""The Dockerfile, read: what it copies reaches it, versions are locked, nobody is root, no secret is in it.

There is no Docker where tests run; its steps were carried out by hand (docs/kubernetes.md says how to try the image).
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.settings import PATH_VARIABLE
from tests.helm.charts import CHART, case, pods, rendered

ROOT = CHART.parent


class Instruction(NamedTuple):
    name: str
    text: str


def instructions() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    return [Instruction(*line.split(None, 1)) for line in lines]


def of(name: str) -> list[str]:
    return [one.text for one in instructions() if one.name == name]


def final() -> list[Instruction]:
    """The stage that runs."""
    every = instructions()
    return every[max(number for number, one in enumerate(every) if one.name == "FROM") :]


def copied() -> list[str]:
    """Sources from the checkout."""
    return [source for text in of("COPY") if not text.startswith("--from=") for source in text.split()[:-1]]


def reaches_the_builder(path: str) -> bool:
    """Whether .dockerignore lets it through: the last line that matches decides."""
    lets = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").split("\n"):
        pattern = line.lstrip("!").removeprefix("**/")
        if not line or line.startswith("#"):
            continue
        if any(fnmatch.fnmatch(part, pattern) for part in (path, *_folders(path), Path(path).name)):
            lets = line.startswith("!")
    return lets


def _folders(path: str) -> list[str]:
    return [str(folder) for folder in Path(path).parents if str(folder) != "."]


def test_what_is_copied_is_there_and_reaches_the_builder():
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert reaches_the_builder(source), source


def test_what_the_package_is_built_from_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = [project["project"]["readme"], *project["project"]["license-files"]]
    assert {"pyproject.toml", *packages, *named} <= set(copied())


@pytest.mark.parametrize("path", [".git", ".env", "tests", "coldmigrate.toml", "slack-token", "build", ".venv", "docs"])
def test_nothing_else_reaches_the_builder(path):
    assert not reaches_the_builder(path)


def test_only_an_official_image_is_built_upon():
    assert {text.split()[0] for text in of("FROM")} == {"python:${PYTHON}-slim"}
    assert re.fullmatch(r"PYTHON=3\.\d+", of("ARG")[0])


def test_all_that_is_installed_is_locked():
    installs = [line for text in of("RUN") for line in text.split("&&") if "pip install" in line]
    assert len(installs) == 3
    for line in installs:
        locked = "--require-hashes" in line and re.search(r"--requirement \S+\.lock", line)
        ours = "--no-deps" in line and "--no-index" in line
        assert locked or ours, line
    assert not re.search(r"\b(apt-get|curl|wget|https?:)", "".join(of("RUN")))


def test_nobody_is_root_and_nothing_is_fetched_where_it_runs():
    (user,) = [one.text for one in final() if one.name == "USER"]
    uid, gid = map(int, user.split(":"))
    assert uid > 0
    assert gid > 0
    assert {one.name for one in final()} == {
        "FROM",
        "ARG",
        "LABEL",
        "COPY",
        "ENV",
        "USER",
        "WORKDIR",
        "ENTRYPOINT",
        "CMD",
    }
    for _, spec in pods(rendered(case("minimal"))):
        assert spec["securityContext"]["runAsUser"] == uid


def test_there_is_no_secret_and_no_place_for_one():
    for one in instructions():
        if one.name in {"ARG", "ENV"}:
            assert not re.search(r"TOKEN|SECRET|PASSWORD|KEY|REDIS_URL", one.text, re.IGNORECASE), one


def test_a_read_only_root_is_enough():
    (environment,) = [one.text for one in final() if one.name == "ENV"]
    given = dict(pair.split("=", 1) for pair in environment.split())
    for name in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        assert given[name].startswith("/tmp")
    assert given["PYTHONDONTWRITEBYTECODE"] == "1"
    assert given[PATH_VARIABLE] == "/etc/coldmigrate/coldmigrate.toml"
    assert any("compileall" in text and "needles.prepare()" in text for text in of("RUN"))


def test_it_is_the_program_and_says_what_it_is():
    assert of("ENTRYPOINT") == ['["coldmigrate"]']
    assert "HEALTHCHECK" not in {one.name for one in instructions()}
    (labels,) = of("LABEL")
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in labels
