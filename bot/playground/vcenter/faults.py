"""The faults that the player answers with: typed, with the sentence a vCenter would put beside them.

Texts are written after the vSphere documentation of each fault; where the real wording is not known it is ours.
"""

from __future__ import annotations

from bot.playground.vcenter.wire import Data, Ref


class Fault(Exception):  # noqa: N818 - VMware's own word for it
    """A method fault. `data` is the typed fault, `str(fault)` its localized message."""

    def __init__(self, data: Data, message: str) -> None:
        super().__init__(message)
        self.data = data

    @property
    def localized(self) -> Data:
        """The fault as TaskInfo.error and the missing sets carry it."""
        return Data("LocalizedMethodFault", fault=self.data, localizedMessage=str(self))


def not_authenticated(target: Ref) -> Fault:
    fault = Data("NotAuthenticated", object=target, privilegeId="System.View")
    return Fault(fault, "The session is not authenticated.")


def invalid_login(why: str = "Cannot complete login due to an incorrect user name or password.") -> Fault:
    return Fault(Data("InvalidLogin"), why)


def no_permission(target: Ref, privilege: str) -> Fault:
    fault = Data("NoPermission", object=target, privilegeId=privilege)
    return Fault(fault, "Permission to perform this operation was denied.")


def not_found(target: Ref) -> Fault:
    fault = Data("ManagedObjectNotFound", obj=target)
    text = f"The object '{target.type}:{target.id}' has already been deleted or has not been completely created"
    return Fault(fault, text)


def method_not_found(target: Ref, method: str) -> Fault:
    fault = Data("MethodNotFound", receiver=target, method=method)
    return Fault(fault, f"The method {method} is not played on {target.type} by this vCenter.")


def invalid_argument(property_: str, why: str = "") -> Fault:
    fault = Data("InvalidArgument", invalidProperty=property_)
    return Fault(fault, f"A specified parameter was not correct: {property_}{': ' if why else ''}{why}")


def invalid_request(why: str) -> Fault:
    return Fault(Data("InvalidRequest"), why)


def invalid_property(name: str) -> Fault:
    return Fault(Data("InvalidProperty", name=name), f"Property not found: {name}")


def not_supported(why: str) -> Fault:
    return Fault(Data("NotSupported"), f"The operation is not supported on the object: {why}")


def request_canceled() -> Fault:
    return Fault(Data("RequestCanceled"), "The operation was canceled.")


def cannot_access_file(file: str) -> Fault:
    return Fault(Data("CannotAccessFile", file=file), f"Cannot access file {file}.")


def invalid_collector_version() -> Fault:
    return Fault(Data("InvalidCollectorVersion"), "The collector version is not known.")


def method_disabled(method: str, source: str) -> Fault:
    return Fault(Data("MethodDisabled", source=source), f"The method {method} is disabled by '{source}'")


def task_in_progress(task: Ref) -> Fault:
    return Fault(Data("TaskInProgress", task=task), "Another task is already in progress.")


def invalid_power_state(existing: str) -> Fault:
    fault = Data("InvalidPowerState", requestedState="poweredOff", existingState=existing)
    words = {"poweredOn": "Powered on", "poweredOff": "Powered off", "suspended": "Suspended"}
    text = f"The attempted operation cannot be performed in the current state ({words[existing]})."
    return Fault(fault, text)


def host_state(host: str, why: str) -> Fault:
    return Fault(Data("InvalidState"), f"The operation is not allowed in the current state: {host} {why}.")


def task_ended() -> Fault:
    return Fault(Data("InvalidState"), "The operation is not allowed in the current state: the task has ended.")


def no_disk_space(file: str, datastore: str) -> Fault:
    text = f"Insufficient disk space on datastore '{datastore}'."
    return Fault(Data("NoDiskSpace", file=file, datastore=datastore), text)


def network_copy(file: str) -> Fault:
    text = f"The network connection was lost while {file} was being copied."
    return Fault(Data("NetworkCopyFault", file=file), text)


def host_connect(host: str) -> Fault:
    return Fault(Data("HostConnectFault"), f"Cannot connect to host {host}.")


def network_not_accessible(device: str, network: Ref, name: str) -> Fault:
    fault = Data("CannotAccessNetwork", device=device, backing=name, connected=False, network=network)
    text = f"Currently connected network interface '{device}' uses network '{name}', which is not accessible."
    return Fault(fault, text)


def duplicate_name(name: str, existing: Ref) -> Fault:
    return Fault(Data("DuplicateName", name=name, object=existing), f"The name '{name}' already exists.")


def vm_config(why: str) -> Fault:
    return Fault(Data("GenericVmConfigFault", reason=why), f"Invalid virtual machine configuration. {why}")


def file_fault(file: str, why: str) -> Fault:
    return Fault(Data("FileFault", file=file), f"Error caused by file {file}: {why}")


def file_locked(file: str) -> Fault:
    return Fault(Data("FileLocked", file=file), f"Unable to access file {file} since it is locked")


def system_error(reason: str) -> Fault:
    return Fault(Data("SystemError", reason=reason), f"A general system error occurred: {reason}")


def insufficient_memory(requested: int) -> Fault:
    """InsufficientMemoryResourcesFault is an InsufficientResourcesFault."""
    fault = Data("InsufficientMemoryResourcesFault", unreserved=0, requested=requested)
    return Fault(fault, "The host does not have sufficient memory resources to satisfy the reservation.")


def timed_out() -> Fault:
    return Fault(Data("Timedout"), "Operation timed out.")


def host_communication(host: str) -> Fault:
    return Fault(Data("HostCommunication"), f"Unable to communicate with the remote host {host}.")


def host_not_connected(host: str) -> Fault:
    text = f"Unable to communicate with the remote host {host}, since it is disconnected."
    return Fault(Data("HostNotConnected"), text)


def vmotion_failed(how: str, source: str, destination: str) -> Fault:
    text = f"The vMotion migrations failed because the hosts {source} and {destination} {how} over the vMotion network."
    return Fault(Data("GenericVmConfigFault", reason=text), text)
