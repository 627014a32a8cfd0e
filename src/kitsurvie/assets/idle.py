"""Machines that nobody uses: how many days since the last, and what taking them back is worth.

Nothing is guessed. A day of use is one of a session, or the last that a machine's probe saw. A
machine without any is idle only where sessions are collected at its member and an inventory saw it
meanwhile; of any other it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.factors import Factors
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import Use, Window
from kitsurvie.assets.worth import Worth, worth

KINDS = frozenset({Kind.DESKTOP, Kind.LAPTOP, Kind.TABLET})
# what is asked for: unused for a month, two, three
STEPS = (30, 60, 90)


@dataclass(frozen=True, slots=True)
class Idle:
    """A machine and for how many days nobody has used it, the window's length at most.

    `was_on`: an inventory saw it after its last use, so that it spends energy for nobody.
    """

    device: Device
    days: int
    was_on: bool


def idle(
    devices: Iterable[Device],
    use: Use,
    window: Window,
    probed: Mapping[str, date] | None = None,
    shared: frozenset[str] = frozenset(),
) -> tuple[Idle, ...]:
    """Each machine of which it is known, 0 days being one that was used on the last of the window.

    `devices` are those in service where use may be looked at; `probed` are the last days of use by
    their probes, by device id; `shared` accounts are administrators', and are no use of theirs.
    """
    listed = [one for one in devices if one.kind in KINDS and not says_gone(one.status)]
    told = {one.member for one in listed if _days(one, use, shared)}
    last = probed or {}
    found = []
    for one in listed:
        days = {*_days(one, use, shared), *([last[one.id]] if one.id in last else ())}
        seen = one.seen.date() if one.seen else None
        if days:
            used = min(max(days), window.end)
            since = min((window.end - used).days, window.days)
            found.append(Idle(one, since, seen is not None and seen > used))
        elif one.member in told and seen is not None and seen in window:
            found.append(Idle(one, window.days, was_on=True))
    return tuple(found)


def worths(one: Idle, factors: Factors, today: date) -> Worth:
    """What taking an idle machine back is worth: no energy where it was never seen on since."""
    found = worth(one.device, factors, today)
    if one.was_on:
        return found
    return replace(found, energy=None, use_carbon=None, energy_price=None)


def _days(one: Device, use: Use, shared: frozenset[str]) -> set[date]:
    return {day for user, days in use.of(one.id).items() if user not in shared for day in days}
