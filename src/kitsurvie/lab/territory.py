"""The real members the lab's machines are lent to, from the territory data of the kit."""

from __future__ import annotations

from functools import cache

from kitsurvie.inventory import territory
from kitsurvie.model import Member

# Who gets the machine number 1, 2, ...: four machines already show a member with two machines,
# an EPCI with two members, and two EPCI.
ASSIGNMENT = (
    "215002189",
    "215002189",
    "215000761",
    "200054732",
    "215001090",
    "200057214",
    "215005323",
    "215001371",
)


@cache
def members() -> dict[str, Member]:
    """The members of the lab's syndicate, by SIREN."""
    found = {siren: territory.member(siren) for siren in dict.fromkeys(ASSIGNMENT)}
    return {siren: member for siren, member in found.items() if member is not None}


@cache
def epcis() -> dict[str, str]:
    """The names of their EPCI, by SIREN."""
    sirens = sorted({member.epci for member in members().values() if member.epci})
    return {siren: territory.epci(siren) or siren for siren in sirens}
