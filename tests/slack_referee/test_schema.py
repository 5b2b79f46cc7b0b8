"""The committed schema is what the locked versions of Slack's types say, and not what somebody wished for."""

from __future__ import annotations

import json
import subprocess

from tests.slack_referee.echo import HERE, NODE
from tests.slack_referee.shape import SCHEMA


def test_the_schema_is_what_slacks_types_say(tmp_path):
    made = tmp_path / SCHEMA.name
    command = [NODE.with_name("npm"), "run", "--silent", "schema", "--", made]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    again = f"make it anew: in tests/{HERE.name}, npm run schema -- {SCHEMA.name}"
    assert made.read_text() == SCHEMA.read_text(), again


def test_what_is_installed_is_what_is_locked():
    """Else the schema and the client would be of other versions than the lock says."""
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    for name, asked in lock[""]["dependencies"].items():
        installed = json.loads((HERE / "node_modules" / name / "package.json").read_text())
        assert installed["version"] == lock[f"node_modules/{name}"]["version"] == asked
