"""`kitsurvie assets return` and `loan`: a machine that is taken back, and to whom it goes next."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from kitsurvie.assets.acts import Loan, Return, data_of
from kitsurvie.assets.devices import Device
from kitsurvie.assets.folding import fold
from kitsurvie.assets.life import Life, State, is_in_stock
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.deciding import Reason, decide, why_of
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import DeviceName
from kitsurvie.cli.assets.stories import taken_back_by
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

LONGEST_LABEL = 80
Day = Annotated[
    str | None, typer.Option("--date", metavar="DATE", help="The day it was; today otherwise.")
]


def return_(
    device: DeviceName,
    reason: Reason,
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner", metavar="SIREN", help="Whose it is, where its register does not say so."
        ),
    ] = None,
    day: Day = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Record that a machine is back in stock: a loan ends, or it is taken back from whoever had it.

    What is in stock is no double any more, and is offered by `assets available`. Of a machine that
    was discarded while it was lent, the loan ends, and it stays discarded.
    """
    why = why_of(reason)
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        one = estate.device(device)
        life = estate.life(one.id)
        loan = life.open_loan
        if life.state is State.DISCARDED and loan is None:
            raise _discarded(one, life)
        # it may have come back before the day on which it was discarded
        when = day_of(day, life if life.discard is None or loan is None else Life((loan,)))
        if owner is not None:
            _check_owner(one, owner, estate, place)
        made = Return(one.id, one.records[0], when.isoformat(), owner or "", why)
        number = decide(ledger, made)
    if json:
        output.document("assets_return", {"decision": number, **data_of(made)})
    else:
        stands = (
            f"{one.id} is in stock since {when}"
            if life.discard is None
            else f"the loan of {one.id} ended on {when}, and it stays discarded"
        )
        output.say(
            f"Decision {number}: {stands}. To take it back: kitsurvie assets revoke {number}"
        )
    return 0


def loan(
    device: DeviceName,
    reason: Reason,
    member: Annotated[
        str | None,
        typer.Option("--member", metavar="SIREN", help="Who it is lent to; its owner otherwise."),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            "--service", metavar="NAME", help="The service or role; without it, a person's login."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The day it is due back.")
    ] = None,
    day: Day = None,
    user: people.Person = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Lend a machine that is in stock to a service, or to a person, who is kept as a pseudonym.

    Never to another member than its own, unless it is the syndicate's.
    """
    why = why_of(reason)
    if service is not None and user is not None:
        raise UsageError(
            "A loan is to a service or to a person, not to both.",
            remedy="Leave one of them out.",
        )
    place = find(workspace)
    logins = people.pseudonyms(place)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        one = estate.device(device)
        life = estate.life(one.id)
        _check_in_stock(one, life)
        to = _borrower(one, life, estate, place, member)
        when = day_of(day, life)
        end = told.date_of("--until", until) if until else None
        if end is not None and end < when:
            raise UsageError(
                f"--until {end} is before the loan begins, on {when}.",
                remedy="Name a later day, or leave it out.",
            )
        label = _label(service, estate, logins.of(service)) if service is not None else ""
        person = "" if label else people.person(user, logins)
        made = Loan(
            one.id, one.records[0], when.isoformat(), owner_of(one, life) or to, to, label, person,
            end.isoformat() if end else "", why,
        )  # fmt: skip
        number = decide(ledger, made)
    if json:
        output.document("assets_loan", {"decision": number, **data_of(made)})
    else:
        whom = output.printable(label or person)
        output.say(
            f"Decision {number}: {one.id} is lent to {whom} ({estate.member(to)})"
            f"{f' until {end}' if end else ''}. It is back with: kitsurvie assets return {one.id}"
        )
    return 0


def owner_of(one: Device, life: Life) -> str | None:
    """The SIREN of whose a machine is: as somebody said, else where its register has it."""
    return life.owner or one.member


def day_of(written: str | None, life: Life) -> date:
    """The day of a step: not to come, and not before the one that it follows. Raises UsageError."""
    today = clock.today()
    day = told.date_of("--date", written) if written else today
    if day > today:
        raise UsageError(f"--date {day} is still to come.", remedy="Record it on that day.")
    if life.last is not None and day < life.last.day:
        raise UsageError(
            f"--date {day} is before what was last recorded of it, on {life.last.day}.",
            remedy="Show its story with: kitsurvie assets show DEVICE",
        )
    return day


def _check_in_stock(one: Device, life: Life) -> None:
    match life.state:
        case State.DISCARDED:
            raise _discarded(one, life)
        case State.LENT:
            raise UsageError(
                f"{one.id} is lent already.",
                remedy=f"Record first that it is back: kitsurvie assets return {one.id}",
            )
        case State.IN_SERVICE if not is_in_stock(one.status):
            raise UsageError(
                f"{one.id} is in service, as far as anybody recorded.",
                remedy=f"Record first that it was taken back: kitsurvie assets return {one.id}",
            )


def _borrower(one: Device, life: Life, estate: Estate, place: Place, member: str | None) -> str:
    """The member (SIREN) that a machine goes to; raises UsageError where it may not."""
    owner = owner_of(one, life)
    if not owner:
        raise UsageError(
            f"Nobody knows whose {one.id} is.",
            remedy=f"Say so first: kitsurvie assets return {one.id} --owner SIREN",
        )
    if member is None or member == owner:
        return owner
    to = estates.known_member(estate.inventory, place, member)
    if owner != place.syndicate:
        raise UsageError(
            f"{one.id} is {estate.member(owner)}'s, and is not the syndicate's to lend elsewhere.",
            remedy="Lend it there; or, where it was ceded to the syndicate, say so: kitsurvie "
            f"assets return {one.id} --owner SIREN (`syndicate` in kitsurvie.toml).",
        )
    return to


def _check_owner(one: Device, owner: str, estate: Estate, place: Place) -> None:
    estates.known_member(estate.inventory, place, owner)
    if one.member not in (None, owner) and owner != place.syndicate:
        raise UsageError(
            f"{one.id} is {estate.member(one.member)}'s in its register, not "
            f"{estate.member(owner)}'s.",
            remedy="Mend the register it comes from; the syndicate alone takes machines over here "
            "(`syndicate` in kitsurvie.toml).",
        )


def _label(service: str, estate: Estate, pseudonym: str) -> str:
    """The name of a service on one line. Raises UsageError for one that is somebody's login."""
    label = " ".join(service.split())
    if not fold(label) or len(label) > LONGEST_LABEL or not label.isprintable():
        raise UsageError(
            f"The service is no name of at most {LONGEST_LABEL} characters.",
            remedy="Name the service or the role, as in --service 'Accueil'.",
        )
    if pseudonym in people.known(estate):
        raise UsageError(
            "That service is somebody's login.",
            remedy="Leave --service out: the login is then asked for, and kept as a pseudonym.",
        )
    return label


def _discarded(one: Device, life: Life) -> UsageError:
    remedy = taken_back_by(life.discard) if life.discard else ""
    return UsageError(f"{one.id} was discarded.", remedy=remedy)
