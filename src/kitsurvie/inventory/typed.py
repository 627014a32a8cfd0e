"""Whether a value is of the type its variable wants, as it is written.

Ansible converts what is not, and what YAML made of `0233000000` or `22:00` without quotes is
another thing than what was meant: 40632320 and 1320.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kitsurvie.model import Option, Type

_LONGEST = 60
_IS: Mapping[Type, Callable[[Any], bool]] = {
    Type.STR: lambda value: isinstance(value, str),
    Type.PATH: lambda value: isinstance(value, str),
    Type.BOOL: lambda value: isinstance(value, bool),
    Type.INT: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Type.FLOAT: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    Type.LIST: lambda value: isinstance(value, list),
    Type.DICT: lambda value: isinstance(value, dict),
    Type.RAW: lambda _: True,
}
_CALLED = {
    Type.STR: "a text, between quotes",
    Type.PATH: "a path, between quotes",
    Type.BOOL: "true or false",
    Type.INT: "a whole number",
    Type.FLOAT: "a number",
    Type.LIST: "a list, each entry after a dash",
    Type.DICT: "names and values",
}


def flaws(option: Option, value: Any, name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the value, and the remedy; nothing when it is what the option wants."""
    if not _IS[option.type](value):
        yield f"{name} is {_short(value)}.", f"Write {_CALLED[option.type]}."
    elif option.choices and value not in option.choices:
        yield f"{name} is {_short(value)}.", f"Write one of: {_listed(option.choices)}."
    elif option.type is Type.LIST:
        entry = Option(type=option.elements, options=option.options)
        for number, one in enumerate(value, 1):
            yield from flaws(entry, one, f"Entry {number} of {name}")
    elif option.type is Type.DICT and option.options:
        yield from _entries(option.options, value, name)


def _entries(
    options: Mapping[str, Option], value: Mapping[str, Any], name: str
) -> Iterator[tuple[str, str]]:
    takes = f"It takes {_listed(options)}."
    for key, given in value.items():
        if key in options:
            yield from flaws(options[key], given, f"The {key} of {name[0].lower() + name[1:]}")
        else:
            yield f"{name} holds {key!r}, which means nothing.", takes
    for key, option in options.items():
        if option.required and key not in value:
            yield f"{name} has no {key}.", takes


def _listed(words: Any) -> str:
    return ", ".join(map(str, words))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
