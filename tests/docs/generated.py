"""What pages show of the code: drawn from the code, so that it cannot lag behind it.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`. A test compares; this writes:

    python -m tests.docs.generated
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bot.migration.concerns.catalogue import CHECKS
from bot.migration.machine import ENDS, STARTED, TRANSITIONS, WORDS, Phase
from tests.model.page import model

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "docs/states.md",)
_PART: Final = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def diagram() -> str:
    """The state machine, as Mermaid draws it on GitHub."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.DRAFTED}"]
    lines += [f"    {before} --> {after}: {event.__name__}" for (before, event), after in TRANSITIONS.items()]
    lines += [f"    {phase} --> [*]" for phase in Phase if phase in ENDS]
    return "\n".join([*lines, "```"])


def events() -> str:
    """What can happen, in the words of the machine itself."""
    every = dict.fromkeys(event for _, event in TRANSITIONS)
    rows = [(f"`{event.__name__}`", " ".join((event.__doc__ or "").split())) for event in every]
    return _table(("event", "what happened"), rows)


def states() -> str:
    """Every state with the words that people read, and what it means for a copy."""

    def copying(phase: Phase) -> str:
        if phase is Phase.NEEDS_HUMAN:
            return "nobody can tell"
        return "over" if phase in ENDS else "may be running" if phase in STARTED else "not started"

    return _table(("state", "in Slack", "the copy"), [(f"`{phase}`", WORDS[phase], copying(phase)) for phase in Phase])


def concerns() -> str:
    """Every concern, as its file says it: id, weight, when, who or what can lift it."""
    rows = [row for check in CHECKS for row in _of_file(Path(check.__code__.co_filename))]
    return _table(("concern", "weight", "when its check says so", "lifted by"), rows)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "diagram": diagram,
    "events": events,
    "model": model,
    "states": states,
    "concerns": concerns,
}


def renewed(page: str) -> str:
    """The page with every generated part as it has to be."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}\n{part[3]}", page)


def _of_file(path: Path) -> Iterator[tuple[str, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (check,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check")
    when = (ast.get_docstring(check) or "").partition("\n")[0]
    found: dict[tuple[str, str], list[str]] = {}
    for call in ast.walk(check):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Concern":
            identity, weight = ast.literal_eval(call.args[0]), call.args[1]
            lifted = next((_words(word.value) for word in call.keywords if word.arg == "lifted_by"), "")
            found.setdefault((identity, weight.attr.lower() if isinstance(weight, ast.Attribute) else ""), []).append(
                lifted
            )
    for (identity, weight), lifted in found.items():
        yield f"`{identity}`", weight, when, "; or ".join(dict.fromkeys(lifted))


def _words(node: ast.expr) -> str:
    """A text of the code; what is filled in later shows as an ellipsis."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return str(ast.literal_eval(node))


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n".join([line(heads), line(("---",) * len(heads)), *map(line, rows)])


if __name__ == "__main__":
    for place in PAGES:
        place.write_text(renewed(place.read_text(encoding="utf-8")), encoding="utf-8")
