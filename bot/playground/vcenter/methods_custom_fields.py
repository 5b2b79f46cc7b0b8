"""Methods around custom fields: definitions, and values on entities."""

from __future__ import annotations

from typing import Any

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.custom_fields import CUSTOM_FIELDS_MANAGER, FieldDef
from bot.playground.vcenter.happenings import any_argument
from bot.playground.vcenter.inventory import Entity

_MANAGE = "Global.ManageCustomFields"


def _record(call: Call, event: str, found: FieldDef, *, new_name: str | None = None) -> None:
    fields: dict[str, Any] = {"newName": new_name} if new_name is not None else {}
    call.estate.events.record(
        event, user=call.session.user, words={"field": found.name, "new": new_name}, fieldKey=found.key,
        name=found.name, **fields,
    )  # fmt: skip
    call.estate.inventory.changes.touch(CUSTOM_FIELDS_MANAGER)


def _touch_all(call: Call, found: FieldDef) -> None:
    """Tell whoever watches an entity that its available fields changed."""
    inventory = call.estate.inventory
    inventory.changes.touch(*(entity.ref for entity in inventory.each(Entity) if found.fits(entity)))


@method("AddCustomFieldDef", on="CustomFieldsManager", privilege=_MANAGE)
async def add_custom_field_def(call: Call) -> str:
    name = call.args.value("name") or ""
    if not name:
        raise faults.invalid_argument("name")
    found = call.estate.custom_fields.add(name, (call.args.value("moType") or "").rpartition(":")[2])
    _record(call, "CustomFieldDefAddedEvent", found)
    _touch_all(call, found)
    return returned(found.data, "CustomFieldDef")


@method("RenameCustomFieldDef", on="CustomFieldsManager", privilege=_MANAGE)
async def rename_custom_field_def(call: Call) -> str:
    fields, name = call.estate.custom_fields, call.args.value("name") or ""
    found = fields.get(call.args.number("key"))
    _record(call, "CustomFieldDefRenamedEvent", found, new_name=name)
    fields.rename(found, name)
    _touch_all(call, found)
    return ""


@method("RemoveCustomFieldDef", on="CustomFieldsManager", privilege=_MANAGE)
async def remove_custom_field_def(call: Call) -> str:
    """Forget a field and all its values."""
    found = call.estate.custom_fields.get(call.args.number("key"))
    call.estate.custom_fields.remove(found)
    for entity in call.estate.inventory.each(Entity):
        entity.custom.pop(found.key, None)
    _record(call, "CustomFieldDefRemovedEvent", found)
    _touch_all(call, found)
    return ""


@method("SetField", on="CustomFieldsManager")
async def set_field(call: Call) -> str:
    ref = call.args.reference("entity")
    entity = call.estate.inventory.find(ref)
    if entity is None:
        raise faults.not_found(ref or call.request.target)
    call.require("Global.SetCustomField", entity)
    _set(call, entity, call.estate.custom_fields.get(call.args.number("key")))
    return ""


@method("setCustomValue", on="ExtensibleManagedObject", privilege="Global.SetCustomField")
async def set_custom_value(call: Call) -> str:
    """Set a field by its name."""
    entity, name = call.estate.inventory.find(call.request.target), call.args.value("key")
    if entity is None:
        raise faults.not_found(call.request.target)
    found = next((field for field in call.estate.custom_fields.of(entity) if field.name == name), None)
    if found is None:
        raise faults.invalid_argument("key", f"no custom field is named {name}")
    _set(call, entity, found)
    return ""


def _set(call: Call, entity: Entity, found: FieldDef) -> None:
    if not found.fits(entity):
        raise faults.invalid_argument("key", f"{found.name} is for {found.type}")
    value, before = call.args.value("value") or "", entity.custom.get(found.key)
    entity.custom[found.key] = value
    call.estate.events.record(
        "CustomFieldValueChangedEvent", entity, user=call.session.user,
        text=f"Changed custom field {found.name} on {entity.wire_name} to {value}",
        entity=any_argument(entity), fieldKey=found.key, name=found.name, value=value, prevState=before,
    )  # fmt: skip
    call.estate.inventory.changes.touch(entity.ref)
