"""`coldmigrate demo`: everything on this machine, with a page to see it. Or a terminal, or the story by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from bot.cli.stage import Stage
    from bot.cli.supervisor import Failure
    from bot.playground.page.server import PageServer

USUAL_PORT: Final = 8077
LOG: Final = "demo.log"
FIRST: Final = "/coldmigrate web01 site2"
STARTING: Final = "Starting the simulated sites, the bot, the worker and the watcher ..."


@click.command()
@click.option(
    "--story",
    is_flag=False,
    flag_value="usual",
    type=click.Choice(["usual", "bad-night"]),
    help="Play a story without a person; exit 0 only if all of it happened. Without a name: the usual one.",
)
@click.option("--terminal", is_flag=True, help="Type here instead of on a page.")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Where the page is; else {USUAL_PORT}, or a free one.")
@click.option("--no-browser", is_flag=True, help="Only print where the page is.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where data, certificates and logs go; else a folder that is removed at the end.",
)
def demo(*, story: str | None, terminal: bool, port: int | None, no_browser: bool, folder: Path | None) -> None:
    """Try everything without a vCenter and without a Slack.

    Starts an embedded Valkey, a simulated Slack, a simulated PagerDuty and a simulated vCenter with two sites, and the
    real bot, worker and watcher against them, and opens a page where you are the people of that Slack. Nothing leaves
    this machine. Ctrl-C ends it.
    """
    from bot.errors import UserError
    from bot.store import embedded

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the loop takes both: as Ctrl-C
    try:
        with _kept_in(folder) as place, _log_in(place), embedded.start(place / "valkey") as valkey:
            if valkey.process is None:
                raise UserError(f"Another demo plays in {place}, or is about to end.", example="--dir elsewhere")
            if story:
                play = _story(place, valkey.url, story)
            elif terminal:
                play = _terminal(place, valkey.url)
            else:
                play = _page(place, valkey.url, port=port, browser=not no_browser)
            asyncio.run(_until_told(play))
    except KeyboardInterrupt:
        click.echo("\nStopped.")


@contextlib.contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        _make(folder)
        yield folder.absolute()  # the config that is written there would look for its files from there
        return
    with tempfile.TemporaryDirectory(prefix="coldmigrate-") as place:
        yield Path(place)


def _make(folder: Path) -> None:
    """Create it, if need be. UserError if nothing can be written there."""
    from bot.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).touch()
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be used: {error.strerror}.", example="--dir demo") from error


@contextlib.contextmanager
def _log_in(place: Path) -> Iterator[None]:
    """What this process itself has to say goes where the roles' logs are; the terminal is for the person."""
    from bot import telemetry

    with (place / LOG).open("a", encoding="utf-8") as file:
        telemetry.set_up(form=telemetry.Form.TEXT, level=logging.WARNING, stream=file)
        try:
            yield
        finally:
            logging.getLogger().handlers.clear()


async def _until_told(play: Coroutine[None, None, None]) -> None:
    """Play until the end, or until Ctrl-C or SIGTERM; KeyboardInterrupt then, when everything has been put away.

    SystemExit with the play's own code, if it ends by one.
    """
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(_exit_of(play))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, playing.cancel)
    try:
        leaving = await playing
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # which leaves SIGTERM to the kernel, and things where they are
            signal.signal(number, signal.default_int_handler)
    if leaving is not None:
        raise leaving


async def _exit_of(play: Coroutine[None, None, None]) -> SystemExit | None:
    """How it left. Raised within a task, SystemExit tears the loop down around whoever waits for that task."""
    try:
        await play
    except SystemExit as leaving:
        return leaving
    return None


async def _page(place: Path, redis_url: str, *, port: int | None, browser: bool) -> None:
    from bot.cli.browser import open_browser
    from bot.cli.stage import set_stage

    click.echo(STARTING)
    async with set_stage(place, redis_url=redis_url) as stage, _served(stage, port) as page:
        failure = asyncio.create_task(stage.supervisor.wait())
        await _first(stage.ready(), failure)
        if port is None and page.port != USUAL_PORT:
            click.echo(f"Port {USUAL_PORT} is taken, perhaps by another demo.")
        click.echo(f"The page is at {page.url}")
        opened = browser and await open_browser(page.url)
        click.echo(f"{'Type there' if opened else 'Open it in a browser and type there'}: {FIRST}")
        click.echo(f"Ctrl-C ends it all. The logs are in {place}")
        _tell_and_leave(await failure)


@contextlib.asynccontextmanager
async def _served(stage: Stage, port: int | None) -> AsyncIterator[PageServer]:
    """The page, on the port that was asked for; without one, on the usual port or any."""
    from bot.cli.stage import page_of
    from bot.errors import UserError

    page = page_of(stage, port=USUAL_PORT if port is None else port)
    try:
        await page.start()
    except OSError as error:
        await page.stop()
        if port is not None:
            why = os.strerror(error.errno or 0)  # its own words name the address again
            raise UserError(f"Port {port} cannot be used: {why}.", example="--port 0") from error
        page = page_of(stage, port=0)
        await page.start()
    try:
        yield page
    finally:
        await page.stop()


async def _story(place: Path, redis_url: str, name: str) -> None:
    from bot.cli.stage import set_stage
    from bot.cli.stories import STORIES

    told = STORIES[name]
    set_for = set_stage(place, redis_url=redis_url, world=told.world, worker=told.worker, amended=told.amended)
    async with set_for as stage:
        story = told.tale(stage, click.echo)
        try:
            await stage.ready()
            wrong = await story.play()
        except TimeoutError as error:
            wrong = [*story.wrong, f"the story did not go on: {error}"]
            click.echo(await story.channel())
    if not wrong:
        click.echo(f"\nAll of this really happened: {told.moral}")
        return
    for problem in wrong:
        click.echo(f"WRONG: {problem}", err=True)
    for role in ("bot", "worker", "watch"):
        click.echo(f"--- the last lines of {role}.log", err=True)
        click.echo("\n".join((place / f"{role}.log").read_text(encoding="utf-8").splitlines()[-15:]), err=True)
    raise SystemExit(1)


async def _terminal(place: Path, redis_url: str) -> None:
    from bot.cli.stage import set_stage
    from bot.cli.terminal import Terminal

    async with set_stage(place, redis_url=redis_url) as stage:
        click.echo(STARTING)
        failure = asyncio.create_task(stage.supervisor.wait())
        await _first(stage.ready(), failure)
        await _first(Terminal(stage.slack, click.echo).run(), failure)
        failure.cancel()


async def _first(doing: Coroutine[None, None, None], failure: asyncio.Task[Failure]) -> None:
    """Do it, unless a role fails for good meanwhile: then tell what it said, and leave with its code."""
    task = asyncio.create_task(doing)
    try:
        await asyncio.wait([task, failure], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
    if failure.done():
        _tell_and_leave(failure.result())
    await task


def _tell_and_leave(failure: Failure) -> None:
    click.echo(f"The {failure.name} cannot run:\n{failure.said}", err=True)
    raise SystemExit(failure.code)
