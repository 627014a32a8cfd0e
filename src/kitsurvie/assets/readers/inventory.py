"""One inventory of one device as records: the device, and each screen that was on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from kitsurvie.assets.folding import fold
from kitsurvie.assets.readers import dates, kinds, schema
from kitsurvie.assets.readers.condition import condition
from kitsurvie.assets.readers.settings import Settings
from kitsurvie.assets.readers.told import Told
from kitsurvie.assets.record import Interface, Kind, Origin, Record, Refusal, Source

_ITEMTYPES = {
    "Phone": Kind.PHONE,
    "Printer": Kind.PRINTER,
    "NetworkEquipment": Kind.NETWORK,
    "Unmanaged": Kind.OTHER,
}
_PLAIN_TYPES = {"", "ethernet", "wifi"}


def records(
    told: Told, source: Source, origin: Origin, settings: Settings
) -> Iterator[Record | Refusal]:
    """The device and its screens, or the one reason why the device cannot be taken."""
    notes = schema.Notes(missing=source is Source.GLPI_JSON)
    deviceid = schema.taken("deviceid", told.deviceid, schema.top()["deviceid"], notes)
    if not deviceid:
        yield Refusal(origin, "It has no deviceid to know it by; run the agent again.")
        return
    if notes.missing and "versionclient" not in told.content:
        notes.add("versionclient is missing.")
    parts = schema.fitted(told.content, notes)
    seen = _seen(told, parts, deviceid, settings, notes)
    if seen is not None and settings.is_future(seen.date()):
        yield Refusal(
            origin, f"It was seen on {seen.date()}, which is to come; set the clock of that device."
        )
        return
    record = _device(told, parts, deviceid, settings, notes, source, origin, seen)
    yield record
    yield from _screens(parts.get("monitors", ()), record)


def _device(
    told: Told,
    parts: Mapping[str, Any],
    deviceid: str,
    settings: Settings,
    notes: schema.Notes,
    source: Source,
    origin: Origin,
    seen: datetime | None,
) -> Record:
    top = schema.top()
    hardware, bios = parts.get("hardware", {}), parts.get("bios", {})
    device = parts.get("network_device", {})
    entity = schema.taken("tag", told.tag, top["tag"], notes) or settings.entity
    place = settings.places.find(entity)
    if place.reason:
        notes.add(place.reason)
    maker = bios.get("smanufacturer") or bios.get("mmanufacturer") or device.get("manufacturer", "")
    model = bios.get("smodel") or bios.get("mmodel") or device.get("model", "")
    itemtype = schema.taken("itemtype", told.itemtype, top["itemtype"], notes) or ""
    kind = _kind(itemtype, parts, maker, model)
    return Record(
        source=source,
        key=deviceid,
        origin=origin,
        register=settings.register,
        entity=entity,
        member=place.member,
        commune=place.commune,
        kind=kind,
        name=hardware.get("name") or device.get("name", ""),
        maker=maker,
        model=model,
        serial=bios.get("ssn") or device.get("serial", ""),
        uuid=hardware.get("uuid", ""),
        interfaces=_interfaces(parts.get("networks", ()), device),
        user=_user(hardware, parts.get("users", ()), told.user, settings),
        seen=seen,
        condition=condition(parts, programs=kind not in (Kind.PHONE, Kind.TABLET)),
        partial=bool(schema.taken("partial", told.partial, top["partial"], notes)),
        left_aside=notes.all(),
    )


def _seen(
    told: Told, parts: Mapping[str, Any], deviceid: str, settings: Settings, notes: schema.Notes
) -> datetime | None:
    """When the inventory was made, or else of the last logon, in the year of the identifier."""
    for text in (parts.get("accesslog", {}).get("logdate", ""), told.seen):
        try:
            found = dates.moment(text, settings.zone)
        except dates.NoDate as error:
            notes.add(f"The date of the inventory {error}: left aside.")
        else:
            if found is not None:
                return found
    logon = parts.get("hardware", {}).get("datelastloggeduser", "")
    return dates.logon(logon, settings.zone, dates.install_day(deviceid))


def _kind(itemtype: str, parts: Mapping[str, Any], maker: str, model: str) -> Kind:
    if itemtype in _ITEMTYPES:
        return _ITEMTYPES[itemtype]
    if "network_device" in parts:
        return kinds.of_words(parts["network_device"].get("type", ""))
    system = parts.get("operatingsystem", {})
    if "android" in f"{system.get('full_name', '')} {system.get('name', '')}".casefold():
        return Kind.PHONE if parts.get("simcards") else Kind.UNKNOWN
    hardware = parts.get("hardware", {})
    return kinds.of_computer(
        chassis=hardware.get("chassis_type", ""),
        vmsystem=hardware.get("vmsystem", ""),
        maker=maker,
        model=model,
        battery=bool(parts.get("batteries")),
    )


def _interfaces(
    networks: Sequence[Mapping[str, Any]], device: Mapping[str, Any]
) -> tuple[Interface, ...]:
    """One for each MAC; an agent lists an interface again for each of its addresses."""
    found: dict[str, Interface] = {}
    for one in networks:
        mac, kind = one.get("mac", ""), one.get("type", "").casefold()
        if not mac or kind == "loopback" or mac.casefold() in found:
            continue
        words = [one.get("description", ""), one.get("model", ""), one.get("driver", "")]
        words.append("" if kind in _PLAIN_TYPES else kind)
        words.append("USB" if one.get("pnpdeviceid", "").upper().startswith("USB\\") else "")
        what = " ".join(dict.fromkeys(word for word in words if word))
        found[mac.casefold()] = Interface(mac, what, bool(one.get("virtualdev")))
    if device.get("mac"):
        found.setdefault(device["mac"].casefold(), Interface(device["mac"]))
    return tuple(found.values())


def _user(
    hardware: Mapping[str, Any],
    users: Sequence[Mapping[str, Any]],
    beside: str,
    settings: Settings,
) -> str:
    """Who logged in last, or the one person who is logged in."""
    of = settings.pseudonyms.of
    last = of(hardware.get("lastloggeduser", "")) if hardware.get("lastloggeduser") else ""
    if last:
        return last
    there = {name for one in users if (name := of(one.get("login", "")))}
    if len(there) == 1:
        return there.pop()
    return of(beside) if beside and not there else ""


def _screens(monitors: Sequence[Mapping[str, Any]], computer: Record) -> Iterator[Record]:
    """Screens, known by maker and serial, or else by the computer they were on.

    One of which nothing is said is none that could be found again.
    """
    for number, one in enumerate(monitors, start=1):
        if not one:
            continue
        serial = one.get("serial") or one.get("altserial", "")
        maker = one.get("manufacturer", "")
        own = _identifies(serial) and f"screen:{fold(maker)}:{serial.casefold()}"
        yield Record(
            source=computer.source,
            key=own or f"{computer.key}/screen/{number}",
            origin=computer.origin,
            register=computer.register,
            entity=computer.entity,
            member=computer.member,
            commune=computer.commune,
            kind=Kind.SCREEN,
            name=one.get("name") or one.get("caption", ""),
            maker=maker,
            model=one.get("caption") or one.get("name", ""),
            serial=serial,
            seen=computer.seen,
        )


def _identifies(serial: str) -> bool:
    """Whether a serial can be the key: two screens with one key would be one."""
    letters = re.sub(r"[^0-9a-z]", "", serial.casefold())
    # 16843009 is 01 01 01 01, what a screen without a serial says
    return len(letters) >= 5 and len(set(letters)) >= 3 and letters not in ("16843009",)
