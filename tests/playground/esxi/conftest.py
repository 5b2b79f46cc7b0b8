"""The wired sites of `wires`, played, and real pyvmomi clients of them."""

import asyncio
import ssl

import pytest
from pyVim.connect import SmartStubAdapter
from pyVmomi import vim

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from tests.playground.esxi.wires import ESX1, WORLD, Host, know_reflect_types


@pytest.fixture(scope="session")
def reflect_types():
    know_reflect_types()


@pytest.fixture
def in_thread():
    return asyncio.to_thread


@pytest.fixture
async def player(tmp_path):
    async with await play_world(parse_world(WORLD), tmp_path) as running:
        yield running["east"]


@pytest.fixture
def log_in(player):
    stubs = []

    def connect(user="svc@vsphere.local"):
        context = ssl.create_default_context(cafile=player.ca_file)
        port = int(player.url.rpartition(":")[2])
        stub = SmartStubAdapter(host="127.0.0.1", port=port, sslContext=context, httpConnectionTimeout=30)
        stubs.append(stub)
        content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        content.sessionManager.Login(user, "right", None)
        return content

    yield connect
    for stub in stubs:
        stub.DropConnections()


@pytest.fixture
async def content(log_in, in_thread):
    return await in_thread(log_in)


@pytest.fixture
def host_of(reflect_types):
    def find(content, name=ESX1):
        view = content.viewManager.CreateContainerView(content.rootFolder, [vim.HostSystem], recursive=True)
        return Host(content.rootFolder._stub, next(host for host in view.view if host.name == name))

    return find


@pytest.fixture
async def esx1(content, host_of, in_thread):
    return await in_thread(host_of, content)


@pytest.fixture
async def esxcli(esx1, in_thread):
    async def call(path, **given):
        return await in_thread(lambda: esx1.esxcli(path, **given))

    return call
