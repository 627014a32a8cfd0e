"""What people decide and state beside the inventory: waivers and attestations, read together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from kitsurvie.inventory import attestations, estate, waivers
from kitsurvie.inventory.attestations import Attestations
from kitsurvie.inventory.estate import Estate
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.waivers import Waivers
from kitsurvie.model import Inventory, Measure
from kitsurvie.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Known:
    """What a statement may be about, as the kit says it.

    `checks` gives the names of a measure's checks; `rules` says of each rule of the norms why it is
    not to be attested, nothing where it is. Both are asked only when a statement needs it.
    """

    checks: Callable[[str], Collection[str]]
    rules: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Statements:
    """The waivers and attestations of a workspace."""

    waivers: Waivers = field(default_factory=Waivers)
    attestations: Attestations = field(default_factory=Attestations)


def load(
    workspace: Workspace,
    inventory: Inventory,
    measures: Mapping[str, Measure],
    known: Known,
    today: date | None = None,
) -> Statements:
    """The statements of a sound inventory. Raises InventoryError at the first that is wrong."""
    found, problems = read(workspace, estate.of_inventory(inventory), measures, known, today)
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise problem.error()
    return found


def read(
    workspace: Workspace,
    whom: Estate,
    measures: Mapping[str, Measure],
    known: Known | None,
    today: date | None = None,
) -> tuple[Statements, list[Problem]]:
    """The statements that are sound, and everything that is wrong with them.

    Without `known`, what they are about is not looked at.
    """
    day = today or date.today()
    waived, wrong = waivers.load(
        workspace.inventory, whom, measures, known.checks if known else None, day,
        workspace.waiver_days,
    )  # fmt: skip
    attested, amiss = attestations.load(
        workspace.inventory, whom, known.rules if known else None, day, workspace.attestation_days
    )
    return Statements(waived, attested), [*wrong, *amiss]
