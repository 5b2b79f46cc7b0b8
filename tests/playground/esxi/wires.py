"""Two wired sites, and esxcli called by hand with pyvmomi, as a migration tool has to do it."""

import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pyVim.connect import SmartStubAdapter
from pyVmomi import vim
from pyVmomi.VmomiSupport import (
    F_OPTIONAL,
    CreateAndLoadDataType,
    CreateAndLoadManagedType,
    GetVmodlType,
    ManagedObject,
    Object,
)

WORLD = """
seed = 7
[play]
history_lines = 3
noise_every = "1 h"
noise = ["ordinary", "backup", "replication"]
nfc_patience = "1 h"
[[vcenters]]
name = "east"
accounts = [
  { user = "svc@vsphere.local", password = "right" },
  { user = "reader@vsphere.local", password = "right", privileges = ["System.View", "System.Read"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
provisioning = "interface"
routes = ["site2"]
clock_offsets = ["+90 s"]
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
provisioning = "stack"
host_account = { user = "keeper", password = "of the second site" }
[[sites]]
name = "site3"
vcenter = "east"
hosts = 1
version = "7.0.3"
[[links]]
between = ["site1", "site2"]
rtt = "20 ms"
mtu = 1400
pmtud = false
[[links]]
between = ["site1", "site3"]
rate = "8 Mbit/s"
[[vms]]
name = "web01"
site = "site1"
host = 1
disks = ["16 GiB thin 12 GiB"]
"""

ESX1, ESX2 = "esx-site1-01.example.net", "esx-site2-01.example.net"
ESX3 = "esx-site3-01.example.net"
_REFLECT = "vmodl.reflect.ManagedMethodExecuter"
_VERSION = "vim.version.version1"


def know_reflect_types():
    """pyvmomi ships no types of the reflect namespace: make them known to it, once in a process, whoever does."""
    with suppress(KeyError):
        GetVmodlType(_REFLECT)
        return
    data = [("name", "string", _VERSION, 0), ("val", "string", _VERSION, 0)]
    CreateAndLoadDataType(
        f"{_REFLECT}.SoapArgument", "ReflectManagedMethodExecuterSoapArgument", "vmodl.DynamicData", _VERSION, data
    )
    fault = [("faultMsg", "string", _VERSION, 0), ("faultDetail", "string", _VERSION, F_OPTIONAL)]
    CreateAndLoadDataType(
        f"{_REFLECT}.SoapFault", "ReflectManagedMethodExecuterSoapFault", "vmodl.DynamicData", _VERSION, fault
    )
    result = [
        ("response", "string", _VERSION, F_OPTIONAL),
        ("fault", f"{_REFLECT}.SoapFault", _VERSION, F_OPTIONAL),
    ]
    CreateAndLoadDataType(
        f"{_REFLECT}.SoapResult", "ReflectManagedMethodExecuterSoapResult", "vmodl.DynamicData", _VERSION, result
    )
    CreateAndLoadManagedType(_REFLECT, "ReflectManagedMethodExecuter", "vmodl.ManagedObject", _VERSION, None, None)


class CommandRefusedError(Exception):
    """The command line said no; `detail` is the XML behind the summary."""

    def __init__(self, fault):
        super().__init__(fault.faultMsg)
        self.detail = fault.faultDetail or ""

    @property
    def said(self):
        """What the command line would have printed."""
        if not self.detail.startswith("<"):
            return self.detail
        return "".join(ET.fromstring(self.detail).itertext())  # noqa: S314 - of our own player


@dataclass
class Host:
    """One host seen through vCenter. Every method blocks."""

    stub: SmartStubAdapter
    mo: vim.HostSystem

    def executer(self):
        return self.stub.InvokeMethod(self.mo, _method("RetrieveManagedMethodExecuter", (), ManagedObject), ())

    def esxcli(self, path, moid=None, **given):
        """Run `network diag ping` and the like; returns rows of texts, or one text."""
        *namespace, name = path.split()
        argument = GetVmodlType(f"{_REFLECT}.SoapArgument")
        arguments = [argument(name=key, val=_as_xml(key, value)) for key, value in given.items()]
        parameters = (
            _parameter("moid", "string"),
            _parameter("version", "string"),
            _parameter("method", "string"),
            _parameter("argument", f"{_REFLECT}.SoapArgument[]", F_OPTIONAL),
        )
        execute = _method("ExecuteSoap", parameters, GetVmodlType(f"{_REFLECT}.SoapResult"))
        moid = moid or "ha-cli-handler-" + "-".join(namespace)
        method = f"vim.EsxCLI.{'.'.join(namespace)}.{name}"
        result = self.stub.InvokeMethod(self.executer(), execute, (moid, "urn:vim25/5.0", method, arguments))
        if result.fault:
            raise CommandRefusedError(result.fault)
        return _read(ET.fromstring(result.response))  # noqa: S314 - of our own player


def _parameter(name, kind, flags=0):
    return Object(name=name, type=GetVmodlType(kind), version=_VERSION, flags=flags, privId=None)


def _method(name, parameters, result):
    return Object(
        name=name, wsdlName=name, version=_VERSION, params=parameters, isTask=False, resultFlags=F_OPTIONAL,
        faults=[], privId=None, result=result, methodResult=result,
    )  # fmt: skip


def _as_xml(key, value):
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{key}>{escape(text)}</{key}>"


def _read(element):
    children = list(element)
    if not children:
        return element.text or ""
    names = [child.tag.rpartition("}")[2] for child in children]
    if set(names) == {"DataObject"}:
        return [_read(child) for child in children]
    read = {}
    for name, child in zip(names, children, strict=True):
        if names.count(name) > 1:
            read.setdefault(name, []).append(_read(child))
        else:
            read[name] = _read(child)
    return read
