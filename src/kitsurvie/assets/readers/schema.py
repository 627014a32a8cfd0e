"""What GLPI's schema says of the parts of an inventory that are read, and what does not fit it.

Agents write numbers as text, and XML has nothing else: what can be taken for what the schema asks
is taken. What cannot is left aside alone, and told; the rest of the inventory is good.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from kitsurvie.assets.readers.text import clean

SCHEMA = "glpi-inventory.schema.json"
LONGEST = 1000
MOST_NOTES = 20
MOST_ITEMS = 20_000
# a name that an object says twice: neither is believed
TWICE: Any = object()
# what JSON has in the place of a number and no machine can hold
NO_NUMBER: Any = object()

# the parts that are read, and what is read of each; nobody's name but logins, no address, no key
READ: Mapping[str, tuple[str, ...]] = {
    "accesslog": ("logdate",),
    "antivirus": ("name", "enabled", "uptodate"),
    "batteries": ("name",),
    "bios": ("smanufacturer", "smodel", "ssn", "mmanufacturer", "mmodel"),
    "cpus": ("name",),
    "drives": (
        *("letter", "type", "volumn", "label", "filesystem", "description"),
        *("total", "free", "encrypt_status"),
    ),
    "firewalls": ("profile", "status"),
    "hardware": (
        *("name", "uuid", "chassis_type", "vmsystem", "memory"),
        *("lastloggeduser", "datelastloggeduser"),
    ),
    "memories": ("capacity",),
    "monitors": ("manufacturer", "caption", "name", "serial", "altserial"),
    "network_device": ("mac", "manufacturer", "model", "name", "serial", "type"),
    "networks": ("description", "mac", "type", "virtualdev", "driver", "model", "pnpdeviceid"),
    "operatingsystem": ("full_name", "name", "version", "kernel_version"),
    "simcards": ("state",),
    "softwares": ("name", "version"),
    "users": ("login",),
}
Part = dict[str, Any]


@dataclass(slots=True)
class Notes:
    """What was left aside, a sentence each; the first twenty, then how many more.

    With `missing`, what the schema requires and is not there is told too.
    """

    missing: bool = True
    told: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, sentence: str) -> None:
        """One more thing that was left aside."""
        if len(self.told) < MOST_NOTES:
            self.told.append(sentence)
        else:
            self.more += 1

    def all(self) -> tuple[str, ...]:
        """The sentences."""
        more = (f"{self.more} more parts are left aside.",) if self.more else ()
        return (*self.told, *more)


@dataclass(frozen=True, slots=True)
class Value:
    """What the schema asks of a value."""

    type: str
    pattern: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What the schema asks of a part: its values, those that must be there, one or a list."""

    values: Mapping[str, Value]
    required: frozenset[str]
    many: bool


@cache
def document() -> Mapping[str, Any]:
    """The schema as GLPI publishes it."""
    text = (resources.files("kitsurvie.assets") / "data" / SCHEMA).read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


@cache
def shapes() -> Mapping[str, Shape]:
    """The parts that are read, by name."""
    parts = document()["properties"]["content"]["properties"]
    return {name: _shape(parts[name], READ[name]) for name in READ}


@cache
def top() -> Mapping[str, Value]:
    """What stands beside the content: whose inventory it is, and of what."""
    known = document()["properties"]
    return {name: _value(known[name]) for name in ("deviceid", "itemtype", "partial", "tag")}


def _shape(node: Mapping[str, Any], names: tuple[str, ...]) -> Shape:
    many = node["type"] == "array"
    one = node["items"] if many else node
    values = {name: _value(one["properties"][name]) for name in names}
    return Shape(values, frozenset(one.get("required", ())), many)


def _value(node: Mapping[str, Any]) -> Value:
    if "$ref" in node:
        node = document()["definitions"][node["$ref"].rpartition("/")[2]]
    pattern = node.get("pattern")
    return Value(node["type"], re.compile(pattern) if pattern else None)


def fitted(content: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """The parts of a content that are read, each value of the schema's type or not there.

    A part that the schema has many of is a list of objects, any other is an object. A part that
    the content is silent of is not in it.
    """
    parts: dict[str, Any] = {}
    for name, shape in shapes().items():
        if name not in content:
            continue
        raw = content[name]
        if shape.many:
            parts[name] = _list(name, raw, shape, notes)
        else:
            if isinstance(raw, list) and len(raw) == 1:
                raw = raw[0]
            if raw == "" or raw is None:
                continue
            if not isinstance(raw, dict):
                notes.add(f"{name} is {_twice(raw, 'no object')}: left aside.")
                continue
            parts[name] = _object(name, raw, shape, notes)
    return parts


def _list(name: str, raw: Any, shape: Shape, notes: Notes) -> list[Part]:
    if isinstance(raw, dict):
        raw = [raw]
    if raw == "" or raw is None:
        return []
    if not isinstance(raw, list):
        notes.add(f"{name} is {_twice(raw, 'no list')}: left aside.")
        return []
    if len(raw) > MOST_ITEMS:
        notes.add(f"{name} has {len(raw)} entries: those after the first {MOST_ITEMS} left aside.")
    found = []
    for number, item in enumerate(raw[:MOST_ITEMS]):
        if isinstance(item, dict):
            found.append(_object(f"{name}[{number}]", item, shape, notes))
        elif item != "":
            notes.add(f"{name}[{number}] is {_twice(item, 'no object')}: left aside.")
    return found


def _object(path: str, raw: Mapping[str, Any], shape: Shape, notes: Notes) -> Part:
    part: Part = {}
    for name, wanted in shape.values.items():
        if name in raw:
            value = taken(f"{path}.{name}", raw[name], wanted, notes)
            if value is not None:
                part[name] = value
        elif notes.missing and name in shape.required:
            notes.add(f"{path}.{name} is missing.")
    return part


def taken(path: str, raw: Any, wanted: Value, notes: Notes) -> Any:
    """The value as the schema's type, None when it is empty or cannot be that."""
    if raw is None or raw == "":
        return None
    value, what = _TAKE[wanted.type](raw)
    if value is None:
        if what:
            notes.add(f"{path} is {_twice(raw, what)}: left aside.")
        return None
    if wanted.pattern is not None and not wanted.pattern.search(value):
        notes.add(f"{path} is not written as GLPI asks: left aside.")
        return None
    return value


def _twice(raw: Any, otherwise: str) -> str:
    return "said twice" if raw is TWICE else otherwise


def _text(raw: Any) -> tuple[str | None, str]:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None, "no text"
    if isinstance(raw, float) and not math.isfinite(raw):
        return None, "no text"
    text = clean(raw) if isinstance(raw, str) else str(raw)
    if len(text) > LONGEST:
        return None, f"longer than {LONGEST} characters"
    return text or None, ""


def _whole(raw: Any) -> tuple[int | None, str]:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw, ""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e18:
        return int(raw), ""
    if isinstance(raw, str):
        if re.fullmatch(r" *-?[0-9]{1,18} *", raw):
            return int(raw), ""
        if not raw.strip():
            return None, ""
    return None, "no whole number"


_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def _yes_or_no(raw: Any) -> tuple[bool | None, str]:
    word = str(raw).strip().casefold() if isinstance(raw, bool | int | str) else "?"
    if word in _TRUE:
        return True, ""
    if word in _FALSE:
        return False, ""
    return None, "neither true nor false" if word else ""


_TAKE: Mapping[str, Callable[[Any], tuple[Any, str]]] = {
    "string": _text,
    "integer": _whole,
    "boolean": _yes_or_no,
}
