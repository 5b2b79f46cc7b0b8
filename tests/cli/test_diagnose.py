"""`coldmigrate diagnose` with its options, on a terminal and in a pipe; what it finds is tested in tests/diagnosis."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.commands import cli

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests/diagnosis/cases/nfc-session-died-mid-write/seed-vpxa-packet-loss-wan-2012/vpxa.log"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COMMAND = [sys.executable, "-m", "bot", "diagnose"]


def run(*arguments, stdin=None):
    return CliRunner().invoke(cli, ["diagnose", *map(str, arguments)], input=stdin)


def on_a_terminal(*arguments, columns=70, **variables):
    """Run with all three streams on a terminal, and return the exit code and what was shown."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TERM": "xterm", **variables}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        shown += part
    os.close(leader)
    return process.wait(timeout=60), shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_and_its_width():
    code, shown = on_a_terminal(SEED, columns=70)
    assert code == 1
    assert "\x1b[31m" in shown
    prose = [line for line in ANSI.sub("", shown).splitlines() if not line.startswith(" " * 7)]
    assert max(len(line) for line in prose if "/" not in line) <= 70


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"NO_COLOR": "yes please"}])
def test_no_color_is_honoured(variables):
    assert "\x1b[" not in on_a_terminal(SEED, **variables)[1]


def test_a_pipe_gets_neither():
    done = subprocess.run([*COMMAND, SEED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) > 200
    assert done.stderr == ""


def test_a_terminal_without_utf_8_gets_a_report_too():
    environment = {"PATH": os.defpath, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, SEED], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_each_form_goes_to_a_file(tmp_path, form):
    file = tmp_path / "report"
    told = run("--format", form, "--output", file, SEED)
    assert (told.exit_code, told.stdout) == (1, "")
    text = file.read_text(encoding="utf-8")
    assert "262040" in text
    start = {"text": "packet_loss: ", "json": "{", "markdown": "# packet", "html": "<!DOCTYPE html>"}
    assert text.lstrip().startswith(start[form])
    assert run("--format", form, SEED).stdout.count("262040") == text.count("262040")


def test_the_timeline_is_a_picture_beside_the_report(tmp_path):
    told = run("--timeline", tmp_path / "t.png", SEED)
    assert told.exit_code == 1
    assert "packet_loss" in told.stdout
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", ["--output", "--timeline"])
def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path, option):
    command = [*COMMAND, option, tmp_path / "no/such/folder/x", SEED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("coldmigrate: ")
    assert "cannot be written: No such file or directory." in done.stderr


@pytest.mark.parametrize(
    ("window", "found"),
    [
        (["--since", "2012-03-14 16:31"], 1),
        (["--since", "2012-03-14T18:31:40+02:00", "--until", "2012-03-14 16:32"], 1),
        (["--since", "2012-03-14 16:32"], 0),
        (["--until", "2012-03-14 16:31:45"], 0),
        (["--since", "2h"], 0),
        (["--until", "90m"], 1),
        (["--until", "1d12h"], 1),
    ],
)
def test_a_window_of_time(tmp_path, window, found):
    log = tmp_path / "vpxa.log"
    log.write_text("".join(SEED.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    assert len(json.loads(run("--format", "json", *window, log).stdout)["incidents"]) == found


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (["--op-id", "C65743A5-0000024D"], 1),
        (["--op-id", "c65743a5-0000024d-5c"], 1),
        (["--op-id", "C65743A5-0000024"], 0),
        (["--host", "esx-99"], 0),
        (["--vm", "web01"], 0),
    ],
)
def test_one_operation_vm_or_host(scope, found):
    assert len(json.loads(run("--format", "json", *scope, SEED).stdout)["incidents"]) == found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "'yesterday' is no time. Write '2012-03-14 16:30' (UTC), or '2h', '90m', '3d'"),
        (["--since", "2h ago"], "is no time"),
        (["--until", "999999999w"], "is no time"),
        (["--since", "2012-03-14 17:00", "--until", "2012-03-14 16:00"], "--until 2012-03-14 16:00:00 is before"),
        (["--zone", "Mars/Olympus"], "is no time zone. Write 'Europe/Berlin', 'UTC' or '+02:00'"),
        (["--zone", "../etc/passwd"], "is no time zone"),
        (["--format", "pdf"], "'pdf' is not one of"),
    ],
)
def test_wrong_words_are_told_with_right_ones(arguments, told):
    result = run(*arguments, SEED)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


@pytest.mark.parametrize("zone", ["UTC", "Z", "+02:00", "-0530", "Europe/Berlin"])
def test_zones(zone):
    assert run("--zone", zone, SEED).exit_code == 1


def test_rules_of_ones_own_come_from_a_folder(tmp_path):
    result = run("--rules", tmp_path, SEED)
    assert "holds no rule" in str(result.exception)


def test_into_head_it_ends_quietly():
    script = f'{sys.executable} -m bot diagnose --format html "{SEED}" | head -c 10 >/dev/null'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_is_one_line_and_130():
    process = subprocess.Popen(
        [*COMMAND, "--no-progress", "-"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # A pipe holds 64 KiB: once all of this is written, the other end is reading.
    process.stdin.write("2012-03-14T16:31:45.288Z nothing\n" * 40_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (out, err) == ("", "coldmigrate: stopped before the end; nothing is reported.\n")


def test_a_bar_shows_when_it_is_asked_for_and_goes_away():
    code, shown = on_a_terminal("--progress", SEED)
    assert code == 1
    assert "Reading" in shown
    assert "Reading" not in on_a_terminal(SEED)[1], "too small to be worth one"
    assert "Reading" not in on_a_terminal("--no-progress", SEED)[1]


def test_people_wait_for_nothing_heavy():
    heavy = {"pydantic", "rich", "jinja2", "matplotlib", "asyncio", "redis", "slack_sdk", "pyVmomi", "bot.settings"}
    probe = (
        "import sys\nfrom bot.cli.commands import cli\n"
        f"try: cli(['diagnose', {str(SEED)!r}])\nexcept SystemExit: pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
