"""Each sample is read by its own format and no other, into what it promises; the promises are checked, too."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot.diagnosis.event import Event, LogKind, SourceLine
from bot.diagnosis.formats import HeaderReader, check_samples, load_formats
from bot.errors import UserError

FORMATS = load_formats()
LOG_FORMATS = Path(__file__).parents[4] / "shared/corpus/LOG_FORMATS.md"


def test_every_sample_is_read_as_it_promises():
    assert check_samples(FORMATS) == []


STAMPS = {"timestamp", "wall", "date", "time"}


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.id)
def test_what_a_format_can_read_its_samples_look_at(known):
    """What a pattern reads and no sample looks at, nobody would miss."""
    groups = {name.rstrip("0123456789") for name in re.findall(r"\(\?P<(\w+)>", " ".join(known.patterns))}
    promised = {"severity" if key == "level" else key for sample in known.samples for key in sample}
    assert groups - STAMPS <= promised
    assert not groups & STAMPS or promised & STAMPS


def test_a_promise_that_is_not_kept_is_told():
    known = FORMATS[0]
    twisted = replace(known, samples=({**known.samples[0], "thread": "other"},))
    (complaint,) = check_samples([twisted, *FORMATS[1:]])
    assert complaint.startswith(f"format {known.id}: thread is 'F6417B90', expected 'other': ")


def test_a_format_that_reads_anothers_lines_is_told():
    rival = replace(FORMATS[0], id="rival", patterns=(r"^\[2012-",), samples=())
    assert f"format {FORMATS[0].id}: also read by rival: {FORMATS[0].samples[0]['text']}" in check_samples(
        [*FORMATS, rival]
    )


@pytest.mark.skipif(not LOG_FORMATS.is_file(), reason="the shared corpus is not on this machine")
def test_every_published_example_is_a_sample():
    lines = re.findall(r"^```\n(.*?)^```", LOG_FORMATS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    samples = {sample["text"] for known in FORMATS for sample in known.samples}
    assert [line for block in lines for line in block.splitlines() if line not in samples] == []


def test_formats_are_data_and_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(FORMATS)) == FORMATS  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("own.toml", 'id = "x"\ntitle = "x"\npatterns = ["(?&nothing)"]\nsamples = [{ text = "x" }]', "patterns: "),
        ("own.toml", 'id = "x"\ntitle = "x"\npatterns = ["€"]\nsamples = [{ text = "x" }]', "only Latin-1 letters"),
        ("parts.toml", "stamp = ", "not TOML"),
    ],
)
def test_a_mistake_in_ones_own_formats_is_told_when_they_are_loaded(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=rf"{name}: .*{complaint}"):
        load_formats(tmp_path)


def test_parts_may_be_ones_own_or_those_that_are_shipped(tmp_path):
    (tmp_path / "own.toml").write_text(
        'id = "x"\ntitle = "x"\npatterns = ["^(?&when) own"]\nsamples = [{ text = "2020-01-02T03:04:05Z own" }]',
        encoding="utf-8",
    )
    assert check_samples(load_formats(tmp_path)) == []
    (tmp_path / "parts.toml").write_text("when = '(?P<process>w+)'", encoding="utf-8")
    (own,) = load_formats(tmp_path)
    assert own.read("ww own").process == "ww"


MESSAGES_OF_ESXI_4 = (  # virtuallyhyper.com, 2012-03-26; the last two lines from elsewhere in the same file format
    ("Apr 7 17:33:20 esx_host Hostd: [2012-04-07 17:33:20.492 32AE9B90 error 'App'] Backtrace:", LogKind.HOSTD),
    ("Apr 7 17:33:20 esx_host Hostd: [00] rip 17c6bbf3", LogKind.HOSTD),
    ("Apr 7 17:41:03 esx_host vmkernel: 17:19:52:55.582 cpu6:3476319)User: 2428: wantCoreDump", LogKind.VMKERNEL),
    ("Apr 7 17:41:04 esx_host Vpxa: [2012-04-07 17:41:04.100 32AE9B90 info 'App'] x", LogKind.VPXA),
    ("Apr 7 17:41:04 esx_host vobd: Apr 07 17:41:04.285: 171974745962us:  Lost connectivity", LogKind.VOBD),
)


def test_each_line_of_a_file_of_many_programs_has_its_own():
    reader = HeaderReader(FORMATS)
    for text, kind in MESSAGES_OF_ESXI_4 * 2:
        header = reader.read(text)
        assert (Event(SourceLine("messages", 1, text), header).kind, header.host) == (kind, "esx_host")


@pytest.mark.parametrize(
    ("text", "file", "kind"),
    [
        ("2023-08-08T15:08:36.834Z Wa(180) vmkwarning: cpu0:263421)WARNING: x", "x.log", LogKind.VMKERNEL),
        ("2025-12-11T16:43:26.181Z In(166) Vpxa[169980]: [Originator@6876 sub=x] y", "hostd.log", LogKind.VPXA),
        ("2017-08-30T19:38:06.425Z| vmx| I125: x", "x.log", LogKind.VMWARE),
        ("2020-07-20T12:28:41.805Z| host-27| W115: x", "vmware.log", LogKind.CLIENT),
        ("nbdkit: vddk[3]: error: x", "import.txt", LogKind.CLIENT),
        ("2020-04-08T20:26:46.680-07:00 error -[00724] [Originator@6876 sub=Default] x", "vddk.log", LogKind.CLIENT),
        ("2020-04-08T20:26:46.680-07:00 error -[00724] [Originator@6876 sub=Default] x", "vpxd.log", LogKind.VPXD),
        ("2021-01-01T00:00:00.000Z info hbrsrv[012] [Originator@6876 sub=Main] x", "x", LogKind.HBRSRV),
        ("no header", "vmware-converter-worker-1.log", LogKind.CLIENT),
        ("no header", "vmware-3.log", LogKind.VMWARE),
        ("no header", "notes", None),
    ],
)
def test_the_kind_of_log_follows_from_the_program_and_else_from_the_file(text, file, kind):
    assert Event(SourceLine(file, 1, text), HeaderReader(FORMATS).read(text)).kind == kind


@pytest.mark.parametrize(
    "before", ["  ", "\t", "> ", "vpxa.log:", "/var/log/vpxa.log:17:", "vpxa.0.gz:", "vpxa.log-3-"]
)
def test_what_a_paste_or_grep_puts_before_a_line_does_no_harm(before):
    line = "2025-12-11T16:43:26.181Z In(166) Vpxa[169980]: [Originator@6876 sub=x opID=e6012b2-01] y"
    header = HeaderReader(FORMATS).read(before + line)
    assert (header is None) is (before == "vpxa.log-3-")  # what grep -C prints cannot be told from a name
    assert header is None or (header.op_id, header.format) == ("e6012b2-01", "D")
