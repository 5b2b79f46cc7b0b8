"""Lines that go on with the entry above, entries that were folded, and the line that names the product."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.diagnosis.continuation import Continuation, continuation_of, unfold, wraps
from bot.diagnosis.formats import HeaderReader, load_formats
from bot.diagnosis.product import PRODUCT_NEEDLES, Product, product_of

FORMATS = load_formats()
V2V = (  # virt-v2v-input-vmware manual page
    "nbdkit: vddk[3]: error: [NFC ERROR] NfcFssrvrProcessErrorMsg:",
    "received NFC error 5 from server: Failed to allocate the",
    "requested 2097176 bytes",
)
CONSOLE = (  # a public installation note of 2014: a Windows console 80 columns wide
    "2014-07-18T11:46:23.209+02:00 [05588 info 'Default'] Log path: C:\\ProgramData\\VM",
    "ware\\VMware VirtualCenter\\Logs",
)


SECTION = "x - time the service was last started, Section for VMware {}, pid={}, version={}, build={}, option=DEBUG"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-->", Continuation.ARROW),
        ("-->    key = 90,", Continuation.ARROW),
        (
            "   --> [context]zKq7AVICAgAAADaReAEJaG9zdGQAACaiPWxpYnZtYWNvcmUuc28AAAtmNQB7Zy[/context]",
            Continuation.ARROW,
        ),
        ("\u2013> PeerThumbprint: 4B:2A", Continuation.ARROW),
        ("2022-06-02T05:34:23.120Z In(166) Hostd[1001430319]: -->    key = 90,", Continuation.ARROW),
        ("2022-06-02T05:34:23.120Z In(166)+ Hostd[1001430319]: key = 90,", Continuation.MARKED),
        ("2022-06-02T05:34:23Z In(14)[+] hostprofile[1001430319]: {'mode': 'Disabled'}", Continuation.MARKED),
        ("[type 10c00001 offset 31932416 v 142, hb offset 3272704", Continuation.RECORD),
        ("gen 99305, mode 1, owner 4d39b32d-ef567209-7754-0025b3e1a4c8 mtime 3227617", Continuation.RECORD),
        ("num 0 gblnum 0 gblgen 0 gblbrk 0]", Continuation.RECORD),
        ("Mar 29 15:43:07 server vmkernel: gen 99305, mode 1, owner 4d39b32d mtime 3227617]", Continuation.RECORD),
        ("backtrace[00] rip 000000000a7b1c2d", Continuation.FRAME),
        ("Apr 7 17:33:20 esx_host Hostd: [00] rip 17c6bbf3", Continuation.FRAME),
        ("2022-06-02T05:34:23.120Z In(166) Hostd[1001430319]: x --> y", None),
        ("a --> b: --> c", None),
        ("[NFC ERROR] Nfc_PutFile: failed to send the buffer", None),
        ("", None),
    ],
)
def test_lines_that_say_themselves_that_they_go_on(text, kind):
    assert continuation_of(text) is kind


@pytest.mark.parametrize("lines", [V2V, CONSOLE])
def test_published_entries_that_were_folded(lines):
    assert all(wraps(lines[:end], lines[end]) for end in range(1, len(lines)))


def test_folded_entries_are_one_line_again():
    assert unfold(V2V) == (
        "nbdkit: vddk[3]: error: [NFC ERROR] NfcFssrvrProcessErrorMsg: "
        "received NFC error 5 from server: Failed to allocate the requested 2097176 bytes"
    )
    assert unfold(CONSOLE).endswith("Log path: C:\\ProgramData\\VMware\\VMware VirtualCenter\\Logs")
    assert unfold([]) == ""


@pytest.mark.parametrize(
    ("above", "text"),
    [
        ([], "text"),
        (["nbdkit: vddk[3]: error: [NFC ERROR] NfcFssrvrProcessErrorMsg:"], ""),
        (["nbdkit: vddk[3]: error: [NFC ERROR] NfcFssrvrProcessErrorMsg:"], "--> arrow"),
        (["nbdkit: vddk[3]: debug: short"], "short, too"),  # nothing folds at 30
        (["nbdkit: vddk[3]: debug: a line that has room", "x"], "for more words than it holds"),
        ([V2V[0] + " and so on" * 20], "a line below a long one"),
        (["x" * 70] * 32, "y"),  # no entry is that long
    ],
)
def test_what_was_not_folded(above, text):
    assert not wraps(above, text)


WORDS = st.lists(st.text("abcdefgh:[]._-/", min_size=1, max_size=18), min_size=12, max_size=60)


@given(WORDS, st.integers(60, 140))
def test_whatever_was_folded_at_words_is_found_and_mended(words, width):
    whole = "nbdkit: vddk[3]: error: " + " ".join(words)
    lines = textwrap.wrap(whole, width, break_on_hyphens=False, break_long_words=False)
    assume(len(set(map(len, lines[:-1]))) > 1)
    assume(not any(continuation_of(line) for line in lines[1:]))
    assert all(wraps(lines[:end], lines[end]) for end in range(1, len(lines)))
    assert unfold(lines) == whole


@pytest.mark.parametrize(
    ("text", "product"),
    [
        (SECTION.format("ESX", "1000080910", "7.0.3", "0"), Product("VMware ESX", "7.0.3", None)),  # tstack/lnav
        (SECTION.format("ESX", "1001391976", "8.0.0", "19833347"), Product("VMware ESX", "8.0.0", "19833347")),  # same
        (SECTION.format("ESXi", "132123", "9.0.0", "24678710"), Product("VMware ESXi", "9.0.0", "24678710")),  # dissect
        (SECTION.format("VirtualCenter", "6432", "6.0.0", "2"), Product("VMware VirtualCenter", "6.0.0", "2")),  # lnav
        (  # a forum post
            "vmx| Log for VMware Workstation pid=17204 version=7.1.4 build=build-385536 option=BETA",
            Product("VMware Workstation", "7.1.4", "385536"),
        ),
        (  # kubev2v's tests
            "nbdkit: debug: VMware VixDiskLib (7.0) Release build-15832853",
            Product("VMware VixDiskLib", "7.0", "15832853"),
        ),
        ("Section for VMware ESX without a version", None),
        ("2021-05-24T20:31:05.671Z info hostd[1] [Originator@6876 sub=x] version=7.0.3", None),
    ],
)
def test_the_product_and_its_version(text, product):
    assert product_of(text) == product
    assert product is None or any(needle in text for needle in PRODUCT_NEEDLES)


def test_a_folded_line_bears_no_header():
    """Else it would be an entry of its own."""
    reader = HeaderReader(FORMATS)
    assert [reader.read(line) is None for line in (*V2V, *CONSOLE)] == [False, True, True, False, True]
