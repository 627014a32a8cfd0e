"""What a sysadmin asks at 8 am of a run: what is new, what is worst, what to do first. Pure."""

from __future__ import annotations

import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitsurvie.cli.formats import reading
from kitsurvie.cli.formats.reading import Document, Row

# beyond so many, a command names no hosts: the measure alone says whom it is for
NAMED = 3
BROKEN = frozenset({"error", "unknown"})


@dataclass(slots=True)
class Drifting:
    """A measure that drifts somewhere: where, what, and how many of these drifts are new."""

    measure: str
    hosts: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    enforced: list[str] = field(default_factory=list)
    new: int = 0
    answered: int = 0
    example: str = ""

    @property
    def weight(self) -> tuple[bool, bool, int, str]:
        """Sorts what is new first, as it may be spreading, and what is all answered for last."""
        return (
            self.answered == self.checks.total(), not self.new, -len(self.hosts), self.measure,
        )  # fmt: skip


@dataclass(slots=True)
class Standing:
    """A member, with its hosts and what is to be looked at there."""

    siren: str
    name: str
    hosts: list[Mapping[str, Any]] = field(default_factory=list)
    ill: int = 0
    drifts: int = 0

    @property
    def weight(self) -> tuple[int, int, str]:
        """Sorts the worst off first."""
        return (-self.ill, -self.drifts, alphabetical(self.name))


def counts(document: Document) -> dict[str, int]:
    """How many hosts stand how, the worst first; only what occurs."""
    found = Counter(reading.standing(host) for host in document["hosts"])
    return dict(sorted(found.items(), key=lambda pair: (reading.rank(pair[0]), pair[0])))


def ill(host: Mapping[str, Any]) -> bool:
    """Whether somebody has to look at this host: absent is no drift, and waived is answered for."""
    return reading.standing(host) not in reading.WELL | reading.AWAY


def members(document: Document) -> list[Standing]:
    """Every member with its hosts, in the order of the alphabet."""
    found: dict[str, Standing] = {}
    for host in document["hosts"]:
        siren = str(host["member"]["siren"])
        one = found.setdefault(siren, Standing(siren, reading.line(host["member"]["name"])))
        one.hosts.append(host)
        one.ill += ill(host)
        one.drifts += sum(row.status == "drift" for row in reading.rows(host))
    return sorted(found.values(), key=lambda one: alphabetical(one.name))


def drifting(document: Document, changes: Mapping[str, Any] | None) -> list[Drifting]:
    """The measures that drift, on most hosts first."""
    new = {
        (one["host"], one["measure"], one["check"]) for one in (changes or {}).get("new_drift", ())
    }
    found: dict[str, Drifting] = {}
    for host in document["hosts"]:
        for row in reading.rows(host):
            if row.status == "drift":
                _add(found.setdefault(row.measure, Drifting(row.measure)), row, new)
    return sorted(found.values(), key=lambda one: (-len(one.hosts), -one.new, one.measure))


def _add(to: Drifting, row: Row, new: Iterable[tuple[str, str, str]]) -> None:
    name = str(row.host["name"])
    to.hosts[name] = str(row.host["member"]["siren"])
    to.members[to.hosts[name]] = reading.line(row.host["member"]["name"])
    to.checks[str(row.check["name"])] += 1
    if row.mode == "enforce" and name not in to.enforced[-1:]:
        to.enforced.append(name)
    to.answered += acknowledged(row) is not None
    to.new += (name, row.measure, row.check["name"]) in new
    to.example = to.example or reading.proof(row)


def acknowledged(row: Row) -> Mapping[str, Any] | None:
    """Who answers for a drift, when somebody does."""
    for said in row.host.get("acknowledged") or ():
        if (said["measure"], said["check"]) == (row.measure, row.check["name"]):
            return dict(said) if row.status == "drift" else None
    return None


def command(one: Drifting, applies: Mapping[str, bool]) -> str:
    """The first command to type, which changes nothing yet."""
    if one.measure == "kit" or one.measure not in applies:
        return one.example
    if not applies[one.measure]:
        return f"kitsurvie kit show {one.measure}"
    if one.enforced:
        return f"kitsurvie plan --measure {one.measure}{limit(one.enforced)}"
    return f"kitsurvie kit adopt --measure {one.measure}{limit(tuple(one.hosts))}"


def mends(one: Drifting, applies: Mapping[str, bool]) -> str:
    """The command that mends it, when one does."""
    if applies.get(one.measure) and one.enforced:
        return f"kitsurvie deploy --measure {one.measure}{limit(one.enforced)}"
    return ""


def look_again(hosts: Sequence[Mapping[str, Any]], run: int) -> str:
    """The command that asks these hosts once more; of many, the one that says why of each."""
    if len(hosts) > NAMED:
        return f"kitsurvie compliance show --run {run}"
    return f"kitsurvie compliance run{limit([str(host['name']) for host in hosts])}"


def limit(hosts: Sequence[str]) -> str:
    """Those hosts as an option, while they are few."""
    return f" --limit {shlex.quote(','.join(hosts))}" if len(hosts) <= NAMED else ""


def silent_members(document: Document) -> list[str]:
    """The members where no machine that is expected answers: a line is down, or the power."""
    expected: dict[str, list[bool]] = {}
    names = {}
    for host in document["hosts"]:
        if reading.standing(host) not in reading.AWAY:
            siren = str(host["member"]["siren"])
            names[siren] = reading.line(host["member"]["name"])
            expected.setdefault(siren, []).append(reading.standing(host) == "unreachable")
    gone = [names[siren] for siren, away in expected.items() if len(away) > 1 and all(away)]
    return sorted(gone, key=alphabetical)


def alphabetical(name: str) -> str:
    """A name as a French reader looks it up: É beside E."""
    return unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
