"""What most commands begin with: the workspace, its inventory, the kit, and who is meant."""

from __future__ import annotations

import difflib
import os
import pwd
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kitsurvie import inventory as inventories
from kitsurvie import kit, plan, workspace
from kitsurvie.cli import stated
from kitsurvie.errors import KitError, UsageError
from kitsurvie.inventory import Statements
from kitsurvie.model import Host, Inventory, Measure, Mode
from kitsurvie.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Context:
    """One command's world. `hosts` are the ones meant by --limit, `measures` by --measure.

    `statements` are the workspace's waivers and attestations, `rules` those somebody has to attest
    (empty while nobody attests any). `whole`: these are all the measures of the kit.
    """

    workspace: Workspace
    inventory: Inventory
    measures: Mapping[str, Measure]
    hosts: tuple[Host, ...]
    statements: Statements = field(default_factory=Statements)
    rules: tuple[str, ...] = ()
    whole: bool = True

    @property
    def stated(self) -> dict[str, Any]:
        """What a view of a run takes from here, by the names of its fields."""
        return {
            "statements": self.statements,
            "rules": self.rules,
            "unseen_days": self.workspace.unseen_days,
        }

    def lay_out(self, names: Iterable[str] | None = None) -> plan.Plan:
        """The plan of these hosts (by name; all of the command's by default)."""
        wanted = None if names is None else set(names)
        bases = {
            name: kit.stamp_base(measure, self.workspace.playbooks)
            for name, measure in self.measures.items()
        }
        return plan.lay_out(
            [host for host in self.hosts if wanted is None or host.name in wanted],
            self.measures.values(),
            mode=kit.mode,
            resolve=kit.resolve,
            stamp=lambda measure, params, variables: kit.stamp(
                bases[measure.id], {**kit.read_besides(measure, variables), **params}
            ),
        )


def prepare(
    folder: Path | None,
    limit: str | None,
    measures: Iterable[str],
    *,
    names: Iterable[str] | None = None,
) -> Context:
    """Read everything a run needs, and refuse what cannot be meant before anything is touched.

    `names` (of hosts, when given) narrows the selection; those no longer in the inventory are left
    out, and `gone` tells them.
    """
    place = workspace.find(folder)
    whole = kit.load(place.roles)
    catalogue = pick_measures(whole, measures)
    inventory = inventories.load(place)
    # a misspelt variable must not pass for a default: what `inventory check` calls an error stops
    for problem in inventories.check(place, whole, known=stated.known(whole, place.roles)):
        if problem.severity is inventories.Severity.ERROR:
            raise problem.error()
    chosen = inventories.select(inventory, limit)
    wanted = None if names is None else set(names)
    _refuse_unplayed(place, catalogue, [inventory.hosts[name] for name in chosen])
    hosts = tuple(inventory.hosts[name] for name in chosen if wanted is None or name in wanted)
    if not hosts and wanted:
        raise UsageError(
            f"No host left to do is in the inventory any more: {', '.join(sorted(wanted))}.",
            where=str(place.inventory),
            remedy="There is nothing to resume; start a new deployment: kitsurvie deploy",
        )
    if not hosts:
        raise UsageError(
            "There is no host to look at.",
            where=str(place.inventory),
            remedy="Enrol one: kitsurvie enroll ADDRESS --member SIREN --profile P --name N",
        )
    world = Context(place, inventory, catalogue, hosts, whole=len(catalogue) == len(whole))
    return with_statements(world, whole)


def with_statements(world: Context, whole: Mapping[str, Measure] | None = None) -> Context:
    """The same with its waivers and attestations. `whole` is the kit, when the world's is a part.

    Raises InventoryError at the first of them that is wrong.
    """
    measures = world.measures if whole is None else whole
    known = stated.known(measures, world.workspace.roles)
    found = inventories.load_statements(world.workspace, world.inventory, measures, known)
    rules = stated.to_attest(known) if found.attestations.listed else ()
    return replace(world, statements=found, rules=rules)


def _refuse_unplayed(
    place: Workspace, catalogue: Mapping[str, Measure], hosts: Iterable[Host]
) -> None:
    """A measure enforced somewhere that no play applies would be due for ever."""
    played = kit.played(place.playbooks)
    without = [measure for name, measure in catalogue.items() if name not in played]
    for measure in without:
        for host in hosts:
            if kit.mode(measure, host.variables) is Mode.ENFORCE:
                raise KitError(
                    f"{measure.id} is enforced on {host.name}, and no play of the kit applies it.",
                    where=str(place.playbooks / "kit.yml"),
                    remedy="Copy the kit's playbooks/ beside kitsurvie.toml and give it a play "
                    f"there, or set {measure.id}__mode: observe.",
                )


def gone(world: Context, names: Iterable[str]) -> tuple[str, ...]:
    """Of these hosts, those the inventory no longer holds."""
    return tuple(name for name in names if name not in world.inventory.hosts)


def pick_measures(catalogue: Mapping[str, Measure], names: Iterable[str]) -> Mapping[str, Measure]:
    """The measures named, or all of them; raises UsageError for one that does not exist."""
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in catalogue:
            near = difflib.get_close_matches(name, catalogue, n=3)
            raise UsageError(
                f"There is no measure {name!r} in the kit.",
                remedy=f"Did you mean {', '.join(near)}?" if near else "See: kitsurvie kit list",
            )
    return {name: catalogue[name] for name in wanted} if wanted else dict(catalogue)


def who() -> str:
    """Who runs this, for the ledger: account@machine; under sudo the person who typed it."""
    try:
        account = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
        account = pwd.getpwnam(account).pw_name
    except KeyError:
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"
