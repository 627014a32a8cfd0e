"""Who is equipped twice, how the two machines are used, and what to propose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.owners import Evidence, Owner, owners
from kitsurvie.assets.programs import Programs, held_by
from kitsurvie.assets.record import Exemption, Kind
from kitsurvie.assets.use import Use, Window

# Used on at most one of ten of the person's days, about a day a fortnight: less than the one
# telework day a week that a laptop is bought for
DORMANT_SHARE = 0.1
# The lesser used machine is used beside the other on more than half of its days: its days are not
# those of another place of work
TOGETHER_SHARE = 0.5
# Two weeks of work: below, leave or a start tell more than habits do
FEWEST_DAYS = 10
# A machine that no inventory saw for a year is lost or put away; a laptop in a cupboard is switched
# on within a year, for its updates
LIVE_DAYS = 365


class Pattern(StrEnum):
    """How somebody's two machines are used."""

    DORMANT_SECOND = "dormant_second"
    ALTERNATING = "alternating"
    CONCURRENT = "concurrent"
    POOL = "pool"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"


class Proposal(StrEnum):
    """What to do about it."""

    GIVE_UP_LAPTOP = "give_up_laptop"
    GIVE_UP_DESKTOP = "give_up_desktop"
    DOCK = "dock"  # a dock and a screen, and the laptop does for both
    ASK = "ask"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Counts:
    """Days in the window on which the person used the laptop, the desktop, both, and either."""

    laptop: int
    desktop: int
    both: int
    either: int


@dataclass(frozen=True, slots=True)
class Double:
    """A person (pseudonym) with two live machines, by their device ids.

    `held_by` are programs of the desktop that no laptop of the member has; `programs_known` says
    whether both lists could be compared. `reason` is one sentence.
    """

    user: str
    member: str
    laptop: str
    desktop: str
    pattern: Pattern
    evidence: Evidence
    counts: Counts
    proposal: Proposal
    held_by: tuple[str, ...]
    programs_known: bool
    reason: str


def doubles(
    devices: Iterable[Device],
    use: Use,
    window: Window,
    exemptions: Iterable[Exemption] = (),
    shared: frozenset[str] = frozenset(),
    programs: Programs | None = None,
) -> tuple[Double, ...]:
    """Each person with a live laptop and a live desktop in one member, in order of member and user.

    With more than two machines, the most used desktop is held against each laptop, and the most
    used laptop against each further desktop. `shared` accounts are nobody.
    """
    live = [device for device in devices if is_live(device, use, window)]
    known = owners(live, use, shared)
    exempt = {(e.member, e.user): e for e in exemptions if e.until >= window.end}
    lists = programs or Programs({})
    found = []
    for (member, user), theirs in sorted(_by_person(live, known, use).items()):
        for laptop, desktop in _pairs(theirs, use, user):
            exemption = exempt.get((member, user)) or exempt.get((None, user))
            found.append(_double(laptop, desktop, user, known, use, exemption, lists))
    return tuple(found)


def is_live(device: Device, use: Use, window: Window) -> bool:
    """Whether a machine is in service: used in the window, seen within a year, or only on paper."""
    if device.kind not in {Kind.LAPTOP, Kind.DESKTOP}:
        return False
    if use.of(device.id):
        return True
    if says_gone(device.status):
        return False
    oldest = window.end - timedelta(days=LIVE_DAYS)
    return device.seen is None or device.seen.date() >= oldest


def _by_person(
    live: Iterable[Device], known: Mapping[str, Owner], use: Use
) -> dict[tuple[str, str], list[Device]]:
    """The machines of each person in each member; a shared one is its holder's on paper."""
    found: dict[tuple[str, str], list[Device]] = {}
    for device in live:
        owner = known.get(device.id)
        if owner is None or device.member is None:
            continue
        # a machine that a register hands to one and that several use is told as what it is
        users = set(device.assigned) & set(use.of(device.id)) if owner.pool else {owner.user}
        for user in users:
            found.setdefault((device.member, user), []).append(device)
    return found


def _pairs(theirs: list[Device], use: Use, user: str) -> Iterator[tuple[Device, Device]]:
    ordered = sorted(theirs, key=lambda d: (-len(use.by(d.id, user)), d.id))
    laptops = [device for device in ordered if device.kind is Kind.LAPTOP]
    desktops = [device for device in ordered if device.kind is Kind.DESKTOP]
    if laptops and desktops:
        yield from ((laptop, desktops[0]) for laptop in laptops)
        yield from ((laptops[0], desktop) for desktop in desktops[1:])


def _double(
    laptop: Device,
    desktop: Device,
    user: str,
    known: Mapping[str, Owner],
    use: Use,
    exemption: Exemption | None,
    lists: Programs,
) -> Double:
    on_laptop, on_desktop = use.by(laptop.id, user), use.by(desktop.id, user)
    counts = Counts(
        laptop=len(on_laptop),
        desktop=len(on_desktop),
        both=len(on_laptop & on_desktop),
        either=len(on_laptop | on_desktop),
    )
    shared = known[laptop.id].pool or known[desktop.id].pool
    pattern = Pattern.EXEMPT if exemption else Pattern.POOL if shared else pattern_of(counts)
    held = held_by(desktop, lists)
    proposal = propose(pattern, counts, held or ())
    return Double(
        user=user,
        member=laptop.member or "",
        laptop=laptop.id,
        desktop=desktop.id,
        pattern=pattern,
        evidence=max(known[laptop.id].evidence, known[desktop.id].evidence),
        counts=counts,
        proposal=proposal,
        held_by=held or (),
        programs_known=held is not None,
        reason=_reason(counts, proposal, held, exemption),
    )


def pattern_of(counts: Counts) -> Pattern:
    """How two machines are used, from their days alone; unknown under two weeks of them."""
    if counts.either < FEWEST_DAYS:
        return Pattern.UNKNOWN
    less = min(counts.laptop, counts.desktop)
    if less <= DORMANT_SHARE * counts.either:
        return Pattern.DORMANT_SECOND
    return Pattern.CONCURRENT if counts.both > TOGETHER_SHARE * less else Pattern.ALTERNATING


def propose(pattern: Pattern, counts: Counts, held: tuple[str, ...]) -> Proposal:
    """What to do: the sleeping machine goes, unless it is a desktop that holds a program."""
    if pattern in {Pattern.EXEMPT, Pattern.POOL}:
        return Proposal.LEAVE
    if pattern is Pattern.DORMANT_SECOND:
        if counts.laptop <= counts.desktop:
            return Proposal.GIVE_UP_LAPTOP
        return Proposal.ASK if held else Proposal.GIVE_UP_DESKTOP
    if pattern is Pattern.ALTERNATING:
        return Proposal.LEAVE if held else Proposal.DOCK
    return Proposal.ASK


def _reason(
    counts: Counts,
    proposal: Proposal,
    held: tuple[str, ...] | None,
    exemption: Exemption | None,
) -> str:
    if exemption:
        return f"exempt until {exemption.until.isoformat()}: {exemption.reason}"
    said = (
        f"laptop used on {counts.laptop} days, desktop on {counts.desktop}, both on {counts.both}"
        if counts.either
        else "no use is recorded for either machine"
    )
    if held:
        return f"{said}; no laptop there has {', '.join(held[:3])}"
    if held is None and proposal in {Proposal.GIVE_UP_DESKTOP, Proposal.DOCK}:
        return f"{said}; its programs are not known: ask which ones it is kept for"
    return said
