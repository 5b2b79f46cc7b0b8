"""The command `coldmigrate`: a table of commands, each loaded when it is called and not before."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping

import click

from bot.errors import ColdmigrateError, UserError

# Name to "module:attribute". A command whose module is not there yet is not offered.
COMMANDS: Mapping[str, str] = {
    "bot": "bot.cli.bot:bot",
    "demo": "bot.cli.demo:demo",
    "diagnose": "bot.cli.diagnose:diagnose",
    "doctor": "bot.cli.doctor:doctor",
    "init": "bot.cli.init:init",
    "jobs": "bot.cli.jobs:jobs",
    "plan": "bot.cli.plan:plan",
    "playground": "bot.cli.playground:playground",
    "rules": "bot.cli.rules:rules",
    "serve": "bot.cli.serve:serve",
    "worker": "bot.cli.worker:worker",
}
EXIT_FAILED = 1
EXIT_WRONG_USE = 2


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


def main() -> None:
    """Run the command line. An error made on purpose is one sentence: exit 2 if the caller can mend it, else 1."""
    try:
        cli(prog_name="coldmigrate")
    except UserError as error:
        _tell(f"coldmigrate: {error}" + (f"\nFor example: {error.example}" if error.example else ""))
        raise SystemExit(EXIT_WRONG_USE) from error
    except ColdmigrateError as error:
        _tell(f"coldmigrate: {error}")
        raise SystemExit(EXIT_FAILED) from error


def _tell(sentence: str) -> None:
    """Names in a sentence come from vCenters and files: they may not steer the terminal that shows it."""
    from bot.diagnosis.printable import printable

    click.echo("\n".join(map(printable, sentence.split("\n"))), err=True)
