"""Communes and EPCI by SIREN or INSEE code, from the territory data that travels with the kit.

Source and licence: `inventory/territory/README.md`. A CCAS, a water board or a département is not
in it: such a member is described by whoever adds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from kitsurvie.errors import InventoryError
from kitsurvie.model import Member, MemberKind
from kitsurvie.workspace import shipped


@cache
def _read() -> tuple[Mapping[str, Member], Mapping[str, str]]:
    """Communes by SIREN, and the names of EPCI by SIREN."""
    communes: dict[str, Member] = {}
    epcis: dict[str, str] = {}
    files = sorted(_folder().glob("department_*.json"))
    if not files:
        raise InventoryError(
            "The territory data is not there.",
            where=str(_folder()),
            remedy="Install kitsurvie again: it travels with it.",
        )
    for path in files:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            epci_of = {insee: e["siren"] for e in data["epci"] for insee in e["members"]}
            epcis.update({e["siren"]: e["name"] for e in data["epci"]})
            for commune in data["communes"]:
                communes[commune["siren"]] = Member(
                    siren=commune["siren"],
                    name=commune["name"],
                    kind=MemberKind.COMMUNE,
                    insee=commune["insee"],
                    epci=epci_of.get(commune["insee"]),
                )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InventoryError(
                f"The territory data cannot be read: {type(error).__name__} {error}.",
                where=str(path),
                remedy="Install kitsurvie again: this file travels with it.",
            ) from error
    return communes, epcis


def _folder() -> Path:
    return shipped("inventory") / "territory"


def member(siren: str) -> Member | None:
    """The commune with this SIREN as a member, or None when the data does not hold it."""
    return _read()[0].get(siren)


def commune(insee: str) -> Member | None:
    """The commune with this INSEE code as a member, or None."""
    return next((found for found in _read()[0].values() if found.insee == insee), None)


def epci(siren: str) -> str | None:
    """The name of the EPCI with this SIREN, or None."""
    return _read()[1].get(siren)


def members() -> tuple[Member, ...]:
    """Every commune of the data, in the order of INSEE codes."""
    return tuple(sorted(_read()[0].values(), key=lambda found: found.insee))
