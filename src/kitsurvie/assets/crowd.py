"""Nothing is told of the use of machines by fewer than five agents together (design, section 9).

What is left out must not come out again as the difference between a sum and its parts: small
members are told as their EPCI, and what stays under five takes a larger group in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

FEWEST = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Members that are told of together; `epci` is the SIREN of theirs, empty where they differ."""

    members: frozenset[str]
    epci: str
    agents: frozenset[str]


def is_crowd(agents: Set[str]) -> bool:
    """Whether these are people enough to be told of together."""
    return len(agents) >= FEWEST


def groups(agents: Mapping[str, Set[str]], epcis: Mapping[str, str | None]) -> tuple[Group, ...]:
    """The members (SIREN) by whose agents (pseudonyms) may be told: alone, by EPCI, or together.

    Every member is in one group and every group has five agents; there is none where all have fewer
    together.
    """
    alone, small = [], dict[str, list[str]]()
    for member in sorted(agents):
        one = _group([member], agents, epcis.get(member) or "")
        if is_crowd(one.agents):
            alone.append(one)
        else:
            small.setdefault(one.epci, []).append(member)
    together = [_group(members, agents, epci) for epci, members in sorted(small.items())]
    rest = [one for one in together if not one.epci or not is_crowd(one.agents)]
    told = [one for one in together if one not in rest]
    remaining = _joined(rest)
    while remaining.members and not is_crowd(remaining.agents):
        of = told or alone
        if not of:
            return ()
        least = min(of, key=lambda one: (len(one.agents), min(one.members)))
        of.remove(least)
        remaining = _joined((remaining, least))
    return (*alone, *told, *((remaining,) if remaining.members else ()))


@dataclass(frozen=True, slots=True)
class Shown:
    """The members and the EPCI (SIREN, empty: those of none) of whose agents may be told."""

    members: frozenset[str]
    epcis: frozenset[str]


def shown(agents: Mapping[str, Set[str]], epcis: Mapping[str, str | None]) -> Shown:
    """Which members and which EPCI may be told side by side, each EPCI as the sum of its members.

    An EPCI from five agents up; of its members those with five, but for as many as it takes that
    the others, who are the difference between the sum and what is shown, are five together.
    """
    by_epci: dict[str, dict[str, Set[str]]] = {}
    for member, who in agents.items():
        # where nobody is known there is nothing to tell, and nobody to hide among
        if who:
            by_epci.setdefault(epcis.get(member) or "", {})[member] = who
    members: set[str] = set()
    told: set[str] = set()
    for epci, theirs in by_epci.items():
        found = groups(theirs, dict.fromkeys(theirs, epci))
        if found:
            told.add(epci)
            members |= {next(iter(one.members)) for one in found if len(one.members) == 1}
    return Shown(frozenset(members), frozenset(told))


def _group(members: Iterable[str], agents: Mapping[str, Set[str]], epci: str) -> Group:
    listed = frozenset(members)
    return Group(listed, epci, frozenset(user for one in listed for user in agents[one]))


def _joined(parts: Iterable[Group]) -> Group:
    listed = list(parts)
    members = frozenset(member for one in listed for member in one.members)
    epcis = {one.epci for one in listed}
    epci = epcis.pop() if len(epcis) == 1 else ""
    return Group(members, epci, frozenset(user for one in listed for user in one.agents))
