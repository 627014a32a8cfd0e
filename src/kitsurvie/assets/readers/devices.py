"""A row of a table of devices as a record: GLPI, Snipe-IT, or any other with known headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256

from kitsurvie.assets.readers import dates, kinds
from kitsurvie.assets.readers.settings import Settings
from kitsurvie.assets.record import Condition, Interface, Kind, Origin, Record, Source

_MAC = re.compile(
    r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]?))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"
    r"|(?<![0-9A-Fa-f.])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![0-9A-Fa-f.])"
)
_SILENT = Condition()
# what tells a row from another where the source gives it no number
_TELLING = ("entity", "name", "serial", "uuid", "mac")


class Bad(ValueError):
    """The record cannot be taken; the words go on after `The record`."""


def record(source: Source, settings: Settings) -> Callable[[Mapping[str, str], Origin], Record]:
    """What makes a record of a row; it raises Bad for one that cannot be taken."""
    pseudonym, find = settings.pseudonyms.of, settings.places.find
    register, standard = settings.register, settings.entity

    def made(row: Mapping[str, str], origin: Origin) -> Record:
        get = row.get
        name, serial, uuid = get("name", ""), get("serial", ""), get("uuid", "")
        macs, notes = get("mac", ""), []
        interfaces = _interfaces(macs) if macs else ()
        if macs and not interfaces:
            notes.append("The cell of the MAC address holds none: left aside.")
        if not (serial or uuid or interfaces or name):
            raise Bad("has neither name, serial number, UUID nor MAC address.")
        entity = get("entity", "")
        if not entity:
            # a location may be an office: it counts where it is a place
            location = get("location", "")
            known = location and find(location).member
            entity = location if known else standard or location
        place = find(entity)
        if place.reason:
            notes.append(place.reason)
        maker, model, said = get("maker", ""), get("model", ""), get("kind", "")
        kind = _kind(said, maker, model)
        if said and kind is Kind.UNKNOWN:
            notes.append("Its type is none that is known.")
        user = get("user", "")
        system, version = get("system", ""), get("system_version", "")
        return Record(
            source,
            get("id", "") or _key(row),
            origin,
            register,
            entity,
            place.member,
            place.commune,
            kind,
            name,
            maker,
            model,
            serial,
            uuid,
            interfaces,
            pseudonym(user) if user else "",
            _seen(get("seen", ""), settings),
            _bought(get("bought", ""), settings),
            get("status", ""),
            Condition(system, version) if system or version else _SILENT,
            False,
            tuple(notes),
        )

    return made


def _key(row: Mapping[str, str]) -> str:
    telling = "\x1f".join(row.get(name, "") for name in _TELLING)
    return f"row:{sha256(telling.encode('utf-8', 'replace')).hexdigest()[:20]}"


def _interfaces(cell: str) -> tuple[Interface, ...]:
    found = dict.fromkeys(match[0] for match in _MAC.finditer(cell))
    return tuple(Interface(mac) for mac in found)


@lru_cache(maxsize=1 << 12)
def _kind(said: str, maker: str, model: str) -> Kind:
    modelled = kinds.of_model(maker, model)
    if modelled is Kind.VIRTUAL:
        return modelled
    worded = kinds.of_words(said)
    return worded if worded is not Kind.UNKNOWN else modelled


def _seen(text: str, settings: Settings) -> datetime | None:
    if not text:
        return None
    try:
        found = dates.moment(text, settings.zone)
    except dates.NoDate as error:
        raise Bad(f"was seen on what {error}.") from error
    if found is not None and settings.is_future(found.date()):
        raise Bad(f"was seen on {found.date()}, which is to come; mend the date.")
    return found


def _bought(text: str, settings: Settings) -> date | None:
    if not text:
        return None
    try:
        found = dates.day(text)
    except dates.NoDate as error:
        raise Bad(f"was bought on what {error}.") from error
    if found is not None and settings.is_future(found):
        raise Bad(f"was bought on {found}, which is to come; mend the date.")
    return found
