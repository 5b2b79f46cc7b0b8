"""`coldmigrate demo` as a newcomer starts it: the page is there, and however it ends nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.cli.demo import _until_told
from tests.cli.processes import assert_gone, children
from tests.playground.page.visitor import visit

PATIENCE = 60.0


class Demo:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def until(self, pattern: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(pattern, self.said)):
                line = await self.process.stdout.readline()
                assert line, self.said
                self.said += line.decode()
        return found[0]

    async def end(self) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


@asynccontextmanager
async def playing(folder: Path, *options: str) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bot", "demo", "--no-browser", "--dir", str(folder), *options],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_folder_may_be_named_from_where_one_is(tmp_path):
    """The roles are up only once the worker has read vCenter, with the certificate that lies in that folder."""
    async with playing(Path(os.path.relpath(tmp_path)), "--port", "0") as demo:
        await demo.until(r"http://127\.0\.0\.1:\d+/")
        demo.process.send_signal(signal.SIGINT)
        await demo.end()


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_one_signal_ends_it_all(way, tmp_path):
    async with playing(tmp_path, "--port", "0") as demo:
        url = await demo.until(r"http://127\.0\.0\.1:\d+/")
        async with aiohttp.ClientSession() as session, session.get(url) as page:
            assert page.status == 200
            assert "<script" in await page.text()
        async with visit(url) as visitor:
            await visitor.until(
                lambda parts: {r["name"] for r in parts["world"]["roles"]} == {"bot", "worker", "watch"}
            )
        below = children(demo.process.pid)
        assert len(below) == 4  # Valkey, worker, bot, watcher
        began = asyncio.get_running_loop().time()
        demo.process.send_signal(way)
        code = await demo.end()
        await assert_gone(below, within=10)
        assert asyncio.get_running_loop().time() - began < 10
        assert "Traceback" not in demo.said
        if way is not signal.SIGKILL:
            assert code == 0
            assert demo.said.endswith("Stopped.\n")


@pytest.mark.parametrize("after", [0.0, 0.3, 1.0])
async def test_it_can_be_ended_while_it_starts(after, tmp_path):
    async with playing(tmp_path, "--port", "0") as demo:
        await demo.until("Starting")
        await asyncio.sleep(after)  # wherever it is by then
        below = children(demo.process.pid)
        demo.process.send_signal(signal.SIGINT)
        assert await demo.end() == 0
        assert "Traceback" not in demo.said
        await assert_gone(below, within=10)


async def test_a_port_that_is_taken_is_said_so(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with playing(tmp_path, "--port", port) as demo:
            assert await demo.end() == 2
            assert f"Port {port} cannot be used: Address already in use.\nFor example: --port 0" in demo.said


async def test_a_folder_that_cannot_be_used_is_said_so(tmp_path):
    (tmp_path / "file").touch()
    async with playing(tmp_path / "file" / "below", "--port", "0") as demo:
        assert await demo.end() == 2
        assert "cannot be used: Not a directory" in demo.said
        assert "Traceback" not in demo.said


async def test_two_demos_do_not_share_a_folder(tmp_path):
    async with playing(tmp_path, "--port", "0") as first:
        await first.until("Starting")
        async with playing(tmp_path, "--port", "0") as second:
            assert await second.end() == 2
            assert "Another demo" in second.said
        first.process.send_signal(signal.SIGINT)
        assert await first.end() == 0


async def test_a_second_signal_while_things_are_put_away_still_puts_them_away(tmp_path):
    """Once nothing plays any more, SIGTERM is what Ctrl-C is, and not the end of the process on the spot."""
    script = (
        "import asyncio, os, signal, sys\n"
        "from bot.cli.demo import _until_told\n"
        "async def play(): os.kill(os.getpid(), signal.SIGTERM); await asyncio.sleep(60)\n"
        "try: asyncio.run(_until_told(play()))\n"
        "except KeyboardInterrupt: print('told')\n"
        "try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "except KeyboardInterrupt: print('told again')\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert (process.returncode, said) == (0, b"told\ntold again\n")


async def _fails() -> None:
    raise SystemExit(3)


def test_a_play_that_fails_is_told_by_the_exit_code():
    with pytest.raises(SystemExit) as left:
        asyncio.run(_until_told(_fails()))
    assert left.value.code == 3
