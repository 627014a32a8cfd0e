"""The inventory that an agent of GLPI writes in JSON. Nothing in it is believed."""

from __future__ import annotations

import json
from typing import Any

from kitsurvie.assets.readers.files import Unreadable
from kitsurvie.assets.readers.schema import NO_NUMBER, TWICE
from kitsurvie.assets.readers.text import decoded
from kitsurvie.assets.readers.told import Told

# each costs some hundred bytes of memory; an inventory of a server has some ten thousand
MOST_VALUES = 1_500_000
_LONGEST_NUMBER = 18


def read(data: bytes) -> Told:
    """The inventory in these bytes. Raises Unreadable when it is none, or none of one device."""
    text = decoded(data)
    if text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise Unreadable(f"holds more than {MOST_VALUES} values, which is no inventory of a device")
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_constant=_no_number
        )
    except RecursionError as error:
        raise Unreadable("is nested too deeply to be an inventory") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"is no JSON: {error.msg}", error.lineno) from error
    except ValueError as error:
        raise Unreadable("is no JSON") from error
    if isinstance(found, list):
        raise Unreadable("is a list; an inventory is one file a device, as the agent writes it")
    if not isinstance(found, dict) or not isinstance(found.get("content"), dict):
        raise Unreadable("is no inventory of GLPI: it has no content")
    return Told(
        deviceid=found.get("deviceid"),
        content=found["content"],
        itemtype=found.get("itemtype"),
        tag=found.get("tag"),
        partial=found.get("partial"),
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: dict[str, Any] = {}
        for name, value in pairs:
            if name in seen and seen[name] != value:
                found[name] = TWICE
            seen.setdefault(name, value)
    return found


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else NO_NUMBER


def _no_number(_word: str) -> Any:
    return NO_NUMBER
