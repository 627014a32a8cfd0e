"""Put a value into a YAML text without touching anything else: comments are somebody's.

The text is not written anew from data; the few lines needed are put at the right place, and the
result is read again: unless it says exactly what was meant, nothing is changed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from kitsurvie.errors import InventoryError
from kitsurvie.inventory import syntax

Value = Any
# A text that needs no quotes, on a line of its own or between braces; SIREN and such need them.
_BARE = re.compile(r"\w(?:[\w .@/+'-]*[\w.])?")


def put(text: str, path: Sequence[str], value: Value, shown: str) -> str:
    """The text with `value` (plain data) at `path`, the mappings on the way made as needed.

    What stands there already is replaced if it is a single value, and must be absent or equal
    otherwise. Raises InventoryError when the place is written in a way that cannot be added to
    (such as `{a: 1}` on one line), with what to add by hand.
    """
    node, data = syntax.parse(text.encode(), shown)
    wanted = _with(data, path, value)
    if wanted == data:
        return text
    changed = _inserted(text, node, list(path), value)
    if changed is not None:
        try:
            if syntax.parse(changed.encode(), shown)[1] == wanted:
                return changed
        except InventoryError:
            pass
    raise InventoryError(
        f"{' > '.join(path)} cannot be added here without rewriting the file.",
        where=shown,
        remedy=f"Add it by hand, as: {json.dumps(value, ensure_ascii=False)}",
    )


def _with(data: dict[str, Any], path: Sequence[str], value: Value) -> dict[str, Any]:
    wanted = copy.deepcopy(data)
    here = wanted
    for name in path[:-1]:
        if here.get(name) is None:
            here[name] = {}
        here = here[name]
        if not isinstance(here, dict):
            return {}
    here[path[-1]] = value
    return wanted


def _inserted(
    text: str, node: yaml.MappingNode | None, path: list[str], value: Value
) -> str | None:
    """Follow the path as far as it exists, then write the rest below; None: not possible."""
    if node is None:
        head = text if not text or text.endswith("\n") else text + "\n"
        return head + _block(path, value, 0)
    for depth, name in enumerate(path):
        entry = next((pair for pair in node.value if pair[0].value == name), None)
        rest = path[depth:]
        if entry is None:
            return _append(text, node, rest, value)
        key, found = entry
        last = depth == len(path) - 1
        if isinstance(found, yaml.ScalarNode) and (last or found.value in ("", "~", "null")):
            return _replace(text, key, found, rest[1:], value)
        if not isinstance(found, yaml.MappingNode) or last:
            return None
        if not found.value:  # {}
            return _replace(text, key, found, rest[1:], value)
        node = found
    return None


def _append(text: str, node: yaml.MappingNode, rest: list[str], value: Value) -> str | None:
    if node.flow_style:
        end = node.end_mark.index - 1
        before = text[:end].rstrip()
        comma = "" if before.endswith(("{", ",")) else ","
        nested = value
        for name in reversed(rest[1:]):
            nested = {name: nested}
        return f"{before}{comma} {_key(rest[0])}: {_scalar(nested)}{text[end:]}"
    indent = node.value[0][0].start_mark.column
    lines = text.splitlines(keepends=True)
    last = last_line(node)
    if lines[last] and not lines[last].endswith("\n"):
        lines[last] += "\n"
    return "".join([*lines[: last + 1], _block(rest, value, indent), *lines[last + 1 :]])


def last_line(node: yaml.Node) -> int:
    """The line (from 0) on which the last value below a node ends."""
    while not getattr(node, "flow_style", True):
        if isinstance(node, yaml.MappingNode) and node.value:
            key, value = node.value[-1]
            node = key if value.start_mark.index == value.end_mark.index else value
        elif isinstance(node, yaml.SequenceNode) and node.value:
            node = node.value[-1]
        else:
            break
    end = node.end_mark
    # a block text (|) ends at the beginning of the line after it
    return int(end.line) - (1 if end.column == 0 and end.line > node.start_mark.line else 0)


def _replace(
    text: str, key: yaml.Node, found: yaml.Node, rest: list[str], value: Value
) -> str | None:
    if not rest:
        written = " " + _scalar(value)
        start, end = key.end_mark.index, found.end_mark.index
        colon = text.index(":", start)
        empty = found.start_mark.index == found.end_mark.index
        return text[: colon + 1] + written + text[colon + 1 if empty else end :]
    # `hosts:` with nothing, `{}` or null: what follows on the line, a comment, stays
    colon = text.index(":", key.end_mark.index)
    empty = found.start_mark.index == found.end_mark.index
    after = text[colon + 1 if empty else found.end_mark.index :]
    line, newline, below = after.partition("\n")
    if line.strip() and not line.strip().startswith("#"):
        return None
    block = _block(rest, value, key.start_mark.column + 2)
    return f"{text[: colon + 1]}{line.rstrip()}{newline or chr(10)}{block}{below}"


def _block(path: list[str], value: Value, indent: int) -> str:
    """Nested mappings, one name per line, two spaces deeper each; the value on the last line."""
    lines = []
    for depth, name in enumerate(path):
        start = " " * (indent + 2 * depth) + f"{_key(name)}:"
        lines.append(start if depth < len(path) - 1 else f"{start} {_scalar(value)}".rstrip())
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return _scalar(name)


def _scalar(value: Value) -> str:
    """Plain data on one line, in YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {_scalar(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        bare = bool(_BARE.fullmatch(value)) and yaml.safe_load(value) == value
        # what cannot be printed (line separators among them) is escaped
        return value if bare else json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value, ensure_ascii=False)
