"""What a log may hold that no program ever wrote: no exception, and time that grows with nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.continuation import continuation_of, unfold, wraps
from bot.diagnosis.formats import HeaderReader, load_formats
from bot.diagnosis.product import product_of
from bot.diagnosis.stamps import Years

READER = HeaderReader(load_formats())
SAMPLES = [sample["text"] for known in load_formats() for sample in known.samples]
D = "2025-12-11T16:43:26.181Z In(166) Vpxa[169980]: [Originator@6876 sub=vpxLro opID=e6012b2] x"
MEGABYTE = 1 << 20


def everything(text):
    header = READER.read(text, Years())
    continuation_of(text)
    product_of(text)
    wraps([text], text)
    unfold([text, text])
    return header


@pytest.mark.parametrize(
    "text",
    [
        " " * MEGABYTE,
        "[" * MEGABYTE,
        "<1>" * (MEGABYTE // 3),
        "2025-12-11T16:43:26.181Z" + " " * MEGABYTE,
        "2025-12-11T16:43:26.181Z info a[1] [Originator@6876 sub=" + "a b=c " * (MEGABYTE // 6),
        "2025-12-11T16:43:26.181Z info a[1] [Originator@6876 sub=" + "[a" * (MEGABYTE // 2),
        "2025-12-11T16:43:26.181Z info a[1] [Originator@6876 sub=" + "] " * (MEGABYTE // 2),
        "{" + '"a":"b",' * (MEGABYTE // 8),
        "{" + '"\\' * (MEGABYTE // 2),
        "[2012-03-14 16:31:45.288 1C69CB90 info '" + "' a=" * (MEGABYTE // 4),
        "A" * MEGABYTE + ": " + "b" * 100,
        "a." * MEGABYTE,
        "a.log:" * (MEGABYTE // 6),
        "-->" * MEGABYTE,
        "Log for VMware " * (MEGABYTE // 15),
        "\0" * MEGABYTE,
        "\ud800" * 4096,
    ],
    ids=lambda text: repr(text[:40]),
)
def test_a_monstrous_line_costs_no_more_than_a_long_one(text):
    everything(text[:4096])
    start = time.process_time()
    for _ in range(5):
        everything(text)
    assert (time.process_time() - start) / 5 < 0.1  # a quadratic megabyte takes hours


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (D.replace("vpxLro", "vpx\x00Lro"), "vpx\x00Lro"),
        (D.replace("vpxLro", "vpx\\xffLro"), "vpx\\xffLro"),
        (D.replace("vpxLro", "Ünïcödé"), "Ünïcödé"),
        (D.replace("vpxLro", "日志服务"), "日志服务"),
        (D.replace("vpxLro", "\ud800"), "\ud800"),
    ],
)
def test_strange_letters_are_kept_as_they_are(text, kept):
    header = everything(text)
    assert (header.component, header.op_id) == (kept, "e6012b2")


@pytest.mark.parametrize(
    "text",
    [
        D.replace("2025", "٢٠٢٥"),
        D.replace("169980", "١٦٩"),
        D.replace("-12-", "-१२-"),
        "\uff21pr 7 17:39:16 esx Hostd: x",
    ],
)
def test_digits_and_letters_of_other_scripts_are_none_of_a_header(text):
    header = everything(text)
    assert header is None or (header.format, header.thread) == ("leveled", None)


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("0000-00-00T00:00:00.000Z", None),
        ("0000-01-01T00:00:00.000Z", None),
        ("9999-12-31T23:59:59.999-14:00", None),
        ("9999-12-31T24:00:00Z", None),
        ("2020-01-01T00:00:00.000+99:99", None),
        ("2020-13-45T99:99:99.999Z", None),
        ("2016-12-31T23:59:60.000Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999000+00:00"),
    ],
)
def test_a_stamp_that_is_no_time_spoils_nothing_else(stamp, read):
    header = everything(D.replace("2025-12-11T16:43:26.181Z", stamp))
    assert (header.op_id, header.process, header.thread) == ("e6012b2", "Vpxa", "169980")
    assert (header.timestamp and header.timestamp.isoformat()) == read


@pytest.mark.parametrize("cut", range(0, len(D), 3))
def test_a_line_may_end_anywhere(cut):
    header = everything(D[:cut])
    assert header is None or header.op_id in (None, "e6012b2", "e6012b", "e6012", "e601", "e60", "e6", "e")


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(max_size=200), st.sampled_from(SAMPLES)), edits=st.lists(
    st.tuples(st.integers(0, 150), st.text(max_size=6)), max_size=5
))  # fmt: skip
def test_no_text_raises(text, edits):
    for place, piece in edits:
        text = text[:place] + piece + text[place + len(piece) // 2 :]
    header = everything(text)
    assert header is None or header.timestamp is None or header.timestamp.tzinfo is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(raw):
    everything(raw.decode("utf-8", "backslashreplace"))
    everything(raw.decode("utf-8", "surrogateescape"))
