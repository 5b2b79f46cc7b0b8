"""The supervisor and real processes: what falls is started again, what is told to stop stops, nothing is left over."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.role_output import labelled
from bot.cli.supervisor import CONFIG_ERROR, Pace, Role, RoleState, Standing, Supervisor
from tests.cli.processes import alive, assert_gone

QUICK = Pace(
    first_wait=timedelta(seconds=0.01),
    longest_wait=timedelta(seconds=0.04),
    steady=timedelta(seconds=30),
    grace=timedelta(seconds=5),
)
PATIENCE = 20.0
FOR_EVER = "import signal; signal.pause()"
ENDS_WELL = "pass"
ENDS_BADLY = "raise SystemExit(7)"


def role(name: str, script: str, *, log: Path | None = None) -> Role:
    return Role(name, [sys.executable, "-I", "-S", "-c", textwrap.dedent(script)], log=log)


class Watched:
    """A supervisor whose changes can be waited for."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._bell = asyncio.Event()
        supervisor.on_change = self._bell.set

    def of(self, name: str) -> Standing:
        return next(standing for standing in self.supervisor.standing() if standing.name == name)

    async def until(self, name: str, seen: Callable[[Standing], object]) -> Standing:
        async with asyncio.timeout(PATIENCE):
            while not seen(self.of(name)):
                self._bell.clear()
                await self._bell.wait()
        return self.of(name)

    async def until_running(self, name: str) -> int:
        pid = (await self.until(name, lambda s: s.state is RoleState.RUNNING)).pid
        assert pid is not None
        return pid


@asynccontextmanager
async def supervised(*roles: Role, pace: Pace = QUICK) -> AsyncIterator[Watched]:
    supervisor = Supervisor(roles, pace=pace)
    watched = Watched(supervisor)
    async with supervisor:
        yield watched


@pytest.mark.parametrize(("steady", "waits"), [(0, ["0.1", "0.1", "0.1"]), (60, ["0.1", "0.2", "0.4"])])
async def test_a_role_that_stood_for_a_while_is_waited_for_as_if_it_fell_for_the_first_time(
    steady, waits, tmp_path, caplog
):
    pace = Pace(first_wait=timedelta(seconds=0.1), longest_wait=timedelta(seconds=9), steady=timedelta(seconds=steady))
    async with supervised(role("falls", ENDS_BADLY, log=tmp_path / "log"), pace=pace) as it:
        await it.until("falls", lambda s: s.restarts == len(waits))
    said = [line.getMessage() for line in caplog.records if "starting it again" in line.getMessage()]
    assert [line.split()[-2] for line in said[: len(waits)]] == waits


@pytest.mark.parametrize("script", [ENDS_WELL, ENDS_BADLY], ids=["with 0", "with 7"])
async def test_a_role_that_ends_unasked_is_started_again_and_again(script, tmp_path):
    async with supervised(role("falls", script, log=tmp_path / "log"), role("stands", FOR_EVER)) as it:
        pid = await it.until_running("stands")
        await it.until("falls", lambda s: s.restarts >= 3)
        assert it.of("stands") == Standing("stands", RoleState.RUNNING, pid, 0)
    assert it.of("falls").state is RoleState.STOPPED
    assert not alive(pid)


async def test_a_role_that_is_told_to_stop_by_a_stranger_is_started_again():
    async with supervised(role("polite", FOR_EVER)) as it:
        pid = await it.until_running("polite")
        os.kill(pid, signal.SIGTERM)
        await it.until("polite", lambda s: s.restarts == 1 and s.pid not in {None, pid})


async def test_a_role_that_is_killed_is_started_again():
    async with supervised(role("victim", FOR_EVER)) as it:
        pid = await it.until_running("victim")
        it.supervisor.kill("victim")
        again = await it.until("victim", lambda s: s.restarts == 1 and s.pid)
        assert again.pid != pid
        assert not alive(pid)


async def test_waits_grow_while_a_role_keeps_falling(tmp_path):
    pace = Pace(first_wait=timedelta(seconds=0.02), longest_wait=timedelta(seconds=0.08), grace=timedelta(seconds=5))
    clock = asyncio.get_running_loop().time
    async with supervised(role("falls", ENDS_BADLY, log=tmp_path / "log"), pace=pace) as it:
        began = clock()
        await it.until("falls", lambda s: s.restarts >= 5)
        assert clock() - began >= 0.02 + 0.04 + 0.08 + 0.08 + 0.08


async def test_a_role_that_cannot_run_as_configured_ends_it_all_with_its_sentence(tmp_path):
    script = f"import sys; print('no such site', file=sys.stderr); raise SystemExit({CONFIG_ERROR})"
    (tmp_path / "log").write_text("of yesterday\n", encoding="utf-8")
    async with supervised(role("wrong", script, log=tmp_path / "log"), role("stands", FOR_EVER)) as it:
        async with asyncio.timeout(PATIENCE):
            failure = await it.supervisor.wait()
        assert (failure.name, failure.code, failure.said) == ("wrong", CONFIG_ERROR, "no such site\n")
        assert it.of("wrong") == Standing("wrong", RoleState.STOPPED, None, 0)


async def test_a_program_that_is_not_there_is_waited_for(tmp_path):
    lost = Role("lost", [str(tmp_path / "nothing")], log=tmp_path / "no" / "such" / "folder")
    async with supervised(lost) as it:
        await it.until("lost", lambda s: s.restarts >= 2)
        assert it.of("lost").pid is None


async def test_a_role_that_does_not_stop_is_killed(tmp_path):
    deaf = f"""
        import pathlib, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path({str(tmp_path / "deaf")!r}).touch()
        while True:
            signal.pause()
    """
    pace = Pace(grace=timedelta(seconds=0.2))
    async with supervised(role("deaf", deaf), pace=pace) as it:
        pid = await it.until_running("deaf")
        while not (tmp_path / "deaf").exists():
            await asyncio.sleep(0.01)
    assert not alive(pid)


async def test_roles_are_stopped_one_after_the_other_in_the_order_given(tmp_path):
    def writes(name: str) -> Role:
        log = tmp_path / "order"
        return role(
            name,
            f"""
            import pathlib, signal
            def stop(*_):
                with open({str(log)!r}, "a") as file:
                    file.write({name!r} + "\\n")
                raise SystemExit(0)
            signal.signal(signal.SIGTERM, stop)
            pathlib.Path({str(tmp_path / name)!r}).touch()
            while True:
                signal.pause()
            """,
        )

    names = ["worker", "watcher", "bot"]
    async with supervised(*map(writes, names)):
        while not all((tmp_path / name).exists() for name in names):
            await asyncio.sleep(0.01)
    assert (tmp_path / "order").read_text(encoding="utf-8").split() == names


async def test_one_that_is_cancelled_while_it_stops_leaves_nothing(tmp_path):
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    running = asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with supervised(role("deaf", deaf, log=tmp_path / "log"), role("other", FOR_EVER)) as it:
            pids = [await it.until_running("deaf"), await it.until_running("other")]
            while "deaf" not in (tmp_path / "log").read_text(encoding="utf-8"):
                await asyncio.sleep(0.01)
            running.set_result(pids)

    task = asyncio.create_task(run())
    pids = await running
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    await assert_gone(pids, within=2)


async def test_lines_of_a_role_say_whose_they_are(capsys):
    async with supervised(role("crier", "print('hear, hear', flush=True); import signal; signal.pause()")) as it:
        await it.until_running("crier")
        said = ""
        async with asyncio.timeout(PATIENCE):
            while "hear, hear" not in said:
                await asyncio.sleep(0.01)
                said += capsys.readouterr().err
    assert "crier  | hear, hear\n" in said


def test_a_line_of_json_stays_one_object():
    assert labelled('{"level": "info"}\n', "bot") == '{"role": "bot", "level": "info"}\n'
    assert labelled("Traceback\n", "bot") == "bot    | Traceback\n"
