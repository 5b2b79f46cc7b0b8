"""`coldmigrate rules`: what the diagnosis knows, and whether rules of one's own will work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.diagnosis.rulefile import Mistake

EXIT_MISTAKES = 2
CASES = "cases"  # the folder of recorded cases beside rule files
_PLACES = click.Path(path_type=Path)


@click.group()
def rules() -> None:
    """List the rules of the diagnosis, and check your own."""


@rules.command("list")
@click.option("--cause", metavar="NAME", help="Only the rules that name this cause.")
@click.option("--rules", "own", multiple=True, metavar="PATH", type=_PLACES, help="Rules of your own, file or folder.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the list there.")
def list_rules(cause: str | None, own: tuple[Path, ...], form: str, output: Path | None) -> None:
    """List every rule with the cause it names.

    `--format markdown` is the catalogue in docs/causes.md.
    """
    from bot.diagnosis.ownrules import files_in
    from bot.diagnosis.report import catalogue
    from bot.diagnosis.rules import load_catalogue

    every = sorted(load_catalogue(files_in(own)).rules.values(), key=lambda rule: (catalogue.said(rule), rule.id))
    if cause is not None:
        _require_known(cause)
        every = [rule for rule in every if catalogue.said(rule) == cause]
    if form == "json":
        text = json.dumps(catalogue.as_json(every), indent=2) + "\n"
    elif form == "markdown":
        text = catalogue.page(every)
    else:
        text = "".join(f"{row}\n" for row in catalogue.rows(every, width=_width()))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@rules.command()
@click.argument("places", nargs=-1, metavar="[PATH...]", type=_PLACES)
def check(places: tuple[Path, ...]) -> None:
    """Check the shipped rules and those at PATH, files or folders; without PATH, those that the config names.

    All mistakes are told at once, each with its file, its key and what was expected. Recorded cases are read from the
    folder `cases` beside the rules.

    Exit code 0: all is well. 2: there are mistakes.
    """
    from bot.diagnosis.ownrules import files_in
    from bot.diagnosis.rules import rule_files

    own = files_in(places) if places else _configured()
    mistakes = _mistakes(rule_files(), own)
    for mistake in mistakes:
        click.echo(_printable(str(mistake)))
    if mistakes:
        click.echo(f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}.", err=True)
        sys.exit(EXIT_MISTAKES)


def _mistakes(shipped: list[Path], own: list[Path]) -> list[Mistake]:
    """Return every mistake, and say in one sentence what was checked where there is none."""
    from bot.diagnosis.engine import load_engine
    from bot.diagnosis.ownrules import rule_ids, sound
    from bot.diagnosis.rulefile import check_rule_files
    from bot.diagnosis.vetting import disturbances, healthy_lines, owing, recorded, untold

    mistakes = check_rule_files([*shipped, *own])
    faulty = {mistake.file for mistake in mistakes}
    if faulty.intersection(shipped):
        return mistakes  # nothing can be read with those
    usable = sound([path for path in own if path not in faulty]).files
    engine = load_engine(extra_rules=usable)
    names = rule_ids([*shipped, *usable])
    for path, name in names.items():
        mistakes += disturbances(path, engine.catalogue.rules[name])
    cases = recorded(_case_folders(own))
    mistakes += untold(engine, cases)
    owed = names if _source_tree_cases().is_dir() else {path: names[path] for path in usable}
    mistakes += owing(engine, owed, cases)
    if not mistakes:
        ours = f", {len(own)} of them your own" if own else ""
        click.echo(
            f"{len(names)} rules are sound{ours}: samples fit, near misses do not, {len(cases)} recorded cases are "
            f"told, and {len(healthy_lines())} ordinary lines stay silent."
        )
    return mistakes


def _case_folders(own: list[Path]) -> list[Path]:
    beside = dict.fromkeys(path.parent / CASES for path in own)
    return [folder for folder in (_source_tree_cases(), *beside) if folder.is_dir()]


def _source_tree_cases() -> Path:
    """Return where the shipped rules' cases lie; an installed program has none, and owes none."""
    return Path(__file__).parents[2] / "tests" / "diagnosis" / CASES


def _configured() -> list[Path]:
    from bot import settings
    from bot.diagnosis.ownrules import files_in

    if not settings.find().exists():
        return []
    loaded = settings.load()
    folder = loaded.path(loaded.diagnosis.rules)
    return files_in([folder]) if folder else []


def _require_known(cause: str) -> None:
    import difflib

    from bot.diagnosis.causes import Cause, Role

    known = [*Cause, *(role for role in Role if role is not Role.DECISIVE)]
    if cause not in known:
        close = difflib.get_close_matches(cause, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(known)}."
        raise UserError(f"{cause!r} is no cause. {hint}")


def _width() -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _printable(text: str) -> str:
    from bot.diagnosis.printable import printable

    return printable(text)
