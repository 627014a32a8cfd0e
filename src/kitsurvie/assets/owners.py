"""Whose a device is, and how that is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.assets.devices import Device
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import Use

# A device is somebody's who is on it on seven of its ten session days (design, section 9): a
# colleague who takes over during holidays, five weeks of fifty-two, stays far below the rest
DOMINANT_SHARE = 0.7
# Under a week of session days, a colleague's single day would make a device theirs
FEWEST_DAYS = 5
# `PF-MUNEVI-00019` and `PT-MUNEVI-00019L`: what stands before the place or number says which kind
# of machine it is, a letter at the end that it is the second one
_KIND_WORD = re.compile(
    r"^(?:PF|PT|PC|UC|DT|LT|NB|WS|FIXE|FIX|PORT(?:ABLE)?|LAP(?:TOP)?|DESK(?:TOP)?)[-_]?"
)
_SECOND = re.compile(r"(?<=\d)-?[A-Z]$")


class Evidence(StrEnum):
    """What a statement about use rests on, the best first."""

    A = "A"  # session days
    B = "B"  # the last user that an inventory saw
    C = "C"  # paper: whom a register hands it to, or how it is named


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a device is: a person by pseudonym, or nobody's where several share it (`pool`)."""

    user: str
    evidence: Evidence
    pool: bool = False


def owners(
    devices: Iterable[Device], use: Use, shared: frozenset[str] = frozenset()
) -> dict[str, Owner]:
    """The owner of each device, by its id; devices of which nothing is known are left out."""
    known = list(devices)
    found = {}
    for device in known:
        owner = owner_of(device, use, shared)
        if owner:
            found[device.id] = owner
    for device, twin in _named_in_pairs(known):
        owner = found.get(twin.id)
        if device.id not in found and owner and not owner.pool:
            found[device.id] = Owner(owner.user, Evidence.C)
    return found


def owner_of(device: Device, use: Use, shared: frozenset[str] = frozenset()) -> Owner | None:
    """Who uses it; else who used it last; else whom it was handed to."""
    days = {user: len(on) for user, on in use.of(device.id).items()}
    total = sum(days.values())
    top = max(sorted(days), key=lambda user: days[user], default="")
    if total >= FEWEST_DAYS:
        if days[top] >= DOMINANT_SHARE * total:
            return Owner(top, Evidence.A)
        return Owner("", Evidence.A, pool=True)
    last = _person(device.last_users, shared)
    paper = _person(device.assigned, shared)
    few = _person([top] if top else [], shared)
    # a few days say less than a register that was kept, but more than nothing
    user = (paper or last or few) if total else (last or paper)
    if not user:
        return None
    if user in days:
        return Owner(user, Evidence.A)
    return Owner(user, Evidence.B if user == last else Evidence.C)


def _person(users: Iterable[str], shared: frozenset[str]) -> str:
    return next((user for user in users if user not in shared), "")


def _named_in_pairs(devices: Iterable[Device]) -> list[tuple[Device, Device]]:
    """A laptop and a desktop of one member named as one post, each way round."""
    posts: dict[tuple[str, str], list[Device]] = {}
    for device in devices:
        post = _post(device.names[0]) if device.names else ""
        if device.member and post and device.kind in {Kind.LAPTOP, Kind.DESKTOP}:
            posts.setdefault((device.member, post), []).append(device)
    pairs = [two for two in posts.values() if len(two) == 2 and two[0].kind is not two[1].kind]
    return [pair for one, other in pairs for pair in ((one, other), (other, one))]


def _post(name: str) -> str:
    """A name without its kind of machine; "" where it holds no number of three digits or more."""
    post = _SECOND.sub("", _KIND_WORD.sub("", name))
    return post if re.search(r"\d{3}", post) else ""


def pools(known: Mapping[str, Owner]) -> frozenset[str]:
    """The ids of the devices that several people share."""
    return frozenset(device for device, owner in known.items() if owner.pool)
