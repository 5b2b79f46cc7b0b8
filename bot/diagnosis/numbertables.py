"""The published numbers, family by family. Data only; `numbers.py` reads them.

Each table says where its numbers stand in public. Words are ours, short, and begin in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Entry(NamedTuple):
    """The symbol of a number, and what it says in plain words."""

    name: str
    words: str


# Replies of the NFC server: virt-v2v-input-vmware(1) for 5, the Vectura documentation for 11, velero-plugin issue 118.
NFC: Final[Mapping[int, str]] = {
    0: "success; also printed inside failures that come before NFC starts",
    5: "the server could not allocate the memory that was asked for",
    11: "the permission check failed, or the file is read-only for this ticket",
}

# Low byte 0x22, the code in the next byte.
NBD_SOURCE: Final = "helpdesk.kaseya.com 4407510519441 (802); velero-plugin issue 118 (2338); VDDK client logs"
NBD: Final[Mapping[int, Entry]] = {
    0x01: Entry("NBD_ERR_GENERIC", "the catch-all of disk sessions"),
    0x03: Entry("NBD_ERR_INSUFFICIENT_RESOURCES", "the host's NFC memory or sessions are used up"),
    0x09: Entry("NBD_ERR_NETWORK_CONNECT", "the host's data port could not be reached"),
    0x13: Entry("NBD_ERR_DISKLIB", "the host's own disk library refused"),
}

# Numbers of the disk library that are printed together with their text.
DISKLIB: Final[Mapping[int, str]] = {
    15: "the file specified is not a virtual disk",
    24: "the feature is not supported by this version",
    25: "the system cannot find the file specified",
    39: "the file already exists",
    63: "could not find the file",
}

# Low byte 0x08, the FileIOResult in bits 12 to 15: 16392 is 0x4008, "failed to lock the file".
FILEIO_SOURCE: Final = (
    "github.com/vmware/open-vm-tools lib/include/fileIO.h; 16392 in github.com/lamw/ghettoVCB issue 226"
)
FILEIO: Final[Mapping[int, Entry]] = {
    1: Entry("FILEIO_CANCELLED", "cancelled"),
    2: Entry("FILEIO_ERROR", "a generic error of the file layer"),
    3: Entry("FILEIO_OPEN_ERROR_EXIST", "the file already exists"),
    4: Entry("FILEIO_LOCK_FAILED", "failed to lock the file"),
    5: Entry("FILEIO_READ_ERROR_EOF", "read beyond the end of the file"),
    6: Entry("FILEIO_FILE_NOT_FOUND", "could not find the file"),
    7: Entry("FILEIO_NO_PERMISSION", "insufficient permission to access the file"),
    8: Entry("FILEIO_FILE_NAME_TOO_LONG", "file name too long"),
    9: Entry("FILEIO_WRITE_ERROR_FBIG", "the file would exceed the largest size"),
    10: Entry("FILEIO_WRITE_ERROR_NOSPC", "no space left on the device"),
    11: Entry("FILEIO_WRITE_ERROR_DQUOT", "disk quota exceeded"),
}

VIX_SOURCE: Final = "VDDK headers, as in github.com/ManageIQ/ffi-vix_disk_lib lib/ffi-vix_disk_lib/enum.rb"
VIX: Final[Mapping[int, Entry]] = {
    1: Entry("VIX_E_FAIL", "unknown error, the catch-all"),
    2: Entry("VIX_E_OUT_OF_MEMORY", "memory allocation failed"),
    3: Entry("VIX_E_INVALID_ARG", "one of the parameters was invalid"),
    4: Entry("VIX_E_FILE_NOT_FOUND", "a file was not found"),
    5: Entry("VIX_E_OBJECT_IS_BUSY", "the object is busy"),
    6: Entry("VIX_E_NOT_SUPPORTED", "not supported"),
    7: Entry("VIX_E_FILE_ERROR", "a file access error"),
    8: Entry("VIX_E_DISK_FULL", "the file system is full"),
    9: Entry("VIX_E_INCORRECT_FILE_TYPE", "the file has the wrong type"),
    10: Entry("VIX_E_CANCELLED", "the operation was cancelled"),
    11: Entry("VIX_E_FILE_READ_ONLY", "the file is read-only for this ticket"),
    12: Entry("VIX_E_FILE_ALREADY_EXISTS", "the file already exists"),
    13: Entry("VIX_E_FILE_ACCESS_ERROR", "no access rights to the file"),
    14: Entry("VIX_E_REQUIRES_LARGE_FILES", "the file system does not take large files"),
    15: Entry("VIX_E_FILE_ALREADY_LOCKED", "the file is locked by somebody else"),
    25: Entry("VIX_E_OBJECT_NOT_FOUND", "the object was not found"),
    26: Entry("VIX_E_HOST_NOT_CONNECTED", "the host is not connected"),
    36: Entry("VIX_E_HOST_CONNECTION_LOST", "the connection to the host was lost"),
    3014: Entry("VIX_E_HOST_USER_PERMISSIONS", "the account lacks rights on the host"),
    13002: Entry("VIX_E_SNAPSHOT_DISKLIB", "the disk library failed in a snapshot"),
    13010: Entry("VIX_E_SNAPSHOT_LOCKED", "the snapshot is locked"),
    13014: Entry("VIX_E_SNAPSHOT_DISKLOCKED", "a disk of the snapshot is locked"),
    14005: Entry("VIX_E_HOST_FILE_ERROR_EOF", "end of file too early"),
    14006: Entry("VIX_E_HOST_NETBLKDEV_HANDSHAKE", "the handshake of the disk session failed"),
    14007: Entry("VIX_E_HOST_SOCKET_CREATION_ERROR", "no socket could be made"),
    14008: Entry("VIX_E_HOST_SERVER_NOT_FOUND", "the server was not found"),
    14009: Entry("VIX_E_HOST_NETWORK_CONN_REFUSED", "the server refused connection; also no route, no name, no answer"),
    14010: Entry("VIX_E_HOST_TCP_SOCKET_ERROR", "a TCP socket failed"),
    14011: Entry("VIX_E_HOST_TCP_CONN_LOST", "the TCP connection was lost"),
    16000: Entry("VIX_E_DISK_INVAL", "an invalid parameter for the disk library"),
    16002: Entry("VIX_E_DISK_NOIO", "the disk library could not read or write"),
    16003: Entry("VIX_E_DISK_PARTIALCHAIN", "a link of the disk chain is missing"),
    16006: Entry("VIX_E_DISK_NEEDSREPAIR", "the disk needs repair"),
    16007: Entry("VIX_E_DISK_OUTOFRANGE", "beyond the end of the disk"),
    16008: Entry("VIX_E_DISK_CID_MISMATCH", "content identifiers of the disk chain differ"),
    16011: Entry("VIX_E_DISK_UNSUPPORTEDDISKVERSION", "the disk's version is not supported"),
    16012: Entry("VIX_E_DISK_OPENPARENT", "the parent disk could not be opened"),
    16013: Entry("VIX_E_DISK_NOTSUPPORTED", "not supported by the disk library"),
    16030: Entry("VIX_E_DISK_INVALIDCHAIN", "the disk chain is invalid"),
    16054: Entry("VIX_E_DISK_INVALID_CONNECTION", "the disk's connection is invalid"),
    16063: Entry("VIX_E_DISK_INVALIDDISK", "the file is no valid disk"),
    16064: Entry("VIX_E_DISK_NOLICENSE", "no license"),
    16065: Entry("VIX_E_DISK_NODEVICE", "no such device"),
    16067: Entry("VIX_E_DISK_CAPACITY_MISMATCH", "capacities of the disk chain differ"),
    18000: Entry("VIX_E_CANNOT_CONNECT_TO_HOST", "cannot connect to the host"),
}

# The header counts up from VMK_FAILURE, 0x0bad0001. Its first 64 agree with published lines of all generations; after
# those, hosts before ESXi 5 counted differently: KB 307365 has 0xbad0109 for a passed switchover time, not 0xbad0107.
VMKERNEL_SOURCE: Final = "vmkapi status header of ESXi 5 (GitHub text-index id 12237803664)"
VMKERNEL: Final[Mapping[int, Entry]] = {
    0x0001: Entry("VMK_FAILURE", "failure"),
    0x0002: Entry("VMK_WOULD_BLOCK", "would block"),
    0x0003: Entry("VMK_NOT_FOUND", "not found"),
    0x0004: Entry("VMK_BUSY", "busy"),
    0x0005: Entry("VMK_EXISTS", "already exists"),
    0x0006: Entry("VMK_LIMIT_EXCEEDED", "limit exceeded"),
    0x0007: Entry("VMK_BAD_PARAM", "bad parameter"),
    0x0008: Entry("VMK_METADATA_READ_ERROR", "metadata read error"),
    0x0009: Entry("VMK_METADATA_WRITE_ERROR", "metadata write error"),
    0x000A: Entry("VMK_IO_ERROR", "I/O error"),
    0x000B: Entry("VMK_READ_ERROR", "read error"),
    0x000C: Entry("VMK_WRITE_ERROR", "write error"),
    0x000F: Entry("VMK_INVALID_ADAPTER", "no such SCSI adapter"),
    0x0010: Entry("VMK_INVALID_TARGET", "no such target on the adapter"),
    0x0011: Entry("VMK_INVALID_PARTITION", "no such partition on the target"),
    0x0012: Entry("VMK_INVALID_FS", "no file system on the device"),
    0x0014: Entry("VMK_NO_MEMORY", "out of memory"),
    0x0015: Entry("VMK_NO_MEMORY_RETRY", "out of memory, a retry may do"),
    0x0017: Entry("VMK_NO_RESOURCES", "out of resources"),
    0x0018: Entry("VMK_NO_FREE_HANDLES", "no free handles"),
    0x001C: Entry("VMK_CORRUPT_REDOLOG", "corrupt redo log"),
    0x0020: Entry("VMK_NOT_SUPPORTED", "not supported"),
    0x0021: Entry("VMK_TIMEOUT", "timeout"),
    0x0022: Entry("VMK_READ_ONLY", "read only"),
    0x0023: Entry("VMK_RESERVATION_CONFLICT", "SCSI reservation conflict"),
    0x0024: Entry("VMK_FS_LOCKED", "file system locked"),
    0x002E: Entry("VMK_IS_DISCONNECTED", "already disconnected"),
    0x0031: Entry("VMK_NOT_INITIALIZED", "not initialized"),
    0x0034: Entry("VMK_MISSING_FS_PES", "VMFS volume misses physical extents"),
    0x0039: Entry("VMK_NOT_READY", "not ready"),
    0x003A: Entry("VMK_CHECKSUM_MISMATCH", "checksum mismatch"),
    0x003F: Entry("VMK_MIG_CONN_CLOSED", "connection closed by the remote host, possibly a timeout"),
    0x0040: Entry("VMK_NO_CONNECT", "no connection"),
    # from here on as of ESXi 5
    0x0047: Entry("VMK_ENETDOWN", "network is down"),
    0x0048: Entry("VMK_ENETUNREACH", "network unreachable"),
    0x004B: Entry("VMK_ECONNRESET", "connection reset by peer"),
    0x004C: Entry("VMK_ENOTCONN", "socket is not connected"),
    0x004F: Entry("VMK_ECONNREFUSED", "connection refused"),
    0x0050: Entry("VMK_EHOSTDOWN", "host is down"),
    0x0051: Entry("VMK_EHOSTUNREACH", "no route to host"),
    0x0053: Entry("VMK_BROKEN_PIPE", "broken pipe"),
    0x005A: Entry("VMK_NO_ACCESS", "permission denied"),
    0x005B: Entry("VMK_NO_PERMISSION", "operation not permitted"),
    0x0081: Entry("VMK_MEM_ADMIT_FAILED", "admission check failed for memory"),
    0x008D: Entry("VMK_SNAPSHOT_DEV", "SCSI LUN is in snapshot state"),
    0x0090: Entry("VMK_LOCK_NOT_FREE", "lock was not free"),
    0x0092: Entry("VMK_MIGRATE_VMX_FAILURE", "the VMX took the migration for failed"),
    0x009C: Entry("VMK_NFS_CONNECT_FAILURE", "unable to connect to the NFS server"),
    0x00AD: Entry("VMK_NO_FREE_INODES", "no free inodes"),
    0x00AE: Entry("VMK_NO_MEMORY_FOR_FILEDATA", "no free memory for file data"),
    0x00AF: Entry("VMK_NO_TAR_SPACE", "no free space to extend a file"),
    0x00BD: Entry("VMK_INVALID_MULTIWRITER_OBJECT", "sparse files cannot be opened in multiwriter mode"),
    0x00BE: Entry("VMK_STORAGE_RETRY_OPERATION", "transient storage condition"),
    0x00BF: Entry("VMK_HBA_ERROR", "storage initiator error"),
    0x00D3: Entry("VMK_OPTLOCK_STOLEN", "another host took the lock"),
    0x00D7: Entry("VMK_NO_SPACE", "no space left on device"),
    0x00DD: Entry("VMK_LVM_DEVICE_UNREACHABLE", "LVM device unreachable"),
    0x00E0: Entry("VMK_ABORTED", "I/O was aborted"),
    0x00E5: Entry("VMK_RESERVATION_LOST", "reservation lost"),
    0x0107: Entry("VMK_MIGRATE_MAX_DOWNTIME_EXCEEDED", "maximum switchover time exceeded"),
    0x010B: Entry("VMK_VMOTION_CONNECT_FAILED", "the hosts could not connect over the vMotion network"),
    0x010E: Entry("VMK_FS_TIMEOUT_RETRY", "file system timeout"),
    0x0111: Entry("VMK_FS_LOCK_LOST", "a disk lock was lost"),
    0x0112: Entry("VMK_NO_SPACE_ON_DEVICE", "underlying device has no free space"),
    0x0129: Entry("VMK_MESSAGE_TOO_LONG", "message too long"),
    0x012D: Entry("VMK_VMFS_ABORTED", "I/O was aborted by VMFS"),
    0x0132: Entry("VMK_PERM_DEV_LOSS", "device is permanently unavailable"),
    0x0139: Entry("VMK_HBR_WIRE_INSTANCE_ABORTED", "the replication instance was aborted"),
    0x013A: Entry("VMK_HBR_WIRE_NEED_FULL_SYNC", "the replicated disk needs a full synchronization"),
    0x0140: Entry("VMK_HBR_WIRE_PROTOCOL_CORRUPTED", "corrupt response from the replication server"),
}

ERRNO_SOURCE: Final = "Linux errno(3), which ESXi follows"
ERRNO: Final[Mapping[int, Entry]] = {
    1: Entry("EPERM", "operation not permitted"),
    2: Entry("ENOENT", "no such file or directory"),
    4: Entry("EINTR", "interrupted"),
    5: Entry("EIO", "input/output error"),
    6: Entry("ENXIO", "no such device or address"),
    9: Entry("EBADF", "bad file descriptor"),
    11: Entry("EAGAIN", "try again"),
    12: Entry("ENOMEM", "out of memory"),
    13: Entry("EACCES", "permission denied"),
    16: Entry("EBUSY", "device or resource busy"),
    17: Entry("EEXIST", "file exists"),
    19: Entry("ENODEV", "no such device"),
    22: Entry("EINVAL", "invalid argument"),
    24: Entry("EMFILE", "too many open files"),
    25: Entry("ENOTTY", "inappropriate ioctl for device"),
    27: Entry("EFBIG", "file too large"),
    28: Entry("ENOSPC", "no space left on device"),
    30: Entry("EROFS", "read-only file system"),
    32: Entry("EPIPE", "broken pipe"),
    38: Entry("ENOSYS", "function not implemented"),
    74: Entry("EBADMSG", "bad message"),
    90: Entry("EMSGSIZE", "message too long"),
    95: Entry("EOPNOTSUPP", "operation not supported"),
    98: Entry("EADDRINUSE", "address already in use"),
    99: Entry("EADDRNOTAVAIL", "cannot assign requested address"),
    100: Entry("ENETDOWN", "network is down"),
    101: Entry("ENETUNREACH", "network is unreachable"),
    103: Entry("ECONNABORTED", "connection aborted"),
    104: Entry("ECONNRESET", "connection reset by peer"),
    107: Entry("ENOTCONN", "not connected"),
    110: Entry("ETIMEDOUT", "connection timed out"),
    111: Entry("ECONNREFUSED", "connection refused"),
    112: Entry("EHOSTDOWN", "host is down"),
    113: Entry("EHOSTUNREACH", "no route to host"),
    115: Entry("EINPROGRESS", "operation now in progress"),
    116: Entry("ESTALE", "stale file handle"),
    122: Entry("EDQUOT", "disk quota exceeded"),
    125: Entry("ECANCELED", "operation cancelled"),
}

WINDOWS_SOURCE: Final = "Microsoft, System Error Codes and Windows Sockets Error Codes"
WINDOWS: Final[Mapping[int, Entry]] = {
    2: Entry("ERROR_FILE_NOT_FOUND", "the system cannot find the file specified"),
    3: Entry("ERROR_PATH_NOT_FOUND", "the system cannot find the path specified"),
    5: Entry("ERROR_ACCESS_DENIED", "access is denied"),
    32: Entry("ERROR_SHARING_VIOLATION", "another process is using the file"),
    33: Entry("ERROR_LOCK_VIOLATION", "another process has locked a part of the file"),
    112: Entry("ERROR_DISK_FULL", "there is not enough space on the disk"),
    1117: Entry("ERROR_IO_DEVICE", "I/O device error"),
    10013: Entry("WSAEACCES", "permission denied"),
    10048: Entry("WSAEADDRINUSE", "address already in use"),
    10049: Entry("WSAEADDRNOTAVAIL", "cannot assign requested address"),
    10050: Entry("WSAENETDOWN", "network is down"),
    10051: Entry("WSAENETUNREACH", "network is unreachable"),
    10053: Entry("WSAECONNABORTED", "connection aborted by software on this machine"),
    10054: Entry("WSAECONNRESET", "connection reset by peer"),
    10055: Entry("WSAENOBUFS", "no buffer space"),
    10057: Entry("WSAENOTCONN", "socket is not connected"),
    10060: Entry("WSAETIMEDOUT", "connection timed out"),
    10061: Entry("WSAECONNREFUSED", "connection refused"),
    10064: Entry("WSAEHOSTDOWN", "host is down"),
    10065: Entry("WSAEHOSTUNREACH", "no route to host"),
    11001: Entry("WSAHOST_NOT_FOUND", "host not found"),
    11002: Entry("WSATRY_AGAIN", "host not found for now"),
    11004: Entry("WSANO_DATA", "the name has no address"),
}
