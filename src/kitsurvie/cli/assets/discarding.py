"""`kitsurvie assets discard` and `discarded`: what is of no use any more, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import discards
from kitsurvie.assets.acts import Discarded, data_of
from kitsurvie.assets.devices import Device
from kitsurvie.assets.discards import NEEDS_PROOF, SOURCE, Scope, Share
from kitsurvie.assets.life import Life
from kitsurvie.assets.record import Discard, Outcome
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.deciding import decide
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.lending import Day, day_of, owner_of
from kitsurvie.cli.assets.listing import DeviceName, MemberName
from kitsurvie.cli.assets.stories import lent_and_discarded, still_lent, taken_back_by
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.workspace import find

LONGEST = 200
LENT_SHOWN = 10
ASIDE = {
    Scope.OLDER: "over ten years old when discarded",
    Scope.EXCLUDED: "classified or under a duty of security",
    Scope.LARGE: "of no category of the decree",
    Scope.AGE_UNKNOWN: "bought on a day that nobody knows: say it, or they are not counted",
    Scope.SIZE_UNKNOWN: "servers, printers and the like of a size that nobody knows: `small` says "
    "it",
}
HOW = (
    "Share, as article 3 has it: reused in the year / in stock on 1 January. It may be over 100 %: "
    "what was discarded in the year counts when it goes, and not in the stock.",
    "Reused: ceded to a public body or donated; sold or taken back for it with a proof alone.",
    "A machine that is lent or reassigned was not discarded, and is not counted.",
)


def discard(
    device: DeviceName,
    to: Annotated[Outcome, typer.Option("--to", help="Where it goes; `stock`: nowhere yet.")],
    day: Day = None,
    recipient: Annotated[
        str, typer.Option("--recipient", metavar="BODY", help="The body that gets it; no person.")
    ] = "",
    proof: Annotated[
        str,
        typer.Option(
            "--proof",
            metavar="TEXT",
            help="What shows that a buyer, or who takes it back, has it used again.",
        ),
    ] = "",
    excluded: Annotated[
        str,
        typer.Option(
            "--excluded", metavar="REASON", help="Why the decree does not count it: classified..."
        ),
    ] = "",
    small: Annotated[
        bool | None,
        typer.Option("--small/--large", help="No side of it is over 50 cm, or one is."),
    ] = None,
    bought: Annotated[
        str | None,
        typer.Option("--bought", metavar="DATE", help="When it was, where no register says so."),
    ] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Record that a machine is discarded and where it goes; later ones go on from the first.

    `assets discarded` counts them as the decree 2023-266 asks. Many at once, screens among them:
    import a table (docs/reference/exports.md).
    """
    said = {"--recipient": recipient, "--proof": proof, "--excluded": excluded}
    words = [_line(option, text) for option, text in said.items()]
    since = told.date_of("--bought", bought) if bought else None
    if since is not None and since > clock.today():
        raise UsageError(f"--bought {since} is still to come.", remedy="Mend the date.")
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        one = estate.device(device)
        one = replace(one, bought=one.bought or since)
        life = estate.life(one.id)
        if life.open_loan is not None:
            raise UsageError(
                f"{one.id} is lent.",
                remedy=f"Record first that it is back: kitsurvie assets return {one.id}",
            )
        if to is Outcome.STOCK and life.discard is not None and life.discard.data["outcome"] != to:
            raise UsageError(
                f"{one.id} left already, on {life.discard.day}.",
                remedy=taken_back_by(life.discard),
            )
        made = _made(one, life, to, day_of(day, life), words, small)
        number = decide(ledger, made)
    if json:
        output.document("assets_discard", {"decision": number, **data_of(made)})
        return 0
    where = "still there" if to is Outcome.STOCK else to.value
    output.say(
        f"Decision {number}: {one.id} was discarded on {made.discarded}, {where}. "
        f"To take it back: kitsurvie assets revoke {number}"
    )
    if to in NEEDS_PROOF and not proof:
        output.say("It counts as reused only with --proof: record it again once you have it.")
    if not made.bought and not excluded:
        output.say("Nobody knows when it was bought: it will not be counted until a register says.")
    return 0


def discarded(
    year: Annotated[
        int | None,
        typer.Option("--year", min=2000, max=2199, help="The calendar year; this one otherwise."),
    ] = None,
    member: MemberName = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what share of discarded equipment went to reuse in a year, by member, and how counted.

    As the decree 2023-266 of 12 April 2023 asks: equipment of ten years at most, screens included.
    """
    today = clock.today()
    wanted = year or today.year
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        if member is not None:
            estates.known_member(estate.inventory, place, member)
        listed = [one for one in estate.discarded if member in (None, one.member)]
        lent = lent_and_discarded(estate, member)
    shares = discards.shares(listed, wanted)
    if json:
        document = _document(listed, shares, estate, wanted)
        output.document(
            "assets_discarded",
            {**document, "still_lent": [_lent(one, life, estate) for one, life in lent]},
        )
    else:
        _say(shares, estate, wanted, so_far=wanted == today.year)
        for one, life in lent[:LENT_SHOWN]:
            sentence = still_lent(one, life, estate)
            output.say(output.printable(f"{one.id} {one.name}: {sentence}"))
        if len(lent) > LENT_SHOWN:
            output.say(f"and {len(lent) - LENT_SHOWN} more that are lent (--member, --json)")
    return 0


def _made(
    one: Device, life: Life, to: Outcome, day: date, words: Sequence[str], small: bool | None
) -> Discarded:
    """The decision; what was said of an earlier one of the machine holds where this is silent."""
    before = life.discard.data if life.discard else {}
    recipient, proof, excluded = words
    owner = owner_of(one, life)
    if not owner:
        raise UsageError(
            f"Nobody knows whose {one.id} is, and the share is each member's own.",
            remedy=f"Say so first: kitsurvie assets return {one.id} --owner SIREN",
        )
    return Discarded(
        device=one.id,
        record=one.records[0],
        day=day.isoformat(),
        member=owner,
        kind=one.kind.value,
        name=one.name,
        maker=one.maker,
        model=one.model,
        serial=one.serial,
        bought=one.bought.isoformat() if one.bought else before.get("bought", ""),
        discarded=before.get("discarded") or day.isoformat(),
        outcome=to.value,
        left="" if to is Outcome.STOCK else day.isoformat(),
        recipient=recipient or before.get("recipient", ""),
        proof=proof or before.get("proof", ""),
        excluded=excluded or before.get("excluded", ""),
        small=before.get("small") if small is None else small,
    )


def _line(option: str, said: str) -> str:
    text = " ".join(said.split())
    if len(text) > LONGEST or not text.isprintable():
        raise UsageError(
            f"{option} is no line of at most {LONGEST} characters.", remedy="Say it shorter."
        )
    return text


# -- on a terminal ------------------------------------------------------------------------------


def _say(shares: Sequence[Share], estate: Estate, year: int, *, so_far: bool) -> None:
    if not shares:
        output.say(f"Nothing that was discarded is on record for {year}.")
        output.say(
            "Record it with `assets discard`, or import a table (docs/reference/exports.md)."
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "member", "in stock on 1 Jan", "reused", "share", "asked for", "recycled", "destroyed",
        "no proof", "of what left",
    ):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "member" else "right")
    each = [*shares, *([discards.total(shares, year)] if len(shares) > 1 else [])]
    for one in each:
        table.add_row(
            output.printable(estate.member(one.member)) if one.member else "all together",
            str(one.stock), str(one.reused), _percent(one.rate),
            _percent(one.target) if one.member else "", str(one.recycled), str(one.destroyed),
            str(one.unproven), _percent(one.of_left),
        )  # fmt: skip
    output.say(f"{year}{', so far' if so_far else ''} ({SOURCE}):")
    output.stdout().print(table)
    for scope, words in ASIDE.items():
        if number := each[-1].aside.get(scope, 0):
            output.say(f"Left out: {number} {words}.")
    for sentence in HOW:
        output.say(sentence)


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part * 100:.0f} %"


# -- for programs -------------------------------------------------------------------------------


def _document(
    listed: Iterable[Discard], shares: Sequence[Share], estate: Estate, year: int
) -> dict[str, Any]:
    return {
        "year": year,
        "source": SOURCE,
        "how": list(HOW),
        "members": [
            {
                "member": {"siren": one.member, "name": estate.member(one.member)},
                **_share(one),
                "target": one.target,
            }
            for one in shares
        ],
        "total": _share(discards.total(shares, year)),
        "things": [_thing(one) for one in listed],
    }


def _lent(one: Device, life: Life, estate: Estate) -> dict[str, Any]:
    loan, gone = life.open_loan, life.discard
    return {
        "id": one.id,
        "name": one.name,
        "decision": loan.id if loan else None,
        "discarded": gone.day.isoformat() if gone else None,
        "sentence": still_lent(one, life, estate),
    }


def _share(one: Share) -> dict[str, Any]:
    return {
        "in_stock": one.stock,
        "reused": one.reused,
        "share": one.rate,
        "left": one.left,
        "recycled": one.recycled,
        "destroyed": one.destroyed,
        "unproven": one.unproven,
        "share_of_left": one.of_left,
        "left_out": {scope.value: one.aside.get(scope, 0) for scope in ASIDE},
    }


def _thing(one: Discard) -> dict[str, Any]:
    return {
        "siren": one.member,
        "kind": one.kind.value,
        "name": one.name,
        "model": one.model,
        "serial": one.serial,
        "bought": one.bought.isoformat() if one.bought else None,
        "discarded": one.discarded.isoformat(),
        "outcome": one.outcome.value,
        "left": one.left.isoformat() if one.left else None,
        "recipient": one.recipient,
        "proof": one.proof,
        "scope": discards.scope(one).value,
    }
