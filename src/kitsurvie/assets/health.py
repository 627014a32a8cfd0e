"""What inventories say of the health of a device, without a look at the device itself.

The newest inventory that speaks of a thing wins. Silence is unknown, and so is what an old
inventory said: neither is ever compliant or drift.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.finding import Check, Finding, Limits, Said, french
from kitsurvie.assets.protection import (
    judge_antivirus,
    judge_encryption,
    judge_firewall,
    not_carried,
)
from kitsurvie.assets.record import Condition, Kind, Record, Source
from kitsurvie.assets.support import judge_system
from kitsurvie.assets.systems import Family, System, recognise
from kitsurvie.assets.wear import judge_age, judge_free_space, judge_fresh, system_volume
from kitsurvie.model import Status, Text

# whose date says when the device itself was seen: in Snipe-IT or a spreadsheet it is typed
INVENTORIES = (Source.FLEET, Source.GLPI_JSON, Source.AGENT_XML, Source.GLPI_CSV)
_COMPUTERS = frozenset({Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER})
# a reading is in UTC and the day of the syndicate is not
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Told:
    """One inventory of the device; `seen` is None where it has no date that can be."""

    seen: date | None
    condition: Condition
    system: System


@dataclass(frozen=True, slots=True)
class Count:
    """On how many devices of a member a check has a status."""

    member: str | None
    check: Check
    status: Status
    devices: int


def judge(
    device: Device, records: Sequence[Record], today: date, limits: Limits | None = None
) -> tuple[Finding, ...]:
    """One finding for each check, in their order; none for what is no computer.

    `records` are the device's own. A tablet is judged when it runs Windows, a thing of unknown kind
    when its system is one of a computer.
    """
    limits = limits or Limits()
    told = _newest_first(records, today)
    system = next((one.system for one in told if one.system.said), System(""))
    if not _is_judged(device.kind, system):
        return ()
    # what was said under another system went with it
    told = [one for one in told if not _is_another(one.system, system)]
    seen = next((one.seen for one in told), None)
    return (
        _system(told, today, limits),
        _antivirus(told, system, today, limits),
        _found(Check.FIREWALL, told, today, limits, lambda c: c.firewalls is not None,
               lambda c: judge_firewall(c.firewalls or ())),
        _encryption(told, device.kind, today, limits),
        _found(Check.FREE_SPACE, told, today, limits, _says_space,
               lambda c: judge_free_space(c.volumes or ())),
        _finding(Check.AGE, judge_age(device.bought, today, limits.years), None),
        _finding(Check.INVENTORY_FRESH, judge_fresh(seen, today, limits.stale_days), seen),
    )  # fmt: skip


def is_put_away(
    device: Device, records: Sequence[Record], today: date, limits: Limits | None = None
) -> bool:
    """Whether its register says that it is in no service, and no recent inventory saw it."""
    if not says_gone(device.status):
        return False
    days = (limits or Limits()).stale_days
    seen = next((one.seen for one in _newest_first(records, today)), None)
    return seen is None or (today - seen).days > days


def is_blind_spot(findings: Iterable[Finding]) -> bool:
    """Whether no inventory says anything of today of a machine but, at most, that it is there."""
    asked = [f for f in findings if f.check not in (Check.AGE, Check.INVENTORY_FRESH)]
    return all(f.status in (Status.UNKNOWN, Status.NOT_APPLICABLE) for f in asked) and any(
        f.status is Status.UNKNOWN for f in asked
    )


def summary(judged: Iterable[tuple[Device, Sequence[Finding]]]) -> tuple[Count, ...]:
    """How many devices of each member have each status of each check; those with none left out.

    It counts machines, whoever uses them: stock, not use.
    """
    counts = Counter(
        (device.member, finding.check, finding.status)
        for device, findings in judged
        for finding in findings
    )
    checks, statuses = list(Check), list(Status)
    order = sorted(
        counts, key=lambda key: (key[0] or "", checks.index(key[1]), statuses.index(key[2]))
    )
    return tuple(Count(*key, devices=counts[key]) for key in order)


def _is_judged(kind: Kind, system: System) -> bool:
    if kind is Kind.TABLET:
        return system.family is Family.WINDOWS
    if kind is Kind.UNKNOWN:
        return system.family is Family.WINDOWS or bool(system.name)
    return kind in _COMPUTERS


def _is_another(system: System, now: System) -> bool:
    return Family.UNKNOWN not in (system.family, now.family) and system.family is not now.family


def _newest_first(records: Iterable[Record], today: date) -> list[_Told]:
    """The inventories, those without a date last; of one moment, the one that says more first."""
    found = []
    for record in records:
        if record.source in INVENTORIES:
            day = record.seen.date() if record.seen else None
            if day is not None and day > today + _AHEAD:
                day = None
            said = record.condition
            system = recognise(said.system, said.system_version) if said.system else System("")
            one = _Told(day, said, system)
            moment = record.seen.timestamp() if record.seen and day else float("-inf")
            found.append((moment, bool(said.system_version), record.key, record.register, one))
    found.sort(key=lambda item: item[:4], reverse=True)
    return [one for *_, one in found]


def _system(told: Sequence[_Told], today: date, limits: Limits) -> Finding:
    named = [one for one in told if one.system.said]
    if not named:
        return _silence(Check.SYSTEM_SUPPORTED)
    one = named[0]
    said = judge_system(one.system, today, limits.extended)
    if said.status is Status.UNKNOWN and not _has_version(one.system):
        # a list without versions hides none that an inventory of the same system knows
        one = next((o for o in named if _is_fuller(o.system, one.system)), one)
        said = judge_system(one.system, today, limits.extended)
    return _finding(Check.SYSTEM_SUPPORTED, _not_stale(said, one.seen, today, limits), one.seen)


def _has_version(system: System) -> bool:
    return bool(system.version or system.build)


def _is_fuller(system: System, than: System) -> bool:
    return bool(than.name) and system.name == than.name and _has_version(system)


def _antivirus(told: Sequence[_Told], system: System, today: date, limits: Limits) -> Finding:
    if system.family is Family.OTHER:
        seen = next(one.seen for one in told if one.system.said)
        said = Said(
            Status.NOT_APPLICABLE, system.said, "",
            Text(
                "L’antivirus n’est demandé que sous Windows.",
                "An antivirus is asked of Windows alone.",
            ),
        )  # fmt: skip
        return _finding(Check.ANTIVIRUS, _not_stale(said, seen, today, limits), seen)
    windows = system.family is Family.WINDOWS
    return _found(
        Check.ANTIVIRUS, told, today, limits, lambda c: c.antivirus is not None,
        lambda c: _if_asked(judge_antivirus(c.antivirus or ()), windows),
    )  # fmt: skip


def _if_asked(said: Said, windows: bool) -> Said:
    """The same, but no drift where it is not known that an antivirus is asked for."""
    if windows or said.status is not Status.DRIFT:
        return said
    text = Text(
        "Le système n’est pas connu : un antivirus n’est demandé que sous Windows.",
        "The system is not known: an antivirus is asked of Windows alone.",
    )
    return Said(Status.UNKNOWN, said.found, said.expected, text)


def _encryption(told: Sequence[_Told], kind: Kind, today: date, limits: Limits) -> Finding:
    if kind is Kind.UNKNOWN:
        text = Text(
            "Le genre de la machine n’est pas connu : portable ou poste fixe ?",
            "What kind of machine it is is not known: a laptop or a desktop?",
        )
        return _finding(Check.DISK_ENCRYPTED, Said(Status.UNKNOWN, "", "", text), None)
    if kind not in limits.encrypted:
        return _finding(Check.DISK_ENCRYPTED, not_carried(kind), None)
    return _found(
        Check.DISK_ENCRYPTED, told, today, limits,
        lambda c: any(volume.encrypted is not None for volume in c.volumes or ()),
        lambda c: judge_encryption(c.volumes or ()),
    )  # fmt: skip


def _says_space(condition: Condition) -> bool:
    volume = system_volume(condition.volumes or ())
    return volume is not None and volume.free_bytes is not None


def _found(
    check: Check,
    told: Sequence[_Told],
    today: date,
    limits: Limits,
    speaks: Callable[[Condition], bool],
    judged: Callable[[Condition], Said],
) -> Finding:
    """What the newest inventory that speaks of a thing says of it."""
    one = next((one for one in told if speaks(one.condition)), None)
    if one is None:
        return _silence(check)
    return _finding(check, _not_stale(judged(one.condition), one.seen, today, limits), one.seen)


def _not_stale(said: Said, seen: date | None, today: date, limits: Limits) -> Said:
    """The same while the inventory is recent; else unknown, with what was found then."""
    if seen is None:
        text = Text(
            "L’inventaire qui le dit n’a pas de date : rien n’est dit d’aujourd’hui.",
            "The inventory that says so has no date: nothing is said of today.",
        )
        return Said(Status.UNKNOWN, said.found, said.expected, text)
    if (today - seen).days <= limits.stale_days:
        return said
    text = Text(
        f"Dernier inventaire qui en parle : {french(seen)}, trop ancien pour dire ce qu’il en est.",
        f"Last inventory of it on {seen.isoformat()}: too old to say how it is today.",
    )
    return Said(Status.UNKNOWN, said.found, said.expected, text)


def _silence(check: Check) -> Finding:
    text = Text("Aucun inventaire n’en parle.", "No inventory speaks of it.")
    return Finding(check, Status.UNKNOWN, "", "", None, text)


def _finding(check: Check, said: Said, seen: date | None) -> Finding:
    return Finding(check, said.status, said.found, said.expected, seen, said.text)
