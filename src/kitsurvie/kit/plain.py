"""Plain data: what a measure's variable may hold, so that no rendering is needed to judge it."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

_JINJA = ("{{", "{%", "{#")


def data(value: object) -> Any:
    """The value as JSON has it: dates become text, as Ansible gives them.

    Raises ValueError, with the reason, for Jinja, an infinite number or any other type.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if any(mark in value for mark in _JINJA):
            raise ValueError("it holds Jinja ({{ or {%)")
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number")
        return value
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, list):
        return [data(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is not a text")
        return {key: data(item) for key, item in value.items()}
    raise ValueError(f"a {type(value).__name__} is not plain data")


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal data, equal bytes."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
    ).encode()
