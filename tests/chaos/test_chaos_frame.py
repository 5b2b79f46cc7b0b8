"""The frame keeps its contract: one table, merging, seeds that can be played again, exit codes; and its tools see."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.store.client import connect
from tests.chaos import wrong_clock
from tests.chaos.nursery import nursery
from tests.chaos.wiretap import Wiretap

RUN = Path(__file__).with_name("run.py")
PATIENCE = 30.0

Chaos = Callable[..., "subprocess.CompletedProcess[str]"]

HELD = "Row(name=NAME, did={'kills': stage.many(200, 8)}, jobs=stage.dice.randint(0, 10**9))"
BROKEN = "Row(name=NAME, did={}, twice=1, breaches=['job x was started twice'])"


@pytest.fixture
def parts(tmp_path: Path) -> Callable[..., None]:
    """Write parts, each given as the text that makes its row."""
    (tmp_path / "parts").mkdir()

    def write(**rows: str) -> None:
        for name, row in rows.items():
            (tmp_path / "parts" / f"{name}.py").write_text(
                "from tests.chaos.rows import HungError, Row\n"
                f"NAME = {name!r}\nasync def run(stage):\n    return [{row}]\n",
                encoding="utf-8",
            )

    return write


@pytest.fixture
def chaos(tmp_path: Path) -> Chaos:
    command = [sys.executable, str(RUN), "--parts", str(tmp_path / "parts"), "--file", str(tmp_path / "chaos.json")]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)

    return run


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[], dict[str, dict]]:
    def read() -> dict[str, dict]:
        return {row["name"]: row for row in json.loads((tmp_path / "chaos.json").read_text(encoding="utf-8"))}

    return read


def test_the_same_seed_rolls_the_same_dice_whatever_else_runs(parts, chaos, rows):
    parts(calm=HELD, other=HELD)
    assert chaos("--seed", "7").returncode == 0
    together = rows()["calm"]
    assert chaos("calm", "--seed", "7").returncode == 0
    assert rows()["calm"] == together
    assert (together["seed"], together["scale"], together["did"]) == (7, "full", {"kills": 200})
    assert chaos("calm", "--seed", "8", "--scale", "short").returncode == 0
    assert rows()["calm"]["jobs"] != together["jobs"]
    assert rows()["calm"]["did"] == {"kills": 8}
    assert rows()["other"]["seed"] == 7, "a part alone replaces its rows only"


def test_the_table_shows_all_rows_that_there_are(parts, chaos):
    parts(calm=HELD, other=HELD)
    chaos()
    run = chaos("calm", "--seed", "3")
    head, _, columns, *lines = run.stdout.splitlines()
    assert head.startswith("seed 3;")
    assert "verdict" in columns
    assert [line.split()[0] for line in lines] == ["calm", "other"]


def test_a_breach_ends_with_1_and_says_how_to_play_it_again(parts, chaos, rows):
    parts(calm=HELD, rough=BROKEN)
    run = chaos("--seed", "5", "--scale", "short")
    assert run.returncode == 1
    assert "BREACH in rough: job x was started twice." in run.stderr
    assert "Again with: make chaos ONLY='rough' SEED=5 SCALE=short" in run.stderr
    assert rows()["rough"]["verdict"] == "BREACH (1)"
    assert rows()["calm"]["verdict"] == "held"


def test_what_hangs_is_a_breach(parts, chaos, rows):
    parts(stuck="exec('raise HungError(\"after 60 s still waiting\")')")
    assert chaos().returncode == 1
    assert rows()["stuck"]["breaches"] == ["after 60 s still waiting"]


def test_a_part_that_cannot_be_carried_out_ends_with_2_and_costs_only_itself(parts, chaos, rows):
    parts(broken="1 / 0", calm=HELD)
    run = chaos("--seed", "5")
    assert run.returncode == 2
    assert "ZeroDivisionError" in run.stderr
    assert "Not carried out, see above: broken." in run.stderr
    assert "make chaos ONLY='broken' SEED=5 SCALE=full" in run.stderr
    assert set(rows()) == {"calm"}


def test_an_unknown_part_is_named_with_those_there_are(parts, chaos):
    parts(calm=HELD)
    run = chaos("clam")
    assert run.returncode == 2
    assert run.stderr == "There is no part clam. Parts: calm.\n"


async def test_a_forked_role_is_a_process_of_its_own_and_ends_with_the_nursery(tmp_path):
    log = tmp_path / "log"
    async with nursery(tmp_path / "nursery.log") as born:
        wrong = await born.fork(["worker", "--no-such-option"], environment={}, log=log)
        assert await wrong.wait() == 2
        config = tmp_path / "coldmigrate.toml"
        config.write_text("", encoding="utf-8")
        unsaid = await born.fork(["worker", "--config", str(config)], environment={"A": "B"}, log=log)
        assert await unsaid.wait() == 2
        assert "No Redis is configured" in log.read_text(encoding="utf-8")
        paused = await born.fork(["diagnose", "-"], environment={}, log=log, first=[("tests.chaos.sleeper", "")])
        assert paused.returncode is None
        paused.send_signal(signal.SIGKILL)
        assert await paused.wait() == -signal.SIGKILL
        left = await born.fork(["diagnose", "-"], environment={}, log=log, first=[("tests.chaos.sleeper", "")])
    assert not Path(f"/proc/{left.pid}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed run cannot take its children along")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_is_left_behind(tmp_path, number):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/long.py").write_text(
        textwrap.dedent("""
        import asyncio
        from pathlib import Path
        NAME = "long"
        async def run(stage):
            born = await stage.nursery()
            first = [("tests.chaos.sleeper", "")]
            child = await born.fork(["worker"], environment={}, log=stage.folder / "log", first=first)
            print(child.pid, flush=True)
            await asyncio.Event().wait()
        """),
        encoding="utf-8",
    )
    command = [sys.executable, str(RUN), "--parts", str(tmp_path / "parts"), "--file", str(tmp_path / "chaos.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as frame:
        child = os.pidfd_open(int(frame.stdout.readline()))
        frame.send_signal(number)
        ended, _, _ = select.select([child], [], [], PATIENCE)
        os.close(child)
        assert ended, "the child still runs"
        frame.communicate(timeout=PATIENCE)
    assert frame.returncode == (-number if number == signal.SIGKILL else 143)
    assert not (tmp_path / "chaos.json").exists()


@pytest.mark.skipif(not wrong_clock.possible(), reason="no process here can be given a clock of its own")
def test_a_wrong_clock_is_wrong_for_its_process_alone_and_jumps(tmp_path):
    file = tmp_path / "offset"
    wrong_clock.set_offset(file, timedelta(hours=1))
    script = textwrap.dedent(f"""
        import time
        from datetime import datetime, timedelta, UTC
        from pathlib import Path
        from tests.chaos import wrong_clock
        before, steady = time.time(), time.monotonic()
        wrong_clock.take_hold({str(file)!r})
        print(round(time.time() - before), round(datetime.now(UTC).timestamp() - before))
        wrong_clock.set_offset(Path({str(file)!r}), timedelta(hours=-1))
        print(round(time.time() - before), round(time.monotonic() - steady))
    """)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert run.stdout == "3600 3600\n-3600 0\n"


@asynccontextmanager
async def tap_on(tap: Wiretap, url: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Listen during the block; what is yielded waits until everything said so far was heard."""
    marks = 0
    heard = asyncio.Event()

    def told(line: str) -> None:
        if '"ECHO"' in line and f'"mark {marks}"' in line:
            heard.set()

    tap.told = told
    listening = asyncio.create_task(tap.listen(url))
    async with connect(url) as store:

        async def synced() -> None:
            nonlocal marks
            marks += 1
            heard.clear()
            async with asyncio.timeout(PATIENCE):
                while not heard.is_set():
                    await store.execute_command("ECHO", f"mark {marks}")
                    await asyncio.sleep(0.01)

        await synced()
        yield synced
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_the_wiretap_sees_stale_writes_and_whether_they_were_carried_out(valkey_url):
    jobs: set[str] = set()
    tap = Wiretap(jobs)
    async with connect(valkey_url) as store, tap_on(tap, valkey_url) as synced:
        queue = RedisQueue(store, lease=timedelta(seconds=30))
        drafted = await queue.draft(NewJob(kind="x", vm_key="", requester="U1", channel="C1", data={}))
        jobs.add(drafted.id)
        first = await queue.claim("first")
        await first.move(Phase.CHECKING, why="begun")
        await store.execute_command("ZADD", "{cm}:lease", 1, drafted.id)  # its lease is over
        second = await queue.claim("second")
        await second.note({"a": "b"})
        with pytest.raises(Exception, match="no longer ours"):
            await first.note({"a": "c"})
        await synced()
        assert (tap.attempts, tap.accepted) == (1, [])
        assert tap.writes >= 2
        tap.hear(f'+1.0 [0 unix:x] "EVALSHA" "sha" "1" "{{cm}}:schema" "{drafted.id}" "1" "op"')
        tap.hear(f'+1.0 [0 lua] "HSET" "{{cm}}:job:{drafted.id}" "state" "done"')
        assert len(tap.accepted) == 1
