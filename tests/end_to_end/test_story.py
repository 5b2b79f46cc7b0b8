"""The demo as a newcomer starts it: child processes, real ports, nothing prepared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLDMIGRATE = [sys.executable, "-m", "bot"]
JUDGED = [sys.executable, "-m", "tests.slack_referee.judged_demo"]  # the same command, and a judgement of all it said


@pytest.mark.timeout(240)
def test_the_story_is_true():
    done = subprocess.run(
        [*JUDGED, "demo", "--story"], capture_output=True, text=True, timeout=230, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "messages and views, 0 faults" in done.stderr
    assert "All of this really happened" in done.stdout
    assert "NfcNet_Send: requested 262040, sent only -1 bytes" in done.stdout
    asked = done.stdout.partition("who is on call")[2]
    assert "## Diagnosis of db01" in asked
    assert "## Diagnosis of the pasted log" in asked
    asked, _, alert = asked.partition("=== dave")
    assert asked.count("Probable cause: packet loss") == 4, "each card says it, and each thread"
    for said in ("On call Carol Example", "PagerDuty calls Carol Example: Probable cause: packet loss", "Resolved by"):
        assert said in alert
    assert alert.count("[Acknowledge]") == 2, "in the only message, and clicked"


@pytest.mark.timeout(240)
def test_the_bad_night_is_carried_from_end_to_end():
    """What has to be true of it is checked by the story itself, against the simulated vCenter's own inventory."""
    done = subprocess.run(
        [*JUDGED, "demo", "--story", "bad-night"], capture_output=True, text=True, timeout=230, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "messages and views, 0 faults" in done.stderr
    assert "All of this really happened" in done.stdout
    sinking = done.stdout.partition("=== 01:40")[2].partition("=== 01:42")[0]
    assert "% of the usual" in sinking
    assert "No progress for" in sinking


@pytest.mark.timeout(120)
def test_a_person_types_in_the_terminal():
    with subprocess.Popen(
        [*COLDMIGRATE, "demo", "--terminal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdin is not None
        assert demo.stdout is not None
        said: list[str] = []

        def until(text: str) -> None:
            while text not in "".join(said):
                line = demo.stdout.readline()
                assert line, "".join(said)
                said.append(line)

        def types(line: str) -> None:
            demo.stdin.write(f"{line}\n")
            demo.stdin.flush()

        until("quit")
        types("/coldmigrate cache01 site2")
        until("Waiting for approval")
        types("approve")
        until("cache01 is at site2")
        types("as mallory")
        types("/coldmigrate list")
        until("may not")
        types("quit")
        assert demo.wait(30) == 0
