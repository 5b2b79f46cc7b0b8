"""What somebody does who moves a VM by hand: files over /folder, disks by VirtualDiskManager, then a registration."""

from pyVmomi import vim

from tests.playground.vcenter.disks import HERE, THERE, browsing

STORE = "ds c2-01"
SKIPPED = (".log", "-ctk.vmdk")


async def copy_files(player, vm, target, *, renamed=None):
    """Copy all files of a VM through this machine into a directory at the other site; returns their names."""
    names = [file.path for file in vm.files if not file.path.endswith(SKIPPED)]
    async with browsing(player) as browser:
        for name in names:
            got = await browser.get(f"/folder/{vm.directory}/{name}", params=HERE)
            assert got.status_code == 200, name
            content = (renamed or {}).get(name, lambda text: text)(got.content)
            put = await browser.put(f"/folder/{target}/{name}", params=THERE, content=content)
            assert put.status_code == 201, (name, put.text)
    return names


class Hand:
    """The calls of such a person, by pyvmomi. Every method blocks."""

    def __init__(self, client):
        self.client = client
        self.files, self.disks = client.content.fileManager, client.content.virtualDiskManager
        self.dc1, self.dc2 = client.find("DC1"), client.find("DC2")

    def result(self, task):
        _, error = self.client.watch(task)
        if error:
            raise error
        return task.info.result

    def make(self, directory):
        self.files.MakeDirectory(f"[{STORE}] {directory}", self.dc2, True)

    def register(self, path, *, name=None, template=False, **where):
        cluster = self.client.find("DC2/host/C2")
        pool = where.get("pool", None if template else cluster.resourcePool)
        folder = where.get("folder", self.client.find("DC2/vm/Migrated"))
        return self.result(folder.RegisterVm(path, name, template, pool, where.get("host")))

    def reconfigure(self, vm, **fields):
        return self.result(vm.Reconfigure(vim.vm.ConfigSpec(**fields)))

    def edit(self, vm, device):
        change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)
        return self.reconfigure(vm, deviceChange=[change])

    def device(self, vm, kind):
        (found,) = [device for device in vm.config.hardware.device if isinstance(device, kind)]
        return found
