"""Traces on VMs: a custom attribute that says which job may be moving this VM, whatever becomes of Redis and of us.

It is written before a relocation is sent and taken away after its end. Writing the same text twice is writing it once,
so unlike a relocation it is sent again when a reply is lost. What the text means is none of this room's business.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pyVmomi import vim

from bot.errors import BugError
from bot.migration.request import VCenterName, VmRef
from bot.vsphere.inventory import find_by_uuid, require_vm, uuid_of
from bot.vsphere.port import FaultError, Trace
from bot.vsphere.properties import moid, read_below, read_each
from bot.vsphere.session import Connected, Reader, Writer
from bot.vsphere.tree import shown

ATTRIBUTE: Final = "coldmigrate.job"
LONGEST: Final = 250

DUPLICATE: Final = "vim.fault.DuplicateName"
GONE: Final = "vmodl.fault.ManagedObjectNotFound"
NO_PERMISSION: Final = "vim.fault.NoPermission"
DEFINING: Final = "Global.ManageCustomFields"
SETTING: Final = "Global.SetCustomField"

WHO_BEARS_IT: Final = ("customValue", "name", "config.instanceUuid", "summary.config.instanceUuid")

Answer = TypeVar("Answer")


class TraceBook:
    """The traces of one vCenter. Every method blocks; errors are those of the reader and the writer.

    The attribute's key is looked up each time: an administrator may remove it while we run, and it then comes back
    with the next trace.
    """

    def __init__(self, vcenter: VCenterName, *, user: str, reader: Reader, writer: Writer) -> None:
        self._vcenter = vcenter
        self._user = user
        self._reader = reader
        self._writer = writer

    def read(self, uuid: str) -> str:
        """Return the trace on this VM, or nothing."""

        def question(connected: Connected) -> str:
            vm, key = require_vm(connected, uuid), _key(connected)
            rows = read_each(connected, [vm], {vim.VirtualMachine: ("customValue",)}) if key is not None else []
            return _value(rows[0]["customValue"], key) if rows else ""

        return self._reader.ask(question)

    def all(self) -> list[Trace]:
        """Return every trace in this vCenter, by one read of all VMs."""

        def question(connected: Connected) -> list[Trace]:
            key = _key(connected)
            if key is None:
                return []
            rows = read_below(connected, connected.content.rootFolder, {vim.VirtualMachine: WHO_BEARS_IT})
            told = [(row, _value(row["customValue"], key)) for row in rows]
            return [
                Trace(VmRef(self._vcenter, uuid_of(row), shown(row["name"])), text)
                for row, text in told
                if text and uuid_of(row)
            ]

        return self._reader.ask(question)

    def write(self, uuid: str, text: str, *, session: str = "") -> None:
        """Write the trace on this VM; nothing takes it away, also from a VM that is no more."""
        if len(text) > LONGEST:
            raise BugError(f"a trace of {len(text)} characters does not fit into a custom attribute")
        vm = self._reader.ask(lambda connected: _id_of(connected, uuid, required=bool(text)))
        key = self._reader.ask(_key)
        if vm is None or (key is None and not text):
            return
        if key is None:
            key = self._define()
        try:
            self._allowed(SETTING, "on the VMs that may be moved", lambda: self._set(vm, key, text, session))
        except FaultError as error:
            if text or error.kind != GONE:
                raise

    def _set(self, vm: str, key: int, text: str, session: str) -> None:
        def order(writing: Connected) -> None:
            writing.content.customFieldsManager.SetField(vim.VirtualMachine(vm, writing.wire), key, text)

        self._writer.insist(order, session=session)

    def _define(self) -> int:
        """Define the attribute, or take the definition of whoever was faster, ourselves at a lost reply included."""
        hint = f"on the root of the vCenter, or define the attribute {ATTRIBUTE} (type Virtual Machine) there by hand"
        try:
            return self._allowed(DEFINING, hint, lambda: self._writer.insist(_add))
        except FaultError as error:
            theirs = self._reader.ask(_key) if error.kind == DUPLICATE else None
            if theirs is None:
                raise
            return theirs

    def _allowed(self, privilege: str, where: str, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except FaultError as error:
            if error.kind != NO_PERMISSION:
                raise
            raise FaultError(
                f"vCenter {self._vcenter} does not let {self._user} mark a VM as being migrated: {error}"
                f" Grant its role {privilege} {where}.",
                kind=NO_PERMISSION,
            ) from error


def _id_of(connected: Connected, uuid: str, *, required: bool) -> str | None:
    vm = require_vm(connected, uuid) if required else find_by_uuid(connected, uuid)
    return moid(vm) if vm is not None else None


def _add(writing: Connected) -> int:
    added: int = writing.content.customFieldsManager.AddCustomFieldDef(ATTRIBUTE, vim.VirtualMachine).key
    return added


def _key(connected: Connected) -> int | None:
    """Return the key of the attribute, one for VMs rather than one for everything; None while nobody defined it."""
    fields = connected.content.customFieldsManager.field or ()
    usable = [field for field in fields if field.name == ATTRIBUTE and _is_for_vms(field.managedObjectType)]
    best = max(usable, key=lambda field: field.managedObjectType is not None, default=None)
    return best.key if best is not None else None


def _is_for_vms(kind: type | None) -> bool:
    return kind is None or issubclass(vim.VirtualMachine, kind)


def _value(values: Any, key: int | None) -> str:
    found = (value.value for value in values or () if value.key == key)
    return str(next(found, "") or "")
