"""Every key in Redis is in docs/redis-keys.md, and nothing there is invented."""

from __future__ import annotations

import inspect
import re

from bot.store import keys


def names(root) -> set[str]:
    """Every key of `keys`, its parameters in brackets, and those that only scripts spell."""
    found = {value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)}
    found -= {keys.PREFIX, keys.READY, keys.TURNS}
    for name, make in inspect.getmembers(keys, inspect.isfunction):
        if not name.startswith("_"):
            found.add(make(*(f"<{parameter}>" for parameter in inspect.signature(make).parameters)))
    for path in root.glob("bot/**/*.lua"):
        for spelled, rest in re.findall(r"key\('outbox', '(\w+)'(, \w+)?\)", path.read_text(encoding="utf-8")):
            found.add(f"{keys.PREFIX}outbox:{spelled}{':<job>' if rest else ''}")
    return {bracketed(key.removeprefix(keys.PREFIX)) for key in found}


def bracketed(key: str) -> str:
    """What stands in the brackets is a matter of taste; that something stands there is not."""
    return re.sub(r"<[^>]+>", "<>", key)


def test_the_table_is_what_the_code_writes(pages, root):
    table = re.findall(r"^\| `([^`]+)` \|", pages["docs/redis-keys.md"], re.MULTILINE)
    assert len({bracketed(key) for key in table}) == len(table)
    assert {bracketed(key) for key in table} == names(root)


def test_scripts_spell_no_key_that_is_not_there(root):
    known = {name.split(":")[0] for name in names(root)}
    spelled = {
        word for path in root.glob("bot/**/*.lua") for word in re.findall(r"key\('([\w-]+)'", path.read_text("utf-8"))
    }
    assert spelled <= known
