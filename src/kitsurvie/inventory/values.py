"""What is wrong with the variables of measures and of the kit, at the line that sets each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from kitsurvie.inventory import typed, windows
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.structure import Definition
from kitsurvie.inventory.syntax import Vaulted
from kitsurvie.model import Measure, Mode, Option, Type

RESERVED = ("mode", "off_reason", "off_until", "change_windows", "freezes")
_KIT = (
    "change_windows",
    "epci",
    "expected_up",
    "freezes",
    "guard_delay_s",
    "jump",
    "member",
    "mode",
    "not_negotiable",
    "profile",
    "reboot",
    "reboot_timeout_s",
    "site",
)
# what a change and three attempts to connect need, by a slow line
LEAST_GUARD_DELAY_S = 60
_TYPES = {
    "expected_up": Option(Type.BOOL),
    "reboot": Option(Type.STR, choices=("never", "ask", "auto")),
    "reboot_timeout_s": Option(Type.INT),
    "site": Option(Type.STR),
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_JINJA = ("{{", "{%", "{#")
# user:password@ in an address; what is told of it never shows it
_LOGIN = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def problems(
    definitions: tuple[Definition, ...], measures: Mapping[str, Measure]
) -> Iterator[Problem]:
    """Look at every variable named `<measure>__<name>`, `kit__` being the kit's own."""
    for definition in definitions:
        prefix, separator, name = definition.name.partition("__")
        if not separator or not prefix:
            continue
        if prefix == "kit":
            yield from _kit(definition, name, measures)
        elif prefix in measures:
            yield from _measure(definition, measures[prefix], name)
        else:
            yield from _stranger(definition, prefix, name, measures)


def is_mode(value: object) -> bool:
    """Whether this says a mode; a bare `off` reaches us as false, which is meant."""
    return value is False or (isinstance(value, str) and value in {mode.value for mode in Mode})


def day(value: object) -> date | None:
    """The day that a text (or a date of YAML) such as 2027-01-31 says; None when it says none."""
    text = str(value)
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _kit(definition: Definition, name: str, measures: Mapping[str, Measure]) -> Iterator[Problem]:
    if name not in _KIT:
        yield Problem(
            definition.where,
            f"{definition.name} is no variable of the kit.",
            _near(name, _KIT, "kit__") or f"Those of the kit: {_list(_KIT, 'kit__')}.",
            Severity.WARNING,
        )
        return
    yield from _plain(definition)
    if name == "mode":
        yield from _mode(definition)
    elif name in _TYPES:
        for what, remedy in typed.flaws(_TYPES[name], definition.value, definition.name):
            yield Problem(definition.where, what, remedy)
    elif name in _WHEN:
        yield from _each(definition, *_WHEN[name])
    elif name == "not_negotiable":
        yield from _not_negotiable(definition, measures)
    elif name == "guard_delay_s":
        value = definition.value
        if isinstance(value, bool) or not isinstance(value, int) or value < LEAST_GUARD_DELAY_S:
            yield Problem(
                definition.where,
                f"kit__guard_delay_s is {value!r}: too short for a change to be made and proved.",
                f"Write a whole number of seconds, {LEAST_GUARD_DELAY_S} or more.",
            )


_WHEN: Mapping[str, tuple[Callable[[object], object], str]] = {
    "change_windows": (windows.window, "a list of windows"),
    "freezes": (windows.freeze, "a list of freezes"),
}


def _not_negotiable(definition: Definition, measures: Mapping[str, Measure]) -> Iterator[Problem]:
    if definition.kind != "group" or definition.scope != "all":
        yield Problem(
            definition.where,
            f"{definition.name} is set for {definition.scope}: only the syndicate may say what is "
            "not negotiable.",
            "Take it out here, or write it in group_vars/all, for everybody.",
        )
        return
    if not isinstance(definition.value, list):
        yield Problem(
            definition.where,
            f"{definition.name} is not a list of measures.",
            "Write each after a dash.",
        )
        return
    for entry in definition.value:
        if entry not in measures:
            yield Problem(
                definition.where,
                f"{definition.name} holds {entry!r}, which is no measure.",
                _near(str(entry), list(measures), "") or f"The measures: {', '.join(measures)}.",
            )


def _measure(definition: Definition, measure: Measure, name: str) -> Iterator[Problem]:
    if name == "mode":
        yield from _mode(definition)
        return
    if name == "off_reason":
        if not isinstance(definition.value, str) or not definition.value.strip():
            yield Problem(definition.where, f"{definition.name} is empty.", "Say why.")
        return
    if name == "off_until":
        # empty: a wider exception does not hold here
        if definition.value != "" and day(definition.value) is None:
            yield Problem(
                definition.where,
                f"{definition.name} is {definition.value!r}, not a day.",
                'Write the last day it is off, between quotes: "2027-01-31".',
            )
        return
    if name in _WHEN:
        yield from _plain(definition)
        yield from _each(definition, *_WHEN[name])
        return
    if definition.name not in measure.defaults:
        known = [n.removeprefix(f"{measure.id}__") for n in measure.defaults] + list(RESERVED)
        prefix = f"{measure.id}__"
        yield Problem(
            definition.where,
            f"The measure {measure.id} has no variable {definition.name}.",
            _near(name, known, prefix) or f"See what it takes: kitsurvie kit show {measure.id}",
        )
    flawed = list(_plain(definition))
    yield from flawed
    option = measure.options.get(definition.name)
    if option is not None and not flawed:
        for what, remedy in typed.flaws(option, definition.value, definition.name):
            yield Problem(definition.where, what, remedy)


def _stranger(
    definition: Definition, prefix: str, name: str, measures: Mapping[str, Measure]
) -> Iterator[Problem]:
    near = _near(prefix, [*measures, "kit"], "", f"__{name}")
    meant = bool(near) or name in RESERVED
    yield Problem(
        definition.where,
        f"{definition.name} belongs to no measure: there is none named {prefix}.",
        near or f"The measures: {', '.join(measures)}. A name of your own goes without __.",
        Severity.ERROR if meant else Severity.WARNING,
    )


def _mode(definition: Definition) -> Iterator[Problem]:
    if not is_mode(definition.value):
        yield Problem(
            definition.where,
            f"{definition.name} is {definition.value!r}.",
            f"Write one of: {', '.join(mode.value for mode in Mode)}.",
        )


def _plain(definition: Definition) -> Iterator[Problem]:
    if _holds_login(definition.value):
        yield Problem(
            definition.where,
            f"{definition.name} holds an address with a password: it would be shown in reports, in "
            "logs and to everybody who reads the inventory.",
            "Write the address alone, and put the login where the program looks for it on the "
            "machine, readable by root alone: for apt a file of /etc/apt/auth.conf.d "
            "(apt_auth.conf(5)), proxies included. Change that password, if others saw it.",
        )
        return
    flaw = _flaw(definition.value)
    if flaw:
        yield Problem(
            definition.where,
            f"{definition.name} is not plain data: {flaw}.",
            "Write the value itself: it is judged and stamped without any rendering.",
        )


def _holds_login(value: Any) -> bool:
    if isinstance(value, str):
        return _LOGIN.search(value) is not None
    if isinstance(value, list):
        return any(map(_holds_login, value))
    return isinstance(value, dict) and any(map(_holds_login, value.values()))


def _flaw(value: Any) -> str:
    """The first thing that is not plain data, in words, or nothing."""
    if isinstance(value, Vaulted):
        return "it is encrypted"
    if isinstance(value, str):
        return "it holds Jinja" if any(mark in value for mark in _JINJA) else ""
    if isinstance(value, list):
        return next(filter(None, map(_flaw, value)), "")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            return "one of its keys is not a text"
        return next(filter(None, map(_flaw, value.values())), "")
    return ""


def _each(definition: Definition, read: Callable[[object], object], what: str) -> Iterator[Problem]:
    if not isinstance(definition.value, list):
        yield Problem(
            definition.where, f"{definition.name} is not {what}.", "Write each after a dash."
        )
        return
    for entry in definition.value:
        try:
            read(entry)
        except ValueError as error:
            yield Problem(definition.where, f"{definition.name}: {error}.", "Mend that entry.")


def _near(word: str, known: list[str] | tuple[str, ...], before: str, after: str = "") -> str:
    found = difflib.get_close_matches(word, known, n=3, cutoff=0.7)
    return f"Did you mean {' or '.join(before + name + after for name in found)}?" if found else ""


def _list(names: tuple[str, ...], before: str) -> str:
    return ", ".join(before + name for name in names)
