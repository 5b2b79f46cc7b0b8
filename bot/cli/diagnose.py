"""`coldmigrate diagnose`: reads logs and says why the copy failed, for people or as JSON.

Log text comes from strangers: it is printed as plain text with its control characters spelled out, never as markup.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.text import Text

    from bot.diagnosis.verdict import Incident, Report, Workaround

EXIT_NOTHING = 0
EXIT_INCIDENTS = 1
EXIT_UNREADABLE = 2
MOST_LINES = 6


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for machines.",
)
@click.option(
    "--rules",
    "extra_rules",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A rule file of your own, beside the shipped ones. May be repeated.",
)
def diagnose(paths: tuple[str, ...], output: str, extra_rules: tuple[Path, ...]) -> None:
    """Say why a copy failed, from the logs of hosts, vCenter and clients.

    PATH is a log, a .gz, a folder, or - for standard input.

    Exit code 0: nothing found. 1: incidents found. 2: something could not be read; the rest is still reported.
    """
    from bot.diagnosis.engine import load_engine

    report = load_engine(extra_rules=extra_rules).diagnose_paths(paths, stdin=sys.stdin.buffer)
    if output == "json":
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _show(report)
    sys.exit(_exit_code(report))


def _exit_code(report: Report) -> int:
    if report.errors:
        return EXIT_UNREADABLE
    return EXIT_INCIDENTS if report.incidents else EXIT_NOTHING


def _show(report: Report) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    for part in _parts(report):
        console.print(part)


def _parts(report: Report) -> Iterator[Text]:
    for number, incident in enumerate(report.incidents, 1):
        yield from _incident(incident, f"{number} of {len(report.incidents)}")
    for trouble in report.errors:
        yield _line(f"Could not read {trouble.file}: {trouble.reason}", "red")
    for gap in report.gaps:
        yield _line(f"Note: {gap.file + ': ' if gap.file else ''}{gap.reason}", "yellow")
    stats = report.stats
    yield _line(
        f"{_count(len(report.incidents), 'incident')} in {_count(stats.files, 'file')}, "
        f"{_count(stats.lines, 'line')}, {stats.seconds:.2f} s.",
        "bold",
    )
    if stats.unparsed_lines:
        unknown = _count(stats.unparsed_lines, "line")
        yield _line(f"{unknown} had no header of a known format; their text was searched all the same.", "dim")


def _incident(incident: Incident, place: str) -> Iterator[Text]:
    from bot.diagnosis.causes import CAUSE_IN_WORDS

    yield _line(f"Incident {place}: {incident.cause} ({CAUSE_IN_WORDS[incident.cause]})", "bold red")
    yield _line(f"  {_how_sure(incident)}")
    yield _line(f"  {_where(incident)}", "dim")
    yield _line("")
    yield _line(f"  {incident.explanation}")
    yield from _section("Lines that decide", _deciding(incident))
    yield from _section("Known", incident.known)
    yield from _section("Ruled out", incident.ruled_out)
    yield from _section("Not readable from here", incident.unreadable)
    yield from _section(
        "Also possible", (f"{CAUSE_IN_WORDS[other.cause]} ({other.confidence:.0%})" for other in incident.alternatives)
    )
    yield from _section(
        "Check next", (_check(check.what, check.where, check.command) for check in incident.next_checks)
    )
    for number, workaround in enumerate(incident.workarounds, 1):
        yield from _workaround(number, workaround)
    yield _line("")


def _deciding(incident: Incident) -> Iterator[str]:
    """Yield the lines to show: those that decide or, where none does, the first that were read."""
    lines = incident.decisive or incident.evidence
    for line in lines[:MOST_LINES]:
        yield f"{line.file}:{line.line}: {line.text}"
    if len(lines) > MOST_LINES:
        yield "more of the same kind; --format json shows them"


def _how_sure(incident: Incident) -> str:
    from bot.diagnosis.causes import Basis, Cause

    if incident.cause is Cause.UNDETERMINED:
        return "The lines do not name a cause; what they do say is below."
    basis = {
        Basis.LOG: "one log alone, which sees a failure but not always its cause",
        Basis.BOTH_ENDS: "the logs of both ends",
        Basis.MEASURED: "a measurement",
    }
    return f"Confidence {incident.confidence:.0%}, from {basis[incident.basis]}."


def _where(incident: Incident) -> str:
    parts = [_count(incident.lines, "line")]
    if incident.first and incident.last:
        parts.append(f"{incident.first:%Y-%m-%d %H:%M:%S} to {incident.last:%H:%M:%S} UTC")
    parts += [f"opID {op_id}" for op_id in incident.op_ids]
    parts += [
        name
        for name in (incident.task, incident.vm and f"VM {incident.vm}", incident.peer and f"peer {incident.peer}")
        if name
    ]
    return ", ".join(parts)


def _check(what: str, where: str, command: str) -> str:
    return what + (f" [{where}]" if where else "") + (f" $ {command}" if command else "")


def _workaround(number: int, workaround: Workaround) -> Iterator[Text]:
    yield _line("")
    yield _line(f"  Way {number}: {workaround.title}", "bold")
    for step, sentence in enumerate(workaround.steps, 1):
        yield _line(f"    {step}. {sentence}")
    for command in workaround.commands:
        yield _line(f"    $ {command}", "cyan")
    yield _line(f"    Mind: {workaround.caveat}", "yellow")


def _section(title: str, lines: Iterator[str] | tuple[str, ...]) -> Iterator[Text]:
    listed = list(lines)
    if listed:
        yield _line("")
        yield _line(f"  {title}:", "bold")
        for line in listed:
            yield _line(f"    - {line}")


def _count(number: int, noun: str) -> str:
    return f"{number or 'No'} {noun}{'' if number == 1 else 's'}"


def _line(text: str, style: str = "") -> Text:
    from rich.text import Text

    from bot.diagnosis.printable import printable

    return Text(printable(text), style=style)
