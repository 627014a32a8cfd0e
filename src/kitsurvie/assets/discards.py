"""What became of discarded equipment, and the share that the decree 2023-266 asks for.

Décret n° 2023-266 du 12 avril 2023 (JORF n° 0088 of 14 April 2023, text 3), for the State, local
authorities and their groupings. Article 1 says what counts: categories 2 (screens, and what has one
of more than 100 cm2) and 6 (small IT and telecommunication equipment) of R. 543-172 of the Code de
l'environnement, ten years old at most when it is discarded, and neither classified nor under a duty
of security. Article 3 says how: A / B x 100, where A went to reuse in the year, and B was discarded
and in stock on its 1 January.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from kitsurvie.assets import identifiers
from kitsurvie.assets.anniversary import anniversary
from kitsurvie.assets.devices import Device
from kitsurvie.assets.record import Discard, Kind, Outcome

SOURCE = "décret n° 2023-266 du 12 avril 2023, articles 1 to 3"
OLDEST_YEARS = 10  # article 1: what was discarded at a greater age does not count
# article 3; from 2025 on the last one holds
TARGETS = {2023: 0.25, 2024: 0.35, 2025: 0.50}
# who buys it or takes it back must have undertaken to reuse it, and show that it was: article 2
NEEDS_PROOF = frozenset({Outcome.SOLD, Outcome.REUSE})
_REUSED = frozenset({Outcome.CEDED, Outcome.DONATED, Outcome.SOLD, Outcome.REUSE})
# a screen counts whatever its size, and a desktop or a phone has no side over 50 cm, as far as
# nobody says otherwise; of the others nobody can know it
_WITH_SCREEN = frozenset({Kind.SCREEN, Kind.LAPTOP, Kind.TABLET})
_SMALL = frozenset({Kind.DESKTOP, Kind.PHONE})


class Scope(StrEnum):
    """Whether the decree counts a thing, or why not."""

    COUNTED = "counted"
    OLDER = "older"  # over ten years old
    EXCLUDED = "excluded"  # classified, or under a duty of security
    LARGE = "large"  # no category of the decree
    AGE_UNKNOWN = "age_unknown"  # nobody says when it was bought
    SIZE_UNKNOWN = "size_unknown"  # a server, a printer: small, or not?


@dataclass(frozen=True, slots=True)
class Share:
    """One year of one member (SIREN), in numbers of things that the decree counts.

    `stock` were discarded before and there on 1 January (B), `reused` went to reuse in the year
    (A). Of those that left in the year (`left`), `recycled`, `destroyed` and `unproven` (sold or
    taken back without a proof) are no reuse. `aside` are those that the decree does not count, or
    of which that is not known. `target` is the share asked for, None before 2023.
    """

    member: str
    year: int
    stock: int
    reused: int
    left: int
    recycled: int
    destroyed: int
    unproven: int
    aside: Mapping[Scope, int]
    target: float | None

    @property
    def rate(self) -> float | None:
        """A / B as the decree has it, which may be over 1; None where nothing was in stock."""
        return self.reused / self.stock if self.stock else None

    @property
    def of_left(self) -> float | None:
        """The part of what left in the year that went to reuse; None where nothing left."""
        return self.reused / self.left if self.left else None


def scope(one: Discard) -> Scope:
    """Whether the decree counts a thing."""
    if one.excluded:
        return Scope.EXCLUDED
    if one.kind not in _WITH_SCREEN:
        if one.small is False or one.kind is Kind.VIRTUAL:
            return Scope.LARGE
        if one.small is None and one.kind not in _SMALL:
            return Scope.SIZE_UNKNOWN
    if one.bought is None:
        return Scope.AGE_UNKNOWN
    oldest = anniversary(one.bought, OLDEST_YEARS)
    return Scope.OLDER if one.discarded > oldest else Scope.COUNTED


def shares(discards: Iterable[Discard], year: int) -> tuple[Share, ...]:
    """The share of each member in a year, by SIREN; members with nothing that year are left out."""
    of: dict[str, list[Discard]] = {}
    for one in discards:
        there = one.left is None or one.left.year >= year
        if one.member and there and one.discarded.year <= year:
            of.setdefault(one.member, []).append(one)
    return tuple(_share(member, found, year) for member, found in sorted(of.items()))


def total(each: Iterable[Share], year: int) -> Share:
    """The sum over members, under an empty SIREN; the decree asks each of them, not the sum."""
    found = list(each)
    names = ("stock", "reused", "left", "recycled", "destroyed", "unproven")
    sums = {name: sum(getattr(one, name) for one in found) for name in names}
    aside: Counter[Scope] = Counter()
    for one in found:
        aside.update(one.aside)
    return Share(member="", year=year, aside=aside, target=target(year), **sums)


def target(year: int) -> float | None:
    """The share that the decree asks for in a year, None before there was one."""
    return TARGETS.get(min(year, max(TARGETS)))


def is_reused(one: Discard) -> bool:
    """Whether it went to reuse, with the proof that a sale or a taking back needs."""
    return one.outcome in _REUSED and (bool(one.proof) or one.outcome not in NEEDS_PROOF)


def _share(member: str, found: Iterable[Discard], year: int) -> Share:
    scopes = [(one, scope(one)) for one in found]
    counted = [one for one, there in scopes if there is Scope.COUNTED]
    left = [one for one in counted if one.left and one.left.year == year]
    reused = [one for one in left if is_reused(one)]
    return Share(
        member=member,
        year=year,
        stock=sum(one.discarded < date(year, 1, 1) for one in counted),
        reused=len(reused),
        left=len(left),
        recycled=sum(one.outcome is Outcome.RECYCLING for one in left),
        destroyed=sum(one.outcome is Outcome.DESTROYED for one in left),
        unproven=sum(one.outcome in _REUSED for one in left) - len(reused),
        aside=Counter(there for _, there in scopes if there is not Scope.COUNTED),
        target=target(year),
    )


class Finder:
    """Finds the device of the register that a discarded thing is."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._by_serial: dict[str, list[Device]] = {}
        self._by_name: dict[tuple[str, str], list[Device]] = {}
        for device in devices:
            for serial in device.serials:
                self._by_serial.setdefault(serial, []).append(device)
            for name in device.names:
                self._by_name.setdefault((device.member or "", name), []).append(device)

    def device(self, one: Discard) -> Device | None:
        """By its serial number, else by its name inside its member; None for none, or several."""
        serial = identifiers.serial(one.serial, one.maker, one.model)
        if serial:
            found = self._by_serial.get(serial, [])
            own = [device for device in found if device.member in (one.member, None)]
            return own[0] if len(own) == 1 else None
        named = self._by_name.get((one.member or "", identifiers.name(one.name)), [])
        return named[0] if len(named) == 1 else None


def once(found: Iterable[tuple[str, Discard]]) -> tuple[Discard, ...]:
    """Each thing once, though a decision and a table speak of it; the first is its name.

    Where it went is what the latest departure says, the later told of two; it was discarded on the
    first of the days.
    """
    things: dict[str, Discard] = {}
    for name, one in found:
        before = things.get(name)
        if before is None:
            things[name] = one
            continue
        latest = max((before, one), key=lambda o: (o.left is not None, o.left or date.min))
        if one.left == before.left:
            latest = one
        things[name] = replace(
            latest,
            discarded=min(before.discarded, one.discarded),
            bought=latest.bought or before.bought or one.bought,
        )
    return tuple(things.values())


def filled(one: Discard, device: Device | None) -> Discard:
    """The same, with what the register knows by now of its age and kind."""
    if device is None:
        return one
    kind = device.kind if one.kind is Kind.UNKNOWN else one.kind
    return replace(one, bought=one.bought or device.bought, kind=kind)


def name_of(one: Discard, device: Device | None) -> str:
    """What a thing is called: its device, its serial number in its member, or its row's number."""
    if device is not None:
        return device.id
    serial = identifiers.serial(one.serial, one.maker, one.model)
    return f"{one.member}/{serial}" if serial else f"{one.register}//{one.key}"
