"""Where each variable of a host is set, in the order in which Ansible lets one win over another.

Ansible tells values, not places. The order is its own (`VARIABLE_PRECEDENCE` as shipped): hosts
files before files of variables, in each `all` before the deeper groups, then the host; what it
resolved is then held against it, so that no place is ever told that does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kitsurvie.inventory.resolved import Resolved, Settings, Variables
from kitsurvie.inventory.structure import Definition
from kitsurvie.model import Scope, Setting

Chain = tuple[Setting, ...]
_NEARNESS = (Scope.ALL, Scope.EPCI, Scope.MEMBER, Scope.HOST)


def attach(found: Resolved, definitions: Iterable[Definition]) -> Resolved:
    """The same inventory, with the places of every variable of the kit and of measures."""
    groups: dict[str, list[Definition]] = {}
    hosts: dict[str, list[Definition]] = {}
    for definition in definitions:
        if "__" in definition.name:
            scopes = groups if definition.kind == "group" else hosts
            scopes.setdefault(definition.scope, []).append(definition)
    depths = _depths(found.parents)
    above = _above(found.parents)
    shared: dict[int, Settings] = {}
    records = []
    for record in found.records:
        if record.shared not in shared:
            named = {name for group in record.groups for name in above.get(group, {group})}
            shared[record.shared] = _chains(groups, {"all", *named}, depths)
        own = _own(shared[record.shared], hosts.get(record.name, []), found.variables(record))
        records.append(replace(record, settings=own))
    laid = tuple(shared.get(index, {}) for index in range(len(found.shared)))
    return replace(found, records=tuple(records), settings=laid)


def nearer(one: Scope, other: Scope) -> bool:
    """Whether a scope is nearer to a machine, in the kit's order; other groups have no place."""
    known = one in _NEARNESS and other in _NEARNESS
    return known and _NEARNESS.index(one) > _NEARNESS.index(other)


def scope_of(group: str) -> Scope:
    """What a group is, by its name."""
    if group == "all":
        return Scope.ALL
    kind = group.partition("_")[0]
    return {"epci": Scope.EPCI, "member": Scope.MEMBER}.get(kind, Scope.GROUP)


def _chains(
    groups: Mapping[str, list[Definition]], named: Iterable[str], depths: Mapping[str, int]
) -> Settings:
    ranked: list[tuple[tuple[bool, int, str], Definition]] = [
        ((not definition.inline, depths.get(group, 0), group), definition)
        for group in named
        for definition in groups.get(group, ())
    ]
    # a stable sort: of two files of one group Ansible lets the later one win
    ranked.sort(key=lambda pair: pair[0])
    chains: dict[str, Chain] = {}
    for _, definition in ranked:
        setting = _setting(scope_of(definition.scope), definition)
        chains[definition.name] = (*chains.get(definition.name, ()), setting)
    return chains


def _own(shared: Settings, definitions: Iterable[Definition], variables: Variables) -> Settings:
    """The chains of one host that its like do not have."""
    chains: dict[str, Chain] = {}
    for definition in sorted(definitions, key=lambda one: not one.inline):
        before = chains.get(definition.name, shared.get(definition.name, ()))
        chains[definition.name] = (*before, _setting(Scope.HOST, definition))
    for name in (*shared, *(name for name in chains if name not in shared)):
        chain = chains.get(name, shared.get(name, ()))
        if name in variables and chain[-1].value != variables[name]:
            chains[name] = _mended(chain, variables[name])
    return chains


def _mended(chain: Chain, value: Any) -> Chain:
    """The place whose value Ansible gave comes last: `ansible_group_priority` changes the order."""
    for number in range(len(chain) - 1, -1, -1):
        if chain[number].value == value:
            return (*chain[:number], *chain[number + 1 :], chain[number])
    return (*chain, Setting(Scope.UNKNOWN, "", "", value))


def _setting(scope: Scope, definition: Definition) -> Setting:
    # as Ansible gives it: a date is a text
    value = json.loads(json.dumps(definition.value, default=str))
    return Setting(scope, definition.scope, definition.where, value)


def _above(parents: Mapping[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """Each group with itself and all groups above it."""
    found: dict[str, set[str]] = {}

    def climb(group: str) -> set[str]:
        if group not in found:
            found[group] = {group}
            found[group] |= {name for up in parents.get(group, ()) for name in climb(up)}
        return found[group]

    for group in parents:
        climb(group)
    return found


def _depths(parents: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How deep each group lies below `all`, by its longest way, as Ansible counts."""
    found: dict[str, int] = {}

    def depth(group: str) -> int:
        if group not in found:
            found[group] = 0
            found[group] = max((depth(up) + 1 for up in parents.get(group, ())), default=0)
        return found[group]

    for group in parents:
        depth(group)
    return found
