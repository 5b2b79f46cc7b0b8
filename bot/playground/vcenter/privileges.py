"""Who may do what on which object of one vCenter: permissions, the nearest of which counts alone, and roles.

As on a vCenter a permission on an object overrides what comes from above (vSphere Security, "Hierarchical Inheritance
of Permissions"), and whoever may do something below an object may at least see that object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.errors import UserError
from bot.playground.vcenter.inventory import Entity, Inventory, Vm
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.wire import Data
from bot.playground.world import Account

Held = Literal["all"] | frozenset[str]
SYSTEM = ("System.Anonymous", "System.View", "System.Read")
KNOWN = (
    *SYSTEM, "Authorization.ModifyPermissions", "Authorization.ModifyRoles", "Cryptographer.Access",
    "Cryptographer.Migrate", "Datastore.AllocateSpace", "Datastore.Browse", "Datastore.FileManagement",
    "Datastore.Rename", "Folder.Create", "Folder.Move", "Folder.Rename", "Global.CancelTask", "Global.Diagnostics",
    "Global.LogEvent", "Global.ManageCustomFields", "Global.SetCustomField", "Host.Config.Connection",
    "Host.Config.Maintenance", "Host.Config.Network", "Host.Config.Settings", "Host.Config.Storage", "Network.Assign",
    "Resource.AssignVMToPool", "Resource.ColdMigrate", "Resource.HotMigrate", "Sessions.TerminateSession",
    "Sessions.ValidateSession", "StorageProfile.View", "VApp.Export", "VApp.Import",
    "VirtualMachine.Config.AdvancedConfig", "VirtualMachine.Config.Annotation", "VirtualMachine.Config.EditDevice",
    "VirtualMachine.Config.Rename", "VirtualMachine.Interact.AnswerQuestion",
    "VirtualMachine.Interact.DeviceConnection", "VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.SetCDMedia", "VirtualMachine.Interact.SetFloppyMedia",
    "VirtualMachine.Inventory.Delete", "VirtualMachine.Inventory.Move",
    "VirtualMachine.Inventory.Register", "VirtualMachine.Inventory.Unregister", "VirtualMachine.State.RemoveSnapshot",
)  # fmt: skip
"""The privileges that something played asks for; an administrator has them all."""
_ADMIN, _READ_ONLY, _FIRST_CUSTOM = -1, -2, 1001


@dataclass(frozen=True, eq=False)
class Grant:
    """One permission of one account on one object."""

    account: Account
    entity: Entity
    held: Held
    propagate: bool


class Rights:
    """All permissions of one vCenter. Refuses a permission on an object that does not exist with UserError."""

    def __init__(self, inventory: Inventory, accounts: Iterable[Account]) -> None:
        self._root = inventory.root
        self.grants: list[Grant] = []
        for account in accounts:
            self.grants.append(Grant(account, inventory.root, _held(account.privileges), propagate=True))
            for permission in account.permissions:
                entity = inventory.at(permission.on)
                if entity is None:
                    raise UserError(
                        f"accounts: {account.user} has a permission on {permission.on!r}, which is not there"
                    )
                self.grants.append(Grant(account, entity, _held(permission.privileges), permission.propagate))
        self._of = {
            account.user: {grant.entity: grant for grant in self.grants if grant.account is account}
            for account in accounts
        }

    def uniform(self, account: Account) -> bool:
        """Say whether an account may do the same everywhere."""
        return not account.permissions

    def held(self, account: Account, entity: object = None) -> Held:
        """Return what an account may do on an entity; things outside of the inventory count as the root folder."""
        grants = self._of[account.user]
        if not isinstance(entity, Entity) or len(grants) == 1:
            return grants[self._root].held
        for place in (entity, *entity.ancestors):
            grant = grants.get(place)
            if grant and (grant.propagate or place is entity):
                return grant.held
        return frozenset()

    def may(self, account: Account, privilege: str, entity: object = None) -> bool:
        held = self.held(account, entity)
        return held == "all" or privilege in held

    def sees(self, account: Account, entity: Entity) -> bool:
        """Say whether an account sees that the entity exists: by right, or because of something below it."""
        if self.may(account, "System.View", entity):
            return True
        return any(entity in grant.entity.ancestors and grant.held for grant in self._of[account.user].values())

    # Roles: one per set of privileges that anybody holds.

    def role(self, held: Held) -> int:
        """Return the id of the role with exactly these privileges."""
        if held == "all":
            return _ADMIN
        if held == frozenset(SYSTEM):
            return _READ_ONLY
        return _FIRST_CUSTOM + list(self._custom()).index(held)

    def _custom(self) -> Iterator[Held]:
        usual: list[Held] = ["all", frozenset(SYSTEM)]
        yield from dict.fromkeys(grant.held for grant in self.grants if grant.held not in usual)

    def roles(self) -> list[Data]:
        """Return AuthorizationManager.roleList."""
        found: list[tuple[int, str, bool, Held]] = [
            (_ADMIN, "Admin", True, "all"),
            (_READ_ONLY, "ReadOnly", True, frozenset(SYSTEM)),
            *((self.role(held), f"role{self.role(held)}", False, held) for held in self._custom()),
        ]
        return [
            Data(
                "AuthorizationRole", roleId=id_, system=system, name=name,
                info=Data("Description", label=name, summary=name), privilege=listed(held),
            )
            for id_, name, system, held in found
        ]  # fmt: skip

    def permission(self, grant: Grant) -> Data:
        return Data(
            "Permission", entity=grant.entity.ref, principal=principal(grant.account.user), group=False,
            roleId=self.role(grant.held), propagate=grant.propagate,
        )  # fmt: skip


def _held(privileges: Literal["all"] | tuple[str, ...]) -> Held:
    return "all" if privileges == "all" else frozenset(privileges)


def listed(held: Held) -> list[str]:
    return sorted(KNOWN if held == "all" else held)


def principal(user: str) -> str:
    r"""Return a user as a vCenter spells it in sessions, tasks and permissions: `VSPHERE.LOCAL\svc`."""
    name, _, domain = user.partition("@")
    return f"{domain.upper()}\\{name}" if domain else name


def needed_to_relocate(vm: Vm, plan: Plan) -> Iterator[tuple[str, Entity]]:
    """Yield what RelocateVM_Task asks for and on which object, as its page in the API reference lists it."""
    yield ("Resource.HotMigrate" if vm.power == "poweredOn" else "Resource.ColdMigrate"), vm
    if plan.pool is not vm.pool:
        yield "Resource.AssignVMToPool", plan.pool
    for store in dict.fromkeys([plan.datastore, *(store for store, _ in plan.disks.values())]):
        if store not in vm.datastores:
            yield "Datastore.AllocateSpace", store
    if plan.host.home is not vm.home:
        yield "VirtualMachine.Inventory.Register", plan.folder
    elif plan.folder is not vm.parent and vm.parent is not None:
        for entity in (vm, vm.parent, plan.folder):
            yield "VirtualMachine.Inventory.Move", entity
    for nic in vm.nics:
        network = plan.nics.get(nic.key, nic.network)
        if network is not nic.network:
            yield "Network.Assign", network
