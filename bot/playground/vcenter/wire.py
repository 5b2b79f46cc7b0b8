"""SOAP as vim25 writes it: requests to nodes, values to XML. Knows types by `schema`, and no vCenter behaviour.

Values are plain: str, int, bool, aware datetime, Ref, Data, lists of them; None is an unset field.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from bot.playground.vcenter.schema import Declared, schema

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>"
)
_TAIL = "</soapenv:Body></soapenv:Envelope>"
_STRINGS = {"MethodName", "PropertyPath", "TypeName"}  # typedefs that travel as strings
_MAX_INT = 2**31


class BadRequestError(Exception):
    """The request is not a SOAP envelope with one call in it."""


class Ref(NamedTuple):
    """A managed object reference."""

    type: str
    id: str


class Data:
    """A data object or a fault: a type of the schema and its fields. An unknown field is a mistake of the player."""

    __slots__ = ("fields", "type")

    def __init__(self, type_: str, /, **fields: Any) -> None:
        self.type = type_
        self.fields = {name.rstrip("_"): value for name, value in fields.items() if value is not None}
        unknown = self.fields.keys() - schema().types[type_].fields.keys()
        if unknown:
            raise TypeError(f"{type_} has no {', '.join(sorted(unknown))}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Data) and self.type == other.type and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # fields are mutable

    def __repr__(self) -> str:
        return f"{self.type}({self.fields!r})"


class Node:
    """One element of a request. Accessors return None or nothing where the element is absent."""

    __slots__ = ("_element",)

    def __init__(self, element: ET.Element) -> None:
        self._element = element

    @property
    def tag(self) -> str:
        return self._element.tag.rpartition("}")[2]

    @property
    def text(self) -> str:
        return self._element.text or ""

    @property
    def type(self) -> str:
        """The dynamic type: xsi:type of a value, the type attribute of a reference, or empty."""
        return (self._element.get(_XSI_TYPE) or self._element.get("type") or "").rpartition(":")[2]

    @property
    def ref(self) -> Ref:
        return Ref((self._element.get("type") or "").rpartition(":")[2], self.text)

    @property
    def children(self) -> Iterator[Node]:
        return (Node(child) for child in self._element)

    def all(self, name: str) -> list[Node]:
        return [child for child in self.children if child.tag == name]

    def one(self, name: str) -> Node | None:
        return next((child for child in self.children if child.tag == name), None)

    def value(self, name: str) -> str | None:
        found = self.one(name)
        return None if found is None else found.text

    def reference(self, name: str) -> Ref | None:
        found = self.one(name)
        return None if found is None or not found.text else found.ref

    def number(self, name: str) -> int | None:
        found = self.value(name)
        return int(found) if found else None

    def flag(self, name: str) -> bool:
        return self.value(name) in {"true", "1"}

    def moment(self, name: str) -> datetime | None:
        found = self.value(name)
        if not found:
            return None
        moment = datetime.fromisoformat(found)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """One call as it came in."""

    method: str
    target: Ref
    body: Node
    op_id: str | None


def parse_request(raw: bytes) -> Request:
    """Read an envelope. Refuses with BadRequestError what is no SOAP call on a managed object."""
    try:
        root = Node(ET.fromstring(raw))  # noqa: S314 - the peer is our own machine, and expat refuses entity bombs
    except ET.ParseError as error:
        raise BadRequestError(f"not XML: {error}") from error
    header, envelope = root.one("Header"), root.one("Body")
    call = next(envelope.children, None) if envelope else None
    this = call.one("_this") if call else None
    if call is None or this is None:
        raise BadRequestError("expected a SOAP body with one call and its _this")
    return Request(call.tag, this.ref, call, header.value("operationID") if header else None)


def response(method: str, returned: str) -> bytes:
    """Wrap what `element("returnval", ...)` made, or nothing for a void method."""
    return f'{_HEAD}<{method}Response xmlns="urn:vim25">{returned}</{method}Response>{_TAIL}'.encode()


def fault_response(fault: Data, text: str) -> bytes:
    """Write a SOAP fault whose detail is the typed fault."""
    detail = element(f"{fault.type}Fault", fault, Declared("MethodFault"), namespace=' xmlns="urn:vim25"')
    return (
        f"{_HEAD}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{_escaped(text)}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>{_TAIL}"
    ).encode()


def element(tag: str, value: Any, declared: Declared, *, namespace: str = "") -> str:
    """Write a field: nothing when unset, one element per entry of a list, with xsi:type where the type is not plain."""
    if value is None:
        return ""
    if declared.name == "anyType":
        return _any(tag, value)
    if isinstance(value, list):
        return "".join(element(tag, entry, Declared(declared.name), namespace=namespace) for entry in value)
    if isinstance(value, Data):
        typed = f' xsi:type="{value.type}"' if value.type != declared.name else ""
        return f"<{tag}{namespace}{typed}>{_content(value)}</{tag}>"
    if isinstance(value, Ref):
        return f"<{tag} type={quoteattr(value.type)}>{_escaped(value.id)}</{tag}>"
    return f"<{tag}>{_scalar(value)}</{tag}>"


def typed_value(tag: str, value: Any, declared: Declared) -> str:
    """Write a value where the reader knows no declared type (PropertyChange.val): xsi:type says all."""
    if declared.name == "anyType":
        return _any(tag, value)
    if declared.array:
        item = "ManagedObjectReference" if declared.name in schema().managed else _plain(declared.name)
        entries = element(item, list(value), Declared(declared.name))
        return f'<{tag} xsi:type="ArrayOf{item[0].upper()}{item[1:]}">{entries}</{tag}>'
    if isinstance(value, Ref):
        return f'<{tag} xsi:type="ManagedObjectReference" type={quoteattr(value.type)}>{_escaped(value.id)}</{tag}>'
    if isinstance(value, Data):
        return f'<{tag} xsi:type="{value.type}">{_content(value)}</{tag}>'
    kind = _plain(declared.name)
    prefix = "xsd:" if kind[0].islower() else ""
    return f'<{tag} xsi:type="{prefix}{kind}">{_scalar(value)}</{tag}>'


def _content(value: Data) -> str:
    fields = schema().types[value.type].fields
    present = value.fields
    return "".join(element(name, present[name], fields[name]) for name in fields if name in present)


def _any(tag: str, value: Any) -> str:
    if isinstance(value, list):
        return typed_value(tag, value, Declared(value[0].type, array=True)) if value else ""
    if isinstance(value, Data):
        return typed_value(tag, value, Declared(value.type))
    if isinstance(value, Ref):
        return typed_value(tag, value, Declared(value.type))
    kinds = {bool: "boolean", str: "string", datetime: "dateTime"}
    name = kinds.get(type(value)) or ("int" if -_MAX_INT <= value < _MAX_INT else "long")
    return typed_value(tag, value, Declared(name))


def _plain(name: str) -> str:
    return "string" if name in _STRINGS else name


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))
