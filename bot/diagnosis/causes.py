"""The names of causes, and what is known of each without looking at any log."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a copy failed. The values are part of the JSON contract."""

    PACKET_LOSS = "packet_loss"
    PORT_BLOCKED = "port_blocked"
    DNS_RESOLUTION = "dns_resolution"
    TLS_CERTIFICATE = "tls_certificate"
    AUTHD_UNRESPONSIVE = "authd_unresponsive"
    TICKET_PERMISSION = "ticket_permission"
    NAT = "nat"
    MTU_MISMATCH = "mtu_mismatch"
    PROVISIONING_PATH = "provisioning_path"
    UDT_PATH = "udt_path"
    IDLE_TIMEOUT_RESET = "idle_timeout_reset"
    NFC_MEMORY_LIMIT = "nfc_memory_limit"
    DEST_FULL = "dest_full"
    SOURCE_FILE_MISSING = "source_file_missing"
    FILE_LOCKED = "file_locked"
    DISK_IO_ERROR = "disk_io_error"
    DISK_FORMAT = "disk_format"
    HOST_AGENT_DOWN = "host_agent_down"
    TIMEOUT_SLOW_LINK = "timeout_slow_link"
    VERSION_INCOMPAT = "version_incompat"
    CBT_SNAPSHOT = "cbt_snapshot"
    CLIENT_DEFECT = "client_defect"
    UNDETERMINED = "undetermined"


class Stage(StrEnum):
    """How far the copy had come."""

    LOOKUP = "lookup"
    CONNECT = "connect"
    AUTHD = "authd"
    TICKET = "ticket"
    OPEN = "open"
    DATA = "data"
    CLOSE = "close"


class Role(StrEnum):
    """What one line is to its incident."""

    DECISIVE = "decisive"
    SYMPTOM = "symptom"
    UNWINDING = "unwinding"
    CONTEXT = "context"


class Basis(StrEnum):
    """What a verdict rests on."""

    LOG = "log"
    BOTH_ENDS = "both-ends"
    MEASURED = "measured"


class Session(StrEnum):
    """Whose copy a session belongs to."""

    MIGRATION = "migration"
    BACKUP = "backup"
    REPLICATION = "replication"
    OTHER = "other"


# A log sees a session die, not why: on these causes it never speaks louder than its basis allows.
TRANSPORT = frozenset(
    {
        Cause.PACKET_LOSS,
        Cause.PORT_BLOCKED,
        Cause.NAT,
        Cause.MTU_MISMATCH,
        Cause.PROVISIONING_PATH,
        Cause.UDT_PATH,
        Cause.IDLE_TIMEOUT_RESET,
        Cause.TIMEOUT_SLOW_LINK,
    }
)
TRANSPORT_CEILING = {Basis.LOG: 0.6, Basis.BOTH_ENDS: 0.7, Basis.MEASURED: 0.95}

STAGE_IN_WORDS = {
    Stage.LOOKUP: "while a name was being looked up, before any connection",
    Stage.CONNECT: "while the connection to the data port was being opened",
    Stage.AUTHD: "after the connection was open, while the host's authentication daemon was being spoken to",
    Stage.TICKET: "when the ticket for the file was shown to the host",
    Stage.OPEN: "when the disk was being opened on the host",
    Stage.DATA: "while file data was flowing",
    Stage.CLOSE: "when the copy was being closed",
}
CAUSE_IN_WORDS = {
    Cause.PACKET_LOSS: "packet loss or a reset on the path, in the middle of the transfer",
    Cause.PORT_BLOCKED: "the data port cannot be reached",
    Cause.DNS_RESOLUTION: "the host's name does not resolve",
    Cause.TLS_CERTIFICATE: "TLS handshake or certificate",
    Cause.AUTHD_UNRESPONSIVE: "the authentication daemon behind port 902 does not answer",
    Cause.TICKET_PERMISSION: "the ticket or the account does not cover the file",
    Cause.NAT: "address translation on the path",
    Cause.MTU_MISMATCH: "different packet sizes along the path",
    Cause.PROVISIONING_PATH: "the copy takes another interface than meant",
    Cause.UDT_PATH: "the data path of vSphere 8 (TCP 8000) is closed",
    Cause.IDLE_TIMEOUT_RESET: "a firewall ends long sessions",
    Cause.NFC_MEMORY_LIMIT: "the host's memory or session limit for NFC is used up",
    Cause.DEST_FULL: "the receiving storage is full",
    Cause.SOURCE_FILE_MISSING: "a file of the source VM cannot be opened",
    Cause.FILE_LOCKED: "the disk is in use elsewhere",
    Cause.DISK_IO_ERROR: "storage failed on a host",
    Cause.DISK_FORMAT: "the disk's descriptor, size or type does not fit",
    Cause.HOST_AGENT_DOWN: "a host's management agent crashed or could not work",
    Cause.TIMEOUT_SLOW_LINK: "a fixed time limit passed on a slow link or host",
    Cause.VERSION_INCOMPAT: "versions of host, library or client do not fit",
    Cause.CBT_SNAPSHOT: "changed block tracking or snapshot state",
    Cause.CLIENT_DEFECT: "a defect of the client itself",
    Cause.UNDETERMINED: "the lines read do not tell",
}
