"""What a measure is given on a host: its variables, their origins, how far it may go there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from kitsurvie.errors import InventoryError
from kitsurvie.kit.measures import RESERVED
from kitsurvie.model import Host, Measure, Mode, Scope, Setting

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Value:
    """What one variable is on a host, where that comes from, and whether it is the default."""

    name: str
    value: Any
    origin: Setting
    default: bool


def resolve(measure: Measure, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The measure's defaults overlaid by the host's own `<id>__` variables."""
    prefix = f"{measure.id}__"
    reserved = {prefix + name for name in RESERVED}
    return {
        **measure.defaults,
        **{k: v for k, v in variables.items() if k.startswith(prefix) and k not in reserved},
    }


def read_besides(measure: Measure, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The host's variables that the measure reads though they are not its own."""
    return {
        name: value
        for name, value in variables.items()
        if any(fnmatchcase(name, pattern) for pattern in measure.reads)
    }


def mode(measure: Measure, variables: Mapping[str, Any], today: date | None = None) -> Mode:
    """How far the measure goes on a host, as `mode_of` says."""
    return mode_of(measure.id, variables, today)


def mode_of(measure: str, variables: Mapping[str, Any], today: date | None = None) -> Mode:
    """How far a measure, by name, goes on a host: its own mode, else the kit's, else observe.

    Until `<id>__off_until`, that day included, it is off whatever the mode says; the mode is what
    holds again afterwards. YAML reads a bare `off` as false, so false is off. `today` is the
    control node's own day unless given. Raises InventoryError for what is no mode or no day.
    """
    until = off_until(measure, variables)
    if until is not None and (today or date.today()) <= until:
        return Mode.OFF
    word = variables.get(f"{measure}__mode", variables.get("kit__mode", Mode.OBSERVE))
    try:
        return Mode.OFF if word is False else Mode(word)
    except ValueError as error:
        raise InventoryError(
            f"The mode of the measure {measure} is {word!r}, not "
            f"{', '.join(mode.value for mode in Mode)}.",
            remedy="Find the line with: kitsurvie inventory check",
        ) from error


def off_until(measure: str, variables: Mapping[str, Any]) -> date | None:
    """The last day a measure is off by exception; None without one. Raises InventoryError."""
    written = variables.get(f"{measure}__off_until")
    if written is None or written == "":
        return None
    try:
        if not _DAY.fullmatch(str(written)):
            raise ValueError
        return date.fromisoformat(str(written))
    except ValueError as error:
        raise InventoryError(
            f"{measure}__off_until is {written!r}, not a day such as 2027-01-31.",
            remedy="Find the line with: kitsurvie inventory check",
        ) from error


def values(measure: Measure, host: Host) -> tuple[Value, ...]:
    """How far the measure goes on a host and when, then its own variables, each with its origin."""
    return (*_governing(measure, host), *_own(measure, host))


def _governing(measure: Measure, host: Host) -> Iterator[Value]:
    own = f"{measure.id}__mode"
    name = own if own in host.variables else "kit__mode"
    if name in host.variables:
        word = host.variables[name]
        # YAML reads a bare off as false
        shown = Mode.OFF.value if word is False else word
        yield Value(name, shown, _origin(host, name), default=False)
    else:
        nobody = Setting(Scope.DEFAULT, measure.id, "", Mode.OBSERVE.value)
        yield Value(own, Mode.OBSERVE.value, nobody, default=True)
    for word in ("off_reason", "off_until"):
        own = f"{measure.id}__{word}"
        if host.variables.get(own):
            yield Value(own, host.variables[own], _origin(host, own), default=False)
    for word in ("change_windows", "freezes"):
        own = f"{measure.id}__{word}"
        name = own if own in host.variables else f"kit__{word}"
        if own in host.variables or host.variables.get(name):
            yield Value(name, host.variables[name], _origin(host, name), default=False)


def _own(measure: Measure, host: Host) -> Iterator[Value]:
    file = str(measure.path / "defaults" / "main.yml")
    for name, value in resolve(measure, host.variables).items():
        by_default = Setting(Scope.DEFAULT, measure.id, file, measure.defaults.get(name))
        origin = _origin(host, name) if name in host.variables else by_default
        same = name in measure.defaults and measure.defaults[name] == value
        yield Value(name, value, origin, default=same)


def _origin(host: Host, name: str) -> Setting:
    chain = host.settings.get(name)
    return chain[-1] if chain else Setting(Scope.UNKNOWN, "", "", host.variables[name])
