"""Take an entry out of a YAML text without touching anything else: comments are somebody's."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import yaml

from kitsurvie.errors import InventoryError
from kitsurvie.inventory import insertion, syntax


def take_out(text: str, path: Sequence[str], shown: str) -> str:
    """The text without the entry at `path`; as it was when there is none.

    A mapping that is left empty says nothing (`hosts:`). The result is read again. Raises
    InventoryError when the entry stands on a line with others, with what to take out by hand.
    """
    node, data = syntax.parse(text.encode(), shown)
    wanted = _without(data, path)
    if node is None or wanted == data:
        return text
    changed = _cut(text, node, path)
    if changed is not None:
        try:
            if syntax.parse(changed.encode(), shown)[1] == wanted:
                return changed
        except InventoryError:
            pass
    raise InventoryError(
        f"{' > '.join(path)} cannot be taken out here without rewriting the file.",
        where=shown,
        remedy="Take it out by hand, then run the same command again.",
    )


def _without(data: Any, path: Sequence[str]) -> Any:
    wanted = copy.deepcopy(data)
    above, here = None, wanted
    for name in path[:-1]:
        if not isinstance(here, dict) or name not in here:
            return data
        above, here = here, here[name]
    if not isinstance(here, dict) or path[-1] not in here:
        return data
    del here[path[-1]]
    if not here and above is not None:
        above[path[-2]] = None
    return wanted


def _cut(text: str, node: yaml.MappingNode, path: Sequence[str]) -> str | None:
    for depth, name in enumerate(path):
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            return None
        key, value = next(pair for pair in node.value if pair[0].value == name)
        if depth == len(path) - 1:
            empty = value.start_mark.index == value.end_mark.index
            last = key.end_mark.line if empty else insertion.last_line(value)
            lines = text.splitlines(keepends=True)
            return "".join([*lines[: key.start_mark.line], *lines[last + 1 :]])
        node = value
    return None
