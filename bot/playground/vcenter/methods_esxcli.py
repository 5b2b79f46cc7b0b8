"""esxcli through vCenter: the executer of a host, and the SOAP that it carries to the host's command line.

The executer is a managed object of the reflect namespace, known by its real name, and its results come the way a live
vCenter was seen to send them in 2026: prefixed with `reflect:`. Which privilege the real one asks for was never
published; Host.Config for the network and for the system is what the player asks for, and marked as a guess.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from bot.playground.esxi import esxcli_network, esxcli_system
from bot.playground.esxi.esxcli import FAULT_SUMMARY, CliError, Order, arguments, carry_out, fault_xml, reply_xml
from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.neighbourhood import Neighbourhood
from bot.playground.vcenter.wire import Ref

PLAYED = (esxcli_network, esxcli_system)
"""Importing them has filled the table of commands."""
EXECUTER = "ReflectManagedMethodExecuter"
_CLI = "vim.EsxCLI."
_NOT_FOUND = "The object or item referred to could not be found."
PRIVILEGES = {"network": "Host.Config.Network", "storage": "Host.Config.Storage"}
"""By the first word of a namespace."""
_USUAL_PRIVILEGE = "Host.Config.Settings"


@method("RetrieveManagedMethodExecuter", on="HostSystem", privilege="System.Read")
async def retrieve_managed_method_executer(call: Call) -> str:
    """Return the executer of a host; it lives as long as the session."""
    host = call.reader.find(call.request.target)
    ref = Ref(EXECUTER, f"ManagedMethodExecuter-{call.request.target.id}")
    call.session.objects[ref] = host
    return returned(ref, EXECUTER)


@method("ExecuteSoap", on=EXECUTER)
async def execute_soap(call: Call) -> str:
    """Carry out one command on the host. What goes wrong in it is a result too, not a fault of the call."""
    host = call.reader.find(call.request.target)
    if not isinstance(host, Host):
        raise faults.not_found(call.request.target)
    path = (call.args.value("method") or "").removeprefix(_CLI)
    namespace, _, name = path.rpartition(".")
    call.require(PRIVILEGES.get(namespace.partition(".")[0], _USUAL_PRIVILEGE), host)
    machine = call.estate.machine(host)
    if host.connected:
        await machine.think()
    if not host.connected:
        raise faults.host_not_connected(host.name)
    if call.args.value("moid") != f"ha-cli-handler-{namespace.replace('.', '-')}":
        return _fault(_NOT_FOUND, fault_xml(_NOT_FOUND))
    pairs = [(node.value("name") or "", node.value("val") or "") for node in call.args.all("argument")]
    try:
        order = Order(machine, Neighbourhood(host, call.estate, call.works), arguments(pairs))
        reply = carry_out(order, namespace, name)
    except KeyError:
        return _fault(_NOT_FOUND, fault_xml(_NOT_FOUND))
    except CliError as error:
        return _fault(FAULT_SUMMARY, fault_xml(str(error)))
    await machine.busy(reply.takes)
    return _result(f"<reflect:response>{escape(reply_xml(reply))}</reflect:response>")


def _fault(message: str, detail: str) -> str:
    texts = {"faultMsg": message, "faultDetail": detail}
    inner = "".join(f"<reflect:{name}>{escape(text)}</reflect:{name}>" for name, text in texts.items())
    return _result(f"<reflect:fault>{inner}</reflect:fault>")


def _result(inner: str) -> str:
    kind = f'xmlns:reflect="urn:reflect" xsi:type="reflect:{EXECUTER}SoapResult"'
    return f"<returnval {kind}>{inner}</returnval>"
