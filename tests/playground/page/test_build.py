"""The page that is served is the one whose source is here: its tests pass, built again it is the same bytes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.settings import with_environment

HOUSE = Path(__file__).parents[3]
PAGE = HOUSE / "bot" / "playground" / "page"
NODE = HOUSE / "build" / "node" / "bin"


def npm(*arguments: str) -> str:
    """What npm says. A page that cannot be built here is a failure in CI, and named elsewhere."""
    if not (NODE / "npm").exists() or not (PAGE / "web" / "node_modules").is_dir():
        missing = "the page's npm packages are not installed: `make setup` says why"
        pytest.fail(missing) if with_environment({}).get("CI") == "true" else pytest.skip(missing)
    environment = with_environment({})
    environment["PATH"] = f"{NODE}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [NODE / "npm", *arguments],
        cwd=PAGE / "web",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_own_tests_pass():
    assert "passed" in npm("test")


def test_the_built_page_is_that_of_the_source(tmp_path):
    npm("run", "build", "--", "--outDir", str(tmp_path / "static"))
    served, built = files_below(PAGE / "static"), files_below(tmp_path / "static")
    stale = sorted(name for name in served.keys() | built.keys() if served.get(name) != built.get(name))
    assert not stale, f"build the page and commit it (npm run build in {PAGE / 'web'}): {', '.join(stale)} differ"


def test_the_page_carries_the_licences_of_what_it_bundles():
    said = (PAGE / "static" / "assets" / "licenses.md").read_text(encoding="utf-8")
    for package in ("react", "react-dom", "slack-blocks-to-jsx"):
        assert f"## {package} - " in said


def test_the_page_names_no_other_place():
    index = (PAGE / "static" / "index.html").read_text(encoding="utf-8")
    assert "://" not in index
