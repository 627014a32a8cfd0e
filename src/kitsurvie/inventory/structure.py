"""The shape of the files: groups, hosts, and every variable with the line that sets it.

Ansible skips what it does not understand (`host:` for `hosts:`) with a warning, and the machines
below are gone. Here it is an error with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from kitsurvie.inventory import names, syntax
from kitsurvie.inventory.sources import Source

_GROUP_KEYS = ("hosts", "children", "vars")


@dataclass(frozen=True, slots=True)
class Definition:
    """One variable set in one place: for a group or a host (`kind`), named by `scope`.

    `inline`: it stands in a hosts file, which Ansible ranks below the files of variables.
    """

    where: str
    kind: str
    scope: str
    name: str
    value: Any
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """What the files say before Ansible resolves it: definitions, and where hosts stand."""

    definitions: tuple[Definition, ...]
    host_lines: dict[str, str]
    group_lines: dict[str, str]


def read(sources: tuple[Source, ...]) -> Structure:
    """Parse every file. Raises InventoryError at the first that is not what it must be."""
    definitions: list[Definition] = []
    hosts: dict[str, str] = {}
    groups: dict[str, str] = {"all": "", "ungrouped": ""}
    for source in sources:
        node, data = syntax.parse(source.data, source.shown)
        if node is None:
            continue
        if source.kind == "hosts":
            reader = _HostsFile(source.shown, definitions, hosts, groups)
            for key, value, plain in _pairs(node, data):
                reader.group(key, value, plain, 0)
        else:
            definitions.extend(_variables(source.shown, source.kind, source.scope, node, data))
    return Structure(tuple(definitions), hosts, groups)


def _pairs(
    node: yaml.MappingNode, data: dict[Any, Any]
) -> Iterator[tuple[yaml.Node, yaml.Node, Any]]:
    """Key node, value node and plain value of each entry; merged keys have no node of their own."""
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        yield key, value, data.get(name) if name is not None else None


def _variables(
    shown: str,
    kind: str,
    scope: str,
    node: yaml.MappingNode,
    data: dict[Any, Any],
    *,
    inline: bool = False,
) -> Iterator[Definition]:
    written = set()
    for key, _, plain in _pairs(node, data):
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise syntax.fault(
                "The name of a variable must be a text.", shown, key, "Put quotes around it."
            )
        written.add(key.value)
        yield Definition(f"{shown}:{syntax.line(key)}", kind, scope, key.value, plain, inline)
    for name, plain in data.items():
        if name not in written:  # it came through a merge key (<<)
            yield Definition(f"{shown}:{syntax.line(node)}", kind, scope, str(name), plain, inline)


@dataclass(slots=True)
class _HostsFile:
    shown: str
    definitions: list[Definition]
    hosts: dict[str, str]
    groups: dict[str, str]

    def group(self, key: yaml.Node, value: yaml.Node, plain: Any, depth: int) -> None:
        name = self._name(key, "group")
        if not names.GROUP.fullmatch(name):
            raise syntax.fault(
                f"{name!r} cannot be the name of a group.",
                self.shown,
                key,
                "Use letters, digits and underscores, such as member_215000027.",
            )
        self.groups.setdefault(name, f"{self.shown}:{syntax.line(key)}")
        parts = self._mapping(value, f"The group {name}")
        if parts is None:
            return
        for word, content, inner in _pairs(parts, plain or {}):
            part = self._name(word, "part of a group")
            if part not in _GROUP_KEYS:
                raise syntax.fault(
                    f"{part!r} means nothing in the group {name}.",
                    self.shown,
                    word,
                    "A group holds `hosts:`, `children:` and `vars:`, nothing else.",
                )
            mapping = self._mapping(content, f"`{part}` of the group {name}")
            if mapping is None:
                continue
            for entry, below, deeper in _pairs(mapping, inner):
                if part == "hosts":
                    self._host(entry, below, deeper)
                elif part == "children":
                    self.group(entry, below, deeper, depth + 1)
            if part == "vars":
                self.definitions.extend(
                    _variables(self.shown, "group", name, mapping, inner, inline=True)
                )

    def _host(self, key: yaml.Node, value: yaml.Node, plain: Any) -> None:
        name = self._name(key, "host")
        if not names.good_host(name):
            raise syntax.fault(
                f"{name!r} cannot be the name of a host.",
                self.shown,
                key,
                "Begin with a letter or digit, then letters, digits, dots, dashes, underscores; "
                "one line per host (no [01:10]), its address in ansible_host, its port in "
                "ansible_port.",
            )
        self.hosts.setdefault(name, f"{self.shown}:{syntax.line(key)}")
        mapping = self._mapping(value, f"The host {name}")
        if mapping is not None:
            self.definitions.extend(
                _variables(self.shown, "host", name, mapping, plain, inline=True)
            )

    def _name(self, key: yaml.Node, what: str) -> str:
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise syntax.fault(
                f"The name of a {what} must be a text.", self.shown, key, "Put quotes around it."
            )
        return str(key.value)

    def _mapping(self, node: yaml.Node, what: str) -> yaml.MappingNode | None:
        if isinstance(node, yaml.MappingNode):
            return node
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
            return None
        raise syntax.fault(
            f"{what} must hold names followed by a colon, one per line.",
            self.shown,
            node,
            "Write for instance `agneaux-srv-01:` and its variables indented below.",
        )
