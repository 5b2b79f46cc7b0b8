"""What `coldmigrate diagnose` does, however it was asked. It starts in milliseconds: no click, and nothing early."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.diagnosis.engine import Engine
    from bot.diagnosis.scope import Scope
    from bot.diagnosis.verdict import Report

EXIT_NOTHING = 0
EXIT_INCIDENTS = 1
EXIT_UNREADABLE = 2
EXIT_STOPPED = 130


def diagnosed(
    paths: Sequence[str],
    *,
    own_rules: Sequence[Path] = (),
    scope: Scope | None = None,
    zone: tzinfo = UTC,
    progress: bool | None = None,
) -> Report | None:
    """Read the logs and judge them; None, and a sentence on stderr, if a person stopped it."""
    try:
        with _bar(paths, progress) as advance:
            from bot.diagnosis.engine import EVERYTHING

            return _engine(own_rules).diagnose_paths(
                paths, stdin=sys.stdin.buffer, scope=scope or EVERYTHING, zone=zone, progress=advance
            )
    except KeyboardInterrupt:
        sys.stderr.write("coldmigrate: stopped before the end; nothing is reported.\n")
        return None


def rendered(report: Report, form: str) -> str:
    match form:
        case "json":
            import json

            return json.dumps(report.to_json(), indent=2) + "\n"
        case "markdown":
            from bot.diagnosis.report.markdown import markdown_of

            return markdown_of(report)
        case "html":
            from bot.diagnosis.report.html import html_of

            return html_of(report)
        case _:
            from bot.diagnosis.report.text import lines_of

            return "".join(f"{line.text}\n" for line in lines_of(report))


def exit_code(report: Report) -> int:
    if report.errors:
        return EXIT_UNREADABLE
    return EXIT_INCIDENTS if report.incidents else EXIT_NOTHING


def _engine(own_rules: Sequence[Path]) -> Engine:
    from bot.diagnosis.engine import load_engine

    if not own_rules:
        return load_engine()
    from bot.diagnosis.ownrules import files_in

    return load_engine(extra_rules=files_in(own_rules))


def _bar(paths: Sequence[str], wanted: bool | None) -> AbstractContextManager[Callable[[int], None] | None]:  # noqa: FBT001
    """Show how far the reading is, if anybody looks; a bar that nobody sees costs nothing."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        return nullcontext()
    from bot.cli.progress import reading_bar

    return reading_bar(paths, at_once=bool(wanted))
