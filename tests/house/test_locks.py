"""A lock says what, never from where; and the locks agree with each other."""

from __future__ import annotations

import re

import pytest

PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^\s;]+)(?P<marker> ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
NOTE = re.compile(r"^    # (?:via(?: [^/]*)?|  [^/]*)$")
LOCKS = ("requirements.lock", "requirements-dev.lock", ".ci/build.lock", ".ci/go.lock", ".ci/virtualenv.lock")


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
