"""Numbers are decoded as they were published, and not where nobody says whose they are."""

from __future__ import annotations

import pytest

from bot.diagnosis.numbers import Family, decode, numbers_in
from bot.diagnosis.numbertables import DISKLIB, ERRNO, FILEIO, NBD, NFC, VIX, VMKERNEL, WINDOWS

# Number, what stands beside it in a public source.
PUBLISHED = [
    (393225, "no such device or address"),  # ghettoVCB 202
    (1048585, "device or resource busy"),  # KB 414717
    (327682, "input/output error"),  # ghettoVCB 257
    (1638402, "inappropriate ioctl for device"),  # ghettoVCB 257
    (1835010, "no space left on device"),  # vsphere-storage-for-docker 489
    (16392, "failed to lock the file"),  # ghettoVCB 226
    (802, "NBD_ERR_INSUFFICIENT_RESOURCES"),  # kaseya 4407510519441
    (2338, "NBD_ERR_NETWORK_CONNECT"),  # velero-plugin 118
    (4898, "NBD_ERR_DISKLIB"),  # Windows-Admin-Center 318
    (290, "NBD_ERR_GENERIC"),
    (195887107, "not found"),  # nfs-ganesha 386
    (0xBAD0014, "out of memory"),
    (195887137, "timeout"),
    (195887167, "connection closed by the remote host"),
]

LINES = [
    (
        "[NFC ERROR] NfcFssrvrProcessErrorMsg: received NFC error 5 from server: Failed to allocate 24 bytes",
        [Family.NFC],
    ),
    ("Clone: 100% done.Failed to clone disk: No such device or address (393225).", [Family.DISKLIB]),
    ("Failed to open '/a.vmdk' with flags 0x8 Failed to lock the file (16392).", [Family.DISKLIB]),
    (
        "VixDiskLib_Read. Error 2 (Memory allocation failed.) (DiskLib error 802: NBD_ERR_INSUFFICIENT_RESOURCES)",
        [Family.VIX, Family.DISKLIB],
    ),
    ("Failed to open disk using NFC. VixError 1 at 1166.", [Family.VIX]),
    ("Open virtual disk file failed. The error code is 14009. with error code: 14009", [Family.VIX]),
    ("OBJLIB-FILEBE : ioctl FOO(3030) failed on '/a.vmdk' : Input/output error (327682)", [Family.DISKLIB]),
    ("NfcNetTcpRead: bRead: -1, errno 104: Connection reset by peer, session 5", [Family.ERRNO]),
    ("<urlopen error [WinError 10061] refused>", [Family.WINDOWS]),
    ("Failed waiting for data. Error 195887167. Connection closed by remote host", [Family.VMKERNEL]),
    ("Migrate: 296: Failed: Timeout (0xbad0021) @0x41800f61cee2", [Family.VMKERNEL]),
]

SILENT = [
    'DISKLIB-VMFS  : "/a-flat.vmdk" : open successful (15) size = 17179869184, hd = 20972519. Type 3',
    "cpu3:1037)FS3: 1974: Checking if lock holders are live",
    "USBArbLib: Failed to connect to USB Arbitrator. Error(0x6): Connection error.",
    "transfer took 110 s at 16 MB/s, 5 of 5 files, port 902",
    "error 999999999999999999 (overflow)",
    "",
]


@pytest.mark.parametrize(("number", "told"), PUBLISHED)
def test_a_number_says_what_was_published_beside_it(number, told):
    meaning = decode(number)
    assert meaning is not None
    assert told in str(meaning)
    assert meaning.source
    assert decode(str(number)) == meaning


@pytest.mark.parametrize(("line", "families"), LINES)
def test_the_numbers_of_a_line_are_told_in_its_order(line, families):
    assert [meaning.family for meaning in numbers_in(line)] == families


@pytest.mark.parametrize("line", SILENT)
def test_a_number_that_nobody_names_stays_a_number(line):
    assert numbers_in(line) == []
    assert decode(line) is None


def test_small_numbers_are_ambiguous_without_their_family():
    assert decode(5) is None
    assert decode("13") is None
    assert decode("NFC error 5").family is Family.NFC
    assert decode("errno 5").family is Family.ERRNO
    assert decode("VixError 13").name == "VIX_E_FILE_ACCESS_ERROR"


def test_hexadecimal_and_decimal_are_one_number():
    assert decode("0x60009").words == decode(393225).words
    assert str(decode("0x60009")) == "0x60009 = DiskLib ENXIO, system error 6: no such device or address"


def test_a_system_error_out_of_the_list_is_still_told_from_its_shape():
    meaning = decode((250 << 16) | 9)
    assert meaning.errno == 250
    assert "250" in str(meaning)


def test_a_known_class_with_an_unknown_code_is_not_guessed():
    assert decode(0xEE22) is None
    assert decode(0x0BADFFFF) is None


def test_a_vix_error_keeps_its_meaning_under_the_detail_in_its_upper_half():
    assert decode(f"VixError {(7 << 16) | 14009}").name == "VIX_E_HOST_NETWORK_CONN_REFUSED"


def test_the_tables_are_tidy():
    for table in (NBD, FILEIO, VIX, VMKERNEL, ERRNO, WINDOWS):
        names = [entry.name for entry in table.values()]
        assert len(names) == len(set(names))
        assert list(table) == sorted(table)
    words = [*NFC.values(), *DISKLIB.values(), *(entry.words for entry in VMKERNEL.values())]
    assert all(text and not text.endswith(".") for text in words)
