"""`coldmigrate diagnose`, as its users run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from bot.cli.commands import COMMANDS, cli

ROOT = Path(__file__).parents[2]
HOSTILE = "[NFC ERROR] [bold]x[/bold] [link=http://evil]y[/link] \x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2069 :smile: "


def run(*arguments, stdin=None):
    return CliRunner().invoke(cli, list(map(str, arguments)), input=stdin)


def test_incidents_exit_1_and_keep_the_contract(seed_file, schema):
    result = run("diagnose", "--format", "json", seed_file)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    jsonschema.validate(report, schema)
    assert report["incidents"][0]["cause"] == "packet_loss"


def test_every_recorded_report_keeps_the_contract(cases, engine, schema):
    for case in cases:
        jsonschema.validate(json.loads(json.dumps(engine.diagnose_paths([case.log]).to_json())), schema)


def test_a_healthy_log_exits_0(cases, schema):
    healthy = next(case.log for case in cases if case.rule == "healthy")
    result = run("diagnose", "--format", "json", healthy)
    assert (result.exit_code, json.loads(result.stdout)["incidents"]) == (0, [])
    assert "No incidents in 1 file" in run("diagnose", healthy).stdout


def test_something_unreadable_exits_2_and_the_rest_is_reported(seed_file):
    result = run("diagnose", "missing.log", seed_file)
    assert result.exit_code == 2
    assert "Could not read missing.log: no such file" in result.stdout
    assert "packet_loss" in result.stdout


def test_standard_input(seed_file):
    result = run("diagnose", "-", stdin=seed_file.read_bytes())
    assert result.exit_code == 1
    assert "\n    -\n" in result.stdout
    assert ">> 2: [2012" in result.stdout


def test_people_get_cause_confidence_lines_and_ways_round(seed_file):
    text = run("diagnose", seed_file).stdout
    parts = (
        "packet_loss: packet loss or a reset on the path",
        "60% sure, from one log alone",
        "task-10646",
        "requested 262040",
        "Ruled out:",
        "Not readable from here:",
        "Check next:",
        "Way 1: Fix the network first",
        "Way 5: Veeam FastSCP (withdrawn)",
        "\n       ssh root@<source-host>",
        "1 incident in 1 file",
    )
    assert [part for part in parts if part not in text] == []


def test_an_undetermined_failure_is_not_dressed_up(tmp_path):
    (tmp_path / "x.log").write_text("[NFC ERROR]NfcNew: failed\n", encoding="utf-8")
    text = run("diagnose", tmp_path).stdout
    assert "none of them names a cause" in text
    assert "1 lines had no header" not in text
    assert "1 line had no header of a known format" in text


def test_people_are_not_flooded_with_lines(tmp_path):
    (tmp_path / "x.log").write_text(
        "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes\n" * 9, encoding="utf-8"
    )
    text = run("diagnose", tmp_path).stdout
    assert text.count("requested 262040") == 8
    assert "1 more line:" in text


def test_an_empty_file_in_a_folder_is_a_note(tmp_path):
    (tmp_path / "x.log").write_bytes(b"")
    result = run("diagnose", tmp_path)
    assert result.exit_code == 0
    assert "Note: " in result.stdout


@pytest.mark.parametrize("colour", [False, True])
def test_hostile_text_steers_nothing(tmp_path, colour):
    (tmp_path / "vpxa\x1b[31m.log").write_text(HOSTILE, encoding="utf-8")
    environment = {"FORCE_COLOR": "1"} if colour else {}
    text = CliRunner(env=environment).invoke(cli, ["diagnose", str(tmp_path)], color=colour).stdout
    assert "[bold]x[/bold]" in text
    assert r"\x1b[2J\x1b]0;owned\x07" in text
    assert r"\u{202e}gnp.exe" in text
    assert ":smile:" in text
    for alive in ("\x1b[2J", "\x1b]0;", "\x07", "\u202e", "vpxa\x1b"):
        assert alive not in text
    machine = run("diagnose", "--format", "json", tmp_path).stdout
    assert "\x1b" not in machine
    assert json.loads(machine)["incidents"][0]["evidence"][0]["text"] == HOSTILE


def test_a_broken_rule_file_is_one_error_with_all_mistakes(tmp_path, seed_file):
    (tmp_path / "own.toml").write_text('id = "Bad Id"\n', encoding="utf-8")
    command = [sys.executable, "-m", "bot", "diagnose", "--rules", tmp_path / "own.toml", seed_file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "own.toml: id: " in done.stderr
    assert "own.toml: title: Field required" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_commands_that_exist_are_offered():
    offered = cli.list_commands(None)
    assert "diagnose" in offered
    assert set(offered) == {name for name in COMMANDS if (ROOT / "bot/cli" / f"{name}.py").exists()}
    assert run("no-such-command", "x").exit_code == 2


def test_the_version_and_no_arguments():
    assert run("--version").stdout.startswith("coldmigrate ")
    assert run("diagnose").exit_code == 2


def test_start_up_loads_nothing_heavy(seed_file):
    heavy = {"pydantic", "pyVmomi", "slack_sdk", "slack_bolt", "redis", "httpx", "aiohttp", "asyncio", "rich"}
    probe = (
        "import sys\nfrom bot.cli.commands import cli\n"
        f"try: cli(['diagnose', '--format', 'json', {str(seed_file)!r}])\nexcept SystemExit: pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
