"""`--limit`: which hosts an Ansible host pattern means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from kitsurvie.errors import UsageError
from kitsurvie.model import Inventory


def select(inventory: Inventory, pattern: str | None) -> tuple[str, ...]:
    """The hosts a pattern means, in the inventory's order; all of them without a pattern.

    Names and groups are looked up here; everything else Ansible allows (`:&`, `:!`, wildcards,
    `~regex`, `group[0:3]`) is asked of Ansible's own code. Raises UsageError for a name the
    inventory does not hold, for a pattern that means no host, and when there is no host at all.
    """
    if not inventory.hosts:
        raise UsageError(
            "The inventory holds no host yet.",
            remedy="Bring one in: kitsurvie enroll ADDRESS --member SIREN --profile P --name NAME",
        )
    if pattern is None or pattern.strip() in ("", "all", "*"):
        return tuple(inventory.hosts)
    wanted = match({h.name: h.groups for h in inventory.hosts.values()}, pattern, "--limit")
    return tuple(name for name in inventory.hosts if name in wanted)


def match(hosts: Mapping[str, Iterable[str]], pattern: str, said: str) -> frozenset[str]:
    """The hosts (name -> its groups) that a pattern means; at least one.

    Raises UsageError, which begins with `said`, for what `select` refuses.
    """
    if "@" in pattern:
        raise UsageError(
            f"{said} {pattern!r}: a file of hosts (@file) is not read.",
            remedy="Write the names, separated by commas.",
        )
    groups = _groups(hosts)
    plain = [part.strip() for part in pattern.split(",") if part.strip()]
    if plain and all(part in groups or part in hosts for part in plain):
        wanted: set[str] = set()
        for part in plain:
            wanted.update(groups.get(part, (part,)))
    else:
        wanted = _ansible(hosts, groups, pattern, said)
    if not wanted:
        raise UsageError(
            f"{said} {pattern!r} means no host of this inventory.",
            remedy="See the hosts and groups: kitsurvie inventory show",
        )
    return frozenset(wanted)


def _groups(hosts: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {"all": list(hosts)}
    for name, above in hosts.items():
        for group in above:
            groups.setdefault(group, []).append(name)
    return groups


def _ansible(
    hosts: Mapping[str, Iterable[str]], groups: dict[str, list[str]], pattern: str, said: str
) -> set[str]:
    # Imported here: a third of a second that a plain name need not cost.
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager, split_host_pattern
    from ansible.parsing.dataloader import DataLoader

    try:
        parts = split_host_pattern(pattern)
        # Ansible drops a bracket that nothing closes, and what is left may mean every host
        if _bare("".join(parts)) != _bare(pattern):
            raise AnsibleError("a bracket is open")
        for part in parts:
            _known(part, hosts, groups, said)
        manager = InventoryManager(loader=DataLoader(), sources=[], parse=False)
        for name in hosts:
            manager.add_host(name)
        for group, members in groups.items():
            if group != "all":
                manager.add_group(group)
                for name in members:
                    manager.add_host(name, group=group)
        manager.reconcile_inventory()
        return {str(host.name) for host in manager.list_hosts(pattern)}
    except (AnsibleError, re.error) as error:
        raise UsageError(
            f"{said} {pattern!r} is not a host pattern: {str(error).splitlines()[0]}.",
            remedy="Write names, groups, or an Ansible pattern such as 'epci_200066389:!*-srv-*'.",
        ) from error


def _bare(pattern: str) -> str:
    return re.sub(r"[\s,:]", "", pattern)


def _known(
    part: str, hosts: Mapping[str, Iterable[str]], groups: dict[str, list[str]], said: str
) -> None:
    """A plain name inside a pattern must exist: Ansible would leave it out with a warning."""
    name = part.lstrip("&!")
    if name.startswith("~") or re.search(r"[*?\[]", name):
        return
    if name not in groups and name not in hosts:
        near = difflib.get_close_matches(name, [*hosts, *groups], n=3)
        raise UsageError(
            f"{said}: the inventory holds no host or group named {name!r}.",
            remedy=f"Did you mean {' or '.join(near)}?"
            if near
            else "See the hosts and groups: kitsurvie inventory show",
        )
