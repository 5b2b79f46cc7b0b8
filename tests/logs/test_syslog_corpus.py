"""What came by syslog is diagnosed as the host's own file would be: the published cases, sent in three shapes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.diagnosis.engine import load_engine
from bot.diagnosis.event import SourceLine
from bot.logs.syslog_frames import Frames
from bot.logs.syslog_header import own_text, read_header

CASES = Path(__file__).parents[1] / "diagnosis/cases"
LOGS = sorted(path for path in CASES.glob("*/*/*.log") if path.stem in {"vpxa", "hostd", "vmkernel"})
ENGINE = load_engine()
STAMP = "2024-03-26T04:31:17.959Z"
OF_VSPHERE_8 = re.compile(r"(\S+Z) [A-Z][a-z]\((\d+)\)(?:\[\+\]|\+)? (\w+)(?:\[(\d+)\])?: (.*)")
OF_VSPHERE_5_TO_7 = re.compile(r"(\d{4}-\d\d-\d\dT\S+Z) ((?:\w+ )?(?:\w+\[|\[\w+ |cpu\d+:).*)")
OF_ESX_4 = re.compile(r"[A-Z][a-z]{2} +\d+ [\d:]{8} ")
OF_A_HOST = re.compile(
    r"[\d\[]|-->|[A-Z][a-z]{2} +\d+ [\d:]{8} "
)  # what vCenter said is in the excerpt of one case, too
ORIGINATOR = re.compile(r"\[Originator@6876 ([^\]]*)\] ?")


def by_rfc3164(line, program):
    if OF_ESX_4.match(line):
        return f"<166>{line}"
    priority, stamp, tag, message = _parts(line, program)
    return f"<{priority}>{stamp} esx-01 {tag}: {message}"


def by_rfc5424(line, program):
    if OF_ESX_4.match(line):
        return f"<166>{line}"  # it speaks nothing else
    priority, stamp, tag, message = _parts(line, program)
    name, _, pid = tag.rstrip("]").partition("[")
    data, is_8 = "-", OF_VSPHERE_8.match(line)
    if is_8 and (said := ORIGINATOR.match(message)):
        pairs = re.findall(r"(\w+)=((?:(?! \w+=).)*)", said[1])
        data = "[Originator@6876 " + " ".join(f'{key}="{_escaped(value)}"' for key, value in pairs) + "]"
        message = message[said.end() :]
    return f"<{priority}>1 {stamp} esx-01 {name} {pid or '-'} - {data} {message}"


def relayed(line, program):
    return f"<13>Nov 23 20:00:01 relay-1 {by_rfc3164(line, program)}"


def _parts(line, program):
    if found := OF_VSPHERE_8.fullmatch(line):
        stamp, priority, name, pid, message = found.groups()
        return priority, stamp, f"{name}[{pid}]" if pid else name, message
    if found := OF_VSPHERE_5_TO_7.fullmatch(line):
        return 166, found[1], program, found[2]
    return 166, STAMP, program, line


def _escaped(value):
    return re.sub(r'(["\\\]])', r"\\\1", value)


def received(messages):
    """As it comes out of a connection whose octets are counted."""
    sent = b"".join(b"%d %s" % (len(raw), raw) for raw in (one.encode() for one in messages))
    return [own_text(raw, read_header(raw)) for raw in Frames().feed(sent).split(b"\n")[:-1]]


def diagnosed(lines, log):
    given = [SourceLine(f"{log}.log", number, line, "esx-01") for number, line in enumerate(lines, start=1)]
    return [(one.cause, one.confidence, one.op_ids, one.lines) for one in ENGINE.diagnose_lines(given).incidents]


@pytest.mark.parametrize("shape", [by_rfc3164, by_rfc5424, relayed])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.parent.name)
def test_the_diagnosis_is_that_of_the_file(path, shape):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if OF_A_HOST.match(line)]
    program = "vmkernel" if path.stem == "vmkernel" else path.stem.title()
    got = received([shape(line, program) for line in lines])
    assert diagnosed(got, path.stem) == diagnosed(lines, path.stem)
    known = [at for at, line in enumerate(lines) if OF_VSPHERE_5_TO_7.fullmatch(line) or OF_VSPHERE_8.fullmatch(line)]
    assert [got[at] for at in known] == [lines[at].replace("[+]", "", 1) for at in known]
