"""What the values of a measure's variables may be, as `meta/argument_specs.yml` says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kitsurvie.model import Option, Type


def read(spec: Mapping[str, Any]) -> dict[str, Option]:
    """The options of one `options:` mapping. Raises ValueError with what cannot be used."""
    return {name: _one(name, said) for name, said in spec.items()}


def _one(name: str, said: Any) -> Option:
    if not isinstance(said, Mapping):
        raise ValueError(f"the option {name} is no mapping")
    try:
        return Option(
            type=Type(said.get("type", Type.STR)),
            elements=Type(said.get("elements", Type.RAW)),
            choices=tuple(said.get("choices") or ()),
            required=bool(said.get("required", False)),
            options=read(said.get("options") or {}),
        )
    except ValueError as error:
        raise ValueError(f"in the option {name}: {error}") from error
