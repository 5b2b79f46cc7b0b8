"""What a SOAP method is to the player: a call with its session, and the table that methods are entered in."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.playground.vcenter import faults
from bot.playground.vcenter.inventory import Entity, Vm
from bot.playground.vcenter.properties import Reader, Rendering
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.schema import Declared
from bot.playground.vcenter.sessions import Session
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import Node, Request, element


@dataclass
class Call:
    """One call under way. `opened` is the session that the call opened, if it is a login."""

    estate: Estate
    request: Request
    reader: Reader
    rendering: Rendering
    works: Works
    agent: str
    address: str
    gone: Callable[[], bool]
    opened: Session | None = None

    @property
    def args(self) -> Node:
        return self.request.body

    @property
    def session(self) -> Session:
        """The session of the call; methods that anybody may call do not ask for it."""
        if self.reader.session is None:
            raise LookupError("a method that needs a session ran without one")
        return self.reader.session

    def vm(self) -> Vm:
        """Return the VM that the call is on. Refuses anything else."""
        found = self.estate.inventory.find(self.request.target)
        if not isinstance(found, Vm):
            raise faults.not_found(self.request.target)
        return found

    def new_task(self, entity: Entity) -> Task:
        """Queue a task for this call, under the caller's operation id or one as vCenter makes it.

        Refuses with MethodDisabled what the entity does not let anybody do now.
        """
        name = self.request.method
        if isinstance(entity, Vm) and name in entity.disabled_methods:
            raise faults.method_disabled(name, self.disabler)
        op_id = self.request.op_id or secrets.token_hex(4)
        return self.estate.tasks.create(name, entity=entity, user=self.session.user, op_id=op_id)

    @property
    def disabler(self) -> str:
        """Who disables methods of VMs: the backup interface."""
        return "com.vmware.vadp"

    def require(self, privilege: str, entity: object = None) -> None:
        """Refuse with NoPermission what the session may not do on an entity, or on the root folder."""
        if not self.session.may(privilege, entity):
            target = entity if isinstance(entity, Entity) else self.estate.inventory.root
            raise faults.no_permission(target.ref, privilege)


Handler = Callable[[Call], Awaitable[str]]


@dataclass(frozen=True)
class Method:
    """A played method: on which type, under which privilege, and whether a login is needed at all."""

    run: Handler
    on: str
    privilege: str = ""
    anybody: bool = False


METHODS: dict[str, Method] = {}


def method(
    name: str, *, on: str, privilege: str = "", anybody: bool = False, table: dict[str, Method] = METHODS
) -> Callable[[Handler], Handler]:
    """Enter a handler into the table of methods."""

    def enter(run: Handler) -> Handler:
        table[name] = Method(run, on, privilege, anybody)
        return run

    return enter


def returned(value: object, declared: str) -> str:
    """Write a return value of a declared type; a list is repeated elements."""
    return element("returnval", value, Declared(declared))
