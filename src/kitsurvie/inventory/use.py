"""Where days of use are to be collected on the machines: only where somebody was consulted.

`metrics_probe__use` has the probe count the days with a session. Who used a machine on which day
says something of how people work, so that it waits for a consultation like any other use.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from kitsurvie.inventory import consultations, estate
from kitsurvie.inventory.problem import Problem
from kitsurvie.inventory.resolved import Resolved
from kitsurvie.workspace import Workspace

VARIABLE = "metrics_probe__use"
NAMES_SHOWN = 5


def problems(workspace: Workspace, resolved: Resolved, today: date) -> Iterator[Problem]:
    """Each line that collects use at a member without a consultation, and what is wrong in those.

    `consultations.yml` is looked at only where use is collected.
    """
    asked = list(_asked(resolved))
    if not asked:
        return
    whom = estate.of_resolved(resolved)
    places = {host: (_siren(g, "member"), _siren(g, "epci")) for host, g in whom.groups.items()}
    members = {(member, epci) for member, epci in places.values() if member}
    found, wrong = consultations.read_for(workspace, members, whom.sirens("epci"), today)
    yield from wrong
    lacking: dict[str, dict[str, None]] = {}
    for host, where in asked:
        member = places[host][0]
        if found.of(member) is None:
            lacking.setdefault(where, {})[member or f"no member ({host})"] = None
    for where, names in lacking.items():
        yield Problem(
            where,
            f"{VARIABLE} is true and no consultation is on record for {_shown(list(names))}.",
            "Consult the body of those who work there, then write it into consultations.yml with "
            "its day; until then, take this line out.",
        )


def _asked(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Each machine on which use is collected, and the line that says so."""
    for record in resolved.records:
        if resolved.variables(record).get(VARIABLE) not in (None, False):
            chain = resolved.settings_of(record).get(VARIABLE)
            yield record.name, chain[-1].where if chain else record.name


def _siren(groups: tuple[str, ...], kind: str) -> str | None:
    return next((one[len(kind) + 1 :] for one in groups if one.startswith(f"{kind}_")), None)


def _shown(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
