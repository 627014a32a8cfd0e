"""A row about somebody: the account of a directory, a day of use, an exemption. Pseudonyms only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from kitsurvie.assets.places import Place
from kitsurvie.assets.readers import dates
from kitsurvie.assets.readers.devices import Bad
from kitsurvie.assets.readers.settings import Settings
from kitsurvie.assets.record import Exemption, Origin, Person, SessionDay

_ACCOUNTS = {"user", "person", "organizationalperson", "inetorgperson", "posixaccount"}


def session_day(settings: Settings) -> Callable[[Mapping[str, str], Origin], SessionDay]:
    """What makes a day of use of a row; it raises Bad for one that cannot be taken."""

    def made(row: Mapping[str, str], origin: Origin) -> SessionDay:
        day = _day(row, "day", "its date")
        if settings.is_future(day):
            raise Bad(f"is of {day}, which is to come; mend the date.")
        name, serial = row.get("name", ""), row.get("serial", "")
        if not name and not serial:
            raise Bad("names no device.")
        place = settings.places.find(row.get("entity", "") or settings.entity)
        user = _login(row, settings)
        return SessionDay(origin, day, place.member, place.commune, name, serial, user)

    return made


def exemption(settings: Settings) -> Callable[[Mapping[str, str], Origin], Exemption]:
    """What makes an exemption of a row; it raises Bad for one that cannot be taken."""

    def made(row: Mapping[str, str], origin: Origin) -> Exemption:
        user = _login(row, settings)
        if not user:
            raise Bad("is for an account that is no single person's.")
        reason = row.get("reason", "")
        if not reason:
            raise Bad("gives no reason.")
        until = _day(row, "until", "its end")
        place = settings.places.find(row.get("entity", "") or settings.entity)
        return Exemption(origin, place.member, place.commune, user, reason, until)

    return made


def person(settings: Settings) -> Callable[[Mapping[str, str], Origin], Person]:
    """What makes an account of a row; it raises Bad for what is none."""

    def made(row: Mapping[str, str], origin: Origin) -> Person:
        classes = {word.strip().casefold() for word in row.get("class", "").split(";")} - {""}
        if classes and not classes & _ACCOUNTS:
            raise Bad("is no account: it is a group, a machine or a folder of the directory.")
        user = _login(row, settings)
        place = _place(row, settings)
        return Person(origin, user, place.member, place.commune)

    return made


def _login(row: Mapping[str, str], settings: Settings) -> str:
    login = row.get("user", "")
    if not login:
        raise Bad("names no user.")
    return settings.pseudonyms.of(login)


def _day(row: Mapping[str, str], name: str, what: str) -> date:
    try:
        found = dates.day(row.get(name, ""))
    except dates.NoDate as error:
        raise Bad(f"cannot be taken: {what} {error}.") from error
    if found is None:
        raise Bad(f"cannot be taken: {what} is empty.")
    return found


def _place(row: Mapping[str, str], settings: Settings) -> Place:
    """Of what a directory says of an account, the first that is a place."""
    place = Place()
    for name in ("entity", "department", "office"):
        if row.get(name):
            place = settings.places.find(row[name])
            if place.member is not None:
                return place
    return settings.places.find(settings.entity) if settings.entity else place
