"""An inventory as Ansible resolved it, small enough to be kept: what hosts share stands once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kitsurvie.model import Setting

Variables = dict[str, Any]
Settings = Mapping[str, tuple[Setting, ...]]


@dataclass(frozen=True, slots=True)
class Record:
    """One host: the groups that name it, the shared variables (an index) and its own.

    `settings` are those that its like do not share: see `provenance`.
    """

    name: str
    groups: tuple[str, ...]
    shared: int
    own: Variables
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Hosts in Ansible's order; `parents` are the groups each group is a child of.

    `settings` says where the variables are set, under the same indexes as `shared`.
    """

    records: tuple[Record, ...]
    shared: tuple[Variables, ...]
    parents: Mapping[str, tuple[str, ...]]
    settings: tuple[Settings, ...] = ()

    def variables(self, record: Record) -> Variables:
        """Every variable of a host. Values are shared between hosts: read them only."""
        return {**self.shared[record.shared], **record.own}

    def settings_of(self, record: Record) -> Settings:
        """Where each variable of a host is set, the last place being the one that holds."""
        shared = self.settings[record.shared] if self.settings else {}
        return {**shared, **record.settings} if record.settings else shared

    def ancestry(self) -> dict[str, tuple[str, ...]]:
        """Each group with itself and all groups above it, but `all` and `ungrouped`, sorted."""
        found: dict[str, tuple[str, ...]] = {}

        def above(group: str) -> tuple[str, ...]:
            if group not in found:
                found[group] = ()
                all_above = {name for up in self.parents.get(group, ()) for name in above(up)}
                found[group] = tuple(sorted((all_above | {group}) - {"all", "ungrouped"}))
            return found[group]

        for group in [*self.parents, "all"]:
            above(group)
        return found


def from_listing(listing: Mapping[str, Any]) -> Resolved:
    """Turn the answer of `ansible-inventory --list` into its compact form."""
    hostvars: Mapping[str, Variables] = listing["_meta"]["hostvars"]
    parents: dict[str, list[str]] = {}
    direct: dict[str, list[str]] = {}
    for group, content in listing.items():
        if group == "_meta":
            continue
        parents.setdefault(group, [])
        for child in content.get("children", ()):
            parents.setdefault(child, []).append(group)
        for host in content.get("hosts", ()):
            direct.setdefault(host, []).append(group)
    together: dict[tuple[str, ...], list[str]] = {}
    for host, groups in direct.items():
        together.setdefault(tuple(sorted(groups)), []).append(host)
    index: dict[tuple[str, ...], int] = {}
    shared: list[Variables] = []
    for alike, hosts in together.items():
        index[alike] = len(shared)
        shared.append(_common([hostvars.get(host, {}) for host in hosts]))
    records = []
    for host, named in direct.items():
        key = tuple(sorted(named))
        base = shared[index[key]]
        own = {k: v for k, v in hostvars.get(host, {}).items() if k not in base}
        records.append(Record(host, key, index[key], own))
    return Resolved(tuple(records), tuple(shared), {k: tuple(v) for k, v in parents.items()})


def _common(many: list[Variables]) -> Variables:
    """The variables that all have with the same value; 1, 1.0 and True are not the same."""
    first, *others = many
    written = {name: repr(value) for name, value in first.items()}
    for variables in others:
        for name in list(written):
            if name not in variables or repr(variables[name]) != written[name]:
                del written[name]
    return {name: first[name] for name in written}
