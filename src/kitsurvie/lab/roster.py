"""Which machines a lab has: names, addresses, releases, profiles and members. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.errors import LabError
from kitsurvie.lab.territory import ASSIGNMENT
from kitsurvie.model import Profile

MOST_MACHINES = 24
KNOWN_RELEASES = ("bookworm", "trixie")
BENCHMARK_RANGE = ipaddress.IPv4Network("198.18.0.0/15")

_PROFILES = (Profile.SERVER, Profile.DESKTOP, Profile.LAPTOP, Profile.SERVER)
# A machine's first address is the network's 10 + its number; the further ones start here, so
# that a machine keeps its first address whatever the number of addresses.
_FURTHER_ADDRESSES = 256


class Kind(StrEnum):
    """What a machine is made of."""

    CONTAINER = "container"
    VM = "vm"


@dataclass(frozen=True, slots=True)
class Request:
    """What `lab up` was asked for. `network` is in CIDR notation.

    `machines` are containers; `vms` has the release of each virtual machine besides.
    """

    machines: int = 4
    prefix: str = "ks"
    network: str = "198.18.0.0/20"
    addresses_per_machine: int = 1
    releases: tuple[str, ...] = KNOWN_RELEASES
    enrolled: bool = False
    vms: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many machines in all."""
        return self.machines + len(self.vms)


@dataclass(frozen=True, slots=True)
class Place:
    """One machine before it exists. `addresses` are IPv4, the first one is the machine's own."""

    number: int
    name: str
    addresses: tuple[str, ...]
    release: str
    profile: Profile
    member: str
    kind: Kind = Kind.CONTAINER


def gateway(request: Request) -> str:
    """The bridge's own address: the first one of the network."""
    return str(ipaddress.ip_network(request.network)[1])


def inventory_names(place: Place) -> tuple[tuple[str, str], ...]:
    """(name, address) of every host the inventory shows for a machine."""
    if len(place.addresses) == 1:
        return ((place.name, place.addresses[0]),)
    return tuple(
        (f"{place.name}-{rank:03d}", address) for rank, address in enumerate(place.addresses, 1)
    )


def places(request: Request) -> tuple[Place, ...]:
    """The machines of a request, always the same for the same request.

    Raises LabError when the request cannot be met.
    """
    network = _checked(request)
    further = request.addresses_per_machine - 1
    return tuple(
        Place(
            number=number,
            name=f"{request.prefix}-{number:02d}",
            addresses=(
                str(network[10 + number]),
                *(
                    str(network[_FURTHER_ADDRESSES + (number - 1) * further + rank])
                    for rank in range(further)
                ),
            ),
            release=_release(request, number),
            profile=_PROFILES[(number - 1) % len(_PROFILES)],
            member=ASSIGNMENT[(number - 1) % len(ASSIGNMENT)],
            kind=Kind.CONTAINER if number <= request.machines else Kind.VM,
        )
        for number in range(1, request.count + 1)
    )


def _release(request: Request, number: int) -> str:
    if number > request.machines:
        return request.vms[number - request.machines - 1]
    return request.releases[(number - 1) % len(request.releases)]


def _checked(request: Request) -> ipaddress.IPv4Network:
    if request.machines < 0 or not 1 <= request.count <= MOST_MACHINES:
        raise LabError(
            f"A lab has 1 to {MOST_MACHINES} machines, not {request.count}.",
            remedy="Give another --machines.",
        )
    if not re.fullmatch(r"[a-z][a-z0-9]{0,7}", request.prefix):
        raise LabError(
            f"The prefix {request.prefix!r} cannot name machines and their network interfaces.",
            remedy="Use 1 to 8 lower-case letters and digits, beginning with a letter.",
        )
    strange = [x for x in (*request.releases, *request.vms) if x not in KNOWN_RELEASES]
    if strange or not request.releases:
        raise LabError(
            f"The lab does not know the release {', '.join(strange) or '(none given)'}.",
            remedy=f"Choose among: {', '.join(KNOWN_RELEASES)}.",
        )
    if request.addresses_per_machine < 1:
        raise LabError(
            "A machine has at least one address.", remedy="Give another --addresses-per-machine."
        )
    return _network(request)


def _network(request: Request) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(request.network)
    except ValueError as error:
        raise LabError(
            f"{request.network!r} is not an IPv4 network: {error}.",
            remedy="Write it like 198.18.0.0/20.",
        ) from error
    if not network.subnet_of(BENCHMARK_RANGE):
        raise LabError(
            f"The lab stays inside {BENCHMARK_RANGE}, set apart for tests; {network} is outside.",
            remedy="Give a --network such as 198.18.0.0/20.",
        )
    last = 10 + request.count
    if request.addresses_per_machine > 1:
        last = _FURTHER_ADDRESSES + request.count * (request.addresses_per_machine - 1)
    if last >= network.num_addresses - 1:
        raise LabError(
            f"{network} is too small for {request.count} machines of "
            f"{request.addresses_per_machine} addresses.",
            remedy="Give a wider --network, or fewer machines or addresses.",
        )
    return network
