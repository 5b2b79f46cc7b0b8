"""Every key of the config is explained, and the words that it takes are the same everywhere."""

from __future__ import annotations

import re
from typing import get_args

from pydantic import BaseModel

from bot import settings
from bot.operations.rights import _DEEDS, Verb

TABLES = {
    "`[slack]`": settings.Slack,
    "`[redis]`": settings.Redis,
    "`[vcenters.<name>]`": settings.VCenter,
    "`[sites.<name>]`": settings.Site,
    "`[[links]]`": settings.Link,
    "`[[freezes]]`": settings.Freeze,
    "`[[rights]]`": settings.Right,
    "`[allow]`": settings.Allow,
    "`[alerts]`": settings.Alerts,
    "`[[sinks]]`": settings.Sink,
    "`[watch]`": settings.Watch,
    "`[syslog]`": settings.Syslog,
    "`[[sources]]`": settings.Source,
    "`[capacity]`": settings.Capacity,
    "`[worker]`": settings.Work,
    "`[diagnosis]`": settings.Diagnosis,
    "`[health]`": settings.Health,
}


def sections(page: str) -> dict[str, str]:
    heads = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(heads[1::2], heads[2::2], strict=True))


def test_every_table_has_a_section_and_every_key_a_row_there(pages):
    found = sections(pages["docs/configuration.md"])
    assert {head for head in found if head.startswith("`[")} == set(TABLES)
    for head, table in TABLES.items():
        rows = "\n".join(line.split("|")[1] for line in found[head].splitlines() if line.startswith("| `"))
        assert set(re.findall(r"`(\w+)`", rows)) == set(settings.keys(table)), head


def test_no_table_of_the_settings_is_left_out():
    named = {
        value for value in vars(settings).values() if isinstance(value, type) and issubclass(value, settings._Table)
    }
    assert named - {settings._Table, settings.Settings} == set(TABLES.values())
    assert issubclass(settings._Table, BaseModel)


def test_every_key_of_no_table_has_a_row(pages):
    page = sections(pages["docs/configuration.md"])["Top level"]
    tables = {*settings._TABLES, "lists"}  # whose keys are names that people choose
    scalars = {name: field for name, field in settings.Settings.model_fields.items() if name not in tables}
    assert scalars
    assert all(f"| `{name}` | `{field.default}` |" in page for name, field in scalars.items())


def test_defaults_are_those_of_the_code(pages):
    found = sections(pages["docs/configuration.md"])
    for head, table in TABLES.items():
        for key, field in settings.keys(table).items():
            if isinstance(field.default, str | int):
                row = next(line for line in found[head].splitlines() if line.startswith("| ") and f"`{key}`" in line)
                shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
                assert re.search(rf"\| `?\"?{re.escape(shown)}\"?`? \|", row), row


def test_rights_have_the_same_names_everywhere(pages):
    names = set(Verb)
    assert set(get_args(settings.Verb)) == names
    assert set(_DEEDS) == names
    row = next(line for line in pages["docs/configuration.md"].splitlines() if line.startswith("| `may`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"may"} == names
    assert all(f"\n| `{name}` |" in pages["docs/operating.md"] for name in names)
