"""What somebody names becomes units: folders walked, rotated sets oldest first, fragments put together."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import socket

import pytest

from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.rotation import age
from bot.diagnosis.inputs.unit import Unit, units
from tests.diagnosis.inputs.readout import lines, read, tar_of, zip_of

A = lines(2000)


def names(found, base):
    return [unit.name.removeprefix(f"{base}/") for unit in found]


class TestFolders:
    def test_a_folder_is_walked_in_order(self, put, tmp_path):
        for name in ("b/z.log", "b/a.log", "a.log", "c.log"):
            put(name, A)
        found = units([tmp_path])
        assert names(found, tmp_path) == ["a.log", "c.log", "b/a.log", "b/z.log"]
        assert [(unit.size, unit.named) for unit in found] == [(len(A), False)] * 4

    def test_links_to_folders_pipes_and_sockets_are_left_out(self, put, tmp_path):
        put("logs/a.log", A)
        (tmp_path / "logs/again").symlink_to(tmp_path)
        (tmp_path / "logs/nowhere.log").symlink_to("nothing")
        os.mkfifo(tmp_path / "logs/pipe.log")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(tmp_path / "logs/socket.log"))
            assert names(units([tmp_path / "logs"]), tmp_path) == ["logs/a.log"]

    def test_a_file_under_two_names_is_read_once(self, put, tmp_path):
        log = put("var/vpxa.log", A)
        (tmp_path / "var/current.log").symlink_to("vpxa.log")
        os.link(log, tmp_path / "var/zhard.log")
        assert len(units([tmp_path])) == 1

    def test_a_folder_with_nothing_in_it_is_said(self, tmp_path):
        (tmp_path / "empty/deeper").mkdir(parents=True)
        assert read(tmp_path / "empty").errors == [
            (str(tmp_path / "empty"), "a folder without files: there is nothing to read")
        ]

    def test_no_logs_in_a_folder_are_notes_and_no_errors(self, put, tmp_path):
        put("x/disk.vmdk", A)
        put("x/state", bytes(range(256)) * 20)
        put("x/empty.log", b"")
        put("x/vpxa.log", A)
        out = read(tmp_path / "x", base=tmp_path)
        assert (list(out.texts), out.errors) == (["x/vpxa.log"], [])
        assert sorted(out.notes) == [
            ("x/disk.vmdk", "left out: no log by its name (.vmdk)"),
            ("x/empty.log", "empty: there is nothing to read"),
            ("x/state", "binary data, not a log"),
        ]

    def test_a_file_that_is_named_is_read_whatever_its_name(self, put):
        path = put("x.pem", A)
        assert read(path).texts == {str(path): A}


def test_units_pickle_and_keep_their_place(put, tmp_path):
    found = units(["-", put("b.log", A), tmp_path / "missing.log", "x\0y", put("a.log", A)])
    assert names(found, tmp_path) == ["-", "b.log", "missing.log", "x\0y", "a.log"]
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    assert found[0] == Unit("-", None, 0, named=True)


@pytest.mark.parametrize(
    "oldest_first",
    [
        ["vpxa.12.gz", "vpxa.2.gz", "vpxa.1.gz", "vpxa.0.gz", "vpxa.log"],
        ["hostd-9.log", "hostd-386.log", "hostd-387.log.gz", "hostd.log"],
        ["vmkernel.10", "vmkernel.9", "vmkernel.1", "vmkernel"],
        ["vmware-9.log", "vmware-12.log", "vmware.log"],
        ["vpxd-1234.log", "vpxd-1235.log", "vpxd.log"],
        ["messages-20120314", "messages-20120401.xz", "messages"],
        ["vmware-vmsvc.4.log", "vmware-vmsvc.1.log", "vmware-vmsvc.log"],
        ["syslog.log.3.gz", "syslog.log.1", "syslog.log"],
        ["access.2024-01-05.log", "access.2024-11-02.log", "access.2025-01-01.log", "access.log"],
    ],
)
def test_a_rotated_set_is_read_oldest_first(put, tmp_path, oldest_first):
    for name in oldest_first:
        put(f"logs/{name}", A)
    put("logs/a first other.log", A)
    put("logs/zz the last other.log", A)
    found = names(units([tmp_path / "logs"]), tmp_path / "logs")
    assert found == ["a first other.log", *oldest_first, "zz the last other.log"]
    shuffled = sorted(oldest_first)
    random.Random(3).shuffle(shuffled)
    named = units([tmp_path / "logs" / name for name in [*shuffled, "a first other.log"]])
    assert names(named, tmp_path / "logs") == [*oldest_first, "a first other.log"]


def test_logs_of_two_hosts_are_not_one_set(put, tmp_path):
    for name in ("esx2/vpxa.0.gz", "esx2/vpxa.log", "esx1/vpxa.0.gz", "esx1/vpxa.log"):
        put(name, A)
    given = ["esx2/vpxa.log", "esx1/vpxa.log", "esx2/vpxa.0.gz", "esx1/vpxa.0.gz"]
    assert names(units([tmp_path / name for name in given]), tmp_path) == [
        "esx2/vpxa.0.gz", "esx1/vpxa.0.gz", "esx2/vpxa.log", "esx1/vpxa.log",
    ]  # fmt: skip


def test_any_name_has_an_age():
    for name in ("", ".", "-", ".gz", ".log", "1", "a" * 9000, "x.99999999999999999999999", "-1-2-3", "\n.1", "…-٣"):
        age(name)


TEXT = b"".join(lines(1, number) for number in range(9000))
SIZE = 100_000
PIECES = [TEXT[at : at + SIZE] for at in range(0, len(TEXT), SIZE)]
FRAGMENTS = [(f"esx1/var/log/vpxa.log.FRAG-{number:05d}", piece) for number, piece in enumerate(PIECES)]
OTHER = ("esx1/commands/df.txt", b"text\n" * 10)


def shuffled(entries, seed=1):
    mixed = list(entries)
    random.Random(seed).shuffle(mixed)
    return mixed


class TestFragments:
    @pytest.mark.parametrize(
        "entries",
        [
            [*FRAGMENTS, OTHER],
            [OTHER, *FRAGMENTS[::-1]],
            shuffled([*FRAGMENTS, OTHER]),
            [*FRAGMENTS, *FRAGMENTS, OTHER],
        ],
        ids=["in order", "backwards", "mixed up", "twice"],
    )
    @pytest.mark.parametrize(
        "pack", [tar_of, lambda entries: tar_of(entries, "w:gz"), zip_of], ids=["tar", "tgz", "zip"]
    )
    def test_they_are_joined_as_reconstruct_sh_does(self, put, tmp_path, entries, pack):
        entries = dict(entries).items() if pack is zip_of else entries  # no zip archive has a name twice
        out = read(put("b", pack(entries)), base=tmp_path)
        assert out.texts == {"b!/esx1/var/log/vpxa.log": TEXT, "b!/esx1/commands/df.txt": OTHER[1]}
        assert (out.errors, out.notes) == ([], [])

    def test_a_set_that_is_whole_comes_in_its_place(self, put):
        out = read(put("b", tar_of([*FRAGMENTS, OTHER])))
        assert [name.split("/")[-1] for name in out.texts] == ["vpxa.log", "df.txt"]

    def test_a_writer_with_uneven_fragments_loses_nothing(self, put, tmp_path):
        cut = [0, 50_000, 80_000, 130_000, len(TEXT)]
        entries = [(f"vpxa.log.FRAG-{at:05d}", TEXT[cut[at] : cut[at + 1]]) for at in range(4)]
        (unit,) = units([put("b", tar_of(entries))])
        buffer, text = memoryview(bytearray(1 << 20)), b""
        for item in members(unit):
            assert item.name == f"{tmp_path}/b!/vpxa.log"
            while size := item.readinto(buffer):
                text += bytes(buffer[:size])
        assert text == TEXT

    def test_several_sets_in_one_archive(self, put, tmp_path):
        sets = [(f"{host}/{name}", piece) for name, piece in FRAGMENTS for host in ("a", "b", "c")]
        out = read(put("b.tgz", tar_of(sets, "w:gz")), base=tmp_path)
        assert out.texts == {f"b.tgz!/{host}/esx1/var/log/vpxa.log": TEXT for host in ("a", "b", "c")}

    def test_a_bundle_in_fragments_in_a_bundle(self, put, tmp_path):
        inner = tar_of([("vpxd.log", TEXT)], "w:gz")
        parts = [(f"vc-support.tar.gz.FRAG-{at:05d}", inner[at * 3000 : at * 3000 + 3000]) for at in range(99)]
        out = read(put("wcp.tar", tar_of([part for part in parts if part[1]])), base=tmp_path)
        assert out.texts == {"wcp.tar!/vc-support.tar.gz!/vpxd.log": TEXT}

    @pytest.mark.parametrize(
        ("gone", "words"),
        [
            ({2}, "fragment 2 is missing; the others were joined"),
            ({0}, "fragment 0 is missing; the others were joined"),
            ({1, 2, 5}, "fragments 1 to 2, 5 are missing; the others were joined"),
        ],
    )
    @pytest.mark.parametrize("way", ["tgz", "folder"])
    def test_a_hole_is_said_and_ends_a_line(self, put, tmp_path, gone, words, way):
        kept = [fragment for number, fragment in enumerate(FRAGMENTS) if number not in gone]
        if way == "tgz":
            out = read(put("b.tgz", tar_of(kept, "w:gz")), base=tmp_path)
        else:
            for name, piece in kept:
                put(name, piece)
            out = read(tmp_path / "esx1", base=tmp_path)
        ((name, text),) = out.texts.items()
        assert out.errors == [(name, words)]
        expected = b""
        for number, piece in enumerate(PIECES):
            if number not in gone:
                expected += (b"\n" if expected and number - 1 in gone else b"") + piece
        assert text == expected

    def test_in_a_folder_they_are_one_unit(self, put, tmp_path):
        for name, piece in shuffled(FRAGMENTS):
            put(name, piece)
        put("esx1/var/log/hostd.log", A)
        (hostd, vpxa) = units([tmp_path])
        assert (hostd.name, vpxa.name) == (f"{tmp_path}/esx1/var/log/hostd.log", f"{tmp_path}/esx1/var/log/vpxa.log")
        assert (vpxa.size, len(vpxa.fragments)) == (len(TEXT), len(PIECES))
        out = read(tmp_path, base=tmp_path)
        assert out.texts == {"esx1/var/log/vpxa.log": TEXT, "esx1/var/log/hostd.log": A}

    def test_named_one_by_one_they_are_one_unit(self, put):
        paths = [put(name, piece) for name, piece in shuffled(FRAGMENTS)]
        (unit,) = units(paths)
        assert unit.named
        assert list(read(*paths).texts.values()) == [TEXT]

    def test_packed_fragments_in_a_folder(self, put, tmp_path):
        packed = gzip.compress(TEXT)
        for number in range(4):
            put(f"vpxa.0.gz.FRAG-{number:05d}", packed[number * 20_000 :][: 20_000 if number < 3 else None])
        assert list(read(tmp_path).texts.values()) == [TEXT]

    def test_one_that_cannot_be_read_is_a_hole(self, put, tmp_path):
        for name, piece in FRAGMENTS:
            put(name, piece)
        lost = tmp_path / FRAGMENTS[3][0]
        found = units([tmp_path])
        assert len(found) == 1
        lost.unlink()
        lost.mkdir()  # what nobody can read, not even root
        out = read(*found[0].fragments, base=tmp_path)
        assert out.reasons[0].startswith("fragment 3 is missing; the others were joined")
        assert next(iter(out.texts.values())).endswith(PIECES[-1])

    def test_fragments_of_what_is_no_log_are_not_kept(self, put, tmp_path):
        core = bytes(range(256)) * 900
        entries = [(f"core.hostd.FRAG-{n:05d}", core) for n in range(3)]
        entries += [(f"state.FRAG-{n:05d}", core) for n in range(3)]
        out = read(put("b.tgz", tar_of([*entries, OTHER], "w:gz")), base=tmp_path)
        assert out.notes == [
            (
                "b.tgz",
                "1 file of it read; left out: 1 not text, 1 of which the name says that it is no log (memory dumps)",
            )
        ]
