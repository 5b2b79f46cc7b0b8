"""The trace on a VM: as short as an attribute, readable by every version, and telling which vCenter the VM leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.migration.request import JobId, SiteName
from bot.operations.trace import LONGEST, JobTrace, read, write

NEAR = JobTrace(
    job=JobId("ab12cd34"),
    attempt=2,
    session="5233ff1a-0f4c-4b0e-9d4f-d0c7b1e7a001",
    since=datetime(2026, 11, 23, 1, 40, tzinfo=UTC),
    site=SiteName("site9"),
    requester="U0ALICE001",
    channel="C0MIGRATE01",
    batch="",
    host="esx-01.example.net",
    datastore="ds-w-01",
    source_host="esx-07.example.net",
    source_datastore="ds c1 01",
)
FAR = replace(NEAR, vcenter="east")


@pytest.mark.parametrize("trace", [NEAR, FAR, replace(FAR, vcenter="two words")])
def test_what_is_written_can_be_read(trace):
    assert read(write(trace)) == trace
    assert len(write(trace)) <= LONGEST


def test_within_one_vcenter_it_is_written_as_ever():
    """Workers of the version before must be able to read it while both run."""
    assert write(NEAR).split(" ")[0] == "1"
    assert "east" not in write(NEAR)


def test_a_move_to_another_vcenter_is_not_mistaken_by_a_version_that_knows_none():
    assert write(FAR).startswith("2 east ")


def test_long_names_leave_out_what_can_be_read_again_and_never_the_vcenter():
    long = replace(FAR, host="h" * 60, datastore="d" * 60, source_host="s" * 60)
    found = read(write(long))
    assert (found.vcenter, found.host, found.source_host) == ("east", "h" * 60, "")


@pytest.mark.parametrize(
    "text",
    ["", "1", "2", "2 east", "3 east ab12cd34 1", write(NEAR) + " more", write(FAR) + " more", "1 a b c d e f g h"],
)
def test_what_nobody_of_us_wrote_is_not_read(text):
    assert read(text) is None
