"""Archives of every kind give out the logs in them, nested or not, and say what they left out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime

import pytest

from bot.diagnosis.inputs.member import Limits
from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.unit import units
from tests.diagnosis.inputs.readout import lines, read, tar_of, zip_of

A, B = lines(3000), lines(2000, 5000)
BUNDLE = [("esx1/var/log/vpxa.log", A), ("esx1/var/log/hostd.0.gz", gzip.compress(B)), ("esx1/core.vmx", b"\x7fELF")]
NAMES = ("esx1/var/log/vpxa.log", "esx1/var/log/hostd.0.gz")
LEFT_OUT = "2 files of it read; left out: 1 of which the name says that it is no log (memory dumps)"


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("b.tar", tar_of(BUNDLE)),
        ("b.tgz", tar_of(BUNDLE, "w:gz")),
        ("b.txz", tar_of(BUNDLE, "w:xz")),
        ("b.tbz", tar_of(BUNDLE, "w:bz2")),
        ("gnu.tgz", tar_of(BUNDLE, "w:gz", format=tarfile.GNU_FORMAT)),
        ("ustar.tgz", tar_of(BUNDLE, "w:gz", format=tarfile.USTAR_FORMAT)),
        ("pax.tgz", tar_of(BUNDLE, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * 9000})),
        ("b.zip", zip_of(BUNDLE)),
        ("stored.zip", zip_of(BUNDLE, zipfile.ZIP_STORED)),
        ("bz2.zip", zip_of(BUNDLE, zipfile.ZIP_BZIP2)),
        ("behind another.zip", zip_of([("old.log", B)]) + zip_of(BUNDLE)),
        ("named like a log.log", zip_of(BUNDLE)),
    ],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_an_archive_gives_out_its_logs(put, tmp_path, name, packed, way):
    if way == "file":
        out = read(put(name, packed), base=tmp_path)
    else:
        name, out = "-", read("-", stdin=io.BytesIO(packed))
    ordered = {f"{name}!/{NAMES[0]}": A, f"{name}!/{NAMES[1]}": B}
    assert (out.texts, out.errors) == (ordered, [])
    assert out.notes == [(name, LEFT_OUT)]
    assert all(member.named for member in out.opened)


def test_bundles_in_bundles(put, tmp_path):
    host = tar_of(BUNDLE, "w:gz")
    inner = zip_of([("esx1.tgz", host), ("vc/vpxd.log", A)])
    path = put("a.zip", zip_of([("esx1.tgz", host), ("more/inner.zip", inner), ("vc.tar", tar_of([("b.tgz", host)]))]))
    out = read(path, base=tmp_path)
    assert out.errors == []
    assert set(out.texts) == {
        f"a.zip!/{place}!/{name}"
        for place in ("esx1.tgz", "more/inner.zip!/esx1.tgz", "vc.tar!/b.tgz")
        for name in NAMES
    } | {"a.zip!/more/inner.zip!/vc/vpxd.log"}
    assert set(out.texts.values()) == {A, B}


class TestTar:
    @pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    @pytest.mark.parametrize("size", [99, 100, 101, 155, 255, 256, 257, 600, 1025])
    def test_long_names(self, put, tmp_path, kind, size):
        name = "/".join(["d" * 49] * 20 + ["vpxa.log"])[-size:].lstrip("/")
        out = read(put("b.tar", tar_of([(name, A), ("after.log", B)], format=kind)), base=tmp_path)
        assert out.texts == {f"b.tar!/{name}": A, "b.tar!/after.log": B}

    def test_names_that_ustar_splits(self, put, tmp_path):
        name = "d" * 120 + "/vpxa.log"
        out = read(put("b.tar", tar_of([(name, A)], format=tarfile.USTAR_FORMAT)), base=tmp_path)
        assert out.texts == {f"b.tar!/{name}": A}

    @pytest.mark.parametrize(
        "form", ["gnu", "posix --sparse-version=1.0", "posix --sparse-version=0.1", "posix --sparse-version=0.0"]
    )
    def test_sparse_files_without_their_holes(self, tmp_path, form):
        log = tmp_path / "vpxa.log"
        with log.open("wb") as file:
            for place in range(9):  # more runs than fit into the first header
                file.seek(place * 300_000)
                file.write(A[:4096])
        command = f"tar -S -H {form} -cf {tmp_path}/b.tar -C {tmp_path} vpxa.log"
        subprocess.run(command.split(), check=True, timeout=30)
        with tarfile.open(tmp_path / "b.tar") as made:
            assert made.getmembers()[0].issparse(), "this file system keeps no holes"
        out = read(tmp_path / "b.tar", base=tmp_path)
        (text,) = out.texts.values()
        assert (list(out.texts), out.errors) == (["b.tar!/vpxa.log"], [])
        assert text.replace(b"\0", b"") == A[:4096] * 9
        assert len(text) < 9 * 65_536, "the holes are not read"

    def test_old_tars_without_a_mark(self, put, tmp_path):
        made = bytearray(tar_of([("vpxa.log", A)], format=tarfile.USTAR_FORMAT))
        made[257:265] = bytes(8)
        made[148:156] = b" " * 8
        made[148:156] = b"%06o\0 " % sum(made[:512])
        assert read(put("b.tar", bytes(made)), base=tmp_path).texts == {"b.tar!/vpxa.log": A}

    def test_times_come_from_the_archive(self, put):
        plain, exact = tarfile.TarInfo("a.log"), tarfile.TarInfo("b.log")
        plain.mtime, exact.mtime = 1_000_000_000, 1_000_000_000.5
        out = read(put("b.tar", tar_of([(plain, A), (exact, A)], format=tarfile.PAX_FORMAT)))
        assert [member.modified for member in out.opened] == [
            datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC),
            datetime(2001, 9, 9, 1, 46, 40, 500_000, tzinfo=UTC),
        ]

    def test_what_tar_makes_of_a_tree(self, tmp_path):
        tree = tmp_path / "esx1"
        (tree / "var/log").mkdir(parents=True)
        (tree / "var/log/vpxa.log").write_bytes(A)
        (tree / "var/log/link").symlink_to("vpxa.log")
        os.link(tree / "var/log/vpxa.log", tree / "var/log/hard")
        os.mkfifo(tree / "var/pipe")
        subprocess.run(["tar", "czf", tmp_path / "b.tgz", "-C", tmp_path, "./esx1"], check=True, timeout=30)
        out = read(tmp_path / "b.tgz", base=tmp_path)
        assert list(out.texts.values()) == [A]
        assert all(name.startswith("b.tgz!/esx1/var/log/") for name in out.texts)
        assert out.notes == [("b.tgz", "1 file of it read; left out: 2 links, 1 device")]


class TestZip:
    def test_times(self, put):
        out = read(put("b.zip", zip_of([(zipfile.ZipInfo("a.log", (2012, 3, 14, 16, 31, 46)), A)])))
        assert out.opened[0].modified == datetime(2012, 3, 14, 16, 31, 46, tzinfo=UTC)

    def test_streamed_zips_and_those_of_64_bits(self, put, tmp_path):
        class Pipe(io.RawIOBase):
            def __init__(self):
                self.data = bytearray()

            def writable(self):
                return True

            def write(self, data):
                self.data += data
                return len(data)

        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open(zipfile.ZipInfo("esx1/vpxa.log"), "w", force_zip64=True) as entry:
                entry.write(A)
            archive.writestr("hostd.log", B)
        out = read(put("b.zip", bytes(pipe.data)), base=tmp_path)
        assert out.texts in (
            {"b.zip!/esx1/vpxa.log": A, "b.zip!/hostd.log": B},
            {"b.zip!/hostd.log": B, "b.zip!/esx1/vpxa.log": A},
        )
        assert not out.errors

    def test_more_entries_than_16_bits_can_count(self, tmp_path):
        path = tmp_path / "b.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(66_000):
                archive.writestr(f"{number}.vmdk", b"")
            archive.writestr("vpxa.log", A)
        out = read(path, base=tmp_path)
        assert (out.texts, out.errors) == ({"b.zip!/vpxa.log": A}, [])

    def test_rotated_logs_come_in_the_order_of_time(self, put):
        names = ["esx/vpxa.log", "esx/vpxa.0.gz", "esx/vpxa.1.gz", "esx/vpxa.10.gz"]
        out = read(put("b.zip", zip_of([(name, lines(3)) for name in names])))
        assert [name.split("!/")[1] for name in out.texts] == names[::-1]

    def test_names_that_are_not_utf_8(self, put, tmp_path):
        made = zip_of([("caf?.log", A)]).replace(b"caf?", b"caf\x82")
        assert read(put("b.zip", made), base=tmp_path).texts == {"b.zip!/café.log": A}


def entry(name, kind, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


class TestHostileNames:
    ENTRIES = (
        ("../../etc/cron.d/evil.log", A),
        ("/etc/shadow.log", B),
        ("bad\x1b[2J\u202egol.log", A),
    )
    NAMES = ("b!/../../etc/cron.d/evil.log", "b!/etc/shadow.log", r"b!/bad\x1b[2J\u{202e}gol.log")

    @pytest.mark.parametrize("pack", [tar_of, zip_of])
    def test_they_are_shown_safely_and_lead_nowhere(self, put, tmp_path, pack):
        before = set(tmp_path.rglob("*"))
        path = put("b", pack(self.ENTRIES))
        out = read(path, base=tmp_path)
        assert set(out.texts) == set(self.NAMES)
        assert out.notes == [
            (
                "b",
                "2 names in it absolute or leading out of it; nothing is written to disk, so that does no harm",
            )
        ]
        assert set(tmp_path.rglob("*")) - before == {path}

    def test_links_and_devices_in_a_tar_are_counted_and_nothing_else(self, put, tmp_path):
        entries = [
            (entry("passwd.log", tarfile.SYMTYPE, linkname="/etc/passwd"), b""),
            (entry("shadow.log", tarfile.LNKTYPE, linkname="../../etc/shadow"), b""),
            (entry("zero.log", tarfile.CHRTYPE, devmajor=1, devminor=5), b""),
            (entry("pipe.log", tarfile.FIFOTYPE), b""),
            ("vpxa.log", A),
        ]
        out = read(put("b.tar", tar_of(entries)), base=tmp_path)
        assert out.texts == {"b.tar!/vpxa.log": A}
        assert out.notes == [("b.tar", "1 file of it read; left out: 2 links, 2 devices")]

    def test_links_and_devices_in_a_zip_too(self, put, tmp_path):
        link, device = zipfile.ZipInfo("l.log"), zipfile.ZipInfo("d.log")
        link.external_attr, device.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFCHR | 0o666) << 16
        out = read(put("b.zip", zip_of([(link, b"/etc/passwd"), (device, b"x"), ("vpxa.log", A)])), base=tmp_path)
        assert out.texts == {"b.zip!/vpxa.log": A}
        assert out.notes == [("b.zip", "1 file of it read; left out: 1 link, 1 device")]

    @pytest.mark.parametrize("pack", [tar_of, zip_of])
    def test_a_name_of_ten_kilobytes_is_shortened(self, put, tmp_path, pack):
        out = read(put("b", pack([("n" * 10_000 + ".log", A)])), base=tmp_path, limits=Limits(name=100))
        assert out.texts == {f"b!/{'n' * 50}…{'n' * 46}.log": A}
        assert out.notes == [("b", "1 name in it shown shortened")]


class TestOnlyLogs:
    def test_what_is_no_log_is_left_out_and_counted(self, put, tmp_path):
        entries = [
            ("vpxa.log", A),
            ("disk.vmdk", A),
            ("other-flat.vmdk", A),
            ("vpxd/inventory.db", b"SQLite format 3\0"),
            ("state", bytes(range(256)) * 40),
            ("nuls", bytes(9000)),
            ("hostd.log", b""),
            ("commands/esxcli.txt", b"text is read whatever it is\n"),
            ("core.hostd", b"\x7fELF"),
        ]
        out = read(put("b.tgz", tar_of(entries, "w:gz")), base=tmp_path)
        assert list(out.texts) == ["b.tgz!/vpxa.log", "b.tgz!/commands/esxcli.txt"]
        assert out.errors == []
        assert out.notes == [
            (
                "b.tgz",
                (
                    "2 files of it read; left out: 1 empty, 2 not text, 4 of which the name says that it is no log "
                    "(.vmdk, .db, memory dumps)"
                ),
            )
        ]

    def test_an_archive_without_a_log_is_an_error(self, put, tmp_path):
        out = read(put("b.tar", tar_of([("disk.vmdk", A), ("x", b"")])), put("e.zip", zip_of([])), base=tmp_path)
        assert out.errors == [
            ("b.tar", "no log in it, only 1 empty, 1 of which the name says that it is no log (.vmdk)"),
            ("e.zip", "no log in it"),
        ]


def test_members_that_nobody_reads_are_passed_over(put):
    entries = [(f"{number}.log", lines(1000, number)) for number in range(5)]
    for mode in ("w", "w:gz"):
        (unit,) = units([put("b.tar", tar_of(entries, mode))])
        assert [item.name.split("!/")[1] for item in members(unit)] == [name for name, _ in entries]


def test_utf_16_in_a_zip_in_xz(put, tmp_path):
    text = "größer\n" * 4000
    packed = lzma.compress(zip_of([("vpxd.log.bz2", bz2.compress(text.encode("utf-16")))]))
    assert read(put("b.zip.xz", packed), base=tmp_path).texts == {"b.zip.xz!/vpxd.log.bz2": text.encode()}
