"""What people type finds what they mean."""

from __future__ import annotations

import pytest

from bot.migration.request import VCenterName, VmRef
from bot.vsphere.inventory_line import line_of
from bot.vsphere.name_index import NameIndex
from bot.vsphere.port import InventoryVm


def row(name: str, folder: str = "Apps") -> InventoryVm:
    return InventoryVm(
        VmRef(VCenterName("east"), f"uuid-{name}-{folder}", name),
        f"/DC1/vm/{folder}/{name}",
        "esx",
        "DC1",
        "poweredOff",
    )


def index_of(rows):
    index = NameIndex(VCenterName("east"))
    for vm in rows:
        index.put(vm.ref.uuid, line_of(vm))
    return index


ROWS = [row("web01"), row("web02"), row("WEB01", "Old"), row("db-prod-01"), row("Weekly report 🚀"), row("x")]
INDEX = index_of(ROWS)


def names(found):
    return [(vm.ref.name, vm.path) for vm in found]


def test_name_path_and_uuid_are_exact():
    assert list(INDEX.exact("web01")) == [ROWS[0]]
    assert list(INDEX.exact("/DC1/vm/Old/WEB01")) == [ROWS[2]]
    assert list(INDEX.exact("uuid-db-prod-01-Apps")) == [ROWS[3]]
    assert list(INDEX.exact("nothing")) == []


def test_case_is_forgiven_apart_from_that():
    assert set(names(INDEX.folded("Web01"))) == set(names([ROWS[0], ROWS[2]]))
    assert list(INDEX.folded("DB-PROD-01")) == [ROWS[3]]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("wbe01", "web01"), ("db-prd-01", "db-prod-01"), ("weekly", "Weekly report 🚀"), ("WEB", "web01")],
)
def test_near_misses(typed, first):
    assert INDEX.near(typed, limit=5)[0].ref.name.casefold() == first.casefold()


def test_before_anything_is_typed_the_first_names_are_near():
    names = [found.ref.name for found in INDEX.near("", limit=3)]
    assert len(names) == 3
    assert names == sorted(names, key=str.casefold)


def test_names_that_begin_with_what_was_typed_come_first():
    index = index_of(row(name) for name in ["old-web", "web02", "a-web", "web01"])
    assert [found.ref.name for found in index.near("web", limit=3)] == ["web01", "web02", "a-web"]


def test_what_is_like_no_name_is_near_none():
    assert list(INDEX.near("qqqqqq", limit=5)) == []


def test_the_limit_holds():
    many = index_of(row(f"app-{n:05}") for n in range(5000))
    assert len(many.near("app", limit=5)) == 5
    assert many.near("app-0499x", limit=3)[0].ref.name.startswith("app-0499")
