"""`kitsurvie compliance history`: what went wrong, where, from when to when, and who ran what."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kitsurvie import inventory as inventories
from kitsurvie import kit
from kitsurvie.cli import acknowledged, output, told, waived
from kitsurvie.cli.context import Context, with_statements
from kitsurvie.cli.documents import waiver_document
from kitsurvie.cli.episodes import TROUBLES, Episode, Recurrent, episodes, recurrent
from kitsurvie.cli.options import Json, Limit, Measures, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.told import DAY_S, iso
from kitsurvie.errors import UsageError
from kitsurvie.inventory import waivers
from kitsurvie.inventory.waivers import Waivers
from kitsurvie.ledger import Acknowledgement, Run
from kitsurvie.model import Inventory, Status, Waiver
from kitsurvie.workspace import find

ROWS_SHOWN = 30
RUNS_SHOWN = 10
# a decade: longer is a slip of the finger
MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class History:
    """The episodes of a time, the newest first, and the runs made in it.

    Waivers are those of today: read for today where a drift lasts, for its last day where it is
    over.
    """

    since: float
    now: float
    episodes: tuple[Episode, ...]
    again: tuple[Recurrent, ...]
    acknowledged: Mapping[tuple[str, str, str], Acknowledgement]
    runs: tuple[Run, ...]
    known: Mapping[int, Run]
    waivers: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)

    def day(self, one: Episode) -> date:
        """The day for which a waiver of it is read."""
        return date.fromtimestamp(self.now if one.to_at is None else one.to_at)

    def waiver(self, one: Episode) -> Waiver | None:
        """The waiver that speaks of a drift; of one that lasts also a waiver that is over."""
        mine = self.waivers.get(one.host)
        if not mine or one.status is not Status.DRIFT:
            return None
        found = waivers.covering(mine, one.verdict.measure, one.verdict.check, self.day(one))
        over = found is not None and not waivers.holds(found, self.day(one))
        return None if over and one.to_at is not None else found

    def waived(self, one: Episode) -> bool:
        """Whether it is waived while it lasts, or was on its last day."""
        found = self.waiver(one)
        return found is not None and waivers.holds(found, self.day(one))

    def acknowledgement(self, one: Episode) -> Acknowledgement | None:
        """Of what still lasts, who answers for it."""
        if one.to_at is not None:
            return None
        return self.acknowledged.get((one.host, one.verdict.measure, one.verdict.check))


def history(
    limit: Limit = None,
    measure: Measures = None,
    member: Annotated[
        str | None, typer.Option("--member", metavar="SIREN", help="Only this member's machines.")
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=MOST_DAYS, help="How many days to look back.")
    ] = 30,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what drifted or could not be judged, from when to when, and who ran what; ask no machine.

    With the measures that drift again and again on a machine, by the figures of kitsurvie.toml.
    """
    place = find(workspace)
    inventory = inventories.load(place)
    world = with_statements(Context(place, inventory, kit.load(place.roles), ()))
    hosts = _meant(inventory, limit, member)
    now = time.time()
    since = now - days * DAY_S
    window = place.recurrent_days
    with opened(place.ledger_url) as ledger:
        earliest = min(since, now - window * DAY_S)
        # what each verdict says is in the document alone
        held = ledger.intervals(
            *TROUBLES, since=earliest, hosts=hosts, measures=measure or None, said=json
        )
        every = episodes(held)
        said = [a for a in ledger.acknowledgements() if a.until >= date.today().isoformat()]
        runs = ledger.runs(limit=None)
    shown = [one for one in every if one.to_at is None or one.to_at >= since]
    found = History(
        since, now,
        tuple(sorted(shown, key=_newest_first)),
        recurrent(every, times=place.recurrent_times, since=now - window * DAY_S),
        {(a.host, a.measure, a.check): a for a in said},
        tuple(run for run in runs if run.started_at >= since),
        {run.id: run for run in runs},
        _by_host(world.statements.waivers),
    )  # fmt: skip
    if json:
        output.document("compliance_history", document(found, inventory, window=window))
    else:
        show(output.stdout(), found, inventory, window=window)
    return 0


def _by_host(of: Waivers) -> dict[str, tuple[Waiver, ...]]:
    return {host: of.of(host) for host in {host for one in of.listed for host in one.hosts}}


def _newest_first(one: Episode) -> tuple[bool, float, str, str]:
    """What lasts before what is over, then by its beginning."""
    return (one.to_at is not None, -one.from_at, one.host, one.verdict.check)


def _meant(inventory: Inventory, limit: str | None, member: str | None) -> list[str] | None:
    """The machines asked for; None for all there ever were, those that have left included."""
    if limit is None and member is None:
        return None
    hosts = inventories.select(inventory, limit)
    if member is None:
        return list(hosts)
    if member not in inventory.members:
        raise UsageError(
            f"The inventory has no member {member!r}.",
            remedy="Give its SIREN, as in: kitsurvie inventory show",
        )
    return [name for name in hosts if inventory.hosts[name].member == member]


# -- on a terminal ------------------------------------------------------------------------------


def show(console: Console, found: History, inventory: Inventory, *, window: int) -> None:
    """What recurs, where it gathers, then each episode, then who ran what."""
    output.say(_opening(found))
    for one in found.again:
        line = f"Again and again  {told.recurs(one, inventory, window)}"
        console.print(Text(line, style="yellow"))
    if found.episodes:
        _tally(console, "Measure", found, lambda one: one.verdict.measure)
        hosts = {one.host for one in found.episodes}
        members = {one: told.member(inventory, one) for one in hosts}
        _tally(console, "Member", found, lambda one: members[one.host])
        _episodes(console, found, inventory)
    _runs(console, found.runs)


def _opening(found: History) -> str:
    lasting = [one for one in found.episodes if one.to_at is None]
    accepted = sum(1 for one in lasting if found.waived(one))
    still = f"{len(lasting)} of them still there"
    still += f", {accepted} of these waived" if accepted else ""
    counted = told.count(len(found.episodes), "trouble")
    machines = told.count(told.hosts_of(found.episodes), "machine")
    since, now = told.day(found.since), told.day(found.now)
    if not found.episodes:
        return f"From {since} to {now}: nothing drifted in what was asked for."
    return f"From {since} to {now}: {counted} on {machines}, {still}."


def _table(*headings: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        justify: Any = "right" if heading in right else "left"
        table.add_column(heading, justify=justify, overflow="fold")
    return table


def _tally(console: Console, heading: str, found: History, key: Callable[[Episode], str]) -> None:
    groups: dict[str, list[Episode]] = {}
    for one in found.episodes:
        groups.setdefault(key(one), []).append(one)
    accepted = bool(found.waivers) and any(
        one.to_at is None and found.waived(one) for one in found.episodes
    )
    counted = ("Machines", "Troubles", "Still there", *(["of these waived"] if accepted else []))
    table = _table(heading, *counted, right=counted)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    for name, episodes_of in ranked[:RUNS_SHOWN]:
        lasting = [one for one in episodes_of if one.to_at is None]
        numbers = [told.hosts_of(episodes_of), len(episodes_of), len(lasting)]
        numbers += [sum(1 for one in lasting if found.waived(one))] if accepted else []
        table.add_row(Text(name), *(str(number or "-") for number in numbers))
    console.print()
    console.print(table)
    if len(ranked) > RUNS_SHOWN:
        console.print(Text(f"and {len(ranked) - RUNS_SHOWN} more", style="dim"))


def _episodes(console: Console, found: History, inventory: Inventory) -> None:
    table = _table("Machine", "Member", "Check", "", "From", "Until", "Run")
    for one in found.episodes[:ROWS_SHOWN]:
        held = found.waived(one)
        style = "cyan" if held else "yellow" if one.status is Status.DRIFT else "red"
        status = Status.WAIVED if held else one.status
        until = Text("still there", style=style) if one.to_at is None else told.day(one.to_at)
        run = one.from_run if one.to_run is None else one.to_run
        table.add_row(
            Text(one.host), Text(told.member(inventory, one.host)),
            Text(told.check_name(one.verdict)), Text(status.value, style=style),
            told.day(one.from_at), until, Text(told.by_run(found.known, run)),
        )  # fmt: skip
        waiver = found.waiver(one)
        if waiver is not None:
            words = waived.words(waiver, found.day(one))
            table.add_row("", "", Text(words, style="cyan" if held else ""))
        said = found.acknowledgement(one)
        if said is not None:
            table.add_row("", "", Text(acknowledged.words(said), style="cyan"))
    console.print()
    console.print(table)
    if len(found.episodes) > ROWS_SHOWN:
        more = f"and {len(found.episodes) - ROWS_SHOWN} more: narrow with --limit, --measure or "
        console.print(Text(f"{more}--member; --json has them all", style="dim"))


def _runs(console: Console, runs: Sequence[Run]) -> None:
    if not runs:
        return
    table = _table("Run", "When", "What", "By", "For", "State", right=("Run",))
    for run in runs[:RUNS_SHOWN]:
        state = "cut short" if run.state.value == "running" else run.state.value
        by = Text(output.printable(run.by_whom))
        asked = Text(told.run_words(run))
        table.add_row(str(run.id), told.day(run.started_at), run.kind, by, asked, state)
    console.print()
    console.print(table)
    if len(runs) > RUNS_SHOWN:
        console.print(Text(f"and {len(runs) - RUNS_SHOWN} runs before", style="dim"))


# -- the document -------------------------------------------------------------------------------


def document(found: History, inventory: Inventory, *, window: int) -> dict[str, Any]:
    """The history as docs/reference/json.md says it."""
    return {
        "since": iso(found.since),
        "until": iso(found.now),
        "intervals": [_episode(one, found, inventory) for one in found.episodes],
        "again_and_again": [told.recurrent_document(one, inventory, window) for one in found.again],
        "runs": [told.run_document(run) for run in found.runs],
    }  # fmt: skip


def _episode(one: Episode, found: History, inventory: Inventory) -> dict[str, Any]:
    verdict, waiver = one.verdict, found.waiver(one)
    return {
        "host": one.host,
        "member": told.of_member(inventory, one.host),
        "measure": verdict.measure,
        "check": verdict.check,
        "status": one.status.value,
        "from": _end(one.from_at, one.from_run, found.known),
        "until": None
        if one.to_at is None or one.to_run is None
        else _end(one.to_at, one.to_run, found.known),
        "found": verdict.found,
        "expected": verdict.expected,
        "message": verdict.message,
        "acknowledged": acknowledged.document(found.acknowledgement(one)),
        "waived": found.waived(one),
        "waiver": None if waiver is None else waiver_document(waiver, found.day(one)),
    }


def _end(at: float, number: int, runs: Mapping[int, Run]) -> dict[str, Any]:
    return {"at": iso(at), **told.run_reference(runs, number)}
