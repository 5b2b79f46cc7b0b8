"""Bad input, one real file of each kind: the exact words a user sees, what is read all the same, memory and time."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.diagnosis.inputs.readout import lines, read, tar_of, zip_of

MIB = 1 << 20
TEXT = lines(4000)
RANDOM = random.Random(7)
NOISE = b"".join(b"%x\n" % RANDOM.getrandbits(400) for _ in range(20_000))  # shrinks to little over half
UNPACK = "unpack the archive with its password and give the folder"


def flip(data: bytes, at: int, size: int = 40) -> bytes:
    return data[:at] + bytes(byte ^ 0xA5 for byte in data[at : at + size]) + data[at + size :]


def damaged_gzip(data: bytes, at: int) -> bytes:
    """A gzip stream of `data` that is damaged right behind the first `at` bytes: a block of the forbidden kind."""
    pack = zlib.compressobj(6, zlib.DEFLATED, 31)
    return pack.compress(data[:at]) + pack.flush(zlib.Z_FULL_FLUSH) + b"\x07" * 5000


def zeros(size: int) -> bytes:
    """A gzip stream of so many line ends, made without holding them."""
    packed, pack = io.BytesIO(), zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(size // MIB):
        packed.write(pack.compress(b"\n" * MIB))
    packed.write(pack.flush())
    return packed.getvalue()


def flat_bomb() -> bytes:
    """A zip archive with 300 entries that all name the same packed bytes."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = b"A" * 4 * MIB
    packed = kernel.compress(plain) + kernel.flush()
    sum_, made = zlib.crc32(plain), io.BytesIO()
    name = b"bomb.log"
    made.write(struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, 0, 8, 0, 33, sum_, len(packed), len(plain), 8, 0) + name)
    made.write(packed)
    directory = made.tell()
    for number in range(300):
        made.write(
            struct.pack(
                "<4sHHHHHHLLLHHHHHLL",
                b"PK\1\2", 20, 20, 0, 8, 0, 33, sum_, len(packed), len(plain), 8, 0, 0, 0, 0, 0, 0,
            )
            + b"b%03d.log" % number
        )  # fmt: skip
    size = made.tell() - directory
    made.write(struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 300, 300, size, directory, 0))
    return made.getvalue()


def encrypted_zip() -> bytes:
    """A zip archive of which two entries say that they are encrypted."""
    made = bytearray(zip_of([("a.log", TEXT), ("b.log", TEXT), ("open.log", TEXT)]))
    for name in (b"a.log", b"b.log"):
        made[made.rfind(name) - 38] |= 1
    return bytes(made)


def odd_method_zip() -> bytes:
    made = bytearray(zip_of([("a.log", TEXT), ("open.log", TEXT)]))
    made[made.rfind(b"a.log") - 36] = 9  # deflate64
    return bytes(made)


def wrong_sum_zip() -> bytes:
    made = bytearray(zip_of([("a.log", TEXT), ("open.log", TEXT)]))
    place = made.rfind(b"a.log") - 30
    made[place] ^= 1
    return bytes(made)


def quine(depth: int) -> bytes:
    data = TEXT
    for _ in range(depth):
        data = gzip.compress(data)
    return data


def nested(depth: int) -> bytes:
    data = tar_of([("vpxa.log", TEXT)])
    for level in range(depth):
        data = tar_of([(f"{level}.log", TEXT), ("in.tgz", data)], "w:gz")
    return data


def many_members(count: int) -> bytes:
    info = tarfile.TarInfo("a.log")
    info.size = 5
    entry, packed = info.tobuf(tarfile.USTAR_FORMAT) + b"text\n" + bytes(507), io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as out:
        for _ in range(count // 1000):
            out.write(entry * 1000)
        out.write(bytes(1024))
    return packed.getvalue()


CUT_TGZ = tar_of([("a.log", TEXT), ("b.log", NOISE), ("c.log", TEXT)], "w:gz")
PLAIN_TAR = tar_of([("a.log", TEXT), ("b.log", TEXT), ("c.log", TEXT)])
DIRECTORY_ZIP = zip_of([("a.log", TEXT), ("b.log", TEXT), ("c.log", TEXT)])
CUT = "the gzip stream is cut off; what came before the cut was read"
DAMAGED = "damaged gzip data; what came before the damage was read"


BOMB = "it unpacks to more than 150 times its size, as a zip bomb does; what came before that was read"


@dataclass(frozen=True)
class Bad:
    """One kind of bad input. `said` are kind, name behind the file's own, and words; `{f}` would be the file."""

    name: str
    make: Callable[[], bytes]
    said: list[tuple[str, str, str]]
    members: int = 0
    at_least: int = 0  # bytes of text that come out all the same
    limits: str = "generous"
    seconds: float = 5.0
    grows: int = 30 * MIB


TABLE = [
    Bad("binary", lambda: random.Random(1).randbytes(9 * MIB), [("Trouble", "", "binary data, not a log")]),
    Bad("empty", lambda: b"", [("Trouble", "", "empty: there is nothing to read")]),
    Bad("nuls", lambda: bytes(9 * MIB), [("Trouble", "", "nothing but NUL bytes")]),
    Bad("empty.gz", lambda: gzip.compress(b""), [("Trouble", "", "empty: there is nothing to read")]),
    Bad(
        "other archive.7z",
        lambda: b"7z\xbc\xaf\x27\x1c" + bytes(90),
        [("Trouble", "", "an archive of a kind that is not opened here: unpack it and give the folder")],
    ),
    Bad("no gzip.gz", lambda: b"\x1f\x8bnonsense", [("Trouble", "", "damaged gzip data: its header makes no sense")]),
    Bad("head.gz", lambda: gzip.compress(TEXT)[:6], [("Trouble", "", "the gzip stream is cut off in its header")]),
    Bad("cut.gz", lambda: gzip.compress(NOISE)[:500_000], [("Trouble", "", CUT)], 1, 800_000),
    Bad("no trailer.gz", lambda: gzip.compress(TEXT)[:-5], [("Trouble", "", CUT)], 1, len(TEXT)),
    Bad("damaged early.gz", lambda: damaged_gzip(NOISE, 90_001), [("Trouble", "", DAMAGED)], 1, 90_001),
    Bad("damaged late.gz", lambda: damaged_gzip(NOISE, 1_900_000), [("Trouble", "", DAMAGED)], 1, 1_770_000),
    Bad(
        "wrong sum.gz",
        lambda: gzip.compress(TEXT)[:-8] + b"\1\2\3\4" + gzip.compress(TEXT)[-4:] + gzip.compress(TEXT),
        [("Trouble", "", "the checksum of the gzip data does not match; all of it was read, some of it may be wrong")],
        1,
        2 * len(TEXT),
    ),
    Bad(
        "garbage behind.gz",
        lambda: gzip.compress(TEXT) + b"garbage" * 99,
        [("Trouble", "", "what follows the gzip data is not gzip; what came before it was read")],
        1,
        len(TEXT),
    ),
    Bad(
        "cut.xz",
        lambda: lzma.compress(NOISE, preset=0)[:400_000],
        [("Trouble", "", "the xz stream is cut off; what came before the cut was read")],
        1,
        400_000,
    ),
    Bad(
        "damaged.bz2",
        lambda: flip(bz2.compress(NOISE), 900_000),
        [("Trouble", "", "damaged bzip2 data; what came before the damage was read")],
        1,
        800_000,
    ),
    Bad(
        "cut.tgz",
        lambda: CUT_TGZ[: len(CUT_TGZ) // 2],
        [("Trouble", "!/b.log", CUT), ("Trouble", "", f"{CUT} (2 files)")],
        2,
        len(TEXT) + 500_000,
    ),
    Bad(
        "damaged.tgz",
        lambda: damaged_gzip(gzip.decompress(CUT_TGZ), len(TEXT) + 900_000),
        [("Trouble", "!/b.log", DAMAGED), ("Trouble", "", f"{DAMAGED} (2 files)")],
        2,
        len(TEXT) + 500_000,
    ),
    Bad(
        "wrong sum.tgz",
        lambda: CUT_TGZ[:-8] + b"\1\2\3\4" + CUT_TGZ[-4:],
        [
            (
                "Trouble",
                "",
                "the checksum of the gzip data does not match; all of it was read, some of it may be wrong (3 files)",
            )
        ],
        3,
        2 * len(TEXT) + len(NOISE),
    ),
    Bad(
        "cut.tar",
        lambda: PLAIN_TAR[: len(TEXT) * 3 // 2],
        [
            ("Trouble", "!/b.log", "the tar archive is cut off; what came before the cut was read"),
            ("Trouble", "", "the tar archive is cut off; what came before the cut was read (2 files)"),
        ],
        2,
        len(TEXT) * 4 // 3,
    ),
    Bad(
        "damaged.tar",
        lambda: flip(PLAIN_TAR, PLAIN_TAR.find(b"b.log"), 90),
        [("Trouble", "", "damaged tar archive; what came before the damage was read (1 file)")],
        1,
        len(TEXT),
    ),
    Bad(
        "member.tgz",
        lambda: tar_of([("a.gz", gzip.compress(NOISE)[:-90]), ("b.log", TEXT), ("c.gz", b"\x1f\x8b\x09")], "w:gz"),
        [("Trouble", "!/a.gz", CUT), ("Trouble", "!/c.gz", "the gzip stream is cut off in its header")],
        2,
        len(NOISE) - 10_000 + len(TEXT),
    ),
    Bad(
        "cut.zip",
        lambda: DIRECTORY_ZIP[:-300],
        [
            (
                "Trouble",
                "",
                "the zip archive is cut off or damaged: its directory, which stands at the end, is missing",
            )
        ],
    ),
    Bad(
        "damaged directory.zip",
        lambda: flip(DIRECTORY_ZIP, DIRECTORY_ZIP.rfind(b"b.log") - 46, 4),
        [
            (
                "Trouble",
                "",
                "the directory of the zip archive is damaged; what it listed before the damage was read (1 file)",
            )
        ],
        1,
        len(TEXT),
    ),
    Bad(
        "encrypted.zip",
        encrypted_zip,
        [("Trouble", "", f"2 files in it are encrypted and were not read: {UNPACK}")],
        1,
        len(TEXT),
    ),
    Bad(
        "odd method.zip",
        odd_method_zip,
        [
            (
                "Trouble",
                "",
                ("1 file in it is packed in a way that is not known here and was not read: unpack the archive and give "
                "the folder"),
            )
        ],
        1,
        len(TEXT),
    ),
    Bad(
        "wrong sum.zip",
        wrong_sum_zip,
        [
            (
                "Trouble",
                "!/a.log",
                "the checksum of the zip data does not match; all of it was read, some of it may be wrong",
            )
        ],
        2,
        2 * len(TEXT),
    ),
    Bad(
        "bomb.gz",
        lambda: zeros(300 * MIB),
        [
            (
                "Trouble",
                "",
                "it unpacks to more than 250 times its size, as a zip bomb does; what came before that was read",
            )
        ],
        1,
        256 * MIB,
    ),
    Bad(
        "bomb.zip",
        lambda: zip_of([("a.log", TEXT), ("bomb.log", gzip.decompress(zeros(90 * MIB)))]),
        [
            (
                "Trouble",
                "!/bomb.log",
                BOMB,
            ),
            (
                "Trouble",
                "",
                f"{BOMB} (2 files)",
            ),
        ],
        2,
        32 * MIB,
        limits="strict",
    ),
    Bad(
        "bomb in a bundle.tgz",
        lambda: tar_of([("a.log", TEXT), ("x.gz", zeros(90 * MIB)), ("b.log", TEXT)], "w:gz"),
        [
            (
                "Trouble",
                "!/x.gz",
                BOMB,
            ),
            (
                "Trouble",
                "",
                f"{BOMB} (2 files)",
            ),
        ],
        2,
        30 * MIB,
        limits="strict",
    ),
    Bad(
        "flat bomb.zip",
        flat_bomb,
        [("Trouble", "", "300 files in it are made of the same bytes as others, as in a zip bomb, and were not read")],
    ),
    Bad(
        "quine.gz",
        lambda: quine(30),
        [("Trouble", "", "compressed more than 3 times over: not unpacked any further")],
    ),
    Bad(
        "deep.tgz",
        lambda: nested(9),
        [
            (
                "Trouble",
                "!/in.tgz!/in.tgz!/in.tgz!/in.tgz!/in.tgz!/in.tgz",
                "archives nested more than 6 deep: this one was not opened",
            )
        ],
        6,
        6 * len(TEXT),
    ),
    Bad("many.tgz", lambda: many_members(100_000), [], 100_000, 500_000, seconds=40.0),
    Bad(
        "too many.tgz",
        lambda: many_members(30_000),
        [("Trouble", "", "it holds more than 20,000 entries; the rest was not read (20,000 files)")],
        20_000,
        100_000,
        limits="strict",
        seconds=12.0,
    ),
    Bad(
        "holes.tgz",
        lambda: tar_of([(f"vpxa.log.FRAG-{n:05d}", TEXT) for n in (0, 1, 3)], "w:gz"),
        [("Trouble", "!/vpxa.log", "fragment 2 is missing; the others were joined")],
        1,
        3 * len(TEXT),
    ),
    Bad(
        "long name.tgz",
        lambda: tar_of([("n" * 10_000, TEXT)], "w:gz"),
        [("Note", "", "1 name in it shown shortened")],
        1,
    ),
    Bad(
        "endless name.tar",
        lambda: long_name(50 * MIB),
        [("Trouble", "", "damaged tar archive; what came before the damage was read (no file)")],
    ),
    Bad(
        "cut UTF-16",
        lambda: (TEXT.decode()).encode("utf-16")[:-1],
        [("Trouble", "", "the UTF-16 text ends in the middle of a character; what came before was read")],
        1,
        len(TEXT) - 1,
    ),
]  # fmt: skip


def long_name(size: int) -> bytes:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    return info.tobuf(tarfile.GNU_FORMAT) + b"n" * size + tar_of([("x", TEXT)])


WAYS = [(bad, way) for bad in TABLE for way in ("file", "stdin") if way == "file" or bad.seconds <= 5]


@pytest.mark.parametrize(("bad", "way"), WAYS, ids=lambda part: part if isinstance(part, str) else part.name)
def test_bad_input_is_named_bounded_and_read_as_far_as_it_goes(tmp_path, bad, way):
    path = tmp_path / bad.name
    path.write_bytes(bad.make())
    command = [sys.executable, "-m", "tests.diagnosis.inputs.probe", bad.limits, str(path) if way == "file" else "-"]
    with path.open("rb") as stdin:
        run = subprocess.run(command, stdin=stdin, capture_output=True, timeout=60, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr.decode()
    told = json.loads(run.stdout)
    shown = str(path) if way == "file" else "-"
    assert [(kind, file.removeprefix(shown), words) for kind, file, words in told["said"]] == bad.said
    assert all(file.startswith(shown) for _, file, _ in told["said"])
    assert told["members"] == bad.members
    assert told["bytes"] >= bad.at_least
    assert told["grown"] < bad.grows
    assert told["seconds"] < bad.seconds


ROOT = Path(__file__).parents[3]


class TestSingleFiles:
    def test_one_unreadable_file_among_others(self, put, tmp_path):
        first, last = put("a.log", TEXT), put("b.log", TEXT)
        out = read(first, tmp_path / "missing.log", "/dev/zero", "x" * 5000, "a\0b", last)
        assert list(out.texts.values()) == [TEXT, TEXT]
        assert out.reasons == ["no such file", "a device, not a file", "file name too long", "embedded null byte"]

    def test_a_file_that_fails_while_it_is_read(self):
        # Reading one's own memory at address 0 is refused by the kernel, for root too.
        assert read("/proc/self/mem").reasons == ["input/output error; what came before was read"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_a_file_and_a_folder_that_are_forbidden(self):
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            place.chmod(0o755)
            (place / "closed").mkdir()
            for file in ("a.log", "locked.log", "closed/b.log"):
                (place / file).write_bytes(TEXT)
            (place / "locked.log").chmod(0)
            (place / "closed").chmod(0)
            become = "import os; from tests.diagnosis.inputs import probe; os.setuid(65534); probe.main()"
            command = [sys.executable, "-c", become, "generous", str(place)]
            run = subprocess.run(command, capture_output=True, timeout=60, check=True, cwd=ROOT)
        told = json.loads(run.stdout)
        assert told["names"] == [f"{place}/a.log"]
        assert sorted(told["said"]) == [
            ["Trouble", f"{place}/closed", "permission denied"],
            ["Trouble", f"{place}/locked.log", "permission denied"],
        ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "record", [b"0 path=x=y\n", b"1=path=x\n", b"9999999999 path=x\n", b"-5 path=x\n", b"=", b" \n", b"\xff"]
)
def test_a_pax_header_whose_lengths_make_no_sense_ends_and_the_entry_is_read(put, tmp_path, record):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(record) * 200
    extended = header.tobuf(tarfile.USTAR_FORMAT) + (record * 200).ljust(-(-header.size // 512) * 512, b"\0")
    out = read(put("b.tar", extended + tar_of([("vpxa.log", TEXT)])), base=tmp_path)
    assert list(out.texts.values()) == [TEXT]
    assert out.errors == []


def test_a_spool_without_room_is_said(put, tmp_path):
    path = put("b.tgz", tar_of([("in.zip", zip_of([("a.log", NOISE)], zipfile.ZIP_STORED)), ("b.log", TEXT)], "w:gz"))
    for folder, words in (
        (tmp_path, "it takes more than 1 MiB of temporary space; the rest was not read"),
        ("/nowhere", "there is no place for a temporary file, which it takes to read this"),
    ):
        run = subprocess.run(
            [sys.executable, "-c", SPOOL, str(path), "/nowhere" if folder == "/nowhere" else ""],
            capture_output=True, timeout=60, check=True, cwd=ROOT,
        )  # fmt: skip
        errors, texts = json.loads(run.stdout)
        assert errors[0][0] == f"{path}!/in.zip"
        assert errors[0][1].startswith(words)
        assert texts == [f"{path}!/b.log"]


SPOOL = """
import json, sys, tempfile
from bot.diagnosis.inputs.member import Limits
from tests.diagnosis.inputs.readout import read
if sys.argv[2]:
    tempfile._candidate_tempdir_list = lambda: [sys.argv[2]]  # as in a container that may write nowhere
out = read(sys.argv[1], limits=Limits(spool=1 << 20))
print(json.dumps([out.errors, list(out.texts)]))
"""
