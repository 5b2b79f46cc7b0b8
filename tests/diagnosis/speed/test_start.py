"""A plain call is answered without the parser of options, and just as the parser would have answered it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from bot.cli.main import plain_call

COLDMIGRATE = Path(sys.executable).with_name("coldmigrate")
HEAVY = {"click", "rich", "pydantic", "dataclasses", "inspect", "tomllib", "hyperscan", "multiprocessing", "numpy"}


def coldmigrate(*words, **options):
    return subprocess.run(
        [COLDMIGRATE, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["diagnose", "a.log"], (["a.log"], "text")),
        (["diagnose", "a.log", "-", "b"], (["a.log", "-", "b"], "text")),
        (["diagnose", "--format", "json", "a.log"], (["a.log"], "json")),
        (["diagnose", "a.log", "--format", "json"], (["a.log"], "json")),
        (["diagnose", "a.log", "--format", "html"], None),
        (["diagnose", "a.log", "--format"], None),
        (["diagnose", "a.log", "--format=json"], None),
        (["diagnose", "a.log", "--since", "2h"], None),
        (["diagnose", "--", "-a.log"], None),
        (["diagnose", "-h"], None),
        (["diagnose"], None),
        (["jobs", "list"], None),
        ([], None),
    ],
)
def test_what_is_plain(words, answer):
    assert plain_call(words) == answer


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", ["vpxa.log", "missing.log", "empty.log", "healthy.log"])
def test_both_ways_answer_alike(tmp_path, seed_file, form, name):
    (tmp_path / "vpxa.log").write_bytes(seed_file.read_bytes())
    (tmp_path / "empty.log").touch()
    (tmp_path / "healthy.log").write_text("2014-01-17T04:55:50.347Z [7F03ECE76700 verbose 'Default'] fine\n")
    plain = coldmigrate("diagnose", "--format", form, name, cwd=tmp_path)
    parsed = coldmigrate("diagnose", f"--format={form}", "--no-progress", name, cwd=tmp_path)
    assert (plain.returncode, plain.stderr) == (parsed.returncode, parsed.stderr)
    assert without_seconds(plain.stdout) == without_seconds(parsed.stdout)


def without_seconds(text):
    return [line for line in text.splitlines() if "seconds" not in line and " s." not in line]


def test_a_plain_call_loads_little(seed_file):
    code = f"""
import atexit, os, sys
os._exit = lambda code: (print({HEAVY!r} & set(sys.modules), file=sys.stderr), sys.exit(code))
sys.argv[1:] = ["diagnose", {str(seed_file)!r}]
from bot.cli.main import main
main()
"""
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # noqa: TID251
    call = partial(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, env=keeping)
    call(check=False)  # keeps the tables
    assert call(check=False).stderr == "set()\n"


def test_a_reader_that_goes_away_is_no_crash(tmp_path, seed_file):
    with subprocess.Popen(
        [COLDMIGRATE, "diagnose", seed_file], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
