"""The state of a device, from the parts of its inventory. Silence stays silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kitsurvie.assets.folding import fold
from kitsurvie.assets.record import Antivirus, Condition, Firewall, Program, Volume

MIB = 1 << 20
_ENCRYPTED = {"yes": True, "no": False, "partially": False, "oui": True, "non": False}
_ON = {"on": True, "off": False, "1": True, "0": False}
# what is no disk of the machine's own: an optical drive, a stick, a share, memory
_NOT_ITS_OWN = re.compile(
    r"\b(?:removable|amovible|cd rom|dvd|compact|disque compact|network|reseau|floppy|disquettes?|"
    r"ram disk)\b"
)
_NOT_ON_DISK = re.compile(
    r"(?:iso9660|cdfs|udf|nfs[0-9]*|cifs|smb.*|tmpfs|devtmpfs|squashfs|overlay|proc|sysfs|fuse.*)"
)


def condition(parts: Mapping[str, Any], *, programs: bool) -> Condition:
    """What fitted parts say of a device; `programs` are left out of what belongs to somebody."""
    system = parts.get("operatingsystem", {})
    hardware = parts.get("hardware", {})
    cpus = parts.get("cpus", [])
    batteries = parts.get("batteries")
    softwares = parts.get("softwares")
    return Condition(
        system=system.get("full_name") or system.get("name", ""),
        system_version=system.get("version") or system.get("kernel_version", ""),
        memory_mib=_memory(hardware, parts.get("memories", [])),
        processor=next((cpu["name"] for cpu in cpus if "name" in cpu), ""),
        antivirus=_antivirus(parts.get("antivirus")),
        firewalls=_firewalls(parts.get("firewalls")),
        volumes=_volumes(parts.get("drives")),
        programs=_programs(softwares) if programs else None,
        battery=None if batteries is None else bool(batteries),
    )


def _memory(hardware: Mapping[str, Any], sticks: Sequence[Mapping[str, Any]]) -> int | None:
    """MiB that the system sees, or else that the sticks sum up to."""
    seen: int | None = hardware.get("memory")
    if seen is not None and seen > 0:
        return seen
    total = sum(size for stick in sticks if (size := stick.get("capacity", 0)) > 0)
    return total or None


def _antivirus(found: Sequence[Mapping[str, Any]] | None) -> tuple[Antivirus, ...] | None:
    if found is None:
        return None
    return tuple(
        Antivirus(one.get("name", ""), one.get("enabled"), one.get("uptodate")) for one in found
    )


def _firewalls(found: Sequence[Mapping[str, Any]] | None) -> tuple[Firewall, ...] | None:
    if found is None:
        return None
    return tuple(
        Firewall(one.get("profile", ""), _ON.get(one.get("status", "").casefold())) for one in found
    )


def _volumes(found: Sequence[Mapping[str, Any]] | None) -> tuple[Volume, ...] | None:
    if found is None:
        return None
    return tuple(_volume(drive) for drive in found if drive and _its_own(drive))


def _its_own(drive: Mapping[str, Any]) -> bool:
    kind = fold(f"{drive.get('type', '')} {drive.get('description', '')}")
    system = drive.get("filesystem", "").casefold()
    return not _NOT_ITS_OWN.search(kind) and not _NOT_ON_DISK.fullmatch(system)


def _volume(drive: Mapping[str, Any]) -> Volume:
    kind = drive.get("type", "")
    mount = drive.get("letter") or (kind if kind.startswith("/") else "") or drive.get("volumn", "")
    size, free = _bytes(drive.get("total")), _bytes(drive.get("free"))
    return Volume(mount, size, free, _ENCRYPTED.get(drive.get("encrypt_status", "").casefold()))


def _bytes(mebibytes: int | None) -> int | None:
    return None if mebibytes is None or mebibytes < 0 else mebibytes * MIB


def _programs(found: Sequence[Mapping[str, Any]] | None) -> tuple[Program, ...] | None:
    if found is None:
        return None
    return tuple(
        dict.fromkeys(
            Program(one["name"], one.get("version", "")) for one in found if one.get("name")
        )
    )
