"""Which programs hold a desktop where it is: those that no laptop of its member has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kitsurvie.assets.devices import Device
from kitsurvie.assets.identifiers import plain
from kitsurvie.assets.record import Kind, Program

# what comes with a system or with its hardware, and says nothing of anybody's work
_OF_THE_MACHINE = re.compile(
    r"DRIVER|PILOTE|FIRMWARE|CHIPSET|REALTEK|INTEL\(R\)|NVIDIA|AMD |SYNAPTICS|UPDATE|MISE A JOUR"
    r"|REDISTRIBUTABLE|RUNTIME|\.NET|VISUAL C\+\+|LANGUAGE PACK|MODULE LINGUISTIQUE|HOTFIX|KB\d{6}"
    r"|SERVICE PACK|^LIB|^LINUX-|GLPI.AGENT|FUSIONINVENTORY|OCS INVENTORY|VCREDIST|DELL |HP |LENOVO"
)
_VERSION = re.compile(r"[\s(]*\b(?:V(?:ERSION)?\.? ?)?\d+(?:[.\-]\d+)*\)?$")


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of each device by its id, spelled by `spell`; a device without a list is silent.

    `laptops` are all those of the laptops of a member, by its SIREN; `business` narrows what counts
    to a syndicate's own list, where it keeps one.
    """

    of: Mapping[str, frozenset[str]]
    laptops: Mapping[str, frozenset[str]] = field(default_factory=dict)
    business: frozenset[str] | None = None


def spell(name: str) -> str:
    """A program's name in capitals without accents and without its version."""
    return _VERSION.sub("", " ".join(plain(name).split())).strip()


def programs(
    devices: Iterable[Device],
    lists: Mapping[str, Iterable[Program] | None],
    business: Iterable[str] | None = None,
) -> Programs:
    """From the programs of each record by its id (`None`: its source is silent)."""
    of: dict[str, frozenset[str]] = {}
    laptops: dict[str, frozenset[str]] = {}
    for device in devices:
        said = [lists[record] for record in device.records if lists.get(record) is not None]
        if not said:
            continue
        names = frozenset(spell(p.name) for each in said for p in each or () if p.name)
        of[device.id] = names
        if device.kind is Kind.LAPTOP and device.member:
            laptops[device.member] = laptops.get(device.member, frozenset()) | names
    wanted = None if business is None else frozenset(map(spell, business))
    return Programs(of, laptops, wanted)


def held_by(desktop: Device, lists: Programs) -> tuple[str, ...] | None:
    """Programs of a desktop that no laptop of its member has; None where lists are lacking."""
    own = lists.of.get(desktop.id)
    theirs = lists.laptops.get(desktop.member or "")
    if own is None or theirs is None:
        return None
    missing = own - theirs
    if lists.business is not None:
        return tuple(sorted(missing & lists.business))
    return tuple(sorted(name for name in missing if not _OF_THE_MACHINE.search(name)))
