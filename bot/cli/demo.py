"""`coldmigrate demo`: everything on this machine. A person types in the terminal, or the story plays by itself."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click


@click.command()
@click.option("--story", is_flag=True, help="Play the whole story without a person; exit 0 only if all of it happened.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where data, certificates and logs go; else a folder that is removed at the end.",
)
def demo(story: bool, folder: Path | None) -> None:  # noqa: FBT001
    """Try everything without a vCenter and without a Slack.

    Starts an embedded Valkey, a simulated Slack and a simulated vCenter with two sites, and the real bot and worker
    against them. Nothing leaves this machine.
    """
    from bot.store import embedded

    with _kept_in(folder) as place, embedded.start(place / "valkey") as valkey:
        try:
            asyncio.run(_story(place, valkey.url) if story else _terminal(place, valkey.url))
        except KeyboardInterrupt:
            click.echo("\nStopped.")


@contextlib.contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="coldmigrate-") as place:
        yield Path(place)


async def _story(place: Path, redis_url: str) -> None:
    from bot.cli.stage import set_stage
    from bot.cli.story import Story

    async with set_stage(place, redis_url=redis_url) as stage:
        story = Story(stage.slack, stage.where, click.echo)
        try:
            await stage.ready()
            wrong = await story.play()
        except TimeoutError as error:
            wrong = [*story.wrong, f"the story did not go on: {error}"]
            click.echo(await story.channel())
    if not wrong:
        click.echo("\nAll of this really happened: web01 is at site2, db01 is whole at site1, and its thread says why.")
        return
    for problem in wrong:
        click.echo(f"WRONG: {problem}", err=True)
    for role in ("bot", "worker"):
        click.echo(f"--- the last lines of {role}.log", err=True)
        click.echo("\n".join((place / f"{role}.log").read_text(encoding="utf-8").splitlines()[-15:]), err=True)
    raise SystemExit(1)


async def _terminal(place: Path, redis_url: str) -> None:
    from bot.cli.stage import set_stage
    from bot.cli.terminal import Terminal

    async with set_stage(place, redis_url=redis_url) as stage:
        click.echo("Starting the simulated sites, the bot and the worker ...")
        await stage.ready()
        await Terminal(stage.slack, click.echo).run()
