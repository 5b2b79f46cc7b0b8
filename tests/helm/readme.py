"""The table of helm/README.md, from the comments of values.yaml: `python -m tests.helm.readme` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parents[2] / "helm"
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


class Value(NamedTuple):
    """One value that a person may give."""

    key: str
    default: str
    meaning: str


def values() -> list[Value]:
    """Every value that a comment explains, in the order of the file. AssertionError for one that none explains."""
    text = (CHART / "values.yaml").read_text("utf-8")
    return list(_below(yaml.compose(text), "", text.splitlines()))


def _below(node: yaml.MappingNode, path: str, lines: list[str]) -> Iterator[Value]:
    for key, value in node.value:
        name = f"{path}{key.value}"
        if meaning := _comment(lines, key.start_mark.line):
            yield Value(name, _default(value), meaning)
        else:
            assert isinstance(value, yaml.MappingNode), f"values.yaml does not say what {name} means"
            yield from _below(value, f"{name}.", lines)


def _comment(lines: list[str], line: int) -> str:
    above: list[str] = []
    while line and lines[line - 1].lstrip().startswith("# "):
        line -= 1
        above.insert(0, lines[line].lstrip().removeprefix("# "))
    return " ".join(above)


def _default(node: yaml.Node) -> str:
    found: Any = yaml.safe_load(yaml.serialize(node))
    return "" if found == "" else f"`{json.dumps(found) if not isinstance(found, str) else found}`"


def table() -> str:
    """The table, between its marks."""
    rows = [f"| `{one.key}` | {one.default} | {one.meaning.replace('|', chr(92) + '|')} |" for one in values()]
    return "\n".join([BEGIN, "| value | default | meaning |", "|---|---|---|", *rows, END])


def written(page: str) -> str:
    """The page with the table as it has to be."""
    before, _, rest = page.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    readme = CHART / "README.md"
    readme.write_text(written(readme.read_text("utf-8")), "utf-8")
