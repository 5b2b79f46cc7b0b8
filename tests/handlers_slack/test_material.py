"""Logs as people hand them over: as they were pasted, told from talk, and told by their bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from bot.errors import UserError
from handlers.slack.material import Part, as_pasted, is_log, named_as_log, packed, require_log

LINE = "2012-03-14T16:31:45.288 [27E81B90 error 'Libs' opID=C65743A5-0000024D] [NFC ERROR] NfcNetTcpWrite: bWritten: -1"


@pytest.mark.parametrize(
    ("text", "pasted"),
    [
        (LINE, LINE),
        (f"```\n{LINE}\n```", LINE),
        (f"```{LINE}```", LINE),
        (f"look:\n```{LINE}\n{LINE}```\nand now?", f"look:\n\n{LINE}\n{LINE}\n\nand now?"),
        (f"`{LINE}`", LINE),
        (f"&gt; {LINE}\n&gt;{LINE}", f"{LINE}\n{LINE}"),
        ("a &lt;b&gt; &amp;&amp; c &amp;lt;d", "a <b> && c &lt;d"),
        ("to <http://esx-01.example.net|esx-01.example.net>:902", "to esx-01.example.net:902"),
        ("GET <https://esx-01/folder/x?a=1&amp;b=2>", "GET https://esx-01/folder/x?a=1&b=2"),
        ("user <mailto:root@esx.local|root@esx.local>", "user root@esx.local"),
        ("user <mailto:root@esx.local>", "user root@esx.local"),
        ("call <tel:+4912345|+49 12345>", "call +49 12345"),
        ("by <@U0ALICE001|alice> in <#C1|ops>, <@U0BOB00001>", "by @alice in #ops, @U0BOB00001"),
        ("<!channel> &lt;!channel&gt; <!subteam^S1|@vm-ops>", "@channel <!channel> @vm-ops"),
        ("<!date^1392734382^{date}|14 March>", "14 March"),
        ("at 16:\u206031:45\ufeff", "at 16:31:45"),
        ("", ""),
    ],
)
def test_what_slack_made_of_it_is_undone(text, pasted):
    assert as_pasted(text) == pasted


@pytest.mark.parametrize(
    ("text", "log", "asked"),
    [
        (LINE, True, True),
        ("NfcFssrvrRecv: failed", True, True),
        ("the copy failed again", False, True),
        ("A general system error occurred", False, True),
        ("thanks, see you tomorrow", False, False),
        ("", False, False),
    ],
)
def test_a_log_is_told_from_talk(text, log, asked):
    assert is_log(text, asked=False) is log
    assert is_log(text, asked=True) is asked


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("vpxa.log", True),
        ("VPXA.LOG", True),
        ("vpxa.3.gz", True),
        ("vpxa-3.log", True),
        ("hostd.log.1", True),
        ("esx-01-vm-support.tgz", True),
        ("bundle.zip", True),
        ("holiday.png", False),
        ("minutes.docx", False),
        (".log", False),
        ("", False),
        ("catalog", False),
    ],
)
def test_a_name_tells_what_may_be_a_log(name, is_one):
    assert named_as_log(name) is is_one


def _tar(*, compressed: bool) -> bytes:
    room = io.BytesIO()
    with tarfile.open(fileobj=room, mode="w:gz" if compressed else "w") as archive:
        member = tarfile.TarInfo("var/log/vpxa.log")
        member.size = len(LINE)
        archive.addfile(member, io.BytesIO(LINE.encode()))
    return room.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        LINE.encode(),
        gzip.compress(LINE.encode()),
        _tar(compressed=True),
        _tar(compressed=False),
        packed([Part("a", b"1"), Part("b", b"2")]).data,
        LINE.encode("utf-16"),
        LINE.encode() + bytes(100),
        b"\x1b[31m" + LINE.encode("latin-1"),
        b"caf\xe9 " * 100,
    ],
)
def test_a_log_is_taken_whatever_it_is_called(data):
    require_log(Part("holiday.png", data))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"\x28\xb5\x2f\xfd\x24", "zstd"),
        (bytes(5000), "is no text"),
        (bytes(range(1, 9)) * 500, "is no text"),
    ],
)
def test_what_is_no_log_is_refused_whatever_it_is_called(data, said):
    with pytest.raises(UserError, match=f"vpxa.log.*{said}"):
        require_log(Part("vpxa.log", data))


def test_one_log_stays_what_it_is():
    assert packed([Part("vpxa.log", b"x")]) == Part("vpxa.log", b"x")


def test_several_logs_are_one_archive_with_their_names_and_none_lost():
    whole = packed([Part("", b"1"), Part("vpxa.log", b"2"), Part("vpxa.log", b"3"), Part("../../etc/x\\y:z", b"4")])
    with zipfile.ZipFile(io.BytesIO(whole.data)) as archive:
        assert archive.namelist() == ["pasted-1.txt", "vpxa.log", "2-vpxa.log", ".._.._etc_x_y_z"]
        assert [archive.read(name) for name in archive.namelist()] == [b"1", b"2", b"3", b"4"]
    assert whole.name == "4 logs.zip"
