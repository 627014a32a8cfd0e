"""Records as the bytes that the ledger keeps, and back. Where a record was read is not kept in it.

What is at its default is left out: a record of a table takes some 250 bytes. A field that a newer
kitsurvie wrote is passed over.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast

from pydantic import TypeAdapter

from kitsurvie.assets.record import Discard, Exemption, Kind, Origin, Person, Record

Kept = Record | Person | Exemption | Discard
NOWHERE = Origin("")
# things that are no computers have numbers of their own in the tool that lists them
_OTHER_LISTS = frozenset({Kind.SCREEN, Kind.PHONE, Kind.PRINTER, Kind.NETWORK})
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "record": TypeAdapter(Record),
    "person": TypeAdapter(Person),
    "exemption": TypeAdapter(Exemption),
    "discard": TypeAdapter(Discard),
}


def kind_of(one: Kept) -> str:
    """Under which kind the ledger keeps it."""
    match one:
        case Record():
            return "record"
        case Person():
            return "person"
        case Exemption():
            return "exemption"
        case Discard():
            return "discard"


def named(one: Record) -> Record:
    """The record under a key that no other of its source has.

    A part that an agent sent beside a whole inventory is a record of its own.
    """
    key = f"{one.kind.value}:{one.key}" if one.kind in _OTHER_LISTS else one.key
    return replace(one, key=f"{key}#partial" if one.partial else key)


def pack(one: Kept) -> bytes:
    """The bytes of a record, a person, an exemption or a discarded thing."""
    bare = replace(one, origin=NOWHERE)
    data: bytes = _ADAPTERS[kind_of(one)].dump_json(bare, exclude_defaults=True)
    return data


def unpack(kind: str, data: bytes) -> Kept:
    """The same again. Raises ValueError for bytes that are none."""
    return cast(Kept, _ADAPTERS[kind].validate_json(data))


def seen(data: bytes) -> float:
    """When the machine was seen that packed bytes speak of, in seconds since the epoch.

    Minus infinity where they do not say: whatever is dated is later.
    """
    said = json.loads(data).get("seen") if b'"seen"' in data else None
    return datetime.fromisoformat(said).timestamp() if said else float("-inf")


def without(kind: str, data: bytes, user: str, member: str | None = None) -> bytes | None:
    """The same without a person; None for what speaks of that person alone.

    With `member` (SIREN) only what is of that member, or of none.
    """
    one = unpack(kind, data)
    if isinstance(one, Discard) or one.user != user:
        return data
    if member is not None and one.member not in (member, None):
        return data
    return pack(replace(one, user="")) if isinstance(one, Record) else None


def without_anybody(kind: str, data: bytes) -> bytes | None:
    """The same without whoever is in it, and without when; None for what is of a person alone.

    When a machine was seen, import after import, is the trail of whoever it is given to.
    """
    if b'"user"' not in data and b'"seen"' not in data:
        return data
    one = unpack(kind, data)
    if isinstance(one, Record):
        return pack(replace(one, user="", seen=None))
    return data if isinstance(one, Discard) else without(kind, data, one.user)


def unless_ended(kind: str, data: bytes, before: date) -> bytes | None:
    """The same; None for an exemption that ended before a day.

    An account loses what is no field of it any more: its state and its last logon were kept once.
    """
    if kind == "person":
        formerly = b'"enabled"' in data or b'"last_logon"' in data
        return pack(unpack(kind, data)) if formerly else data
    one = unpack(kind, data)
    return None if isinstance(one, Exemption) and one.until < before else data
