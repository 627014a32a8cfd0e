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
from kitsurvie.assets.traces import parts_of_id
from kitsurvie.assets.use import WINDOW_DAYS
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.deciding import decide
from kitsurvie.cli.assets.estate import EXEMPT
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.inventory import consultations
from kitsurvie.inventory.consultations import Consultations
from kitsurvie.ledger.purging import Over, Purged
from kitsurvie.ledger.register import Act, Register
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

WORDS = {
    "days": ("day of use", "days of use"),
    "refused": ("row that an import refused", "rows that an import refused"),
    "superseded": ("former state of a machine", "former states of machines"),
    "ended": ("exemption that is over", "exemptions that are over"),
    "decisions": ("person in a decision that is over", "people in decisions that are over"),
}


def oldest(today: date) -> date:
    """The first day of which use is kept: that of the window that ends yesterday."""
    return today - timedelta(days=WINDOW_DAYS)


def purge(
    register: Register,
    place: Place,
    consulted: Consultations,
    today: date,
    *,
    dry_run: bool = False,
) -> Purged:
    """Take away what is over, or was never to be kept, or only count it.

    Days of members at which nobody is on record as consulted go, and those of logins that are said
    to be nobody's by now.
    """
    everybody = people.pseudonyms(place, everybody=True)
    before = oldest(today)
    moment = datetime(before.year, before.month, before.day).timestamp()
    return register.purge(
        Over(
            day=before.isoformat(),
            moment=moment,
            past=packing.without_anybody,
            kinds=("exemption", "person"),
            ended=partial(packing.unless_ended, before=before),
            acts=_over(register, before, moment),
            nobody=tuple(filter(None, map(everybody.of, place.nobody))),
            may=lambda member: consulted.of(member or None) is not None,
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
    consulted = consultations.load(place, inventories.load(place))
    with opened(place.ledger_url) as ledger:
        gone = purge(ledger.register, place, consulted, clock.today(), dry_run=dry_run)
        if not dry_run:
            ledger.give_back()
    if json:
        payload = {"before": oldest(clock.today()).isoformat(), "dry_run": dry_run}
        output.document("assets_prune", {**payload, "removed": gone._asdict()})
        return 0
    if not any(gone):
        output.say(f"Nothing is to go: nothing is older than {WINDOW_DAYS} days.")
    for name, words in WORDS.items():
        if number := getattr(gone, name):
            what = words[number > 1]
            output.say(f"{'Would go' if dry_run else 'Gone'}: {number} {what}.")
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


def _over(register: Register, before: date, moment: float) -> tuple[int, ...]:
    """Decisions that need name nobody any more: taken back, ended, or a loan that came back."""
    decided = register.acts(undone=True)
    # a machine that was merged since is found by the record that the decision was about
    now = register.devices()
    found = [act.id for act in decided if act.undone_at is not None and act.undone_at < moment]
    steps: dict[str, list[Act]] = {}
    for act in decided:
        if act.undone_at is None and act.kind in KINDS:
            device = now.get(parts_of_id(act.data["record"]), act.data["device"])
            steps.setdefault(device, []).append(act)
        elif act.kind == EXEMPT and date.fromisoformat(act.data["until"]) < before:
            found.append(act.id)
    lives = (life(map(estates.step, acts)) for acts in steps.values())
    return (*found, *over(lives, before))
