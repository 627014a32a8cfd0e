"""Freezes of one measure that leave one of the kit's out: it no longer holds for that measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from kitsurvie.inventory import windows
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.resolved import Resolved
from kitsurvie.model import Measure


def problems(resolved: Resolved, measures: Mapping[str, Measure], today: date) -> Iterator[Problem]:
    """Each line that drops a freeze still to come; an empty list says that none is wanted."""
    told: set[tuple[str, str]] = set()
    for record in resolved.records:
        variables, settings = resolved.variables(record), resolved.settings_of(record)
        for name in measures:
            own, chain = variables.get(f"{name}__freezes"), settings.get(f"{name}__freezes")
            if not own or not chain:
                continue
            for entry in _missing(variables.get("kit__freezes"), own, today):
                if (chain[-1].where, entry) not in told:
                    told.add((chain[-1].where, entry))
                    yield Problem(
                        chain[-1].where,
                        f"{name}__freezes stands in the place of kit__freezes, and leaves out: "
                        f"{entry}.",
                        f"Write that one here too, or [] if {name} is to be applied at any time.",
                        Severity.WARNING,
                    )


def _missing(kits: object, own: object, today: date) -> Iterator[str]:
    if not isinstance(kits, list) or not isinstance(own, list):
        return
    for entry in kits:
        try:
            freeze = windows.freeze(entry)
        except ValueError:  # told at its own line
            continue
        if freeze.last >= today and entry not in own:
            yield f"{freeze.reason}, from {freeze.first} until {freeze.last}"
