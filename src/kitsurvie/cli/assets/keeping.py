"""`kitsurvie assets prune` and `forget`: nothing of people is kept for longer than it serves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from kitsurvie import inventory as inventories
from kitsurvie.assets import packing
from kitsurvie.assets.acts import Forget
from kitsurvie.assets.life import KINDS, life, over
from kitsurvie.assets.use import WINDOW_DAYS
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.deciding import decide
from kitsurvie.cli.assets.estate import EXEMPT
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.ledger.purging import Over, Purged
from kitsurvie.ledger.register import Act, Register
from kitsurvie.workspace import find

WORDS = {
    "days": "day of use",
    "refused": "row that an import refused",
    "superseded": "former user of a machine",
    "ended": "exemption that is over",
    "decisions": "person in a decision that is over",
}


def oldest(today: date) -> date:
    """The first day of which use is kept: that of the window that ends yesterday."""
    return today - timedelta(days=WINDOW_DAYS)


def purge(register: Register, today: date, *, dry_run: bool = False) -> Purged:
    """Take away what is over, or only count it."""
    before = oldest(today)
    moment = datetime(before.year, before.month, before.day).timestamp()
    return register.purge(
        Over(
            day=before.isoformat(),
            moment=moment,
            past=packing.without_anybody,
            kinds=("exemption",),
            ended=partial(packing.unless_ended, before=before),
            acts=_over(register.acts(undone=True), before, moment),
        ),
        dry_run=dry_run,
    )


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; take nothing away.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Take away what says something of people and is older than 90 days; each import does it too.

    Days of use, rows that were refused, former users of machines, exemptions and loans that ended.
    """
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        gone = purge(ledger.register, clock.today(), dry_run=dry_run)
        if not dry_run:
            ledger.give_back()
    if json:
        payload = {"before": oldest(clock.today()).isoformat(), "dry_run": dry_run}
        output.document("assets_prune", {**payload, "removed": gone._asdict()})
        return 0
    if not any(gone):
        output.say(f"Nothing is older than {WINDOW_DAYS} days.")
    for name, words in WORDS.items():
        if number := getattr(gone, name):
            output.say(f"{'Would go' if dry_run else 'Gone'}: {told.count(number, words)}.")
    return 0


def forget(
    member: Annotated[
        str, typer.Option("--member", metavar="SIREN", help="At which member, who must ask it.")
    ],
    user: people.Person = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Take somebody out of the register, its past and its decisions, at one member.

    The login is asked for, or read from standard input: arguments are shown to every account of
    this machine. Two people of two members may have one login, so the member says which.
    """
    place = find(workspace)
    inventory = inventories.load(place)
    estates.known_member(inventory, place, member)
    # whoever is said to be nobody by now may have been kept before that was said
    person = people.person(user, people.pseudonyms(place, everybody=True))
    with opened(place.ledger_url) as ledger:
        rewrite = partial(packing.without, user=person, member=member)
        rows = ledger.register.forget(person, member, rewrite)
        number = decide(ledger, Forget(member)) if rows else None
        ledger.give_back()
    if json:
        output.document("assets_forget", {"member": member, "rows": rows, "decision": number})
        return 0
    if not rows:
        output.say(f"Nothing is kept of that login at {estates.name_of(inventory, member)}.")
        return 0
    output.say(f"Forgotten at {estates.name_of(inventory, member)}: {told.count(rows, 'row')}.")
    output.say(
        "What an export still says of that login comes back with its next import: have it taken "
        "out there too. Backups made before today still have it."
    )
    return 0


def _over(decided: tuple[Act, ...], before: date, moment: float) -> tuple[int, ...]:
    """Decisions that need name nobody any more: taken back, ended, or a loan that came back."""
    found = [act.id for act in decided if act.undone_at is not None and act.undone_at < moment]
    steps: dict[str, list[Act]] = {}
    for act in decided:
        if act.undone_at is None and act.kind in KINDS:
            steps.setdefault(act.data["device"], []).append(act)
        elif act.kind == EXEMPT and date.fromisoformat(act.data["until"]) < before:
            found.append(act.id)
    lives = (life(map(estates.step, acts)) for acts in steps.values())
    return (*found, *over(lives, before))
