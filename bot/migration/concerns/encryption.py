"""Encrypted disks are copied as they are; without their key at the other end nobody opens them again."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, host, note, unknown, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a host that cannot hold encrypted VMs; warn of another vCenter, which needs the same key provider."""
    if not (choice.vm.encrypted or any(disk.encrypted for disk in choice.vm.disks)):
        return
    name, keys = choice.vm.ref.name, choice.vm.key_provider or "its key provider"
    if choice.host is not None and choice.host.crypto_safe is False:
        yield block(
            f"{name} is encrypted, and host {choice.host.name} is not in a crypto-safe state.",
            "enabling host encryption mode there, or another --host",
        )
    elif choice.host is not None and choice.host.crypto_safe is None:
        yield unknown(f"whether host {choice.host.name} can hold the encrypted {name}")
    if choice.vm.ref.vcenter != choice.site.spec.vcenter:
        yield warn(
            f"{name} is encrypted: vCenter {choice.site.spec.vcenter} needs the key provider {keys} too (KB 386333).",
            "whoever keeps the keys: backing the provider up and restoring it there",
        )
    elif choice.host is not None and choice.host.crypto_safe:
        yield note(f"{name} is encrypted with {keys}: the host there asks it for the key at power-on.")


GUARD = Guard(
    id="encryption",
    when="The VM or a disk is encrypted: host not crypto-safe, or another vCenter that needs the same key provider.",
    weights=(Severity.BLOCK, Severity.WARN, Severity.NOTE),
    lifted_by="a crypto-safe host (--host); the same key provider at the other vCenter",
    check=check,
    rests_on=vm("config.keyId", "config.hardware.device"),
    refined_by=host("runtime.cryptoState"),
    ignorance=Severity.WARN,
)
