"""`coldmigrate diagnose`: reads logs and says why the copy failed, for people, for tickets or as JSON.

What is asked for is told here, and colours for people's terminals; what is done about it is in `diagnosing.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.diagnosing import EXIT_STOPPED, diagnosed, exit_code, rendered
from bot.cli.moments import Moment, Zone

if TYPE_CHECKING:
    from bot.diagnosis.report.text import Tone
    from bot.diagnosis.verdict import Report

FORMATS = ("text", "json", "markdown", "html")
WIDEST = 110  # longer lines of prose are hard to read on any screen


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--since", type=Moment(), help="Only lines from this time on: '2012-03-14 16:30' (UTC), or '2h' ago.")
@click.option("--until", type=Moment(), help="Only lines up to this time.")
@click.option("--op-id", metavar="ID", help="Only this operation, by the beginning of its opID up to a dash.")
@click.option("--vm", metavar="NAME", help="Only failures that name this VM, by name or by path.")
@click.option("--host", metavar="NAME", help="Only failures that name this host, by name or address.")
@click.option("--zone", type=Zone(), help="The zone of lines that name none: 'Europe/Berlin', '+02:00'. Default: UTC.")
@click.option(
    "--rules",
    "own_rules",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="A rule file of your own, or a folder of them, beside the shipped ones. May be repeated.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="For whom.")
@click.option(
    "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there."
)
@click.option(
    "--timeline", metavar="FILE.png", type=click.Path(dir_okay=False, path_type=Path), help="Draw the lines in time."
)
@click.option("--no-color", hidden=True, envvar="NO_COLOR", metavar="ANY")  # the variable is what people set
@click.option(
    "--progress/--no-progress", default=None, help="A bar on stderr. Default: when it is a terminal and much is read."
)
def diagnose(
    paths: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    op_id: str | None,
    vm: str | None,
    host: str | None,
    zone: tzinfo | None,
    own_rules: tuple[Path, ...],
    form: str,
    output: Path | None,
    timeline: Path | None,
    progress: bool | None,  # noqa: FBT001 - click hands it over by name
    no_color: str | None,
) -> None:
    """Say why a copy failed, from the logs of hosts, vCenter and clients.

    PATH is a log, a .gz, a support bundle (.tgz, .zip), a folder, or - for standard input.

    Exit code 0: nothing found. 1: incidents found. 2: something could not be read; the rest is still reported.
    """
    if since and until and until < since:
        raise click.UsageError(f"--until {until:%Y-%m-%d %H:%M:%S} is before --since {since:%Y-%m-%d %H:%M:%S} (UTC).")
    from bot.diagnosis.scope import Scope

    scope = Scope(op_id=op_id, vm=vm, host=host, since=since, until=until)
    report = diagnosed(paths, own_rules=own_rules, scope=scope, zone=zone or UTC, progress=progress)
    if report is None:
        sys.exit(EXIT_STOPPED)
    if output is None and form == "text":
        _print(report, colour=not no_color)
    else:
        _deliver(rendered(report, form), output)
    if timeline:
        _draw(report, timeline)
    sys.exit(exit_code(report))


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text.encode())


def _draw(report: Report, file: Path) -> None:
    from bot.diagnosis.report.timeline import timeline_of
    from bot.slack.charts import timeline_png

    _write(file, timeline_png(timeline_of(report)))


def _write(file: Path, content: bytes) -> None:
    """Write a whole file or none, and say so where a person looks."""
    from bot.errors import UserError

    try:
        file.write_bytes(content)
    except OSError as refusal:
        raise UserError(f"{file} cannot be written: {refusal.strerror}.") from refusal
    if sys.stderr.isatty():
        click.echo(f"Wrote {file}.", err=True)


def _print(report: Report, *, colour: bool) -> None:
    """Print for people; without a terminal, without colours and unwrapped, as grep and tickets like it."""
    from bot.diagnosis.report.text import lines_of

    width = None
    if sys.stdout.isatty():
        import shutil

        width = min(shutil.get_terminal_size().columns, WIDEST)
    styles = _styles()
    shown = [
        click.style(line.text, **styles[line.tone]) if line.tone in styles else line.text
        for line in lines_of(report, width=width)
    ]
    click.echo("\n".join(shown), color=None if colour else False)


def _styles() -> Mapping[Tone, dict[str, Any]]:
    from bot.diagnosis.report.text import Tone

    return {
        Tone.HEADLINE: {"fg": "red", "bold": True},
        Tone.HEADING: {"bold": True},
        Tone.FAINT: {"dim": True},
        Tone.DECISIVE: {"fg": "red"},
        Tone.COMMAND: {"fg": "cyan"},
        Tone.WARNING: {"fg": "yellow"},
        Tone.ERROR: {"fg": "red"},
    }
