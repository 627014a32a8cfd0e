"""What enforcing each measure would change at a member's, from the verdicts that are on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.cli.context import Context
from kitsurvie.ledger import Ledger, Past
from kitsurvie.model import Host, Measure, Mode, Scope, Status, Verdict

_CANNOT_SAY = frozenset({Status.ERROR, Status.UNKNOWN, Status.UNREACHABLE})


class Prospect(StrEnum):
    """What enforcing a measure would do to one machine."""

    CHANGE = "would_change"
    NOTHING = "compliant"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Known:
    """The newest verdicts of one measure on one host: when, in which run.

    `refused` is the system of a machine that the kit was not proved on, empty for any other.
    """

    at: float
    run: int
    verdicts: tuple[Verdict, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine before a measure: `drifts` are what would be mended, `why` why it is unknown."""

    host: Host
    prospect: Prospect
    known: Known | None
    drifts: tuple[Verdict, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """One measure that a member only observes: its machines, the line to write and where."""

    measure: Measure
    machines: tuple[Machine, ...]
    line: str
    places: tuple[str, ...]

    def having(self, prospect: Prospect) -> tuple[Machine, ...]:
        """Its machines of that prospect."""
        return tuple(one for one in self.machines if one.prospect is prospect)

    @property
    def disruption(self) -> tuple[bool, int, int, bool, bool, int]:
        """Sorts what changes nothing first, then by machines changed, unknown, and the risk."""
        changed, unknown = self.having(Prospect.CHANGE), self.having(Prospect.UNKNOWN)
        return (
            bool(changed or unknown),
            len(changed),
            len(unknown),
            self.measure.lockout_risk,
            self.measure.reboot,
            sum(len(one.drifts) for one in changed),
        )


def adoptions(
    world: Context, known: Mapping[tuple[str, str], Known]
) -> Mapping[str, tuple[Adoption, ...]]:
    """By SIREN: what each member only observes, the least disruptive first."""
    observed: dict[str, dict[str, list[Machine]]] = {}
    for name, items in world.lay_out().items.items():
        host = world.inventory.hosts[name]
        for item in items:
            if item.mode is Mode.OBSERVE:
                machine = _machine(host, known.get((name, item.measure)))
                of_member = observed.setdefault(host.member, {})
                of_member.setdefault(item.measure, []).append(machine)
    return {
        siren: tuple(
            sorted(
                (_adoption(world.measures[m], found) for m, found in measures.items()),
                key=lambda one: one.disruption,
            )
        )
        for siren, measures in observed.items()
    }


def newest(ledger: Ledger, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Known]:
    """For each host and measure the newest verdicts that the ledger has of it."""
    wanted = set(pairs)
    found: dict[tuple[str, str], Known] = {}
    for name, last in ledger.last_seen({host for host, _ in wanted}).items():
        by_measure: dict[str, list[Past]] = {}
        for past in last.verdicts:
            by_measure.setdefault(past.verdict.measure, []).append(past)
        system = [
            past.verdict.found
            for past in by_measure.pop("kit", ())
            if past.verdict.check == "supported_release"
        ]
        for measure, pasts in by_measure.items():
            if (name, measure) in wanted:
                newest = max(pasts, key=lambda past: past.run)
                verdicts = tuple(past.verdict for past in pasts)
                found[name, measure] = Known(newest.at, newest.run, verdicts, *system)
    return found


def _machine(host: Host, known: Known | None) -> Machine:
    if known is None:
        return Machine(host, Prospect.UNKNOWN, None, why="never judged in the runs on record")
    if known.refused:
        # its checks do not apply there, and neither would the measure
        why = f"{known.refused}: the kit was not proved on that system"
        return Machine(host, Prospect.UNKNOWN, known, why=why)
    unclear = [v for v in known.verdicts if v.status in _CANNOT_SAY]
    drifts = tuple(v for v in known.verdicts if v.status is Status.DRIFT)
    if unclear:
        why = f"{unclear[0].check} could not conclude"
        return Machine(host, Prospect.UNKNOWN, known, drifts, why)
    return Machine(host, Prospect.CHANGE if drifts else Prospect.NOTHING, known, drifts)


def _adoption(measure: Measure, machines: list[Machine]) -> Adoption:
    name = f"{measure.id}__mode"
    places = dict.fromkeys(_place(one.host, name) for one in machines)
    return Adoption(measure, tuple(machines), f"{name}: {Mode.ENFORCE.value}", tuple(places))


def _place(host: Host, name: str) -> str:
    """Where the line must stand to hold: in place of a nearer one, else in the member's file."""
    chain = host.settings.get(name)
    if chain and chain[-1].scope in (Scope.MEMBER, Scope.HOST):
        return chain[-1].where
    said = host.settings.get("kit__member")
    file = said[-1].where.rpartition(":")[0] if said else ""
    folder, found, _ = file.partition("/group_vars/")
    if found and said and said[-1].scope is Scope.MEMBER:
        return file
    root = folder.partition("/")[0] or "inventory"
    return f"{root}/group_vars/member_{host.member}.yml"
