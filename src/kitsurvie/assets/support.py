"""Whether a system still gets security updates, from the dates that its maker publishes.

The dates are in `data/end_of_support.csv`, each with its source, how it was compared with it, and
when. What is not there is unknown, never supported.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources

from kitsurvie.assets.finding import Said, french
from kitsurvie.assets.systems import System
from kitsurvie.model import Status, Text

# what everybody gets: the maker's own support, and the long-term support that Debian gives for free
FREE = ("standard", "lts")
PAID = "paid"
# 22H2 is the last version of Windows 10 (Microsoft Lifecycle, 2023): with an edition whose every
# version has ended, the version need not be said
_NO_MORE_VERSIONS = frozenset({"windows-10"})


@dataclass(frozen=True, slots=True)
class Line:
    """An end of support: the last day of updates. No `editions` means all of them.

    `read` is how the date was last compared with `source`, in `year`: `list` (the maker's own
    list, as Debian packages it), `copy` (a copy of the maker's page), `report` (what others report
    of it).
    """

    system: str
    version: str
    build: int | None
    editions: frozenset[str]
    stage: str
    end: date
    source: str
    read: str
    year: int


@cache
def table() -> tuple[Line, ...]:
    """Every end of support that travels with kitsurvie."""
    data = resources.files("kitsurvie.assets") / "data" / "end_of_support.csv"
    return tuple(
        Line(
            system=row["system"],
            version=row["version"],
            build=int(row["build"]) if row["build"] else None,
            editions=frozenset(filter(None, row["editions"].split("+"))),
            stage=row["stage"],
            end=date.fromisoformat(row["end"]),
            source=row["source"],
            read=row["read"],
            year=int(row["year"]),
        )
        for row in csv.DictReader(data.read_text(encoding="utf-8").splitlines())
    )


def extendable() -> frozenset[str]:
    """The systems of which a paid extension is known: what `Limits.extended` may name."""
    return frozenset(line.system for line in table() if line.stage == PAID)


def judge_system(system: System, today: date, extended: frozenset[str]) -> Said:
    """Whether the system has updates today; unknown where the table does not tell."""
    expected = f"security updates on {today.isoformat()}"
    if system.name == "macos":
        return Said(
            Status.UNKNOWN, system.said, expected,
            Text(
                f"Apple ne publie pas de date de fin de suivi : {system.said} est à vérifier à la "
                f"main.",
                f"Apple publishes no end of support: look up {system.said} by hand.",
            ),
        )  # fmt: skip
    system = _as_built(system)
    known = [line for line in table() if line.system == system.name and _is_of(line, system)]
    ends = _ends(known, system.edition, PAID if system.name in extended else "")
    closed = system.name in _NO_MORE_VERSIONS
    if not system.version and len({line.version for line in known}) > 1 and not (
        closed and all(end < today for end in ends)
    ):  # fmt: skip
        return _unknown(system, expected)
    if not ends or len({end >= today for end in ends}) > 1:
        return _unknown(system, expected)
    end = min(ends) if min(ends) >= today else max(ends)
    return _told(system, known, end, today, expected)


def _as_built(system: System) -> System:
    """The system with the version that its build is of.

    Builds of Windows 11 that call themselves Windows 10 are a Windows 11. A build that no line has,
    or that is not of the version said, leaves no name: which of the two holds cannot be told.
    """
    if system.build is None or not system.name:
        return system
    server = system.name == "windows-server"
    of = {
        (line.system, line.version)
        for line in table()
        if line.build == system.build and (line.system == "windows-server") == server
    }
    if len(of) != 1:
        return replace(system, name="")
    ((name, version),) = of
    renamed = name != system.name and (system.name, name) != ("windows-10", "windows-11")
    if renamed or system.version not in ("", version):
        return replace(system, name="")
    return replace(system, name=name, version=version)


def _is_of(line: Line, system: System) -> bool:
    editions = not line.editions or not system.edition or system.edition in line.editions
    return editions and (not line.version or not system.version or line.version == system.version)


def _ends(lines: Sequence[Line], edition: str, also: str) -> list[date]:
    """The last day of each version and edition that is possible: of the edition, if one is said."""
    stages = (*FREE, also)
    last: dict[tuple[str, str], date] = {}
    for line in lines:
        if line.stage in stages:
            for possible in {edition} if edition else line.editions or {""}:
                of = (line.version, possible)
                last[of] = max(line.end, last.get(of, line.end))
    return list(last.values())


def _unknown(system: System, expected: str) -> Said:
    said = system.said or "?"
    return Said(
        Status.UNKNOWN, said, expected,
        Text(
            f"La fin de suivi de « {said} » n’est pas connue : version, édition ou système que "
            f"la table ne permet pas de dater.",
            f"The end of support of “{said}” is not known: the table cannot date this version, "
            f"edition or system.",
        ),
    )  # fmt: skip


def _told(system: System, lines: Sequence[Line], end: date, today: date, expected: str) -> Said:
    found = f"{system.said}: until {end.isoformat()}"
    stages = {line.stage for line in lines if line.end == end}
    if end >= today:
        how = _stage(stages)
        return Said(
            Status.COMPLIANT, found, expected,
            Text(
                f"{system.said} reçoit des mises à jour de sécurité jusqu’au "
                f"{french(end)}{how.fr}.",
                f"{system.said} gets security updates until {end.isoformat()}{how.en}.",
            ),
        )  # fmt: skip
    paid = max((line.end for line in lines if line.stage == PAID), default=end)
    more = Text("", "")
    if paid >= today:
        more = Text(
            f", sauf extension payante achetée (possible jusqu’au {french(paid)}), ce qu’aucun "
            f"inventaire ne dit",
            f", unless its paid extension was bought (to be had until {paid.isoformat()}), which "
            f"no inventory says",
        )
    return Said(
        Status.DRIFT, found, expected,
        Text(
            f"{system.said} ne reçoit plus de mises à jour de sécurité depuis le "
            f"{french(end)}{more.fr}.",
            f"{system.said} has had no security updates since {end.isoformat()}{more.en}.",
        ),
    )  # fmt: skip


def _stage(stages: set[str]) -> Text:
    if "standard" in stages:
        return Text("", "")
    if PAID in stages:
        return Text(" par l’extension payante", " by the paid extension")
    return Text(" par le suivi à long terme (LTS)", " by long-term support (LTS)")
