"""`kitsurvie assets available`: before you buy, what was taken back and waits in a cupboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import crowd, health
from kitsurvie.assets.devices import Device
from kitsurvie.assets.life import Life, State, is_in_stock
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import WINDOW_DAYS, Use, Window
from kitsurvie.assets.worth import DAYS_OF_A_YEAR
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.lending import owner_of
from kitsurvie.cli.assets.listing import document
from kitsurvie.cli.assets.stories import borrower
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.model import Status
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

LINES_SHOWN = 40
USED = f"its register says in stock, and somebody used it in the last {WINDOW_DAYS} days"


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine in stock. `since` is the day it was taken back, None where its register says so.

    `everywhere`: it is the syndicate's, and goes to any member; else to its owner alone.
    `seen_since`: something saw it at work after it was taken back. `used`: its register alone says
    that it is in stock, and session days say that somebody uses it: it is not offered.
    """

    device: Device
    owner: str | None
    everywhere: bool
    since: date | None
    years: float | None
    memory_mib: int | None
    drifts: tuple[str, ...]
    seen_since: bool
    used: bool


def available(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Machines of this kind.")] = None,
    member: Annotated[
        str | None,
        typer.Option("--member", metavar="SIREN", help="What may go to this member."),
    ] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """List machines that were taken back and are neither lent nor discarded: look before you buy.

    A member's own machines are offered to that member alone, the syndicate's to everybody. What a
    register alone calls in stock is left out, and counted, while somebody uses it.
    """
    place = find(workspace)
    today = clock.today()
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        if member is not None:
            estates.known_member(estate.inventory, place, member)
        use = estate.use(Window(today, WINDOW_DAYS + 1))
        found = [
            one
            for one in _in_stock(estate, place, use, today)
            if (kind is None or one.device.kind is kind)
            and (member is None or one.everywhere or one.owner == member)
        ]
        offers = [one for one in found if not one.used]
        used = [one for one in found if one.used]
        named = _of_crowds(used, estate, use)
        lent = _lent(estate, kind, member)
    if json:
        output.document(
            "assets_available",
            {
                "available": [_document(one, estate) for one in offers],
                "left_out": [{**document(one.device, estate), "reason": USED} for one in named],
                "left_out_unnamed": len(used) - len(named),
                "lent": [_loan(one, life, estate, today) for one, life in lent],
            },
        )
        return 0
    _say(offers, lent, estate, place, today)
    _say_left_out(used, named)
    return 0


def _in_stock(estate: Estate, place: Place, use: Use, today: date) -> list[Offer]:
    """What is in stock by a decision or by its register, those that somebody uses among them."""
    found = []
    for one in estate.devices.values():
        life = estate.life(one.id)
        if life.state is State.STOCK and life.last is not None:
            since: date | None = life.last.day
        elif life.state is State.IN_SERVICE and is_in_stock(one.status):
            since = None
        else:
            continue
        found.append(_offer(one, life, estate, place, since, use, today))
    # the newest first: it serves longest
    found.sort(key=lambda o: (o.device.kind.value, o.years is None, o.years or 0.0, o.device.id))
    return found


def _offer(
    one: Device,
    life: Life,
    estate: Estate,
    place: Place,
    since: date | None,
    use: Use,
    today: date,
) -> Offer:
    records = [estate.records[name] for name in one.records]
    told_of = [r for r in records if r.condition.memory_mib]
    latest = max(
        told_of, key=lambda r: (r.seen.timestamp() if r.seen else 0.0, r.key), default=None
    )
    owner = owner_of(one, life)
    return Offer(
        device=one,
        owner=owner,
        everywhere=bool(owner) and owner == place.syndicate,
        since=since,
        years=max(0.0, (today - one.bought).days / DAYS_OF_A_YEAR) if one.bought else None,
        memory_mib=latest.condition.memory_mib if latest else None,
        drifts=tuple(
            finding.text.en
            for finding in health.judge(one, records, today)
            if finding.status is Status.DRIFT
        ),
        # by inventories alone: session days would tell the use of one person's machine
        seen_since=since is not None and one.seen is not None and one.seen.date() > since,
        used=since is None and bool(use.of(one.id)),
    )


def _lent(estate: Estate, kind: Kind | None, member: str | None) -> list[tuple[Device, Life]]:
    found = []
    for name, life in sorted(estate.lives.items()):
        one = estate.devices[name]
        if life.state is State.LENT and life.last is not None:
            of = {life.last.data["member"], owner_of(one, life)}
            if (kind is None or one.kind is kind) and (member is None or member in of):
                found.append((one, life))
    return found


# -- on a terminal ------------------------------------------------------------------------------


def _say(
    offers: Sequence[Offer],
    lent: Sequence[tuple[Device, Life]],
    estate: Estate,
    place: Place,
    today: date,
) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "kind", "model", "age", "memory", "in stock since", "goes to", "look at"):
        table.add_column(heading, overflow="fold" if heading == "look at" else "ellipsis")
    for one in offers[:LINES_SHOWN]:
        notes = [*(["seen at work since: where is it?"] if one.seen_since else []), *one.drifts]
        cells = (
            one.device.id, one.device.kind.value, one.device.model,
            "-" if one.years is None else f"{one.years:.1f} years",
            f"{one.memory_mib / 1024:.0f} GiB" if one.memory_mib else "-",
            one.since.isoformat() if one.since else "its register says",
            "every member" if one.everywhere else estate.member(one.owner), "; ".join(notes),
        )  # fmt: skip
        table.add_row(*map(output.printable, cells))
    if offers:
        output.stdout().print(table)
    if len(offers) > LINES_SHOWN:
        output.say(f"and {len(offers) - LINES_SHOWN} more (--kind, --member, --json)")
    late = [one for one in lent if _is_late(one[1], today)]
    output.say(
        f"{told.count(len(offers), 'machine')} in stock, {len(lent)} lent, {len(late)} of them "
        "past the day."
    )
    for device, life in late[:LINES_SHOWN]:
        data = life.last.data if life.last else {}
        output.say(
            output.printable(
                f"  {device.id}: due on {data['until']} from {borrower(data)} "
                f"({estate.member(data['member'])})"
            )
        )
    if offers and not place.syndicate:
        output.say(
            "Whose machines may go to every member is not known: write the syndicate's SIREN in "
            "kitsurvie.toml."
        )


def _of_crowds(used: Sequence[Offer], estate: Estate, use: Use) -> list[Offer]:
    """Those of members with agents enough that a machine in use may be named."""
    agents: dict[str | None, set[str]] = {}
    for one in estate.devices.values():
        who = use.of(one.id).keys() - estate.identity.shared
        agents.setdefault(one.member, set()).update(who)
    return [one for one in used if crowd.is_crowd(agents[one.device.member])]


def _say_left_out(used: Sequence[Offer], named: Sequence[Offer]) -> None:
    """How many are not offered because somebody uses them; which, is not for a screen."""
    if used:
        which = " (--json lists those of members with five agents or more)" if named else ""
        output.say(
            f"{told.count(len(used), 'machine')} left out{which}: {USED}. Mend the "
            "register; or, where one is back by now: kitsurvie assets return DEVICE --reason TEXT"
        )


# -- for programs -------------------------------------------------------------------------------


def _document(one: Offer, estate: Estate) -> dict[str, Any]:
    return {
        **document(one.device, estate),
        "owner": {"siren": one.owner, "name": estate.member(one.owner)} if one.owner else None,
        "offered_to": "every_member" if one.everywhere else "owner" if one.owner else "nobody",
        "in_stock_since": one.since.isoformat() if one.since else None,
        "age_years": None if one.years is None else round(one.years, 1),
        "memory_mib": one.memory_mib,
        "seen_since": one.seen_since,
        "drifts": list(one.drifts),
    }


def _loan(one: Device, life: Life, estate: Estate, today: date) -> dict[str, Any]:
    data = life.last.data if life.last else {}
    return {
        "id": one.id,
        "decision": life.last.id if life.last else None,
        "member": {"siren": data["member"], "name": estate.member(data["member"])},
        "service": data["service"] or None,
        "person": data["user"] or None,
        "since": data["day"],
        "until": data["until"] or None,
        "late": _is_late(life, today),
    }


def _is_late(life: Life, today: date) -> bool:
    until = life.last.data.get("until", "") if life.last else ""
    return bool(until) and today > date.fromisoformat(until)
