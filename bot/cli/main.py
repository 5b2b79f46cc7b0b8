"""The command `coldmigrate`, from its words to its exit code.

The call that scripts repeat most, `coldmigrate diagnose PATH...` with `--format json` at most, is answered here without
the parser of options, which takes longer to load than a small log takes to read. Every other call goes to
`commands.py`, and so does this one in a terminal, where there are colours.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from bot.errors import ColdmigrateError, UserError

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
_FORMS = ("text", "json")
_MANY = 50_000  # objects made before the first search for circles among them: more than a small log takes


def main() -> None:
    """Run the command line. An error made on purpose is one sentence: exit 2 if the caller can mend it, else 1."""
    try:
        if (plain := plain_call(sys.argv[1:])) and not sys.stdout.isatty():
            _answer(*plain)
        else:
            from bot.cli.commands import cli

            cli(prog_name="coldmigrate")
    except UserError as error:
        _tell(f"coldmigrate: {error}" + (f"\nFor example: {error.example}" if error.example else ""))
        raise SystemExit(EXIT_WRONG_USE) from error
    except ColdmigrateError as error:
        _tell(f"coldmigrate: {error}")
        raise SystemExit(EXIT_FAILED) from error


def plain_call(words: Sequence[str]) -> tuple[list[str], str] | None:
    """Return the paths and the form of a plain call of `diagnose`; None for whatever needs a parser."""
    if not words or words[0] != "diagnose":
        return None
    paths, form = [], _FORMS[0]
    rest = iter(words[1:])
    for word in rest:
        if word == "--format":
            form = next(rest, "")
        elif word.startswith("-") and word != "-":
            return None
        else:
            paths.append(word)
    return (paths, form) if paths and form in _FORMS else None


def _answer(paths: Sequence[str], form: str) -> None:
    gc.set_threshold(_MANY)
    from bot.cli.diagnosing import EXIT_STOPPED, diagnosed, exit_code, rendered

    report = diagnosed(paths)
    if report is None:
        sys.exit(EXIT_STOPPED)
    try:
        sys.stdout.write(rendered(report, form))
        sys.stdout.flush()
    except BrokenPipeError:  # nobody wants to know any more
        _leave(EXIT_FAILED)
    _leave(exit_code(report))


def _leave(code: int) -> None:
    """End at once: to take apart all that was loaded would take as long again as reading a small log."""
    sys.stderr.flush()
    os._exit(code)


def _tell(sentence: str) -> None:
    """Names in a sentence come from vCenters and files: they may not steer the terminal that shows it."""
    from bot.diagnosis.printable import printable

    sys.stderr.write("\n".join(map(printable, sentence.split("\n"))) + "\n")
