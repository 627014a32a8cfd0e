"""YAML of the inventory, read with its line numbers and with bounds, before Ansible sees it.

Ansible warns about a broken file and goes on with an empty inventory, expands aliases without
limit and keeps the last of two equal keys: each of these is an error here, with its line.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from kitsurvie.errors import InventoryError

# Weight is one per node plus its characters, aliases counted as often as they are used.
MAX_WEIGHT = 128 * 1024 * 1024
MAX_ALIAS_WEIGHT = 4 * 1024 * 1024
MAX_DEPTH = 60

_TAGS = {None, "!", "!vault", "!vault-encrypted", "!unsafe"}
_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = {
    _STANDARD + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")
}


class Vaulted(str):
    """A value encrypted by ansible-vault, left as it is."""

    __slots__ = ()


class _Loader(yaml.CSafeLoader):
    pass


def _vaulted(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Vaulted:
    return Vaulted(loader.construct_scalar(node))


def _unsafe(loader: yaml.CSafeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("!vault", _vaulted)
_Loader.add_constructor("!vault-encrypted", _vaulted)
_Loader.add_constructor("!unsafe", _unsafe)


def parse(data: bytes, shown: str) -> tuple[yaml.MappingNode | None, dict[Any, Any]]:
    """The top mapping of a YAML document, as a node (for lines) and as plain data.

    An empty document is `(None, {})`. Raises InventoryError with `file:line` for everything that
    is not one bounded mapping with distinct keys and plain values.
    """
    node = compose(data, shown)
    if node is None:
        return None, {}
    loader = _Loader("")
    try:
        return node, loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _broken(error, data.decode("utf-8-sig"), shown) from error
    except (ValueError, OverflowError) as error:
        # a date such as 2027-13-45, a number of ten thousand digits
        raise InventoryError(
            f"This file holds a value that cannot be read: {error}.",
            where=shown,
            remedy="Put quotes around it if it is a text.",
        ) from error
    finally:
        loader.dispose()


def compose(data: bytes, shown: str) -> yaml.MappingNode | None:
    """The top mapping of a YAML document, its values as they are written; None when it is empty.

    Raises InventoryError with `file:line` for everything that is not one bounded mapping with
    distinct keys.
    """
    if data.startswith(b"$ANSIBLE_VAULT"):
        raise InventoryError(
            "This whole file is encrypted, so nothing of it can be checked.",
            where=shown,
            remedy="Encrypt single values with `ansible-vault encrypt_string` instead; variables "
            "of measures stay in clear.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InventoryError(
            f"This file is not UTF-8 text: byte {data[error.start]:#04x} on this line.",
            where=f"{shown}:{line}",
            remedy="Save it as UTF-8.",
        ) from error
    try:
        _bound(text, shown)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _broken(error, text, shown) from error
    if node is None or node.tag == _STANDARD + "null":
        return None
    if not isinstance(node, yaml.MappingNode):
        raise fault("This file must hold names and values (a YAML mapping).", shown, node, "")
    _distinct(node, shown, set())
    return node


def line(node: yaml.Node) -> int:
    """The line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def fault(what: str, shown: str, node: yaml.Node, remedy: str) -> InventoryError:
    """An error at the line of a node."""
    return InventoryError(
        what,
        where=f"{shown}:{line(node)}",
        remedy=remedy or "Compare with the example that `kitsurvie init` writes.",
    )


def _broken(error: yaml.YAMLError, text: str, shown: str) -> InventoryError:
    where, why = shown, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            # what is missing at the very end is said to be on the line after the last
            where = f"{shown}:{min(mark.line, len(text.splitlines()) - 1) + 1}"
        why = error.problem or error.context or why
    elif isinstance(error, yaml.reader.ReaderError):
        where = f"{shown}:{text.count(chr(10), 0, int(error.position)) + 1}"
        why = str(error.reason)
    why = re.sub(r"\s+", " ", why).strip().rstrip(".")
    return InventoryError(
        f"This is not valid YAML: {why}.",
        where=where,
        remedy="Mend that line or the one above: spaces (no tabs) to indent, a space after each "
        "colon, quotes around a text that holds one of : # { [.",
    )


def _bound(text: str, shown: str) -> None:
    """Refuse bombs by reading events alone: nothing is built, nothing recurses."""
    weights: dict[str, int] = {}
    stack: list[tuple[str | None, int, yaml.Event]] = []
    total = aliased = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _event_fault("This file holds more than one YAML document.", shown, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in weights:
                raise _event_fault(
                    f"The alias *{event.anchor} names nothing that ends before it.", shown, event
                )
            total += weights[event.anchor]
            aliased += weights[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            _tag(event, event.tag, shown)
            weight = 1 + len(event.value)
            total += weight
            if event.anchor:
                weights[event.anchor] = weight
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            _tag(event, event.tag, shown)
            stack.append((event.anchor, total, event))
            total += 1
            if len(stack) > MAX_DEPTH:
                raise _event_fault("The values here are nested too deeply.", shown, event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            anchor, before, _ = stack.pop()
            if anchor:
                weights[anchor] = total - before
        if total > MAX_WEIGHT or aliased > MAX_ALIAS_WEIGHT:
            raise _event_fault("The aliases of this file expand to far too much.", shown, event)


def _tag(event: yaml.Event, tag: str | None, shown: str) -> None:
    if tag not in _TAGS and tag not in _PLAIN_TAGS:
        raise _event_fault(f"The tag {tag} is not plain data.", shown, event)


def _event_fault(what: str, shown: str, event: yaml.Event) -> InventoryError:
    place = f"{shown}:{event.start_mark.line + 1}" if event.start_mark else shown
    return InventoryError(
        what,
        where=place,
        remedy="Write plain values, one document per file.",
    )


def _distinct(node: yaml.Node, shown: str, seen: set[int]) -> None:
    """Refuse a mapping with the same key twice: the last would win without a word."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _distinct(item, shown, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                name = (key.tag, key.value)
                if name in keys:
                    raise fault(
                        f"{key.value!r} stands here twice; it is already on line {keys[name]}.",
                        shown,
                        key,
                        "Keep one of the two: Ansible would silently take the last.",
                    )
                keys[name] = line(key)
            _distinct(value, shown, seen)
