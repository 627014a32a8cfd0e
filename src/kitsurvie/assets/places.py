"""Whose a record is: the words of an export, as a member and a commune.

An export says an entity (`Syndicat > CA Saint-Lô Agglo > La Barre-de-Semilly`), a code of INSEE, a
SIREN or a name. Every commune of the territory is known, and every member of the inventory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Protocol

from kitsurvie.assets.folding import fold
from kitsurvie.inventory import territory
from kitsurvie.inventory.names import good_insee, good_siren
from kitsurvie.model import Inventory, Member, MemberKind


@dataclass(frozen=True, slots=True)
class Place:
    """The SIREN of a member and the INSEE code of a commune, or the reason why there is none."""

    member: str | None = None
    commune: str | None = None
    reason: str = ""


class Places(Protocol):
    """Finds the place that an export speaks of."""

    def find(self, said: str) -> Place:
        """The place of these words; one without a member says why."""


NOWHERE = Place()
_CACHED = 1 << 14
# the town hall of a place is that place; `du Vast` is of `Le Vast`
_HALL = re.compile(r"(?:mairie|commune|ville|cne|cnr) (?:(?:de|d) )?(.+)")
_ARTICLES = {"du ": "le ", "des ": "les "}
_SHORT = {"st": "saint", "ste": "sainte"}
# what a group of communes is called beside its name
_EPCI = re.compile(
    r"(?:cc|ca|cu|communaute (?:de communes|d agglomeration|urbaine)) (?:(?:de la|de l|du|de|d) )?"
)


class Territory:
    """The communes, the EPCI and the members that are known, by code and by name.

    A name that two share is one of them only where the path names its EPCI.
    """

    def __init__(self, members: Iterable[Member], epcis: Iterable[tuple[str, str]]) -> None:
        self._by_siren: dict[str, Member] = {}
        self._by_insee: dict[str, Member] = {}
        self._by_name: dict[str, list[Member]] = {}
        self._epci_by_name: dict[str, str] = {}
        self._epcis: set[str] = set()
        self._known: dict[str, Place] = {}
        names: dict[str, set[str]] = {}
        for one in members:
            self._by_siren[one.siren] = one
            names.setdefault(_name(one.name), set()).add(one.siren)
            if one.kind is MemberKind.COMMUNE:
                self._by_insee[one.insee] = one
        for name, sirens in names.items():
            self._by_name[name] = [self._by_siren[siren] for siren in sorted(sirens)]
        for siren, name in epcis:
            self._epcis.add(siren)
            for spelt in (_name(name), _EPCI.sub("", _name(name))):
                self._epci_by_name.setdefault(spelt, siren)

    def find(self, said: str) -> Place:
        """The place of an entity's path, a code of INSEE, a SIREN or SIRET, or a name."""
        known = self._known.get(said)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[said] = self._find(said)
        return known

    def _find(self, said: str) -> Place:
        # GLPI has written its ` > ` as an entity of HTML
        path = unescape(said) if "&" in said else said
        parts = [part for part in (text.strip() for text in path.split(">")) if part]
        if not parts:
            return NOWHERE
        for depth in range(len(parts) - 1, -1, -1):
            above = {siren for part in parts[:depth] if (siren := self._epci(part))}
            place = self._one(parts[depth], above)
            if place is not None:
                return place
        return Place(reason=f"No member is known as {_shown(said)}.")

    def _epci(self, text: str) -> str | None:
        name = _name(text)
        return self._epci_by_name.get(name) or self._epci_by_name.get(_EPCI.sub("", name))

    def _one(self, text: str, above: set[str]) -> Place | None:
        """The place of one part of a path, None when it is no place's name or code."""
        code = text.replace(" ", "").upper()
        if good_insee(code) and code in self._by_insee:
            return _place(self._by_insee[code])
        if good_siren(code[:9]) and len(code) in (9, 14) and code.isdigit():
            if code[:9] in self._by_siren:
                return _place(self._by_siren[code[:9]])
            return Place(code[:9]) if code[:9] in self._epcis else None
        found = next((self._by_name[n] for n in _spellings(text) if n in self._by_name), [])
        if not found:
            siren = self._epci(text)
            if siren is None:
                return None
            return _place(self._by_siren[siren]) if siren in self._by_siren else Place(siren)
        there = [one for one in found if one.epci in above or one.siren in above]
        if len(there) == 1:
            return _place(there[0])
        if len(found) > 1:
            return Place(
                reason=f"{len(found)} members are called {_shown(text)}, and the entity does not "
                "say of which EPCI."
            )
        if above and found[0].epci:
            return Place(reason=f"{_shown(text)} is of another EPCI than the entity says.")
        return _place(found[0])


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _place(one: Member) -> Place:
    return Place(one.siren, one.insee)


def _name(text: str) -> str:
    return " ".join(_SHORT.get(word, word) for word in fold(text).split())


def _spellings(text: str) -> tuple[str, ...]:
    """The name as it stands, and without the town hall around it."""
    name = _name(text)
    hall = _HALL.fullmatch(name)
    if hall is None:
        return (name,)
    rest = hall[1]
    for old, new in _ARTICLES.items():
        if rest.startswith(old):
            return (name, new + rest.removeprefix(old))
    return (name, rest)


def known(inventory: Inventory | None = None) -> Territory:
    """The communes and EPCI of the territory, and the members of the inventory over them.

    Raises InventoryError when the data of the territory cannot be read.
    """
    communes = territory.members()
    sirens = {one.epci for one in communes if one.epci}
    epcis = [(siren, territory.epci(siren) or "") for siren in sorted(sirens)]
    if inventory is None:
        return Territory(communes, epcis)
    return Territory((*communes, *inventory.members.values()), (*epcis, *inventory.epcis.items()))
