"""The machines that spend: those of the register in service, and hosts that it does not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kitsurvie.assets import crowd
from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.factors import Factors
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind
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

    def mine(whose: Iterable[str]) -> int:
        return sum(member in (None, one) for one in whose)

    return Fleet(kept, mine(virtual), mine(withheld))


def every(
    estate: Estate, spent: Iterable[Spent], figures: Factors, days: int
) -> tuple[list[Machine], list[str]]:
    """Every machine once, by its member, and the members of those without energy of their own.

    A host is the device that it was seen to be, if it is in the register.
    """
    counted = {one.host: one for one in spent}
    of_device = {estate.device_of(name): name for name in estate.inventory.hosts}
    found: list[Machine] = []
    virtual: list[str] = []
    known: set[str] = set()

    def take(member: str, kind: Kind, read: Spent | None) -> None:
        if kind is Kind.VIRTUAL or (read is not None and read.machine != "physical"):
            virtual.append(member)
        else:
            found.append(Machine(member, kind.value, read, paper(figures, kind, days)))

    for device in estate.devices.values():
        host = of_device.get(device.id, "")
        if not _in_service(estate, device):
            known.add(host)
        elif device.kind in {*KINDS, Kind.VIRTUAL}:
            known.add(host)
            take(device.member or "", device.kind, counted.get(host))
    for name, one in estate.inventory.hosts.items():
        # also one that the register has without knowing what it is
        if name not in known:
            take(one.member, _kind(one, counted.get(name)), counted.get(name))
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


def _in_crowds(machines: Iterable[Machine], estate: Estate) -> tuple[list[Machine], list[str]]:
    """The same, readings of few PCs told of several members together; whose are not told at all."""
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
    told: list[Machine] = []
    withheld: list[str] = []
    for one in listed:
        if one.kind not in PERSONAL or not (one.spent and one.spent.covered):
            told.append(one)
        elif one.whose in of:
            told.append(replace(one, whose=of[one.whose]))
        else:
            withheld.append(one.whose)
            told.append(replace(one, spent=None))
    return told, withheld
