"""The part `inventory`: the names of members and EPCI, and when waivers and attestations end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.metrics import Sample
from kitsurvie.model import Inventory

_WEEK, _MONTH = 7, 30
ENDS = ("7d", "30d", "later", "over")


def samples(sources: Sources) -> Iterator[Sample]:
    """What the inventory says without the ledger."""
    inventory = sources.inventory
    members = {siren: one.epci or "" for siren, one in inventory.members.items()}
    yield from named(inventory, members, inventory.epcis)
    statements = sources.statements
    for what, listed in (
        ("waivers", [one.until for one in statements.waivers.listed]),
        ("attestations", [one.until for one in statements.attestations.listed]),
    ):
        counts = Counter(ends(until, sources.today) for until in listed)
        for when in ENDS:
            yield Sample(f"kitsurvie_{what}", {"ends": when}, counts[when])


def named(inventory: Inventory, members: dict[str, str], epcis: Iterable[str]) -> Iterator[Sample]:
    """The names of members, given the EPCI of each, and of EPCI; one that nobody knows has none."""
    for siren, epci in sorted(members.items()):
        name = _name(inventory, siren)
        if name:
            yield Sample("kitsurvie_member_info", {"member": siren, "name": name, "epci": epci}, 1)
    for siren in sorted(epcis):
        name = _name(inventory, siren)
        if name:
            yield Sample("kitsurvie_epci_info", {"epci": siren, "name": name}, 1)


def _name(inventory: Inventory, siren: str) -> str:
    name = estates.name_of(inventory, siren)
    return "" if name == siren else " ".join(name.split())


def ends(until: date, today: date) -> str:
    """When something ends whose last day that is: the first of the four that it is in."""
    left = (until - today).days
    if left < 0:
        return "over"
    return "7d" if left <= _WEEK else "30d" if left <= _MONTH else "later"
