"""One look at all hosts: whatever befalls one of them, the others are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.diagnosis.engine import load_engine
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind, WatchedHost
from bot.logs.port import Batch
from bot.operations.watch_once import watch_once


class Source:
    """Reads every host but one, of which it has never heard."""

    kind = SourceKind.SSH

    async def once(self, host, log, *, since):
        if host.endswith("broken"):
            raise KeyError(host)
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
        text = f"{stamp} error vpxa[2103] [Originator@6876 sub=Libs opID=C65743A5-0000024D] [NFC ERROR] "
        yield Batch([Line(1, f"{text}NfcNetTcpWrite: bWritten: -1")], "1", read=1)


async def test_a_defect_at_one_host_is_told_beside_what_the_others_say():
    hosts = [WatchedHost(HostKey(f"vc/{name}"), "", SourceKind.SSH) for name in ("broken", "whole")]
    told = await watch_once(hosts, {None: Source()}, engine=load_engine(), logs=["vpxa"], since=timedelta(hours=1))
    broken, whole = told.hosts
    assert broken.trouble == ("vpxa.log: reading it failed by a defect of ours (KeyError)",)
    assert (whole.trouble, whole.candidates) == ((), 1)
    assert len(told.report.incidents) == 1
