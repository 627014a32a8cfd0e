"""Whom a decision may be for: hosts with their groups, members, EPCI, and what is not negotiable.

Both from the inventory and from what Ansible resolved: a decision that matches nothing is told
beside everything else that is wrong with the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kitsurvie.inventory import bargain
from kitsurvie.inventory.resolved import Resolved
from kitsurvie.model import Inventory


@dataclass(frozen=True, slots=True)
class Estate:
    """`groups` are all those above a host, `profiles` the word that says each host's."""

    groups: Mapping[str, tuple[str, ...]]
    profiles: Mapping[str, str]
    not_negotiable: frozenset[str]

    def sirens(self, kind: str) -> dict[str, frozenset[str]]:
        """The members or the EPCI (`kind` is `member` or `epci`), each with its hosts."""
        found: dict[str, set[str]] = {}
        for host, groups in self.groups.items():
            for group in groups:
                if group.startswith(f"{kind}_"):
                    found.setdefault(group[len(kind) + 1 :], set()).add(host)
        return {siren: frozenset(hosts) for siren, hosts in found.items()}


def of_inventory(inventory: Inventory) -> Estate:
    """The estate of a sound inventory."""
    hosts = inventory.hosts.values()
    return Estate(
        {host.name: host.groups for host in hosts},
        {host.name: host.profile.value for host in hosts},
        frozenset(name for host in hosts for name in bargain.listed(host.settings)),
    )


def of_resolved(resolved: Resolved) -> Estate:
    """The estate of an inventory that may have faults of its own."""
    ancestry = resolved.ancestry()
    groups: dict[str, tuple[str, ...]] = {}
    profiles: dict[str, str] = {}
    fixed: set[str] = set()
    for record in resolved.records:
        above = {name for group in record.groups for name in ancestry.get(group, ())}
        groups[record.name] = tuple(sorted(above))
        profiles[record.name] = str(resolved.variables(record).get("kit__profile"))
        fixed.update(bargain.listed(resolved.settings_of(record)))
    return Estate(groups, profiles, frozenset(fixed))
