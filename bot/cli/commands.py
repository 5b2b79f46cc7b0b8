"""All commands of `coldmigrate`: a table, each loaded when it is called and not before."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping

import click

# Name to "module:attribute". A command whose module is not there yet is not offered.
COMMANDS: Mapping[str, str] = {
    "audit": "bot.cli.audit:audit",
    "bot": "bot.cli.bot:bot",
    "demo": "bot.cli.demo:demo",
    "diagnose": "bot.cli.diagnose:diagnose",
    "doctor": "bot.cli.doctor:doctor",
    "init": "bot.cli.init:init",
    "jobs": "bot.cli.jobs:jobs",
    "link": "bot.cli.link:link",
    "plan": "bot.cli.plan:plan",
    "playground": "bot.cli.playground:playground",
    "role": "bot.cli.role_script:role",
    "rules": "bot.cli.rules:rules",
    "serve": "bot.cli.serve:serve",
    "watch": "bot.cli.watch:watch",
    "worker": "bot.cli.worker:worker",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, target in COMMANDS.items() if importlib.util.find_spec(target.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted:
        from importlib.metadata import version

        click.echo(f"coldmigrate {version('coldmigrate-bot')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Cold-migrate VMware VMs across a WAN, and say why the copy died when it does."""
