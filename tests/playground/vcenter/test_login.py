"""Sessions on the wire: who gets in, who is told what, and what ends with a session."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pyVim.connect import SmartStubAdapter
from pyVmomi import SoapStubAdapter, vim, vmodl

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world


async def test_a_client_negotiates_the_version_and_logs_in(player, client, in_thread):
    assert client.stub.version == "vim.version.v8_0_3_0"
    assert client.session.userName == "VSPHERE.LOCAL\\svc"
    current = await in_thread(lambda: client.sessions.currentSession)
    assert current.key == client.session.key
    about = (await in_thread(client.si.RetrieveContent)).about
    assert (about.apiType, about.version) == ("VirtualCenter", "8.0.3")


async def test_a_wrong_password_is_an_invalid_login(player, client_of, in_thread):
    for user, password in (("svc@vsphere.local", "wrong"), ("nobody", "right")):
        with pytest.raises(vim.fault.InvalidLogin):
            await in_thread(client_of, player, user=user, password=password)


@pytest.mark.parametrize("user", ["SVC@vsphere.LOCAL", "vsphere.local\\svc"])
async def test_a_user_may_be_spelt_as_sso_lets_it(player, client_of, in_thread, user):
    client = await in_thread(lambda: client_of(player, user=user))
    assert client.session.userName == "VSPHERE.LOCAL\\svc"


async def test_who_does_not_trust_the_ca_does_not_get_in(player, in_thread):
    port = int(player.url.rpartition(":")[2])
    with pytest.raises(ssl.SSLCertVerificationError):
        await in_thread(SmartStubAdapter, host="127.0.0.1", port=port, sslContext=ssl.create_default_context())


async def test_private_keys_are_for_the_owner_only(player):
    directory = Path(player.ca_file).parent
    assert (directory / "east-server.pem").stat().st_mode & 0o077 == 0


async def test_without_a_login_only_content_and_current_session_are_told(player, client_of, in_thread):
    stranger = await in_thread(client_of, player, login=False)
    content = await in_thread(stranger.si.RetrieveContent)
    assert await in_thread(lambda: content.sessionManager.currentSession) is None
    for call in (stranger.si.CurrentTime, lambda: content.rootFolder.name, lambda: stranger.find("DC1")):
        with pytest.raises(vim.fault.NotAuthenticated):
            await in_thread(call)


async def test_logout_ends_the_session(player, client, in_thread):
    await in_thread(client.sessions.Logout)
    with pytest.raises(vim.fault.NotAuthenticated):
        await in_thread(client.si.CurrentTime)


async def test_a_terminated_session_may_do_nothing_any_more(player, client, client_of, in_thread):
    fence = await in_thread(client_of, player)
    vm = await in_thread(client.find, "DC1/vm/Web/web01")
    spec = await in_thread(client.spec)
    await in_thread(fence.sessions.TerminateSession, [client.session.key])
    with pytest.raises(vim.fault.NotAuthenticated):
        await in_thread(vm.RelocateVM_Task, spec)
    assert player.relocations == []
    with pytest.raises(vim.fault.NotFound):
        await in_thread(fence.sessions.TerminateSession, [client.session.key])
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(fence.sessions.TerminateSession, [fence.session.key])


async def test_terminating_needs_its_privilege(player, client, client_of, in_thread):
    reader = await in_thread(client_of, player, user="reader@vsphere.local")
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(reader.sessions.TerminateSession, [client.session.key])
    assert refused.value.privilegeId == "Sessions.TerminateSession"


async def test_expired_sessions_are_not_authenticated(player, client, in_thread):
    assert player.expire_sessions() == 1
    with pytest.raises(vim.fault.NotAuthenticated):
        await in_thread(client.si.CurrentTime)


async def test_privileges_are_told_as_they_are(player, client, in_thread):
    def ask(user):
        root = client.content.rootFolder
        wanted = ["System.Read", "Resource.ColdMigrate"]
        answer = client.content.authorizationManager.HasUserPrivilegeOnEntities([root], user, wanted)
        return {entry.privId: entry.isGranted for entry in answer[0].privAvailability}

    assert await in_thread(ask, "svc@vsphere.local") == {"System.Read": True, "Resource.ColdMigrate": True}
    assert await in_thread(ask, "reader@vsphere.local") == {"System.Read": True, "Resource.ColdMigrate": False}
    assert await in_thread(ask, "nobody") == {"System.Read": False, "Resource.ColdMigrate": False}


async def test_a_method_that_is_not_played_says_so(player, client, in_thread):
    vm = await in_thread(client.find, "DC1/vm/Web/web01")
    with pytest.raises(vmodl.fault.MethodNotFound):
        await in_thread(vm.RebootGuest)


async def test_nobody_logs_in_twice(player, client, in_thread):
    with pytest.raises(vim.fault.InvalidLogin, match="already logged in"):
        await in_thread(client.sessions.Login, "svc@vsphere.local", "right", None)


async def test_plain_http_is_played_when_told(tmp_path, world_text, in_thread):
    async with await play_world(parse_world(world_text), tmp_path, tls=False) as running:
        east = running["east"]
        assert east.ca_file is None
        stub = SoapStubAdapter(url=f"{east.url}/sdk", version="vim.version.v8_0_3_0")
        session = await in_thread(vim.SessionManager("SessionManager", stub).Login, east.user, east.password, None)
        assert session.userName == "VSPHERE.LOCAL\\svc"
        stub.DropConnections()


async def test_an_idle_session_ends_by_itself(tmp_path, world_text, client_of, in_thread):
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    async with await play_world(parse_world(world_text), tmp_path, clock=lambda: now[0]) as running:
        client = await in_thread(client_of, running["east"])
        now[0] += timedelta(minutes=29)
        assert await in_thread(client.si.CurrentTime) == now[0]
        now[0] += timedelta(minutes=31)
        with pytest.raises(vim.fault.NotAuthenticated):
            await in_thread(client.si.CurrentTime)


async def test_what_is_no_soap_call_gets_a_soap_fault(player):
    context = ssl.create_default_context(cafile=player.ca_file)
    async with httpx.AsyncClient(verify=context) as http:
        for body in ("nonsense", "<a/>", "<Envelope><Body><Login/></Body></Envelope>"):
            answer = await http.post(f"{player.url}/sdk", content=body)
            assert answer.status_code == 500
            assert "InvalidRequest" in answer.text
