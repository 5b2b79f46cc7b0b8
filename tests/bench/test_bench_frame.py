"""The frame keeps its contract: rows, merging, exit codes, no child left behind; and its load is an open loop."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from bot.settings import with_environment
from tests.bench.figures import Figure, percentile
from tests.bench.open_loop import open_loop

RUN = Path(__file__).with_name("run.py")
KEYS = {"name", "value", "unit", "peer", "ratio", "goal", "met"}
PATIENCE = 20.0

Bench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def parts(tmp_path: Path) -> Callable[..., None]:
    """Write parts, each given as the text that makes its figures."""
    (tmp_path / "parts").mkdir()

    def write(**measures: str) -> None:
        for name, figures in measures.items():
            (tmp_path / "parts" / f"{name}.py").write_text(
                "from tests.bench.figures import Figure\n"
                f"NAME = {name!r}\n"
                f"async def measure():\n    return [{figures}]\n",
                encoding="utf-8",
            )

    return write


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return [sys.executable, str(RUN), "--parts", str(tmp_path / "parts"), "--file", str(tmp_path / "build/bench.json")]


@pytest.fixture
def bench(command: list[str]) -> Bench:
    def run(*only: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *only], capture_output=True, text=True, timeout=PATIENCE, check=False)

    return run


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[], dict[str, dict]]:
    """What stands in the file, by name."""

    def read() -> dict[str, dict]:
        return {row["name"]: row for row in json.loads((tmp_path / "build/bench.json").read_text(encoding="utf-8"))}

    return read


FAST = "Figure(name='fast.p50', value=4.0, unit='ms').against('nothing', 2.0).below(5)"
SLOW = "Figure(name='slow.p50', value=7.0, unit='ms').below(5)"
PLAIN = "Figure(name='plain.count', value=3, unit='things')"


def test_the_rows_are_the_contract(parts, bench, rows):
    parts(fast=FAST, plain=PLAIN)
    run = bench()
    assert run.returncode == 0, run.stderr
    assert all(set(row) == KEYS for row in rows().values())
    assert rows()["fast.p50"] == {
        "name": "fast.p50",
        "value": 4.0,
        "unit": "ms",
        "peer": "nothing: 2 ms",
        "ratio": 2.0,
        "goal": "< 5 ms",
        "met": True,
    }
    assert rows()["plain.count"]["met"] is None


def test_the_table_is_all_that_is_on_standard_output(parts, bench):
    parts(fast=FAST)
    run = bench()
    machine, _, head, line = run.stdout.splitlines()
    assert "load" in machine
    assert line.index("4 ms") == head.index("value")
    assert line.endswith("met")
    assert "fast: took" in run.stderr


def test_a_part_alone_replaces_its_rows_and_keeps_the_others(parts, bench, rows):
    parts(fast=FAST, plain=f"{PLAIN}, Figure(name='plain.old', value=1, unit='x')")
    bench()
    parts(fast="1 / 0", plain="Figure(name='plain.count', value=8, unit='things')")
    run = bench("plain")
    assert run.returncode == 0, run.stderr
    assert {name: row["value"] for name, row in rows().items()} == {"fast.p50": 4.0, "plain.count": 8.0}


def test_a_run_of_everything_forgets_what_is_no_longer_measured(parts, bench, rows, tmp_path):
    parts(fast=FAST, plain=PLAIN)
    bench()
    (tmp_path / "parts/plain.py").unlink()
    bench()
    assert set(rows()) == {"fast.p50"}


def test_a_missed_goal_ends_with_1_and_is_written_all_the_same(parts, bench, rows):
    parts(fast=FAST, slow=SLOW)
    run = bench()
    assert run.returncode == 1
    assert "Goal missed: slow.p50 is 7 ms, and the goal is < 5 ms." in run.stderr
    assert "MISSED" in run.stdout
    assert rows()["slow.p50"]["met"] is False
    assert rows()["fast.p50"]["met"] is True


def test_a_goal_that_another_part_missed_earlier_is_not_this_runs_business(parts, bench, rows):
    parts(fast=FAST, slow=SLOW)
    bench()
    assert bench("fast").returncode == 0
    assert rows()["slow.p50"]["met"] is False


def test_a_part_that_breaks_costs_only_itself(parts, bench, rows):
    parts(broken="1 / 0", fast=FAST)
    run = bench()
    assert run.returncode == 2
    assert "ZeroDivisionError" in run.stderr
    assert "Not measured, see above: broken." in run.stderr
    assert set(rows()) == {"fast.p50"}


def test_a_part_that_cannot_even_be_read_is_no_missed_goal(parts, bench, tmp_path):
    parts(fast=FAST)
    (tmp_path / "parts/torn.py").write_text("NAME = ", encoding="utf-8")
    run = bench()
    assert run.returncode == 2
    assert "SyntaxError" in run.stderr


def test_figures_bear_their_parts_name(parts, bench):
    parts(fast=PLAIN)
    run = bench()
    assert run.returncode == 2
    assert "must begin with 'fast.': plain.count" in run.stderr


def test_an_unknown_part_is_named_with_those_there_are(parts, bench, tmp_path):
    parts(fast=FAST)
    run = bench("fsat")
    assert run.returncode == 2
    assert run.stderr == "There is no part fsat. Parts: fast.\n"
    assert not (tmp_path / "build").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed benchmark cannot take its children along")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_child_is_left_behind(command, tmp_path, number):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/long.py").write_text(
        textwrap.dedent("""
        import asyncio, tempfile
        from pathlib import Path
        from tests.bench.children import child
        NAME = "long"
        async def measure():
            words = ["http.server", "0", "--bind", "127.0.0.1"]
            async with child("server", *words, folder=Path(tempfile.gettempdir())) as process:
                await process.stdout.readline()
                print(process.pid, flush=True)
                await asyncio.Event().wait()
        """),
        encoding="utf-8",
    )
    environment = with_environment({"TMPDIR": str(tmp_path)})
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as frame:
        child = os.pidfd_open(int(frame.stdout.readline()))
        frame.send_signal(number)
        ended, _, _ = select.select([child], [], [], PATIENCE)
        os.close(child)
        assert ended, "the child still runs"
        frame.communicate(timeout=PATIENCE)
    assert frame.returncode == (-number if number == signal.SIGKILL else 143)
    assert not (tmp_path / "build").exists()


def test_a_figure_without_a_peer_stands_beside_its_limit():
    figure = Figure(name="a.b", value=500, unit="ms").below(1000)
    assert (figure.peer, figure.ratio, figure.met) == ("the limit", 0.5, True)
    assert Figure(name="a.b", value=1000, unit="ms").below(1000).met is False


def test_what_must_not_happen_is_missed_by_one():
    assert Figure(name="a.b", value=0, unit="losses").none().met is True
    assert Figure(name="a.b", value=1, unit="losses").none().met is False


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_measured_value(share, value):
    assert percentile(range(1, 101), share) == value


async def test_latency_is_counted_from_when_a_shot_was_due():
    async def blocks_the_first(number: int) -> int:
        until = monotonic() + (0.2 if number == 7 else 0)
        while monotonic() < until:
            pass
        return number

    shots = await open_loop(blocks_the_first, per_second=50, count=5, first=7)
    assert [shot.answer for shot in shots] == [7, 8, 9, 10, 11]
    assert [round(shot.due - shots[0].due, 3) for shot in shots] == [0, 0.02, 0.04, 0.06, 0.08]
    assert shots[1].latency > 150, "it had to wait for the first, and that counts"
    assert shots[1].lateness > 150
