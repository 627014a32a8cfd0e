"""The machines that spend: those of the register in service, and hosts that it does not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kitsurvie.assets import crowd
from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.factors import Factors
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind, Source
from kitsurvie.assets.traces import id_of
from kitsurvie.assets.worth import DAYS_OF_A_YEAR
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.energy.lines import JOULES_PER_KWH, Bounds, Machine
from kitsurvie.energy.spent import Spent
from kitsurvie.model import Host, Profile

KINDS = (Kind.DESKTOP, Kind.LAPTOP, Kind.TABLET, Kind.SERVER, Kind.SCREEN)
# how long these are on says something of how somebody works
PERSONAL = frozenset({Kind.DESKTOP.value, Kind.LAPTOP.value, Kind.TABLET.value})
_OF_PROFILE = {
    Profile.DESKTOP: Kind.DESKTOP,
    Profile.LAPTOP: Kind.LAPTOP,
    Profile.PUBLIC_ACCESS: Kind.DESKTOP,
    Profile.SERVER: Kind.SERVER,
}


# before the SIREN of an EPCI (or nothing) whose small members are told together
SMALL = "small:"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines with whose they are, and how many have no energy of their own.

    `withheld` are those whose readings are not told: fewer than five, all together.
    """

    machines: tuple[Machine, ...]
    virtual: int
    withheld: int


def gather(
    estate: Estate, spent: Iterable[Spent], figures: Factors, days: int, member: str | None = None
) -> Fleet:
    """The machines of a member, or of all, with whose they are as it may be told."""
    found, virtual = every(estate, spent, figures, days)
    told, withheld = _in_crowds(found, estate)
    kept = tuple(one for one in told if member in (None, one.whose))
    return Fleet(kept, sum(member in (None, one) for one in virtual), withheld)


def every(
    estate: Estate, spent: Iterable[Spent], figures: Factors, days: int
) -> tuple[list[Machine], list[str]]:
    """Every machine once, by its member, and the members of those without energy of their own.

    A host is the device that it was seen to be, if it is in the register.
    """
    counted = {one.host: one for one in spent}
    hosts = dict(estate.inventory.hosts)
    of_device = {
        estate.by_record[name]: host
        for host in hosts
        if (name := id_of(Source.FLEET.value, "", host)) in estate.by_record
    }
    found: list[Machine] = []
    virtual: list[str] = []
    for device in estate.devices.values():
        host = of_device.get(device.id, "")
        if device.kind not in {*KINDS, Kind.VIRTUAL} or not _in_service(estate, device):
            continue
        read = counted.get(host)
        if device.kind is Kind.VIRTUAL or (read is not None and read.machine != "physical"):
            virtual.append(device.member or "")
            continue
        found.append(
            Machine(device.member or "", device.kind.value, read, paper(figures, device.kind, days))
        )
    known = set(of_device.values())
    for name, host_of in hosts.items():
        if name in known:
            continue
        read = counted.get(name)
        if read is not None and read.machine != "physical":
            virtual.append(host_of.member)
            continue
        kind = _kind(host_of, read)
        found.append(Machine(host_of.member, kind.value, read, paper(figures, kind, days)))
    return found, virtual


def paper(figures: Factors, kind: Kind, days: int) -> Bounds | None:
    """What a machine of a kind spends in so many days, on paper, in joules: 220 days of a year."""
    year = figures.energy(kind)
    if year is None:
        return None
    scale = JOULES_PER_KWH * days / DAYS_OF_A_YEAR
    held = year.range
    return Bounds(held.low * scale, held.central * scale, held.high * scale)


def _in_service(estate: Estate, device: Device) -> bool:
    state = estate.life(device.id).state
    return state in {State.IN_SERVICE, State.LENT} and not says_gone(device.status)


def _kind(host: Host, read: Spent | None) -> Kind:
    """What it says that it is, else what it is used for."""
    if read is not None and read.chassis in {Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER}:
        return Kind(read.chassis)
    return _OF_PROFILE[host.profile]


def _in_crowds(machines: Iterable[Machine], estate: Estate) -> tuple[tuple[Machine, ...], int]:
    """The same, readings of few PCs told of several members together, or of nobody."""
    listed = list(machines)
    pcs: dict[str, set[str]] = {}
    for number, one in enumerate(listed):
        if one.kind in PERSONAL and one.spent and one.spent.covered:
            pcs.setdefault(one.whose, set()).add(str(number))
    epcis: Mapping[str, str | None] = {name: estate.epci(name) for name in pcs}
    of: dict[str, str] = {}
    for group in crowd.groups(pcs, epcis):
        for name in group.members:
            of[name] = name if len(group.members) == 1 else f"{SMALL}{group.epci}"
    told, withheld = [], 0
    for one in listed:
        if one.kind not in PERSONAL or not (one.spent and one.spent.covered):
            told.append(one)
        elif one.whose in of:
            told.append(replace(one, whose=of[one.whose]))
        else:
            withheld += 1
            told.append(replace(one, spent=None))
    return tuple(told), withheld
