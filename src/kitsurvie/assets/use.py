"""Who used which device on which days. People are pseudonyms; there are days, never hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from kitsurvie.assets import identifiers
from kitsurvie.assets.devices import Device
from kitsurvie.assets.record import SessionDay

# Day-level data is purged after this many days: design, section 9
WINDOW_DAYS = 90


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are looked at: `days` of them, `end` being the last."""

    end: date
    days: int = WINDOW_DAYS

    @property
    def start(self) -> date:
        """The first day."""
        return self.end - timedelta(days=self.days - 1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Use:
    """Days by device id and user.

    `attached` rows lead to a device; `unattached` name no device, several, or no user; `outside`
    are of days out of the window.
    """

    days: Mapping[str, Mapping[str, frozenset[date]]]
    attached: int = 0
    unattached: int = 0
    outside: int = 0

    def of(self, device: str) -> Mapping[str, frozenset[date]]:
        """The days of each user on a device."""
        return self.days.get(device, {})

    def by(self, device: str, user: str) -> frozenset[date]:
        """The days of one user on a device."""
        return self.of(device).get(user, frozenset())


@dataclass(slots=True)
class _Register:
    """Devices by what a session row may say of them; None where several answer to it."""

    by_serial: dict[str, list[Device]] = field(default_factory=dict)
    by_name: dict[tuple[str, str], Device | None] = field(default_factory=dict)
    known: dict[tuple[str | None, str, str], Device | None] = field(default_factory=dict)

    def device(self, row: SessionDay) -> Device | None:
        """The device of a row; a device has one row a day, so that it is found once."""
        said = (row.member, row.device_serial, row.device_name)
        if said not in self.known:
            self.known[said] = self._find(row)
        return self.known[said]

    def _find(self, row: SessionDay) -> Device | None:
        """By serial; by name inside the member where the device's serial does not say otherwise."""
        serial = identifiers.serial(row.device_serial)
        found = self.by_serial.get(serial, []) if serial else []
        if len(found) > 1:
            found = [one for one in found if one.member == row.member]
        if len(found) == 1:
            return found[0]
        named = self.by_name.get((row.member or "", identifiers.name(row.device_name)))
        if named is None or not row.member:
            return None
        other = serial and named.serials and serial not in named.serials
        return None if other else named


def attach(devices: Iterable[Device], sessions: Iterable[SessionDay], window: Window) -> Use:
    """Lead each row to its device. Rows are read once and not kept."""
    register = _register(devices)
    days: dict[str, dict[str, set[date]]] = {}
    attached = unattached = outside = 0
    for row in sessions:
        if row.day not in window:
            outside += 1
        elif row.user and (device := register.device(row)):
            attached += 1
            days.setdefault(device.id, {}).setdefault(row.user, set()).add(row.day)
        else:
            unattached += 1
    frozen = {
        device: {user: frozenset(found) for user, found in sorted(users.items())}
        for device, users in days.items()
    }
    return Use(frozen, attached, unattached, outside)


def _register(devices: Iterable[Device]) -> _Register:
    register = _Register()
    former: dict[tuple[str, str], Device | None] = {}
    for device in devices:
        for serial in device.serials:
            register.by_serial.setdefault(serial, []).append(device)
        for at, name in enumerate(device.names if device.member else ()):
            names = former if at else register.by_name
            key = (device.member or "", name)
            names[key] = None if key in names else device
    # the name a device has now goes before one that another device had once
    register.by_name = {**former, **register.by_name}
    return register
