"""Methods of the AuthorizationManager that ask: what an account may do, which roles and permissions there are."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.privileges import Grant, Held, listed
from bot.playground.vcenter.wire import Data, Ref
from bot.playground.world import Account


def _entities(call: Call, tag: str) -> list[Entity]:
    """Return the entities asked about. Refuses unknown ones, and those that the asker may not see."""
    found = [_entity(call, node.ref) for node in call.args.all(tag)]
    for entity in found:
        call.require("System.View", entity)
    return found


def _entity(call: Call, ref: Ref | None) -> Entity:
    entity = call.estate.inventory.find(ref)
    if entity is None:
        raise faults.not_found(ref or call.request.target)
    return entity


def _held(call: Call, account: Account | None, entity: Entity) -> Held:
    return call.estate.rights.held(account, entity) if account else frozenset()


@method("HasUserPrivilegeOnEntities", on="AuthorizationManager")
async def has_user_privilege_on_entities(call: Call) -> str:
    account = call.estate.sessions.account(call.args.value("userName") or "")
    return returned(_privileges(call, "entities", account), "EntityPrivilege")


@method("HasPrivilegeOnEntities", on="AuthorizationManager", privilege="System.View")
async def has_privilege_on_entities(call: Call) -> str:
    return returned(_privileges(call, "entity", _account_of_session(call)), "EntityPrivilege")


@method("HasPrivilegeOnEntity", on="AuthorizationManager", privilege="System.View")
async def has_privilege_on_entity(call: Call) -> str:
    (answer,) = _privileges(call, "entity", _account_of_session(call))
    return returned([entry.fields["isGranted"] for entry in answer.fields["privAvailability"]], "boolean")


def _account_of_session(call: Call) -> Account | None:
    key = call.args.value("sessionId")
    return next((session.account for session in call.estate.sessions.all() if session.key == key), None)


def _privileges(call: Call, tag: str, account: Account | None) -> list[Data]:
    wanted = [node.text for node in call.args.all("privId")]
    answers = []
    for entity in _entities(call, tag):
        held = _held(call, account, entity)
        granted = [
            Data("PrivilegeAvailability", privId=privilege, isGranted=held == "all" or privilege in held)
            for privilege in wanted
        ]
        answers.append(Data("EntityPrivilege", entity=entity.ref, privAvailability=granted))
    return answers


@method("FetchUserPrivilegeOnEntities", on="AuthorizationManager")
async def fetch_user_privilege_on_entities(call: Call) -> str:
    account = call.estate.sessions.account(call.args.value("userName") or "")
    results = [
        Data("UserPrivilegeResult", entity=entity.ref, privileges=listed(_held(call, account, entity)))
        for entity in _entities(call, "entities")
    ]
    return returned(results, "UserPrivilegeResult")


@method("RetrieveRolePermissions", on="AuthorizationManager", privilege="System.View")
async def retrieve_role_permissions(call: Call) -> str:
    """Return all permissions of a role. Refuses an unknown role with NotFound."""
    rights, wanted = call.estate.rights, call.args.number("roleId")
    if wanted not in {role.fields["roleId"] for role in rights.roles()}:
        raise faults.Fault(Data("NotFound"), "The role was not found.")
    return _permissions(call, [grant for grant in rights.grants if rights.role(grant.held) == wanted])


@method("RetrieveEntityPermissions", on="AuthorizationManager")
async def retrieve_entity_permissions(call: Call) -> str:
    entity = _entity(call, call.args.reference("entity"))
    call.require("System.Read", entity)
    places = {entity, *entity.ancestors} if call.args.flag("inherited") else {entity}
    grants = call.estate.rights.grants
    return _permissions(call, [g for g in grants if g.entity in places and (g.propagate or g.entity is entity)])


@method("RetrieveAllPermissions", on="AuthorizationManager", privilege="System.View")
async def retrieve_all_permissions(call: Call) -> str:
    return _permissions(call, call.estate.rights.grants)


def _permissions(call: Call, grants: list[Grant]) -> str:
    return returned([call.estate.rights.permission(grant) for grant in grants], "Permission")
