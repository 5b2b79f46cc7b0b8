"""One file, whatever it is packed with and written in, comes out as its text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from bot.diagnosis.inputs.member import Limits
from tests.diagnosis.inputs.readout import lines, read

TEXT = lines(20_000)  # two megabytes: many blocks


def random_text(seed, size):
    """Text that does not shrink to nothing."""
    source = random.Random(seed)
    return b"".join(b"%x %x\n" % (source.getrandbits(200), source.getrandbits(90)) for _ in range(size // 75))


@pytest.mark.parametrize("block", [1, 7, 4096, 4097, 1 << 18])
def test_a_plain_file_comes_out_as_it_is_through_a_buffer_of_any_size(put, block):
    data = TEXT if block > 7 else TEXT[:20_000]
    path = put("vpxa.log", data)
    assert read(path, block=block).texts == {str(path): data}


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("vpxa.0.gz", gzip.compress),
        ("vpxa.log.xz", lzma.compress),
        ("vpxa.log.bz2", bz2.compress),
        ("a misleading.log", gzip.compress),
        ("twice.gz.gz", lambda data: gzip.compress(gzip.compress(data))),
        (
            "members.gz",
            lambda data: b"".join(gzip.compress(data[at : at + 99_991]) for at in range(0, len(data), 99_991)),
        ),
        (
            "padded.gz",
            lambda data: gzip.compress(data[:5000]) + bytes(3000) + gzip.compress(data[5000:]) + bytes(70_000),
        ),
        ("streams.xz", lambda data: lzma.compress(data[:777]) + bytes(8) + lzma.compress(data[777:])),
        ("streams.bz2", lambda data: bz2.compress(data[:777]) + bz2.compress(data[777:])),
        ("poor.gz", lambda data: gzip.compress(data, 0)),
    ],
)
@pytest.mark.parametrize("block", [1 << 18, 1000])
def test_a_compressed_file_comes_out_unpacked(put, name, pack, block):
    path = put(name, pack(TEXT))
    out = read(path, block=block)
    assert (out.texts, out.errors, out.notes) == ({str(path): TEXT}, [], [])


def test_a_gzip_header_with_all_its_fields(put):
    body = gzip.compress(b"text\n")[10:]
    flags = 2 | 4 | 8 | 16
    head = b"\x1f\x8b\x08" + bytes([flags]) + (86_400).to_bytes(4, "little") + b"\0\3"
    fields = (5).to_bytes(2, "little") + b"extra" + b"n" * 40_000 + b"\0" + b"comment\0" + b"\0\0"
    out = read(put("a.gz", head + fields + body))
    assert list(out.texts.values()) == [b"text\n"]
    assert out.opened[0].modified == datetime(1970, 1, 2, tzinfo=UTC)


def test_a_file_tells_when_it_was_written(put):
    path = put("vpxa.log", b"text\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert read(path).opened[0].modified == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


def test_incompressible_text_is_the_same_with_and_without_isal(put):
    text = random_text(5, 3_000_000)
    path = put("a.gz", gzip.compress(text, 1) + gzip.compress(TEXT, 9))
    script = (
        "import sys\n"
        "sys.modules['isal'] = None\n"  # as on a machine without the wheel
        "from tests.diagnosis.inputs.readout import read\n"
        "out = read(sys.argv[1])\n"
        "assert not out.errors, out.errors\n"
        "sys.stdout.buffer.write(out.texts[sys.argv[1]])\n"
    )
    slow = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True, timeout=60)
    assert slow.stdout == text + TEXT == read(path).texts[str(path)]


class TestStandardInput:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
    def test_it_is_read_packed_or_not_and_not_closed(self, pack):
        stream = io.BytesIO(pack(TEXT))
        out = read("-", stdin=stream)
        assert out.texts == {"-": TEXT}
        assert pack is gzip.compress or out.opened[0].modified is None
        assert not stream.closed

    def test_a_pipe_hands_out_what_is_there(self):
        reading, writing = os.pipe()

        def feed():
            with os.fdopen(writing, "wb") as pipe:
                for at in range(0, len(TEXT), 30_011):
                    pipe.write(TEXT[at : at + 30_011])
                    pipe.flush()

        feeder = threading.Thread(target=feed)
        feeder.start()
        with os.fdopen(reading, "rb") as stream:
            assert read("-", stdin=stream).texts == {"-": TEXT}
        feeder.join(10)

    def test_a_stream_that_can_only_be_read(self):
        class Only:
            def __init__(self, data):
                self.data = io.BytesIO(data)

            def read(self, size):
                return self.data.read(min(size, 13))

        assert read("-", stdin=Only(b"text\n" * 50)).texts == {"-": b"text\n" * 50}

    def test_it_may_be_missing(self):
        assert read("-").errors == [("-", "standard input is not available here")]

    def test_a_named_pipe_is_read(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        feeder = threading.Thread(target=lambda: pipe.write_bytes(gzip.compress(TEXT)))
        feeder.start()
        assert read(pipe).texts == {str(pipe): TEXT}
        feeder.join(10)


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("block", [3, 1 << 18])
    def test_utf_16_becomes_utf_8_without_its_mark(self, put, encoding, block):
        text = "".join(f"Größe {number} 𝄞 文字 NFC\r\n" for number in range(9000 if block > 3 else 90))
        path = put("vpxd.log", ("\ufeff" + text).encode(encoding))
        assert read(path, block=block).texts[str(path)].decode() == text

    def test_the_mark_of_utf_8_is_dropped(self, put):
        path = put("vpxd.log", b"\xef\xbb\xbf" + TEXT)
        assert read(path).texts == {str(path): TEXT}

    def test_half_a_pair_becomes_a_replacement(self, put):
        path = put("vpxd.log", b"\xff\xfea\0\x00\xd8b\0")
        assert read(path).texts[str(path)].decode() == "a\ufffdb"

    def test_other_bytes_are_left_to_the_scanner(self, put):
        data = b"caf\xe9 \0\0 NFC\r\nx\n"
        path = put("vpxa.log", data)
        assert read(path).texts == {str(path): data}

    def test_nuls_that_a_crash_left_in_front_do_not_hide_the_log(self, put):
        path = put("vpxa.log", bytes(3_000_000) + TEXT)
        assert read(path).texts[str(path)].lstrip(b"\0") == TEXT


def test_zstd_is_read_where_python_can_and_refused_in_words_where_not(put):
    out = read(put("a.zst", bytes.fromhex("28b52ffd04001900006162630a") + bytes(9)))
    if sys.version_info < (3, 14):
        assert out.reasons == ["a zstd file, which this Python cannot unpack; use `zstd -d` and give the result"]
    else:
        assert out.errors or out.texts


def test_an_xz_file_may_not_ask_for_all_memory(put):
    path = put("a.xz", lzma.compress(TEXT, preset=9))
    assert read(path).texts == {str(path): TEXT}
    assert read(path, limits=Limits(dictionary=20 << 20)).reasons == [
        "unpacking this xz file takes more than 20 MiB of memory; unpack it and give the result"
    ]
