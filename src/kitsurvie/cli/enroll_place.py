"""The place of a newcomer in the inventory, found before the machine is spoken to."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from kitsurvie import inventory
from kitsurvie.enroll.address import Endpoint
from kitsurvie.errors import EnrolError
from kitsurvie.inventory import write
from kitsurvie.model import Host, Profile
from kitsurvie.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the command line says of a machine; `jump` is empty when the inventory decides."""

    name: str
    at: Endpoint
    member: str
    profile: Profile
    jump: str


@dataclass(frozen=True, slots=True)
class Place:
    """The host as the inventory resolves it, and whether it was there already."""

    host: Host
    known: bool


def settle(space: Workspace, newcomer: Newcomer) -> Place:
    """The newcomer with its member's and EPCI's variables resolved; writes nothing.

    A name that is taken by another machine is refused with EnrolError, an unknown member or an
    inventory that would not hold together with InventoryError.
    """
    there = inventory.load(space).hosts.get(newcomer.name)
    if there is not None:
        _refuse_another(there, newcomer)
        return Place(there, known=True)
    # the real writer and the real reader on a copy: what they refuse is refused before contact.
    # The cache is shared, since it goes by content: the next command finds the trial's reading.
    with tempfile.TemporaryDirectory(prefix="kitsurvie-enroll-") as folder:
        trial = replace(space, inventory=Path(folder) / space.inventory.name)
        shutil.copytree(space.inventory, trial.inventory, symlinks=False)
        add(trial, newcomer)
        return Place(inventory.load(trial).hosts[newcomer.name], known=False)


def add(space: Workspace, newcomer: Newcomer) -> None:
    """Write the newcomer in the inventory of `space`."""
    write.add_host(
        space,
        newcomer.name,
        address=newcomer.at.address,
        port=newcomer.at.port,
        member=newcomer.member,
        profile=newcomer.profile,
        jump=newcomer.jump or None,
    )


def _refuse_another(there: Host, newcomer: Newcomer) -> None:
    for what, old, new in (
        ("at another address", f"{there.address}:{there.port}", str(newcomer.at)),
        ("for another member", there.member, newcomer.member),
        ("with another profile", there.profile.value, newcomer.profile.value),
    ):
        if old != new and f"[{there.address}]:{there.port}" != new:
            raise EnrolError(
                f"{newcomer.name} is already enrolled {what}: {old}, not {new}.",
                where="inventory",
                remedy="Choose another --name; or, if it is that machine, change its line in the"
                " inventory: its pinned key follows its name, whatever its address.",
            )
