"""Getting in and staying in: certificates, passwords, outages; each failure a sentence, no secret in any."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
import traceback
from datetime import timedelta

import pytest
from pyVmomi.VmomiSupport import GetRequestContext

from bot.errors import BugError, LoginError, UnreachableError, UserError
from bot.vsphere.faults import text_of, translate
from bot.vsphere.opid import operation_id
from bot.vsphere.session import newest_common_version
from bot.vsphere.wire import LostReplyError


def presented(peer, digest):
    address = (peer.endpoint().host, peer.endpoint().port)
    return hashlib.new(digest, ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(address))).hexdigest()


def colons(digest):
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()


async def refusal(kind, vcenter):
    with pytest.raises(kind) as caught:
        await vcenter.now()
    return str(caught.value)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
async def test_a_pinned_certificate_needs_no_issuer(peer, digest):
    shown = await asyncio.to_thread(presented, peer, digest)
    vcenter = peer.connect(ca_file=None, thumbprint=colons(shown))
    assert await vcenter.now()
    assert await vcenter.writer_session()


async def test_a_pin_is_checked_on_every_connection(peer):
    shown = await asyncio.to_thread(presented, peer, "sha256")
    vcenter = peer.connect(ca_file=None, thumbprint="00" * 32)
    first = await refusal(LoginError, vcenter)
    assert colons(shown) in first
    assert "set `thumbprint` in [vcenters.east]" in first
    assert await refusal(LoginError, vcenter) == first  # pyVmomi's own check would let the second one in


async def test_an_issuer_that_is_not_known_is_named_as_the_trouble(peer):
    told = await refusal(LoginError, peer.connect(ca_file=None))
    assert "certificate is not trusted" in told
    assert "Set ca_file in [vcenters.east]" in told


async def test_a_certificate_for_another_name_is_not_trusted(player_peer):
    told = await refusal(LoginError, player_peer.connect(url=player_peer.url.replace("127.0.0.1", "127.1")))
    assert "certificate is not trusted (Hostname mismatch" in told


@pytest.mark.parametrize(("name", "content"), [("missing.pem", None), ("broken.pem", "not a certificate")])
async def test_a_ca_file_that_cannot_be_used(player_peer, tmp_path, name, content):
    file = tmp_path / name
    if content:
        file.write_text(content)
    told = await refusal(LoginError, player_peer.connect(ca_file=file))
    assert f"cannot use ca_file {file}" in told


async def test_a_wrong_password(peer, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "hunter2-and-more"
    vcenter = peer.connect(password=secret)
    with pytest.raises(LoginError, match="does not accept the password of") as caught:
        await vcenter.now()
    assert "[vcenters.east]" in str(caught.value)
    told = [*traceback.format_exception(caught.value), repr(caught.value), caplog.text, repr(vars(vcenter))]
    told += [repr(vcenter._reader._endpoint), str(vcenter._reader._endpoint)]
    assert not [text for text in told if secret in text]
    with pytest.raises(LoginError):
        await vcenter.writer_session()


async def test_a_password_file_that_cannot_be_read(player_peer, tmp_path):
    told = await refusal(LoginError, player_peer.connect(password=(tmp_path / "missing").read_text))
    assert f"password of {player_peer.user}" in told
    assert "No such file" in told


async def test_a_vcenter_that_is_down(player_peer, played, player):
    await player.go_down()
    assert "refuses connections" in await refusal(UnreachableError, played)
    await player.come_up()
    assert await played.now()


async def test_a_name_that_dns_does_not_know(player_peer):
    told = await refusal(UnreachableError, player_peer.connect(url="https://vc.invalid"))
    assert "unknown to DNS" in told


async def test_a_port_that_does_not_speak_tls(player_peer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        vcenter = player_peer.connect(url=f"https://127.0.0.1:{server.getsockname()[1]}", read_pauses=())
        answer = asyncio.create_task(asyncio.to_thread(say, server, b"220 mail.example.net ESMTP\r\n"))
        told = await refusal(UnreachableError, vcenter)
        await answer
    assert "does not speak TLS" in told


def say(server, words):
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(words)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://vc.example.net"},
        {"url": "vc.example.net"},
        {"url": "https://svc:secret@vc.example.net"},
        {"thumbprint": "AA:BB"},
        {"thumbprint": "ZZ" * 32},
    ],
)
def test_an_endpoint_that_cannot_work_is_refused_at_once(player_peer, change):
    with pytest.raises(UserError) as caught:
        player_peer.endpoint(**change)
    assert caught.value.example
    assert "secret" not in str(caught.value)


async def test_a_dropped_question_is_asked_again(player_peer, played, player):
    before = [vm.path for vm in await played.list_vms()]
    for method in ("RetrievePropertiesEx", "CreateContainerView", "RetrievePropertiesEx"):
        player.drop_reply(method)
        assert [vm.path for vm in await played.list_vms()] == before


async def test_questions_are_not_asked_for_ever(player_peer, played, player):
    await played.now()
    for nth in range(1, 5):
        player.drop_reply("CurrentTime", nth=nth)
    assert "went away" in await refusal(UnreachableError, played)
    assert player.calls["CurrentTime"] == 5
    assert await played.now()


async def test_a_session_that_expired_is_opened_again(played, player):
    await played.now()
    assert player.expire_sessions() == 1
    assert await played.list_vms()
    assert player.calls["Login"] == 2


async def test_our_name_outlives_the_session(played, player):
    """While we are logged out, our own tasks must not look like a stranger's."""
    await played.now()
    named = played.user
    assert named != player.user  # vCenter spells it its own way
    player.expire_sessions()
    await player.go_down()
    await refusal(UnreachableError, played)
    assert played.user == named
    await player.come_up()


async def test_many_threads_share_one_session(played, player):
    answers = await asyncio.gather(*(played.find_vms("web01") for _ in range(24)))
    assert len({tuple(found) for found in answers}) == 1
    assert player.calls["Login"] == 1


async def test_an_aborted_call_ends_at_once(reader, player):
    connected = await asyncio.to_thread(reader.open)
    collector = await asyncio.to_thread(connected.content.propertyCollector.CreatePropertyCollector)
    waiting = asyncio.create_task(asyncio.to_thread(collector.WaitForUpdatesEx, ""))
    async with asyncio.timeout(5):
        await player.until_called("WaitForUpdatesEx")
    connected.wire.abort()
    with pytest.raises(LostReplyError):
        await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("5.5", "vim.version.version9"),
        ("6.7.3", "vim.version.version15"),
        ("8.0.3.0", "vim.version.v8_0_3_0"),
        ("8.0.3.99", "vim.version.v8_0_3_1"),
        ("99.0", "vim.version.v9_1_1_0"),
    ],
)
def test_the_newest_version_that_both_know(offered, chosen):
    assert newest_common_version(offered) == chosen


def test_an_operation_id_is_set_for_the_block_alone():
    with operation_id("cm-ab2cd3ef-a1"):
        assert GetRequestContext()["operationID"] == "cm-ab2cd3ef-a1"
    assert "operationID" not in GetRequestContext()
    for bad in ("", "a b", "a]b", "x" * 65):
        with pytest.raises(BugError), operation_id(bad):
            pass


async def test_faults_are_told_with_their_details():
    from pyVmomi import vim, vmodl  # noqa: PLC0415 - late, as it is slow to load

    detail = vmodl.LocalizableMessage(key="k", message="Cannot connect to host.")
    fault = vim.fault.NetworkCopyFault(msg="The copy failed.", faultMessage=[detail])
    assert text_of(fault) == "The copy failed; Cannot connect to host."
    assert translate(fault).kind == "vim.fault.NetworkCopyFault"
    assert not translate(fault).transient
    assert translate(vim.fault.TaskInProgress()).transient
    assert text_of(vim.fault.TaskInProgress(msg="*types.TaskInProgress")) == "vCenter answered TaskInProgress."
    assert "Global.Diagnostics" in text_of(vim.fault.NoPermission(privilegeId="Global.Diagnostics"))


async def test_a_silent_server_is_given_up(player_peer, played, player):
    slow = player_peer.connect(submit_timeout=timedelta(milliseconds=200))
    await slow.now()
    player.delay_reply("Login", 2)
    with pytest.raises(UnreachableError, match="went away while we logged in"):
        await slow.writer_session()


async def test_all_writers_of_all_processes_are_ended_and_no_reader(player_peer, played, player):
    other = player_peer.connect()
    keys = {await played.writer_session(), await other.writer_session()}
    await played.now(), await other.now()
    await played.end_writers()
    left = {session.key for session in player.estate.sessions.all()}
    assert not keys & left
    assert len(left) == 2  # who only reads is not disturbed
    assert await played.writer_session() not in keys
