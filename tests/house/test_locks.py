"""A lock says what, never from where; and the locks agree with each other."""

from __future__ import annotations

import json
import re

import pytest

PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^\s;]+)(?P<marker> ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
NOTE = re.compile(r"^    # (?:via(?: [^/]*)?|  [^/]*)$")
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    ".ci/build.lock",
    ".ci/go.lock",
    ".ci/node.lock",
    ".ci/peers.lock",
    ".ci/queue-peers.lock",
    ".ci/virtualenv.lock",
)


def pins(path):
    """Return name -> version, and fail on a line that is no pin, no hash and no note."""
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if pin := PIN.match(line):
            found[pin["name"]] = pin["version"]
        else:
            assert HASH.match(line) or NOTE.match(line), f"{path.name}:{number}: {line!r}"
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_names_no_place(root, name):
    text = (root / name).read_text()
    assert "://" not in text
    assert pins(root / name)
    assert len(re.findall(r"^\S", text, re.MULTILINE)) == len(re.findall(r" \\\n    --hash=", text)) - len(
        re.findall(r"[0-9a-f]{64} \\\n    --hash=", text)
    ), "a pin without a hash"


def test_every_lock_is_looked_at(tracked):
    assert {str(path) for path in tracked if path.suffix == ".lock"} == set(LOCKS)


@pytest.mark.parametrize("part", ["requirements.lock", ".ci/build.lock"])
def test_what_the_tests_run_on_is_what_is_shipped(root, part):
    tested = pins(root / "requirements-dev.lock")
    assert {name: tested.get(name) for name in pins(root / part)} == pins(root / part)


def test_go_sums_are_committed_for_the_simulator(root):
    module = (root / "tests/vcsim/go.mod").read_text()
    sums = (root / "tests/vcsim/go.sum").read_text()
    for name, version in re.findall(r"^(?:require )?\s*(\S+\.\S+/\S+) (v\S+)", module, re.MULTILINE):
        assert f"{name} {version} h1:" in sums
    assert "replace" not in module


def faults_of_npm_lock(lock):
    """What keeps npm's lock from holding versions and hashes alone: an address, or a package without a hash."""
    packages = {name: package for name, package in lock["packages"].items() if name}
    addressed = [
        name for name, package in packages.items() if "resolved" in package or "://" in str(package["version"])
    ]
    unhashed = [name for name, p in packages.items() if "integrity" not in p and not p.get("inBundle")]
    return sorted({*addressed, *unhashed})


def test_locks_of_npm_hold_versions_and_hashes_and_name_no_place(root, tracked):
    locks = [path for path in tracked if path.name == "package-lock.json"]
    assert locks
    assert {
        str(path): faults for path in locks if (faults := faults_of_npm_lock(json.loads((root / path).read_text())))
    } == {}


@pytest.mark.parametrize(
    "spoiled", [{"version": "1.0.0"}, {"version": "1.0.0", "integrity": "sha512-x", "resolved": "x"}]
)
def test_a_place_or_a_missing_hash_in_a_lock_of_npm_is_seen(spoiled):
    assert faults_of_npm_lock({"packages": {"": {}, "node_modules/left": spoiled}}) == ["node_modules/left"]


def test_every_npm_project_asks_for_exact_versions(root, tracked):
    """So that a lock made anew has the versions that somebody chose."""
    for path in (path for path in tracked if path.name == "package.json"):
        asked = json.loads((root / path).read_text())
        for group in ("dependencies", "devDependencies"):
            loose = [
                name for name, version in asked.get(group, {}).items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)
            ]
            assert loose == [], path
