"""esxcli through vCenter: the executer of a host, one call per command, and its XML as plain rows.

pyVmomi has no binding for the reflect namespace, so its types are registered here, once per process. What the commands
mean is in `bot.vsphere.probes`; which host has which name is the caller's. Wire facts: notes of govmomi's `cli/esx`,
a live vCenter's replies of 2026.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import (
    F_OPTIONAL,
    CreateAndLoadDataType,
    CreateAndLoadManagedType,
    GetVmodlType,
    ManagedObject,
    Object,
)

from bot.vsphere.faults import translate
from bot.vsphere.host_names import HostNames
from bot.vsphere.port import FaultError
from bot.vsphere.session import Connected

KIND: Final = "esxcli"
"""What a `FaultError` is of that the host itself, or its reply, gives."""

Row = Mapping[str, Any]
"""Fields by name: texts, rows below, or lists of either."""

NONE_GIVEN: Final[Mapping[str, object]] = {}

_SINCE: Final = "vim.version.version1"
_EXECUTER: Final = "vmodl.reflect.ManagedMethodExecuter"
_WIRE_NAME: Final = "ReflectManagedMethodExecuter"
_SHORT_NAME: Final = (
    "ManagedMethodExecuter"  # what govmomi's simulator calls it; each wants to be called back by its own
)
_LARGEST: Final = 4 * 2**20
_DEEPEST: Final = 12
_LONGEST_WORDS: Final = 300

_registering = threading.Lock()


class Esxcli:
    """Runs commands on the hosts of one vCenter, on any thread. An executer is asked for once per host and session."""

    def __init__(self) -> None:
        self._hosts = HostNames()
        self._lock = threading.Lock()
        self._session = ""
        self._executers: dict[str, Any] = {}

    def run(self, connected: Connected, host: str, command: str, *, given: Mapping[str, object] = NONE_GIVEN) -> Any:
        """Run `network diag ping` or the like; rows, or one text. FaultError: the host's words, or a privilege."""
        *namespace, name = command.split()
        try:
            result = self._execute(connected, host, namespace, name, given)
        except vim.fault.NotAuthenticated:  # a kind of NoPermission, and none of the account's
            raise
        except vim.fault.NoPermission as fault:
            raise _refused(connected, host, fault) from fault
        except vmodl.fault.ManagedObjectNotFound:  # removed and added again it has a new id, and so has its executer
            self._forget(host)
            raise
        if result is None:
            return []
        if result.fault is not None:
            raise FaultError(f"{host}: esxcli {command}: {_words_of(result.fault)}", kind=KIND)
        return read_reply(result.response or "", host)

    def _execute(
        self, connected: Connected, host: str, namespace: Sequence[str], name: str, given: Mapping[str, object]
    ) -> Any:
        executer = self._executer(connected, host)
        arguments = [_argument(key, value) for key, value in given.items()]
        handler, method = f"ha-cli-handler-{'-'.join(namespace)}", f"vim.EsxCLI.{'.'.join((*namespace, name))}"
        return connected.wire.InvokeMethod(executer, _execute_soap(), (handler, "urn:vim25/5.0", method, arguments))

    def _executer(self, connected: Connected, host: str) -> Any:
        _register()
        with self._lock:
            if connected.key != self._session:
                self._session, self._executers = connected.key, {}
            known = self._executers.get(host)
        if known is not None:
            return known
        where = vim.HostSystem(self._hosts.moid(connected, host), connected.wire)
        found = connected.wire.InvokeMethod(where, _method("RetrieveManagedMethodExecuter", (), ManagedObject), ())
        with self._lock:
            if connected.key == self._session:
                self._executers[host] = found
        return found

    def _forget(self, host: str) -> None:
        self._hosts.forget(host)
        with self._lock:
            self._executers.pop(host, None)


def read_reply(text: str, host: str) -> Any:
    """Read a reply: rows, a row or a text. FaultError of our kind for what is no reply; nothing in it is expanded."""
    if not text.strip():
        return []
    try:
        return _read(_parsed(text), depth=0)
    except (ET.ParseError, ValueError) as error:
        raise FaultError(f"The reply of {host} to esxcli cannot be read: {error}.", kind=KIND) from error


def rows_of(reply: Any) -> list[Row]:
    """Return the rows of a reply: of one that is a row, that one; of a text, none."""
    found = reply if isinstance(reply, list) else [reply]
    return [row for row in found if isinstance(row, Mapping)]


def _parsed(text: str) -> ET.Element:
    """Parse XML of a stranger. Without a document type there are no entities but the five that everybody knows."""
    if len(text) > _LARGEST:
        raise ValueError(f"it has {len(text)} characters")
    if "<!DOCTYPE" in text:
        raise ValueError("it declares a document type")
    return ET.fromstring(text)  # noqa: S314 - a document type, the source of all harm, was refused just above


def _read(element: ET.Element, *, depth: int) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    named = [(_local(child.tag), _read(child, depth=depth + 1)) for child in children]
    if all(name == "DataObject" for name, _ in named):
        return [value for _, value in named]
    return _merged(named)


def _merged(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make a row; what comes more than once is a list."""
    values: dict[str, list[Any]] = {}
    for name, value in named:
        values.setdefault(name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _words_of(fault: Any) -> str:
    """Return what the command line would have printed: `errMsg` of the detail, else what there is."""
    try:
        words = [
            " ".join((node.text or "").split())
            for node in _parsed(fault.faultDetail or "").iter()
            if _local(node.tag) == "errMsg"
        ]
    except (ET.ParseError, ValueError):
        words = []
    said = "; ".join(word for word in words if word) or " ".join((fault.faultMsg or "").split())
    return f"{(said or 'it failed and did not say why')[:_LONGEST_WORDS].rstrip('.')}."


def _refused(connected: Connected, host: str, fault: Any) -> FaultError:
    lacking = fault.privilegeId or "Host.Config.Network"
    text = f"{connected.user} may not run esxcli on {host}: grant the privilege {lacking} on its hosts"
    return translate(vim.fault.NoPermission(msg=text, privilegeId=lacking))


def _argument(name: str, value: object) -> Any:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return GetVmodlType(f"{_EXECUTER}.SoapArgument")(name=name, val=f"<{name}>{escape(text)}</{name}>")


def _execute_soap() -> Any:
    parameters = (
        _parameter("moid", "string"),
        _parameter("version", "string"),
        _parameter("method", "string"),
        _parameter("argument", f"{_EXECUTER}.SoapArgument[]", F_OPTIONAL),
    )
    return _method("ExecuteSoap", parameters, GetVmodlType(f"{_EXECUTER}.SoapResult"))


def _parameter(name: str, kind: str, flags: int = 0) -> Any:
    return Object(name=name, type=GetVmodlType(kind), version=_SINCE, flags=flags, privId=None)


def _method(name: str, parameters: Sequence[Any], result: Any) -> Any:
    """Describe a method as pyVmomi's generated ones are described."""
    return Object(
        name=name,
        wsdlName=name,
        version=_SINCE,
        params=tuple(parameters),
        isTask=False,
        resultFlags=F_OPTIONAL,
        faults=(),
        privId=None,
        result=result,
        methodResult=result,
    )


def _register() -> None:
    """Tell pyVmomi the types, unless somebody has. A reference is answered by the name that it came with."""
    with _registering:
        _data("SoapArgument", ("name", "string", 0), ("val", "string", 0))
        _data("SoapFault", ("faultMsg", "string", F_OPTIONAL), ("faultDetail", "string", F_OPTIONAL))
        _data("SoapResult", ("response", "string", F_OPTIONAL), ("fault", f"{_EXECUTER}.SoapFault", F_OPTIONAL))
        _managed(_EXECUTER, _WIRE_NAME)
        _managed(f"vmodl.reflect.short.{_SHORT_NAME}", _SHORT_NAME)


def _data(name: str, *fields: tuple[str, str, int]) -> None:
    if not _known(f"{_EXECUTER}.{name}"):
        properties = [(field, kind, _SINCE, flags) for field, kind, flags in fields]
        CreateAndLoadDataType(f"{_EXECUTER}.{name}", f"{_WIRE_NAME}{name}", "vmodl.DynamicData", _SINCE, properties)


def _managed(name: str, wire_name: str) -> None:
    if not _known(name):
        CreateAndLoadManagedType(name, wire_name, "vmodl.ManagedObject", _SINCE, None, None)


def _known(name: str) -> bool:
    try:
        GetVmodlType(name)
    except KeyError:
        return False
    return True
