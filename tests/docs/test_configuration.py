"""Every key of the config is explained, and the words that it takes are the same everywhere."""

from __future__ import annotations

import re
from typing import get_args

from pydantic import BaseModel

from bot import settings, settings_tables
from bot.operations.rights import _DEEDS, Verb

TABLES = {
    "`[slack]`": settings_tables.Slack,
    "`[redis]`": settings_tables.Redis,
    "`[vcenters.<name>]`": settings_tables.VCenter,
    "`[sites.<name>]`": settings_tables.Site,
    "`[[links]]`": settings_tables.Link,
    "`[[freezes]]`": settings_tables.Freeze,
    "`[[rights]]`": settings_tables.Right,
    "`[allow]`": settings_tables.Allow,
    "`[alerts]`": settings_tables.Alerts,
    "`[[sinks]]`": settings_tables.Sink,
    "`[watch]`": settings_tables.Watch,
    "`[syslog]`": settings_tables.Syslog,
    "`[[sources]]`": settings_tables.Source,
    "`[capacity]`": settings_tables.Capacity,
    "`[worker]`": settings_tables.Work,
    "`[diagnosis]`": settings_tables.Diagnosis,
    "`[health]`": settings_tables.Health,
}


def sections(page: str) -> dict[str, str]:
    heads = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(heads[1::2], heads[2::2], strict=True))


def test_every_table_has_a_section_and_every_key_a_row_there(pages):
    found = sections(pages["docs/configuration.md"])
    assert {head for head in found if head.startswith("`[")} == set(TABLES)
    for head, table in TABLES.items():
        rows = "\n".join(line.split("|")[1] for line in found[head].splitlines() if line.startswith("| `"))
        assert set(re.findall(r"`(\w+)`", rows)) == set(settings_tables.keys(table)), head


def test_no_table_of_the_settings_is_left_out():
    named = {
        value
        for value in vars(settings_tables).values()
        if isinstance(value, type) and issubclass(value, settings_tables.Table)
    }
    assert named - {settings_tables.Table} == set(TABLES.values())
    assert issubclass(settings_tables.Table, BaseModel)


def test_every_key_of_no_table_has_a_row(pages):
    page = sections(pages["docs/configuration.md"])["Top level"]
    tables = {*settings_tables.TABLES, "lists"}  # whose keys are names that people choose
    scalars = {name: field for name, field in settings.Settings.model_fields.items() if name not in tables}
    assert scalars
    assert all(f"| `{name}` | `{field.default}` |" in page for name, field in scalars.items())


def test_defaults_are_those_of_the_code(pages):
    found = sections(pages["docs/configuration.md"])
    for head, table in TABLES.items():
        for key, field in settings_tables.keys(table).items():
            if isinstance(field.default, str | int):
                row = next(line for line in found[head].splitlines() if line.startswith("| ") and f"`{key}`" in line)
                shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
                assert re.search(rf"\| `?\"?{re.escape(shown)}\"?`? \|", row), row


def test_rights_have_the_same_names_everywhere(pages):
    names = set(Verb)
    assert set(get_args(settings_tables.Verb)) == names
    assert set(_DEEDS) == names
    row = next(line for line in pages["docs/configuration.md"].splitlines() if line.startswith("| `may`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"may"} == names
    assert all(f"\n| `{name}` |" in pages["docs/operating.md"] for name in names)
