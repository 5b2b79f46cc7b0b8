"""Blocks that show figures: tables, data tables and charts, with Slack's limits."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.block_elements import IDENTIFIER
from bot.playground.slack.changes import Json
from bot.playground.slack.rich_text import RICH_TEXT
from bot.playground.slack.schema import Check, Problem, array, boolean, both, number, one_of, shape, tagged, text

ID = {"block_id": IDENTIFIER}
TABLE_ROWS = 100
COLUMNS = 20
DATA_ROWS = 200
DATA_CHARACTERS = 20_000
FAR = 1e15

RAW_TEXT = shape({"text": text(at_most=3000)})
RAW_NUMBER = shape({"value": number(at_least=-FAR, at_most=FAR)}, {"text": text(at_most=64)})
PLAIN_CELLS: dict[str, Check] = {"raw_text": RAW_TEXT, "raw_number": RAW_NUMBER}
CELL = tagged(PLAIN_CELLS | {"rich_text": RICH_TEXT})
COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
COLUMN_SETTINGS = array(lambda value, at: [] if value is None else COLUMN(value, at), at_most=COLUMNS)

TABLE = shape(
    {"rows": array(array(CELL, at_most=COLUMNS), at_most=TABLE_ROWS)}, ID | {"column_settings": COLUMN_SETTINGS}
)


def _square(table: Json, at: str) -> list[Problem]:
    """All rows of one length, a header without marks, and not too much to read. The wording is invented."""
    rows: list[list[Json]] = table["rows"]
    problems = [
        Problem(f"{at}/rows/{index}", f"must have {len(rows[0])} cells, as the first row has")
        for index, row in enumerate(rows)
        if len(row) != len(rows[0])
    ]
    for index, cell in enumerate(rows[0]):
        problems += tagged(PLAIN_CELLS)(cell, f"{at}/rows/0/{index}")
    if sum(len(words) for row in rows for cell in row for words in texts_of(cell)) > DATA_CHARACTERS:
        problems.append(Problem(f"{at}/rows", f"must be less than {DATA_CHARACTERS + 1} characters"))
    return problems


def texts_of(node: Any) -> list[str]:
    """Every text below `node` that a reader would see."""
    if isinstance(node, list):
        return [words for one in node for words in texts_of(one)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if isinstance(node.get("text"), str) else []
    return own + [words for value in node.values() if isinstance(value, dict | list) for words in texts_of(value)]


DATA_TABLE = both(
    shape(
        {
            "rows": array(array(CELL, at_most=COLUMNS), at_least=2, at_most=DATA_ROWS + 1),
            "caption": text(at_most=3000),
        },
        ID
        | {
            "page_size": number(at_least=1, at_most=100),
            "row_header_column_index": number(at_least=0, at_most=COLUMNS - 1),
        },
    ),
    _square,
)

LABEL = text(at_most=20)
POINT = shape({"label": LABEL, "value": number(at_least=-FAR, at_most=FAR)})
SEGMENT = shape({"label": LABEL, "value": number(at_least=1e-9, at_most=FAR)})
SERIES = array(shape({"name": LABEL, "data": array(POINT, at_most=20)}), at_most=12)
AXES = shape({"categories": array(LABEL, at_most=20)}, dict.fromkeys(("x_label", "y_label"), text(at_most=50)))
AXIS_CHART = shape({"series": SERIES, "axis_config": AXES})
CHARTS: dict[str, Check] = {
    "pie": shape({"segments": array(SEGMENT, at_most=12)}),
    "bar": AXIS_CHART,
    "area": AXIS_CHART,
    "line": AXIS_CHART,
}
DATA_VISUALIZATION = shape({"title": text(at_most=50), "chart": tagged(CHARTS)}, ID)
