"""Lists as spreadsheets and people write them: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.operations.batch_file import LARGEST, Entry, read_list
from bot.operations.option import Option


def read(text: str | bytes):
    found = read_list(text.encode() if isinstance(text, str) else text, name="tier.csv")
    return list(found.entries), list(found.wrong)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("web01", [Entry(1, "web01")]),
        ("web01\nweb02\n", [Entry(1, "web01"), Entry(2, "web02")]),
        ("\n# tonight\nweb01\n\n", [Entry(3, "web01")]),
        ("web01,site2", [Entry(1, "web01", "site2")]),
        ("web01,site2,esx-11,ds-1", [Entry(1, "web01", "site2", "esx-11", "ds-1")]),
        ("VM,Site\nweb01,site2", [Entry(2, "web01", "site2")]),
        ("site,vm\nsite2,web01", [Entry(2, "web01", "site2")]),
        ("Name;Datastore\r\nweb01;ds-1\r\n", [Entry(2, "web01", datastore="ds-1")]),
        ("vm\tsite\nweb01\tsite2", [Entry(2, "web01", "site2")]),
        ("\ufeffvm;site\nweb01;site2", [Entry(2, "web01", "site2")]),
        ("vm,site\nweb01,site2".encode("utf-16"), [Entry(2, "web01", "site2")]),
        ('"my vm","site2"\n', [Entry(1, "my vm", "site2")]),
        ('vm;site\n"a;b ""c""";site2', [Entry(2, 'a;b "c"', "site2")]),
        ('"a, b"; site2', [Entry(1, "a, b", "site2")]),
        ("  web01 , site2 ", [Entry(1, "web01", "site2")]),
        ("web01,,,\n,,,\nweb02,,,ds-1\n", [Entry(1, "web01"), Entry(3, "web02", datastore="ds-1")]),
        ("web01\rweb02", [Entry(1, "web01"), Entry(2, "web02")]),
        ("=cmd|' /C calc'!A0", [Entry(1, "=cmd|' /C calc'!A0")]),
    ],
)
def test_what_is_understood(text, entries):
    assert read(text) == (entries, [])


def test_a_first_row_may_name_options_disks_and_networks():
    entries, wrong = read(
        "VM;Power on;thin;Disks;Networks\nweb01;yes;No;2=ds-2 | Hard disk 3=ds-3;VM Network=Prod|A=B\nweb02;;x\n"
    )
    assert wrong == []
    assert entries == [
        Entry(
            2,
            "web01",
            options={Option.POWER_ON: True, Option.THIN: False},
            disks={"Hard disk 2": "ds-2", "Hard disk 3": "ds-3"},
            networks={"VM Network": "Prod", "A": "B"},
        ),
        Entry(3, "web02", options={Option.THIN: True}),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("vm,site\n,site2", "line 2: it names no VM."),
        ("a,b,c,d,e", "line 1: 5 columns, where there are 4: vm, site, host, datastore."),
        ("vm,site\na,b,c", "line 2: 3 columns, where there are 2: vm, site."),
        (
            "VM,Powerstate\nweb01,on",
            "line 1: there is no column 'Powerstate'. There are: vm, site, host, datastore, disk",
        ),
        ("vm,vm\na,b", "line 1: the column vm is there twice."),
        ("vm,thin\nweb01,perhaps", "line 2: its thin is neither yes nor no: 'perhaps'."),
        ("vm,disk\nweb01,2", "line 2: its disk takes FROM=TO, not 'Hard disk 2'."),
        ("vm,network\nweb01,A=B|A=C", "line 2: its network was given twice for 'A'."),
        ("a,b,c,d,yes", "line 1: 5 columns, where there are 4"),
        ('web01\n"web02', "line 2: a quote is not closed"),
        ('vm\n"web01"x', "line 2: a quote is not closed, or something stands behind it"),
        ('vm\n"web\n01"', "line 2: its vm is no name: 'web"),
        ("vm,site\nweb01," + "x" * 300, "line 2: its site is no name: 'xxx"),
        ("web\u202e01", "line 1: its vm is no name"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(text, wrong):
    assert read(text)[1][0].startswith(wrong)


def test_a_row_of_many_lines_does_not_shift_the_numbers():
    entries, wrong = read('vm\n"a\nb"\nweb01\n')
    assert [entry.line for entry in entries] == [4]
    assert wrong[0].startswith("line 2: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "names no VM"),
        (b"\n# nothing\n", "names no VM"),
        (b"vm,site\n", "no VM below it"),
        (b"\x00\x01web", "is no text"),
        ("wéb01".encode("latin-1"), "is no text in UTF-8. From a spreadsheet, save it as 'CSV UTF-8'."),
        (b"x" * (LARGEST + 1), "has at most 1 MB"),
    ],
)
def test_a_file_that_is_no_list(data, said):
    with pytest.raises(UserError, match=r"^tier\.csv") as caught:
        read(data)
    assert said in str(caught.value)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="replace")))
def test_nothing_that_is_handed_over_breaks_it(data):
    try:
        entries, wrong = read(data)
    except UserError:
        return
    assert entries or wrong
    assert all(entry.vm and entry.vm.isprintable() for entry in entries)
