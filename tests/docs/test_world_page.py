"""docs/world.md knows every word of the world file and every switch, and names none that does not exist."""

from __future__ import annotations

import inspect
import re

import pytest

from bot.playground import world
from bot.playground.vcenter.control import ORDERS
from bot.playground.vcenter.switches import Switches
from bot.playground.world_checks import TARGETS

PAGE = "docs/world.md"


def words(text: str) -> set[str]:
    return set(re.findall(r"`([\w-]+)`", text))


@pytest.mark.parametrize("part", ["Play", "Site", "VmSpec", "Link", "Port", "Event", "VCenter"])
def test_every_key_is_explained(pages, part):
    fields = getattr(world, part).model_fields
    keys = {field.alias or name for name, field in fields.items()}
    assert keys - words(pages[PAGE]) - {"at"} == set()


def test_every_switch_and_its_order_are_explained(pages):
    table = pages[PAGE].partition("## Switches")[2].partition("## What")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE)
    methods = {name for name, _ in inspect.getmembers(Switches, inspect.isfunction) if not name.startswith("_")}
    assert {word for row in rows for word in words(row[0])} == methods
    assert {word for row in rows for word in words(row[1])} == set(ORDERS)


def test_events_are_explained_by_target(pages):
    table = pages[PAGE].partition("## `[[events]]`")[2].partition("Words:")[0]
    told = {}
    for target, row in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE):
        told.update(dict.fromkeys(words(target), words(row) - {"blocked"}))
    assert told == {target: set(keys) for target, keys in TARGETS.items()}


def test_the_example_is_a_world(pages):
    (text,) = re.findall(r"^```toml\n(.*?)^```$", pages[PAGE], re.MULTILINE | re.DOTALL)
    assert len(world.parse_world(text).events) == 2
